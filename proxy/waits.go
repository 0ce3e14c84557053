package proxy

import "sync/atomic"

// Waits bounds how many requests are held for the store at once: those are visitors who do not know yet that they have to come
// again. It is state, safe for concurrent use; the zero value is ready, and so is nil, which holds nobody.
type Waits struct{ n atomic.Int64 }

// mostWaits is how many that are. A held request costs a connection and some kilobytes.
const mostWaits = 2000

func (w *Waits) enter() bool {
	if w == nil {
		return false
	}
	if w.n.Add(1) > mostWaits {
		w.n.Add(-1)
		return false
	}
	return true
}

func (w *Waits) leave() { w.n.Add(-1) }

package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/proxy/upstream"
)

// alarms end watches at their time. There is one for every request and hardly any goes off, so they are used again; but only those
// that were stopped before they went off, since nobody knows when another is done. The zero value is ready; it is safe for
// concurrent use.
type alarms struct{ free sync.Pool }

// alarm belongs to one watch at a time.
type alarm struct {
	timer *time.Timer
	watch atomic.Pointer[watch] // nil: nobody's
}

// set returns one that goes off after d, and that the watch must stop.
func (a *alarms) set(w *watch, d time.Duration) *alarm {
	if r, ok := a.free.Get().(*alarm); ok {
		r.watch.Store(w)
		r.timer.Reset(d)
		return r
	}
	r := new(alarm)
	r.watch.Store(w)
	r.timer = time.AfterFunc(d, r.ring)
	return r
}

func (r *alarm) ring() { r.watch.Load().end(upstream.ErrLate) }

// stop takes an alarm back.
func (a *alarms) stop(r *alarm) {
	if r.timer.Stop() {
		r.watch.Store(nil)
		a.free.Put(r)
	}
}

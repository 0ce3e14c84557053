package edge

import (
	"errors"
	"os"
	"sync"
	"time"
)

// watchAfter is how long a request may take before anybody looks whether its visitor is still there. Most are answered by then,
// and cost nothing for it.
const watchAfter = 20 * time.Millisecond

// watch looks whether a visitor leaves while he waits, once all of his request was read. It reads on: what comes is another
// request's, and kept for it, as far as there is room. The zero value is ready.
type watch struct {
	mu    sync.Mutex
	timer *time.Timer // nil: never armed
	state watching
	ended sync.Cond
}

type watching uint8

const (
	notWatching watching = iota
	armed
	watchReads
)

// arm begins it, watchAfter from now. From here to stop the visit's in is the watch's.
func (w *watch) arm(v *visit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = armed
	if w.timer == nil {
		w.ended.L = &w.mu
		w.timer = time.AfterFunc(watchAfter, v.look)
	} else {
		w.timer.Reset(watchAfter)
	}
}

// look is the watch's goroutine. It may come late, when the visit has become another's: then it is only early for that one.
func (v *visit) look() {
	w := &v.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != armed {
		return
	}
	w.state = watchReads
	_ = v.conn.SetReadDeadline(time.Time{})
	w.mu.Unlock()
	for v.w < len(v.in) {
		n, err := v.conn.Conn.Read(v.in[v.w:])
		v.w += n
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				v.conn.leave()
			}
			break
		}
	}
	w.mu.Lock()
	w.state = notWatching
	w.ended.Broadcast()
}

// stop ends it, and reports whether it may have changed the deadline for reading.
func (w *watch) stop(c *conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.state {
	case armed:
		w.timer.Stop()
		w.state = notWatching
		return false
	case watchReads:
		_ = c.SetReadDeadline(time.Unix(1, 0))
		for w.state == watchReads {
			w.ended.Wait()
		}
	}
	return true
}

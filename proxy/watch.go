package proxy

import (
	"context"
	"sync"
	"time"

	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
)

// watch bounds the time to the head of the answer, and ends the exchange when the store closes under a request that can be
// sent again, or has not been sent: what apps do after their own store timed out is worse than nothing. Other requests, and those
// of visitors who need nothing of the store themselves, get the shorter timeout: an app may ask its store for everybody.
func (x *exchange) watch() *watch {
	limit := x.route.Timeout
	if x.trying {
		limit = min(limit, x.monitor.TrialTime())
	}
	w := &watch{cancel: x.cancel, due: time.Now().Add(limit), impaired: x.route.ImpairedTimeout}
	w.timer = time.AfterFunc(limit, func() { w.end(upstream.ErrLate) })
	if x.monitor == nil || x.route.Need == shed.NeedNone {
		return w
	}
	w.store = x.monitor
	need, carries, safe, goesOn := x.route.Need, x.carries, x.safe(), x.trying || !x.asks
	w.met = func(v shed.Verdict, sent bool) bool {
		return goesOn || sent && !safe || need.Met(carries, x.concern(v).State)
	}
	w.fails = func(v shed.Verdict) bool { return x.impaired(x.concern(v)) }
	w.listen(x.monitor)
	if v := x.monitor.Current(); w.fails(v) { // it is, or it closed before anybody listened
		w.closed(x.monitor, v)
	}
	return w
}

// watch is one exchange's deadline. It is safe for concurrent use.
type watch struct {
	cancel   context.CancelCauseFunc
	due      time.Time
	impaired time.Duration
	store    Monitor                              // nil: nobody tells
	met      func(v shed.Verdict, sent bool) bool // whether the exchange may go on by that verdict
	fails    func(v shed.Verdict) bool            // whether the store is impaired for it by that verdict
	forget   func()                               // nil: nobody to forget

	mu    sync.Mutex
	done  bool
	sent  bool // a backend may have seen something of the request
	timer *time.Timer
}

// listen has the watch hear of m, as long as the exchange is before it.
func (w *watch) listen(m Monitor) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.done && w.store == m {
		w.forget = m.OnClose(func(v shed.Verdict) {
			w.listen(m) // it may get worse
			w.closed(m, v)
		})
	}
}

// turnTo has the watch hear of another store, if m is one: the exchange has moved to a pool of its.
func (w *watch) turnTo(m Monitor) {
	w.mu.Lock()
	if w.store == nil || w.store == m {
		w.mu.Unlock()
		return
	}
	if w.forget != nil {
		w.forget()
		w.forget = nil
	}
	w.store = m
	w.mu.Unlock()
	w.listen(m)
	if v := m.Current(); w.fails(v) {
		w.closed(m, v)
	}
}

// closed ends the exchange where it must, and shortens its time otherwise. What was heard of a store that it has left is nothing to it.
func (w *watch) closed(m Monitor, v shed.Verdict) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done || w.store != m {
		return
	}
	if !w.met(v, w.sent) {
		outcome := record.Degraded
		if w.sent {
			outcome = record.Converted
		}
		w.cancel(&Error{Outcome: outcome, Reason: shed.Reason(v.Cause.String())})
		return
	}
	if due := time.Now().Add(w.impaired); w.fails(v) && due.Before(w.due) {
		w.due = due
		w.timer.Reset(w.impaired)
	}
}

// sending notes that there is a connection, and that the request goes out on it.
func (w *watch) sending() {
	w.mu.Lock()
	w.sent = true
	w.mu.Unlock()
}

// wasSent reports whether a backend may have seen something of the request.
func (w *watch) wasSent() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

// end ends the exchange, unless the watch has been stopped.
func (w *watch) end(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.done {
		w.cancel(why)
	}
}

// stop ends the watch. Nothing of it happens afterwards.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = true
	w.timer.Stop()
	if w.forget != nil {
		w.forget()
	}
}

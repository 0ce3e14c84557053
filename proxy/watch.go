package proxy

import (
	"sync"
	"time"

	"gatehouse/proxy/edge"
	"gatehouse/proxy/record"
	"gatehouse/shed"
	"gatehouse/shed/store"
)

// watch bounds the time to the head of the answer, and ends the exchange when the store closes under a request that can be
// sent again, or has not been sent: what apps do after their own store timed out is worse than nothing. Other requests, and those
// of visitors who need nothing of the store themselves, get the shorter timeout: an app may ask its store for everybody.
//
// It is begun once, and is safe for concurrent use from then on.
type watch struct {
	life     *edge.Life // of the exchange
	alarms   *alarms
	impaired time.Duration

	// What the request is, as far as it matters here.
	need    shed.Need
	carries bool
	signIn  bool
	safe    bool
	goesOn  bool // whatever the store's state

	mu    sync.Mutex
	from  *hearing // nil: nobody tells
	first hearing  // room for it
	due   time.Time
	alarm *alarm
	done  bool
	sent  bool // a backend may have seen something of the request
}

// hearing is a watch's hearing of one store. It is under the watch's lock.
type hearing struct {
	by      *watch
	store   Monitor
	several bool // it stands for several parts
	watcher store.Watcher
}

// beginWatch begins a watch of the exchange, and returns it. The caller owes it a stop.
func (x *exchange) beginWatch(w *watch) *watch {
	limit := x.route.Timeout
	if x.trying {
		limit = min(limit, x.monitor.TrialTime())
	}
	w.life, w.alarms, w.impaired = &x.life, &x.handler.alarms, x.route.ImpairedTimeout
	w.need, w.carries, w.signIn, w.safe, w.goesOn = x.route.Need, x.carries, x.route.SignIn, x.safe(), x.trying || !x.asks
	w.begin(limit)
	if x.monitor != nil && x.route.Need != shed.NeedNone {
		w.attend(&w.first, x.monitor, x.several())
	}
	return w
}

// begin sets the time of the watch's end.
func (w *watch) begin(limit time.Duration) {
	w.mu.Lock()
	w.due = time.Now().Add(limit)
	w.alarm = w.alarms.set(w, limit)
	w.mu.Unlock()
}

// met reports whether the exchange may go on by that verdict. It is called under w.mu.
func (w *watch) met(v shed.Verdict) bool {
	return w.goesOn || w.sent && !w.safe || w.need.Met(w.carries, concern(v, w.signIn).State)
}

// attend has the watch hear of m from now on, in h. It may be impaired already, or may have closed before anybody listened.
func (w *watch) attend(h *hearing, m Monitor, several bool) {
	w.mu.Lock()
	h.by, h.store, h.several = w, m, several
	w.from = h
	m.Watch(&h.watcher, h)
	w.mu.Unlock()
	if v := m.Current(); impaired(concern(v, w.signIn), several) {
		h.hear(v)
	}
}

// turnTo has the watch hear of another store, if m is one: the exchange has moved to a pool of its.
func (w *watch) turnTo(m Monitor, several bool) {
	w.mu.Lock()
	if w.from == nil || w.from.store == m {
		w.mu.Unlock()
		return
	}
	w.from.watcher.Stop()
	w.from = nil // it may be told at this moment, and must not listen on
	w.mu.Unlock()
	w.attend(new(hearing), m, several) // the first may be telling still
}

// StoreClosed hears on, since it may get worse.
func (h *hearing) StoreClosed(v shed.Verdict) {
	w := h.by
	w.mu.Lock()
	if !w.done && w.from == h {
		h.store.Watch(&h.watcher, h)
	}
	w.mu.Unlock()
	h.hear(v)
	h.hear(h.store.Current()) // it may be worse already
}

// hear ends the exchange where it must, and shortens its time otherwise. What is heard of a store that it has left is nothing to it.
func (h *hearing) hear(v shed.Verdict) {
	w := h.by
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done || w.from != h {
		return
	}
	if !w.met(v) {
		outcome := record.Degraded
		if w.sent {
			outcome = record.Converted
		}
		w.life.End(&Error{Outcome: outcome, Reason: shed.Reason(v.Cause.String())})
		return
	}
	if impaired(concern(v, w.signIn), h.several) {
		w.shorten()
	}
}

// shorten bounds what is left of the time by that of an impaired store. It is called under w.mu, before the watch has stopped.
func (w *watch) shorten() {
	if due := time.Now().Add(w.impaired); due.Before(w.due) {
		w.due = due
		w.alarm.timer.Reset(w.impaired)
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
		w.life.End(why)
	}
}

// stop ends the watch. Nothing of it happens afterwards.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = true
	w.alarms.stop(w.alarm)
	w.alarm = nil
	if w.from != nil {
		w.from.watcher.Stop()
	}
}

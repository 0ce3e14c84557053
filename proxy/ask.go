package proxy

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"gatehouse/proxy/h1"
	"gatehouse/proxy/intake"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
)

// ask sends the request to a backend and returns the head of its final answer. A backend that could not be reached was sent
// nothing, so the next one is tried, in the overflow pool too.
func (x *exchange) ask() (*upstream.Answer, error) {
	request := x.outgoing()
	watch := x.watch()
	defer watch.stop()
	var tried upstream.Tried
	var last error
	for {
		claim, err := x.pool.Backends.Claim(&tried)
		if err != nil {
			if x.borrow() {
				continue
			}
			if last != nil {
				err = last
			}
			return nil, err
		}
		x.claim = claim
		x.entry.Backend = claim.Backend()
		x.entry.Attempts++
		x.entry.At.Claimed = x.since()
		answer, err := claim.Send(x.ctx, request)
		x.sent = x.sent || !errors.Is(err, upstream.ErrConnect)
		if err == nil {
			x.entry.At.Head = x.since()
			return answer, nil
		}
		x.claim.End(upstream.Result{Err: err})
		if cause := context.Cause(x.ctx); cause != nil {
			return nil, cause
		}
		if !errors.Is(err, upstream.ErrConnect) || x.body.n > 0 {
			return nil, err
		}
		last = err
	}
}

func (x *exchange) outgoing() *upstream.Request {
	head := *x.head
	intake.Origin{Peer: x.peer, Trusted: x.trusted, Secure: x.v.Secure(), Host: x.v.Host(), ID: x.id}.Tell(&head)
	if x.facts.Trailers {
		head.Add("TE", "trailers")
	}
	r := &upstream.Request{
		Method: x.v.Method(), Target: x.target.Origin(), Host: x.v.Host(), Head: head,
		Length: x.v.Length(), Trailer: x.v.Trailer,
		Inform: func(status int, head h1.Head) {
			intake.CleanAnswer(&head)
			_ = x.v.Inform(status, head) // who is gone will be noticed at the head
		},
	}
	if r.Length != 0 {
		r.Body = &x.body
	}
	if x.facts.Websocket {
		r.Upgrade = "websocket"
	}
	return r
}

// watch bounds the time to the head of the answer, and ends the exchange when the store closes under a request that can be
// sent again: what apps do after their own store timed out is worse than nothing. Other requests get the shorter timeout.
func (x *exchange) watch() *watch {
	w := &watch{cancel: x.cancel, due: time.Now().Add(x.route.Timeout), impaired: x.route.ImpairedTimeout}
	limit := x.route.Timeout
	if x.asks && x.verdict.State.Impaired() {
		limit = min(limit, w.impaired)
	}
	w.timer = time.AfterFunc(limit, func() { w.cancel(upstream.ErrLate) })
	if !x.asks {
		return w
	}
	need, carries, safe := x.route.Need, x.carries, x.safe()
	w.forget = x.rt.Store.OnClose(func(v shed.Verdict) {
		if safe && !need.Met(carries, v.State) {
			w.cancel(&Error{Outcome: record.Converted, Reason: shed.Reason(v.Cause.String())})
			return
		}
		w.shorten()
	})
	if v := x.rt.Store.Current(); safe && !need.Met(carries, v.State) { // it closed before anybody listened
		w.cancel(&Error{Outcome: record.Converted, Reason: shed.Reason(v.Cause.String())})
	}
	return w
}

// watch is one exchange's deadline. It is safe for concurrent use.
type watch struct {
	cancel   context.CancelCauseFunc
	due      time.Time
	impaired time.Duration
	forget   func() // nil: nobody to forget

	mu    sync.Mutex
	done  bool
	timer *time.Timer
}

func (w *watch) shorten() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.done {
		w.timer.Reset(min(w.impaired, time.Until(w.due)))
	}
}

// stop ends the watch. Nothing of it happens afterwards.
func (w *watch) stop() {
	if w.forget != nil {
		w.forget()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = true
	w.timer.Stop()
}

// judge looks at what a backend answered, or failed to, before anything of it reaches the visitor.
func (x *exchange) judge(answer *upstream.Answer, err error) (*upstream.Answer, error) {
	var turned *Error
	switch {
	case x.v.Context().Err() != nil:
		err = errGone
	case errors.As(err, &turned):
	case x.rt.Store != nil && !x.preflight():
		if reason, instead := x.instead(answer, err); instead {
			err = &Error{Outcome: record.Converted, Reason: reason, Err: err}
		}
	}
	if err != nil && answer != nil {
		_ = answer.Body.Close()
		answer = nil
	}
	return answer, err
}

// instead reports whether the visitor gets the page instead of this answer, and why.
func (x *exchange) instead(answer *upstream.Answer, err error) (shed.Reason, bool) {
	h := shed.Head{Broken: err != nil, Carries: x.carries, Arrived: x.entry.Arrived}
	if answer != nil {
		h.Status, h.Convert, h.RetryAfter = answer.Status, x.route.Convert[answer.Status], answer.Head.Has("Retry-After")
	}
	verdict, checked := x.rt.Store.Current(), false
	for {
		j := shed.Answer(x.route.Need, h, verdict, checked, x.rt.Store.LastImpaired())
		switch j.Fate {
		case shed.Deliver:
			return "", false
		case shed.Page:
			x.entry.State, x.entry.Cause = verdict.State, verdict.Cause
			return j.Reason, true
		case shed.Check:
			verdict, checked = x.rt.Store.Verdict(x.v.Context(), 0), true
		}
	}
}

// meter counts what is read of a body. One goroutine reads it, and another looks only after that one is done.
type meter struct {
	from io.Reader
	n    int64
}

// Interrupt ends a Read that is under way, where the front end can.
func (m *meter) Interrupt() {
	if in, ok := m.from.(interface{ Interrupt() }); ok {
		in.Interrupt()
	}
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	m.n += int64(n)
	return n, err
}

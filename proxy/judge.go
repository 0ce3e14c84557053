package proxy

import (
	"context"
	"errors"

	"gatehouse/proxy/intake"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
)

// judge looks at what a backend answered, or failed to, before anything of it reaches the visitor.
func (x *exchange) judge(answer *upstream.Answer, err error) (*upstream.Answer, error) {
	if cause := context.Cause(x.ctx); err == nil && cause != nil { // the watch ended it as the head came
		err = cause
	}
	var turned *Error
	switch {
	case x.v.Context().Err() != nil:
		err = errGone
	case errors.As(err, &turned):
		v := x.rt.Store.Current()
		x.entry.State, x.entry.Cause = v.State, v.Cause
	case errors.Is(err, upstream.ErrVisitor), errors.Is(err, upstream.ErrRequest): // not the backend's doing
	case x.rt.Store != nil && !intake.Preflight(x.request.Method, *x.head):
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
	h := shed.Head{Broken: err != nil, Arrived: x.entry.Arrived}
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

package proxy

import (
	"errors"
	"time"

	"gatehouse/proxy/intake"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
)

// judge looks at what a backend answered, or failed to, before anything of it reaches the visitor.
func (x *exchange) judge(answer *upstream.Answer, err error) (*upstream.Answer, error) {
	if cause := x.life.Err(); err == nil && cause != nil { // the watch ended it as the head came
		err = cause
	}
	switch {
	case x.v.Context().Err() != nil:
		err = errGone
		x.trial.Forget()
	case err != nil && wasTurned(err):
		x.see(x.monitor.Current())
	case errors.Is(err, shed.ErrDisplaced):
		x.shed(err)
		x.trial.Forget()
	case errors.Is(err, upstream.ErrVisitor), errors.Is(err, upstream.ErrRequest): // not the backend's doing
		x.trial.Forget()
	case intake.Preflight(x.request.Method, *x.head):
	case x.monitor != nil:
		answer, err = x.weigh(answer, err)
	case err == nil && x.route.SignIn:
		x.noteSignIn(answer)
	}
	if err == nil && x.wish() && x.unfulfilled(answer.Status) {
		err = &Error{Outcome: record.Converted, Reason: reasonSignedOut}
	}
	if err == nil {
		x.sign(answer)
	}
	x.trial.End(false) // unless it has ended otherwise: it was called back
	if err != nil && answer != nil {
		_ = answer.Body.Close()
		answer = nil
	}
	return answer, err
}

// weigh says whether the visitor gets the page instead of this answer, and takes out of an answer that is delivered what would
// sign the visitor out. It returns both as they are where the answer, or the failure, stays what it is, and another answer where the
// overflow pool's app knows a session that this one denies.
func (x *exchange) weigh(answer *upstream.Answer, err error) (*upstream.Answer, error) {
	h, j, verdict := x.judgement(answer, err)
	if j.Fate != shed.Page {
		if err == nil {
			if x.known && x.pool == x.route.Overflow { // what is known of him may be wrong, and his session at home
				j.Hold.Deletions, j.Hold.Changes = j.Hold.Deletions || h.Deletes, j.Hold.Changes || h.Changes && h.Denies
			}
			x.tellGuard(h, j)
			x.hold(&answer.Head, j.Hold)
		}
		return answer, err
	}
	if h.Denies {
		if other := x.secondOpinion(answer); other != nil {
			return other, nil
		}
	}
	x.see(verdict)
	x.tellGuard(h, j)
	return answer, &Error{Outcome: record.Converted, Reason: j.Reason, Err: err}
}

// judgement is what becomes of an answer, or of the failure to get one, what was looked at of it, and the verdict that it was judged by.
func (x *exchange) judgement(answer *upstream.Answer, err error) (shed.Head, shed.Judgement, shed.Verdict) {
	h := x.headOf(answer, err)
	x.tried(h, err)
	verdict, checked, closed := x.monitor.Current(), false, x.monitor.LastImpaired
	if h.Vouches {
		x.kept = x.keeper(answer)
		verdict, closed = x.given(h.Arrived)
	}
	for {
		j := shed.Answer(x.route.Need, h, x.concern(verdict), checked, closed())
		if j.Fate != shed.Check {
			return h, j, verdict
		}
		verdict, checked = x.monitor.Look(x.v.Context()), true
	}
}

// keeper is who watches the part of the store that keeps the session which an answer gives; nil where nobody knows.
func (x *exchange) keeper(answer *upstream.Answer) Monitor {
	if x.store.Of == nil {
		return nil
	}
	id, ok := x.rt.Session.Given(x.head, &answer.Head, x.headCame())
	if !ok {
		return nil
	}
	return x.store.Of(id)
}

// given is what is known of what keeps the session that an answer gives, from a check that began after the request came, and when that was
// impaired last: the part of the store whose it is or, where nobody knows, the store as it is acted on.
func (x *exchange) given(came time.Time) (shed.Verdict, func() time.Time) {
	if x.kept != nil {
		return x.kept.Verdict(&x.life, time.Since(came)), x.kept.LastImpaired
	}
	return x.monitor.Current(), x.monitor.LastClosed
}

// sign adds Gatehouse's own cookies to an answer that will be delivered.
func (x *exchange) sign(answer *upstream.Answer) {
	dropOwn(&answer.Head)
	if x.route.SignIn {
		x.journey(&answer.Head)
	}
	x.prove(answer)
	x.noteElsewhere(answer)
}

// wasTurned reports whether Gatehouse itself ended the exchange with a backend.
func wasTurned(err error) bool {
	_, turned := errors.AsType[*Error](err)
	return turned
}

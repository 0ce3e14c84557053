package proxy

import (
	"gatehouse/proxy/h1"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
)

// guards reports whether the guard looks at what this request is answered: it carries something that an answer could take
// away, and nobody asked for that.
func (x *exchange) guards() bool {
	return x.route.Guard && !x.route.SignOut && (x.carries || x.remembers)
}

// headOf is what shed.Answer looks at of an answer, or of the failure to get one.
func (x *exchange) headOf(answer *upstream.Answer, err error) shed.Head {
	// One that was held for the store has come when it was let in: what was before did not touch it.
	h := shed.Head{Broken: err != nil, Arrived: x.entry.Arrived.Add(x.entry.At.Decided)}
	if answer == nil {
		return h
	}
	h.Status, h.Convert, h.RetryAfter = answer.Status, x.route.Convert[answer.Status], answer.Head.Has("Retry-After")
	if x.route.SignIn {
		x.noteSignIn(answer)
		h.Vouches = x.signIn == signInGiven
	}
	if !x.guards() {
		return h
	}
	h.Apart = x.diverged()
	e := x.rt.Session.Effect(x.head, &answer.Head, x.headCame())
	h.Deletes = e.Deletes
	if x.route.SignIn { // it rotates ids, and a wrong password is no outage
		return h
	}
	h.Changes = e.Changes
	fine := answer.Status < 300 || answer.Status == 304
	h.Denies = answer.Status == 401 || !fine && e.Deletes || x.sentToSignIn(answer)
	return h
}

// sentToSignIn reports whether an answer redirects to where the app signs people in.
func (x *exchange) sentToSignIn(answer *upstream.Answer) bool {
	if answer.Status < 300 || answer.Status > 399 {
		return false
	}
	location, ok := answer.Head.Field("Location", 0)
	return ok && x.rt.SignInAt.Leads(location, x.v.Host(), x.target.RawPath)
}

// hold takes out of a backend's lines what would sign the visitor out, and leaves all others byte for byte.
func (x *exchange) hold(head *h1.Head, h shed.Hold) {
	if h == (shed.Hold{}) {
		return
	}
	held := x.rt.Session.Held(x.head, head, x.headCame(), h)
	head.DelFunc(func(l h1.Line) bool { return held(l.Name, l.Value) })
}

// holdAside does so with lines that come beside the head of the final answer, in an interim head or a trailer. They come when
// nothing can be judged, and no app needs them for its sessions.
func (x *exchange) holdAside(head *h1.Head) {
	if x.monitor != nil && x.guards() {
		x.hold(head, shed.Hold{Deletions: true, Changes: !x.route.SignIn})
	}
}

// tellGuard counts what became of an answer that would have touched the session.
func (x *exchange) tellGuard(h shed.Head, j shed.Judgement) {
	if !h.Denies && !h.Deletes && !h.Changes {
		return
	}
	switch {
	case j.Fate == shed.Page:
		x.tellAs(record.GuardConverted)
	case j.Hold == (shed.Hold{}):
		x.tellAs(record.GuardPassed)
	default:
		if j.Hold.Changes {
			x.tellAs(record.GuardChangeHeld)
		}
		if j.Hold.Deletions {
			x.tellAs(record.GuardDeletionHeld)
		}
	}
}

func (x *exchange) tellAs(g record.Guard) {
	x.handler.Record.Guard(g)
	x.entry.Guard = g.String()
}

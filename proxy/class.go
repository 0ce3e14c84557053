package proxy

import (
	"errors"
	"strings"
	"time"

	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
	"gatehouse/shed/session"
)

// classify says how much the request matters where its pool cannot take everybody. Saying that one has a session buys nothing;
// a proof that it was good does.
func (x *exchange) classify() {
	x.proved, x.renew = x.proves()
	switch {
	case x.route.Background:
		x.class = shed.Background
	case x.proved:
		x.class = shed.Member
	case x.route.SignIn:
		x.class = shed.SignIn
	case x.carries:
		x.class = shed.Unproved
	default:
		x.class = shed.Anonymous
	}
	x.entry.Class, x.entry.Classed = x.class, true
}

// proves reports whether the request proves a session that it carries, and whether the proof should be renewed.
func (x *exchange) proves() (good, renew bool) {
	if len(x.own) == 0 || !x.carries {
		return false, false
	}
	now := time.Now()
	for value := range x.owned(session.ProofCookie) {
		n := 0
		for _, id := range x.rt.Session.IDs(x.head) {
			if n++; n > mostTried {
				break
			}
			if good, renew := x.rt.Seal.Proves(value, id, now); good {
				return good, renew
			}
		}
	}
	return false, false
}

// prove gives the visitor a proof of his session where the answer shows that it is good: a sign-in that was let in and worked, or
// an answer of a route that answers members alone.
func (x *exchange) prove(answer *upstream.Answer) {
	id := x.session
	switch {
	case x.trying || x.failing():
		return // what an app says while its store fails proves nothing
	case x.route.SignIn:
		given, ok := x.rt.Session.Given(x.head, &answer.Head, time.Now())
		if !ok || x.signIn != signInGiven {
			return
		}
		id = given
	case !x.route.Members || !x.carries || x.proved && !x.renew || !fine(answer.Status):
		return
	case forAll(answer):
		return
	default:
		if e := x.rt.Session.Effect(x.head, &answer.Head, time.Now()); e.Deletes {
			return
		}
		if given, ok := x.rt.Session.Given(x.head, &answer.Head, time.Now()); ok {
			id = given
		}
	}
	x.lay(&answer.Head, session.ProofCookie, x.rt.Seal.Proof(id, time.Now()), session.ProofLife)
}

// failing reports whether the store failed at some moment since the request came, as far as is known without waiting.
func (x *exchange) failing() bool {
	return x.rt.Store != nil && (x.rt.Store.Current().Impaired() || !x.entry.Arrived.After(x.rt.Store.LastImpaired()))
}

// fine reports whether a status says that the visitor got what he asked for.
func fine(status int) bool { return status >= 200 && status < 300 || status == 304 }

// forAll reports whether an answer may be kept by caches that many visitors share: a cookie would keep it out of them.
func forAll(answer *upstream.Answer) bool {
	cc := strings.ToLower(list(answer.Head, "Cache-Control"))
	return strings.Contains(cc, "public") || strings.Contains(cc, "s-maxage")
}

// shed notes that the pool had no room for the request. A sign-in for which another pool had room paid for being kept apart.
func (x *exchange) shed(err error) {
	rec, reason := x.handler.Record, reasonFull
	switch {
	case errors.Is(err, shed.ErrFull):
	case errors.Is(err, shed.ErrLate):
		reason = reasonQueue
	case errors.Is(err, shed.ErrDisplaced):
		reason = reasonDisplaced
	default:
		return
	}
	rec.Shed(x.pool.Name, x.class, reason)
	if !x.route.SignIn {
		return
	}
	for _, p := range x.rt.Pools {
		if p != x.pool && p.Gate.Room() > 0 {
			rec.IsolationTax(x.pool.Name)
			return
		}
	}
}

// countQuota counts what a quota said.
func (x *exchange) countQuota(q *Quota, refused bool) {
	result := record.QuotaPassed
	switch {
	case refused && q.DryRun:
		result = record.QuotaWouldRefuse
	case refused:
		result = record.QuotaRefused
	}
	x.handler.Record.Quota(q.Name, result)
}

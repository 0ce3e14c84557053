package proxy

import (
	"errors"
	"slices"
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

// prove gives the visitor a proof of his session where the answer shows that it is good.
func (x *exchange) prove(answer *upstream.Answer) {
	if x.trying || x.failing() || !x.looks() {
		return // what an app says while its store fails, or of its own accord, proves nothing
	}
	if id := x.shown(answer); id != "" && !kept(answer) {
		x.lay(&answer.Head, session.ProofCookie, x.rt.Seal.Proof(id, time.Now()), session.ProofLife)
	}
}

// shown is the session that an answer shows to be good; "" for none: that of somebody who was let in to sign in and could, that of
// whoever is answered by a route that answers members alone, and the new id of one that had been proved. Of a sign-in only a form
// that was sent and answered by a redirect to somewhere else on the site counts: anything else is also how apps answer a wrong
// password, or send people on to an identity provider.
func (x *exchange) shown(answer *upstream.Answer) string {
	if !x.route.SignIn && !x.proved && !(x.route.Members && x.carries) {
		return "" // most answers, which are not looked at any further
	}
	given, gives := x.rt.Session.Given(x.head, &answer.Head, x.headCame())
	redirects := answer.Status >= 300 && answer.Status < 400
	switch e := x.rt.Session.Effect(x.head, &answer.Head, x.headCame()); {
	case x.route.SignIn:
		if gives && redirects && x.attempts() && x.signIn == signInGiven && !x.leadsAway(answer) {
			return given
		}
	case x.route.SignOut || e.Deletes:
	case x.proved && gives && answer.Status < 400 && !x.sentToSignIn(answer):
		return given
	case x.route.Members && x.carries && fine(answer.Status) && (!x.proved || x.renew) && !strangersCall(answer):
		if gives {
			return given
		}
		return x.session
	}
	return ""
}

// looks reports whether the method is one that an app answers itself: frameworks answer the others for it, whoever asks.
func (x *exchange) looks() bool {
	switch x.v.Method() {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE":
		return true
	}
	return false
}

// strangersCall reports whether an answer may be a no that has the status 200, as gRPC's are.
func strangersCall(answer *upstream.Answer) bool {
	return strings.HasPrefix(answer.Head.Get("Content-Type"), "application/grpc")
}

// failing reports whether the store failed at some moment since the request came, as far as is known without waiting.
func (x *exchange) failing() bool {
	return x.monitor != nil && (impaired(x.monitor.Current(), x.several()) || !x.entry.Arrived.After(x.monitor.LastClosed()))
}

// fine reports whether a status says that the visitor got what he asked for.
func fine(status int) bool { return status >= 200 && status < 300 || status == 304 }

// kept reports whether an answer may be kept by caches that many visitors share (RFC 9111 section 3): a cookie in it would be
// everybody's.
func kept(answer *upstream.Answer) bool {
	cc := strings.ToLower(list(answer.Head, "Cache-Control"))
	switch {
	case strings.Contains(cc, "private"), strings.Contains(cc, "no-store"), strings.Contains(cc, "no-cache"):
		return answer.Head.Has("CDN-Cache-Control") || answer.Head.Has("Surrogate-Control")
	case strings.Contains(cc, "public"), strings.Contains(cc, "max-age"), strings.Contains(cc, "s-maxage"):
		return true
	}
	return answer.Head.Has("Expires") || answer.Head.Has("CDN-Cache-Control") || answer.Head.Has("Surrogate-Control")
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
	if x.route.SignIn && slices.ContainsFunc(x.rt.Pools, x.hadRoom) {
		rec.IsolationTax(x.pool.Name)
	}
}

// hadRoom reports whether a pool could have taken a sign-in that its own refused, or took lesser requests instead: the one it may
// borrow of, or where the operator named none, any that has a backend in use.
func (x *exchange) hadRoom(p *Pool) bool {
	switch {
	case p == x.pool, x.route.Overflow != nil && p != x.route.Overflow, !p.Gate.Lends(x.class):
		return false
	}
	return slices.ContainsFunc(p.Backends.Status(), func(b upstream.BackendStatus) bool { return b.Up && !b.Ejected })
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

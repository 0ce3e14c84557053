package proxy

import (
	"strings"
	"time"

	"gatehouse/proxy/h1"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
	"gatehouse/shed/page"
)

// reasonSignedOut is given where the app could not end a session and Gatehouse did what can be done without it.
const reasonSignedOut shed.Reason = "signed_out"

// wish reports whether the visitor asks to be signed out, and brought something that can be ended. What another site's page
// makes a browser send is no wish (Fetch Metadata): the app would have asked for its own proof, which cannot be asked for here.
func (x *exchange) wish() bool {
	if x.route == nil || !x.route.SignOut || !x.carries && !x.remembers {
		return false
	}
	switch x.v.Method() {
	case "HEAD", "OPTIONS", "TRACE":
		return false
	}
	return !strings.EqualFold(x.head.Get("Sec-Fetch-Site"), "cross-site")
}

// endInstead turns a failure to ask the app into a sign-out by Gatehouse itself, where one was asked for: the cookies are
// expired and the id is refused from here on, since the session itself is still in the store.
func (x *exchange) endInstead(e *Error) *Error {
	switch e.Outcome {
	case record.Degraded, record.Converted, record.Shed, record.Error:
	default:
		return e
	}
	if x.rt.SignedOut == nil || !x.wish() {
		return e
	}
	x.refuseFromHere()
	x.tellAs(record.GuardSignedOut)
	return &Error{Outcome: e.Outcome, Reason: reasonSignedOut, Kind: page.SignedOut, Status: 200, Err: e.Err}
}

// refuseFromHere has every id that the request carries refused for as long as a session can live.
func (x *exchange) refuseFromHere() {
	until := time.Now().Add(x.rt.MaxAge)
	for id := range x.rt.Session.IDs(x.head) {
		x.rt.SignedOut.Add(id, until)
	}
}

// expire are the lines that take what the request carries away on this device.
func (x *exchange) expire(head *h1.Head) {
	for _, v := range x.rt.Session.Expire(x.head, x.target.Host, x.target.RawPath, x.secure()) {
		head.Add("Set-Cookie", v)
	}
}

// secure reports whether the visitor came by TLS, as far as is known: the proxy in front says so, or the connection.
func (x *exchange) secure() bool {
	return x.v.Secure() || x.trusted && strings.EqualFold(x.head.Get("X-Forwarded-Proto"), "https")
}

// ended looks at a sign-out that the app answered well. If its store cannot have forgotten the session, a copy of the cookie would
// still be good, so the id is refused from here on; and if the app left the cookie where it was, it is expired here.
func (x *exchange) ended(answer *upstream.Answer) {
	if x.rt.Store == nil || x.rt.SignedOut == nil || answer.Status >= 400 || !x.wish() {
		return
	}
	v := x.rt.Store.Current()
	if !v.Impaired() && !v.Recovering() && x.entry.Arrived.After(x.rt.Store.LastImpaired()) {
		return
	}
	x.refuseFromHere()
	if e := x.rt.Session.Effect(x.head, &answer.Head, time.Now()); !e.Deletes && !e.Changes {
		x.expire(&answer.Head)
	}
	x.tellAs(record.GuardSignedOut)
}

// refuse takes ids away from the request that were signed out here while the app could not do it. What is left is a stranger's
// request.
func (x *exchange) refuse() {
	if x.rt.SignedOut == nil || x.rt.SignedOut.Len() == 0 {
		return
	}
	refused, now := false, time.Now()
	for id := range x.rt.Session.IDs(x.head) {
		refused = refused || x.rt.SignedOut.Has(id, now)
	}
	if !refused {
		return
	}
	x.tellAs(record.GuardRefused)
	x.session, x.carries, x.remembers = "", false, false
	for i, l := range *x.head {
		if strings.EqualFold(l.Name, "Cookie") {
			(*x.head)[i].Value = x.rt.Session.Strip(l.Value)
		}
	}
	x.head.DelFunc(func(l h1.Line) bool {
		if strings.EqualFold(l.Name, "Cookie") {
			return l.Value == ""
		}
		for _, name := range x.rt.Session.Headers {
			if strings.EqualFold(l.Name, name) {
				return true
			}
		}
		return false
	})
}

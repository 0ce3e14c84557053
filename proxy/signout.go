package proxy

import (
	"iter"
	"strings"
	"time"

	"gatehouse/proxy/h1"
	"gatehouse/proxy/intake"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
	"gatehouse/shed/page"
	"gatehouse/shed/quota"
)

// reasonSignedOut is given where the app could not end a session and Gatehouse did what can be done without it.
const reasonSignedOut shed.Reason = "signed_out"

// wish reports whether the visitor asks to be signed out, and brought something that can be ended. What another site's page
// makes a browser send is no wish (Fetch Metadata): the app would have asked for its own proof, which cannot be asked for here.
// Neither is what a browser fetches in case it is wanted.
func (x *exchange) wish() bool {
	if x.route == nil || !x.route.SignOut || x.rt.SignedOut == nil || !x.carries && !x.remembers {
		return false
	}
	switch x.v.Method() {
	case "HEAD", "OPTIONS", "TRACE":
		return false
	}
	return !strings.EqualFold(x.head.Get("Sec-Fetch-Site"), "cross-site") && !x.head.Has("Sec-Purpose") && !x.head.Has("Purpose")
}

// unfulfilled reports whether an answer to a wish did not end the session: the app failed, or, while its store may have
// forgotten what it needs to know, such as a form's proof, it does not understand.
func (x *exchange) unfulfilled(status int) bool {
	return status >= 500 || status >= 400 && x.uncertain()
}

// uncertain reports whether an app's store may have failed it since the request came, as far as is known without waiting: apps
// reconnect late.
func (x *exchange) uncertain() bool {
	return x.monitor != nil && (x.failing() || x.monitor.Current().Recovering())
}

// endInstead turns a failure to ask the app into a sign-out by Gatehouse itself, where one was asked for: the cookies are
// expired and the id is refused from here on, since the session itself is still in the store.
func (x *exchange) endInstead(e *Error) *Error {
	switch e.Outcome {
	case record.Degraded, record.Converted, record.Shed, record.Error:
	default:
		return e
	}
	if x.committed || !x.wish() {
		return e
	}
	x.refuseFromHere()
	x.tellAs(record.GuardSignedOut)
	return &Error{Outcome: e.Outcome, Reason: reasonSignedOut, Kind: page.SignedOut, Status: 200, Err: e.Err}
}

// mostEnded is how many ids of one request are refused: more are made up, to have others forgotten.
const mostEnded = 8

// refuseFromHere has every id that the request carries refused for as long as a session can live. How often one address may do
// that is bounded, as its pages are: the set is.
func (x *exchange) refuseFromHere() {
	if _, wait := x.rt.PerAddress.Take(&x.life, quota.AddrKey(x.request.Client)); wait > 0 {
		return
	}
	until := time.Now().Add(x.rt.MaxAge)
	for name, id := range x.endable() {
		x.rt.SignedOut.Add(name, id, until)
	}
}

// endable are the ids of the request that can be refused from here on, each with its name.
func (x *exchange) endable() iter.Seq2[string, string] {
	return func(yield func(name, id string) bool) {
		n := 0
		for name, id := range x.rt.Session.IDs(x.head) {
			if password(name, id) {
				continue
			}
			if n++; n > mostEnded || !yield(name, id) {
				return
			}
		}
	}
}

// password reports whether a value is no session's but proves by itself who somebody is: refusing it would lock them out.
func password(name, value string) bool {
	const scheme = "Basic "
	return strings.EqualFold(name, "Authorization") && len(value) >= len(scheme) && strings.EqualFold(value[:len(scheme)], scheme)
}

// expire are the lines that take what the request carries away on this device.
func (x *exchange) expire(head *h1.Head) {
	for _, v := range x.rt.Session.Expire(x.head, x.target.Host, x.target.RawPath, x.secure()) {
		head.Add("Set-Cookie", v)
	}
}

// secure reports whether the visitor came by TLS, as far as is known: the proxy in front says so, or the connection.
func (x *exchange) secure() bool {
	return x.v.Secure() || x.trusted && intake.Proto(*x.head) == "https"
}

// ended looks at a sign-out that the app answered well. If its store cannot have forgotten the session, a copy of the cookie would
// still be good, so the id is refused from here on; and if the app left the cookie where it was, it is expired here. A store that
// failed unseen is noticed by the next check.
func (x *exchange) ended(answer *upstream.Answer) {
	if x.monitor == nil || answer.Status >= 400 || !x.wish() {
		return
	}
	if x.uncertain() {
		x.refuseFromHere()
		if e := x.rt.Session.Effect(x.head, &answer.Head, x.headCame()); !e.Deletes && !e.Changes {
			x.expire(&answer.Head)
		}
		x.tellAs(record.GuardSignedOut)
		return
	}
	if home := x.route.Store; home != nil && home != x.store && home.troubled() {
		x.refuseFromHere() // it was ended at another member, and home may have kept what it had of it
	}
	x.forgetUnless()
}

// forgetUnless has the ids refused where the first check from here on finds the store impaired. It keeps copies, since the
// head is gone by then.
func (x *exchange) forgetUnless() {
	type carried struct{ name, id string }
	var all []carried
	for name, id := range x.endable() {
		all = append(all, carried{name, strings.Clone(id)})
	}
	set, until := x.rt.SignedOut, time.Now().Add(x.rt.MaxAge)
	x.monitor.After(func(v shed.Verdict) {
		if v.Late || v.Impaired() {
			for _, c := range all {
				set.Add(c.name, c.id, until)
			}
		}
	})
}

// refuse takes ids away from the request that were signed out here while the app could not do it. Without them it is a
// stranger's request.
func (x *exchange) refuse() {
	if x.rt.SignedOut == nil || x.rt.SignedOut.Len() == 0 {
		return
	}
	now := time.Now()
	has := func(name, id string) bool { return x.rt.SignedOut.Has(name, id, now) }
	refused := false
	for name, id := range x.rt.Session.IDs(x.head) {
		refused = refused || has(name, id)
	}
	if !refused {
		return
	}
	x.tellAs(record.GuardRefused)
	for i, l := range *x.head {
		if strings.EqualFold(l.Name, "Cookie") {
			(*x.head)[i].Value = x.rt.Session.Strip(l.Value, has)
		}
	}
	x.head.DelFunc(func(l h1.Line) bool {
		if strings.EqualFold(l.Name, "Cookie") {
			return l.Value == ""
		}
		for _, name := range x.rt.Session.Headers {
			if strings.EqualFold(l.Name, name) {
				return has(name, l.Value)
			}
		}
		return false
	})
	x.recognise()
}

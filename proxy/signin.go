package proxy

import (
	"net/url"
	"strings"

	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
)

// signIn is what an exchange on a sign-in route says of signing in. Sent forms and API calls are attempts; a GET is one only
// where its answer redirects with a session, which is how an identity provider's callback ends.
type signIn uint8

const (
	signInNone    signIn = iota // not an attempt, or one that leads on to somebody else
	signInGiven                 // the app says that it worked
	signInRefused               // the app says no
	signInFailed                // the app failed
	signInShed                  // Gatehouse turned it away
)

// attempts reports whether the request is an attempt to sign in whatever it is answered.
func (x *exchange) attempts() bool {
	switch x.v.Method() {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return false
	}
	return true
}

// noteSignIn looks at an answer of a sign-in route. Apps redirect with a cookie even when saving the session failed,
// so what it finds is confirmed afterwards.
func (x *exchange) noteSignIn(answer *upstream.Answer) {
	e := x.rt.Session.Effect(x.head, &answer.Head, x.headCame())
	html := strings.HasPrefix(answer.Head.Get("Content-Type"), "text/html")
	switch status := answer.Status; {
	case !x.attempts():
		if e.Gives && status >= 300 && status < 400 && !x.sentToSignIn(answer) {
			x.signIn = signInGiven
		}
	case status >= 500:
		x.signIn = signInFailed
	case status >= 400, x.sentToSignIn(answer):
		x.signIn = signInRefused
	case status < 300 && html && !e.Changes:
		x.signIn = signInRefused // the form again, perhaps with a session of its own for its proof
	case e.Gives, status < 300:
		x.signIn = signInGiven // a session, or an API that answers with what to send
	case x.carries && !x.leadsAway(answer):
		x.signIn = signInGiven // the id that was carried was kept
	}
	// What is left redirects without any session: to an identity provider, to a second factor.
}

// leadsAway reports whether an answer redirects to another host.
func (x *exchange) leadsAway(answer *upstream.Answer) bool {
	to, err := url.Parse(answer.Head.Get("Location"))
	return err == nil && to.Host != "" && !strings.EqualFold(to.Hostname(), (&url.URL{Host: x.v.Host()}).Hostname())
}

// noteTurned looks at a sign-in that ends without an answer of the app. Who does not get the form, or comes back from an identity
// provider to the page, was turned away like one who sent a password.
func (x *exchange) noteTurned(e *Error) {
	given := x.signIn == signInGiven
	x.signIn = signInNone
	if x.route == nil || !x.route.SignIn {
		return
	}
	switch e.Outcome {
	case record.Degraded, record.Limited, record.Shed, record.LinedUp:
		if x.attempts() || x.v.Method() == "GET" {
			x.signIn = signInShed
		}
	case record.Converted, record.Error:
		if x.attempts() || given {
			x.signIn = signInFailed
		}
	}
}

// tellSignIn counts what became of an attempt. A success needs a check of the store that began after the answer and found it
// writable by itself: nobody waits for it.
func (x *exchange) tellSignIn() {
	rec := x.handler.Record
	switch x.signIn {
	case signInGiven:
		if x.monitor == nil {
			rec.SignIn(record.SignInSuccess)
			return
		}
		keeps, several := x.monitor, x.several()
		if x.kept != nil {
			keeps, several = x.kept, false
		}
		keeps.After(func(v shed.Verdict) {
			if confirms(v, several) {
				rec.SignIn(record.SignInSuccess)
			} else {
				rec.SignIn(record.SignInUnconfirmed)
			}
		})
	case signInRefused:
		rec.SignIn(record.SignInRefused)
	case signInFailed:
		rec.SignIn(record.SignInError)
	case signInShed:
		rec.SignIn(record.SignInShed)
	}
}

// confirms reports whether the check behind a verdict found the store writable. A state that merely stands, because the prober
// was refused, is no finding. Of several parts, of which one that fails is not all, what they can do together counts.
func confirms(v shed.Verdict, several bool) bool {
	if several && v.Cause != shed.CauseOverride {
		v.Observed, v.ObservedCause = v.State, v.Cause
	}
	found := v.Observed == shed.Writable || v.Observed == shed.Strained
	return found && !v.Late && v.ObservedCause != shed.CauseProberAuth && v.ObservedCause != shed.CauseUnknown
}

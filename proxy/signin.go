package proxy

import (
	"strings"
	"time"

	"gatehouse/proxy/intake"
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
)

// attempts reports whether the request is an attempt to sign in whatever it is answered.
func (x *exchange) attempts() bool {
	switch x.v.Method() {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return false
	}
	return true
}

// noteSignIn looks at a delivered answer of a sign-in route. Apps redirect with a cookie even when saving the session failed,
// so what it finds is confirmed afterwards.
func (x *exchange) noteSignIn(answer *upstream.Answer) {
	if !x.route.SignIn || intake.Preflight(x.request.Method, *x.head) {
		return
	}
	gives := x.rt.Session.Effect(x.head, &answer.Head, time.Now()).Gives
	switch status := answer.Status; {
	case !x.attempts():
		if gives && status >= 300 && status < 400 && !x.sentToSignIn(answer) {
			x.signIn = signInGiven
		}
	case status >= 500:
		x.signIn = signInFailed
	case status >= 400, x.sentToSignIn(answer):
		x.signIn = signInRefused
	case gives:
		x.signIn = signInGiven
	case status >= 300:
		// The id that was carried was kept. Without any, the way leads on: to an identity provider, to a second factor.
		if x.carries {
			x.signIn = signInGiven
		}
	case strings.HasPrefix(answer.Head.Get("Content-Type"), "text/html"):
		x.signIn = signInRefused // the form again
	default:
		x.signIn = signInGiven // an API that answers with what to send
	}
}

// tellSignIn counts what became of an attempt. A success needs a check of the store that began after the answer and found it
// writable: nobody waits for it.
func (x *exchange) tellSignIn() {
	if x.route == nil || !x.route.SignIn {
		return
	}
	rec := x.handler.Record
	switch x.entry.Outcome {
	case record.Proxied:
		switch x.signIn {
		case signInGiven:
			if x.rt.Store == nil {
				rec.SignIn(record.SignInSuccess)
				return
			}
			x.rt.Store.After(func(v shed.Verdict) {
				if !v.Late && (v.Observed == shed.Writable || v.Observed == shed.Strained) {
					rec.SignIn(record.SignInSuccess)
				} else {
					rec.SignIn(record.SignInUnconfirmed)
				}
			})
		case signInRefused:
			rec.SignIn(record.SignInRefused)
		case signInFailed:
			rec.SignIn(record.SignInError)
		}
	case record.Degraded, record.Limited, record.Shed, record.LinedUp:
		if x.attempts() {
			rec.SignIn(record.SignInShed)
		}
	case record.Converted, record.Error:
		if x.attempts() && x.entry.Reason != string(reasonGone) {
			rec.SignIn(record.SignInError)
		}
	}
}

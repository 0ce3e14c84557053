package main

import (
	"net/http"
	"strings"
	"time"
)

// Side is which of the two ways in a visitor took.
type Side uint8

const (
	Without Side = iota // the plain load balancer
	With                // Gatehouse
	sides
)

func (s Side) String() string { return [sides]string{"without", "with"}[s] }

// Kind is what a visitor came for.
type Kind uint8

const (
	Members   Kind = iota // a member reads the members' board
	SignIns               // somebody new signs in
	Returns               // a member who was signed out, or lost the session, signs in again
	Notes                 // a member saves a note
	Anonymous             // somebody reads the home page
	Assets                // a style sheet
	kinds
)

func (k Kind) String() string {
	return [kinds]string{"signed-in reads", "sign-ins", "sign-ins again", "saving a note", "anonymous pages", "assets"}[k]
}

// Class is how it went for the visitor.
type Class uint8

const (
	OK    Class = iota // what they came for
	Page               // a page that says when to come back
	Bare               // an error without that, or no answer
	Other              // anything else, such as being sent to sign in, or a refusal that says when to come back
)

// Seen is one request as its visitor saw it.
type Seen struct {
	Side         Side
	Came         Kind // what they came for
	Kind         Kind // what they asked for: a member who is signed out must sign in first
	Begun, Ended time.Time
	Class        Class
	Reason       string // that the page gave
	// SignedOut says that the answer deleted or replaced the cookie of a session that the store still had.
	SignedOut bool
	// Lost says that the answer deleted a cookie whose session the store no longer had.
	Lost bool
}

// classify says how an answer is for a visitor of this kind. signedIn says that it brought a session's cookie.
func classify(k Kind, status int, h http.Header, signedIn bool) Class {
	outcome, later := h.Get("Gatehouse-Outcome"), h.Get("Retry-After")
	if status >= 500 {
		if outcome != "" && later != "" {
			return Page
		}
		return Bare
	}
	got := false
	switch k {
	case SignIns, Returns:
		got = status == http.StatusSeeOther && signedIn
	case Notes:
		got = status == http.StatusSeeOther && h.Get("Location") == "/notes"
	default:
		got = status == http.StatusOK
	}
	if got {
		return OK
	}
	return Other
}

// reasonIn returns the reason of a Gatehouse-Outcome, such as read_only in "degraded; reason=read_only".
func reasonIn(outcome string) string {
	for part := range strings.SplitSeq(outcome, ";") {
		if word, ok := strings.CutPrefix(strings.TrimSpace(part), "reason="); ok {
			return word
		}
	}
	return ""
}

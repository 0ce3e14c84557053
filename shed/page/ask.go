package page

import "time"

// Ask is what an answer depends on. The strings may come from a stranger: they choose among what is prepared, and are never
// repeated, Restart and RequestID apart.
type Ask struct {
	// Head says that the method is HEAD: the answer has the head and the length that GET would have, and no body.
	Head bool
	// Carries says that the request carried a session, so that a degraded visitor is told that he was not signed out.
	Carries bool
	// Refresh says that the page may load Restart by itself, which is a GET whatever the request was: its method is safe, or what
	// it sent certainly went no further than here, as that of who is turned away before a backend is asked. Otherwise the page
	// leaves that to the visitor, and warns him that what he sent may not have arrived.
	Refresh bool

	// InLine says that the visitor has a place in the line: a LinedUp or Degraded one is told that it is kept, and other kinds
	// say nothing of a line.
	InLine bool
	Ahead  int           // about how many stand before him, said to two digits and where he is LinedUp alone; below 0: cannot be told
	Waited time.Duration // since he was first turned away

	Accept      string // the request's field, several lines joined by commas; "" when absent
	Language    string // Accept-Language, likewise
	ContentType string // of the request: a gRPC call is known by it

	Kind    Kind
	Status  int    // 0: the Kind's own, such as 503
	Outcome string // the word of metrics and log; "" or no word: the Kind's own
	Reason  string // likewise; "" for none
	// Wait is when to come again, rounded up to seconds, and where people read it from two minutes on to minutes; 0, and for
	// SignedOut always: not said.
	Wait time.Duration
	// Restart is the path where the link and the refresh lead. A query is cut off, and whatever is not an absolute path on
	// this host becomes "/".
	Restart   string
	RequestID string // of letters, digits and "-_.:+/="; anything else is left out
}

// Line is one field line, of the same shape as the wire's.
type Line struct{ Name, Value string }

// Answer is a whole answer but for what frames it. It belongs to the caller, and may be made over by MakeInto. The zero value is
// ready for that.
type Answer struct {
	Status int
	Lines  []Line
	Body   []byte // nil for HEAD and gRPC
	Length int    // of the body, also for HEAD

	room []byte // where a body is made; kept for the next
}

const maxWait = 24 * time.Hour

// seconds returns Wait in whole seconds. Who is signed out has nothing to come again for.
func (a *Ask) seconds() int {
	w := min(a.Wait, maxWait)
	if w <= 0 || a.Kind == SignedOut {
		return 0
	}
	return int((w + time.Second - 1) / time.Second)
}

// stands reports whether the visitor can be told that he was not signed out: not where the store came back empty.
func (a *Ask) stands() bool { return a.Kind == Degraded && a.Carries && a.Reason != "session_loss" }

// word returns s if it is a word of the closed sets of outcomes and reasons, and other if it is not.
func word(s, other string) string {
	if s == "" || len(s) > 40 {
		return other
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return other
		}
	}
	return s
}

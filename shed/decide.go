package shed

import "time"

// Need is what a route needs of the session store. The zero value is NeedRead, the default of the surface.
type Need uint8

const (
	NeedRead  Need = iota // a session is looked up
	NeedWrite             // a session is created or changed
	NeedNone              // the store is not touched
)

// String returns the word of the operator's file.
func (n Need) String() string {
	switch n {
	case NeedWrite:
		return "write"
	case NeedNone:
		return "none"
	default:
		return "read"
	}
}

// Met reports whether a store in state s can give what n needs to a request that carries a session or not. A request that
// carries no session has nothing to look up.
func (n Need) Met(carries bool, s State) bool {
	switch {
	case n == NeedNone, n == NeedRead && !carries:
		return true
	case s == Down:
		return false
	case s == ReadOnly:
		return n == NeedRead
	default:
		return true
	}
}

// Verdict is what is known of the store at one moment, and how. The zero value is an unknown store.
type Verdict struct {
	State State
	Cause Cause
	Since time.Time // when State began
	Begun time.Time // when the check behind this verdict began; zero when there was none
	// Late says that a fresher check was asked for and did not end in time: this request, and only this one, cannot be
	// let through on an older permission.
	Late bool
	// Opened is when the ramp began that is still running; zero when none is. Apps reconnect late, so conversion goes on
	// until the ramp ends.
	Opened time.Time
	// Lost says that the store came back from its last failure without what it held: who is told that he has no session is told the
	// truth.
	Lost bool
	// Observed is what the checks say, and ObservedCause why. They differ from State and Cause where a person said otherwise
	// (an override) or where a store that keeps failing is held read-only for a while (flapping).
	Observed      State
	ObservedCause Cause
	// Reopened is when the checks found a store open that is held; zero where it is not held, or that is as long ago as a ramp
	// lasts.
	Reopened time.Time
}

// Impaired reports whether the store is impaired, or taken for it: what an app answers now may be the store's failure.
func (v Verdict) Impaired() bool { return v.State.Impaired() || v.Observed.Impaired() }

// Unheld is the verdict for those whom a hold does not concern: a store that keeps failing, or of which apps say that it cannot be
// written, holds sign-ins back, and nobody else, for as long as the checks find it well.
func (v Verdict) Unheld() Verdict {
	if v.Cause == CauseFlapping || v.Cause == CauseReported {
		v.State, v.Cause, v.Opened = v.Observed, v.ObservedCause, v.Reopened
	}
	return v
}

// Recovering reports whether a ramp is running.
func (v Verdict) Recovering() bool { return !v.Opened.IsZero() }

// Reason is why something was decided: the word in the log, on the admin page and in Gatehouse-Outcome.
type Reason string

// The reasons of a decision that the store's cause does not already name.
const (
	ReasonNone        Reason = ""
	ReasonUnconfirmed Reason = "unconfirmed" // no fresh enough verdict came in time
)

// Action is what becomes of a request at the door.
type Action uint8

const (
	Pass    Action = iota // go on
	Degrade               // the page
)

// Decision is an Action and its Reason.
type Decision struct {
	Action Action
	Reason Reason
}

// Decide says whether a request with this need may go on, given this verdict. It is pure: a table of states
// and needs, and nothing else.
func Decide(n Need, carries bool, v Verdict) Decision {
	if n.Met(carries, Down) {
		return Decision{}
	}
	if !n.Met(carries, v.State) {
		return Decision{Degrade, Reason(v.Cause.String())}
	}
	if v.Late {
		return Decision{Degrade, ReasonUnconfirmed}
	}
	return Decision{}
}

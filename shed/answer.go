package shed

import "time"

// Head is what Answer looks at of a backend's answer, or of the failure to get one.
type Head struct {
	Status     int  // 0 when the backend's connection broke before a head came
	Broken     bool // no head: the connection failed, was cut, or was late
	RetryAfter bool // the backend itself says when to come back: a deliberate refusal, left alone
	// Convert says that the route lists Status under `convert`.
	Convert bool
	// Arrived is when the request arrived.
	Arrived time.Time
}

// Fate is what becomes of a backend's answer.
type Fate uint8

const (
	Deliver Fate = iota // send it
	Check               // get a verdict from a check begun since, and ask again
	Page                // the visitor gets the page instead
)

// Judgement is a Fate and its Reason.
type Judgement struct {
	Fate   Fate
	Reason Reason
}

// ReasonRecovering is given where the store is well again, and was impaired while the request was under way or so lately
// that apps may not have reconnected.
const ReasonRecovering Reason = "recovering"

// Suspect reports whether an answer may be the store's failure shining through: its status is to be converted and the
// backend did not say when to come back, or there is no answer at all.
func (h Head) Suspect() bool { return h.Broken || h.Convert && !h.RetryAfter }

// Answer says what becomes of a backend's answer. It is pure.
//
// checked says that v comes from a check that began after the head came; without it a suspect answer is never delivered.
// closed is the latest moment at which the store was impaired, the zero time if it never was: an answer whose request was
// under way then is the store's failure, even if the store is well again by now. A need that the store cannot touch is never
// converted.
func Answer(n Need, h Head, v Verdict, checked bool, closed time.Time) Judgement {
	if n == NeedNone || !h.Suspect() {
		return Judgement{}
	}
	if v.State == Unknown && checked && !v.Recovering() {
		if h.Broken || h.Status >= 502 && h.Status <= 504 {
			return Judgement{Page, Reason(v.Cause.String())}
		}
		return Judgement{}
	}
	switch {
	case v.State.Impaired():
		return Judgement{Page, Reason(v.Cause.String())}
	case v.Recovering(), !h.Arrived.After(closed):
		return Judgement{Page, ReasonRecovering}
	case !checked:
		return Judgement{Fate: Check}
	case v.Late:
		return Judgement{Page, ReasonUnconfirmed}
	default:
		return Judgement{}
	}
}

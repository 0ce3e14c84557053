package shed

import "time"

// Head is what Answer looks at of a backend's answer, or of the failure to get one.
type Head struct {
	Status     int  // 0 when the backend's connection broke before a head came
	Broken     bool // no head: the connection failed, was cut, or was late
	RetryAfter bool // the backend itself says when to come back: a deliberate refusal, left alone
	// Convert says that the route lists Status under `convert`.
	Convert bool
	// Apart says that parts of the store show too little of what others hold: an app may not find here what was kept over there.
	Apart bool
	// Arrived is when the request arrived, or was let in if it was held for the store.
	Arrived time.Time

	// What the answer would do to a session that the request carries; all false where the guard does not look.

	Denies  bool // it treats the visitor as one without a session: a 401, a redirect to where people sign in
	Deletes bool // it takes the session's cookie away, or that of remember-me
	Changes bool // it gives another session than the one that is carried
	// Vouches says that it signs somebody in. Apps say so even where saving the session failed.
	Vouches bool
}

// Fate is what becomes of a backend's answer.
type Fate uint8

const (
	Deliver Fate = iota // send it
	Check               // get a verdict from a check begun since, and ask again
	Page                // the visitor gets the page instead
)

// Hold is what is left out of an answer that is delivered, so that an outage signs nobody out.
type Hold struct {
	Deletions bool // the lines that take a carried session away
	Changes   bool // the lines that replace it
}

// Judgement is a Fate and its Reason; with Deliver also what is held, and then the Reason is why.
type Judgement struct {
	Fate   Fate
	Reason Reason
	Hold   Hold
}

// ReasonRecovering is given where the store is well again, and was impaired while the request was under way or so lately
// that apps may not have reconnected.
const ReasonRecovering Reason = "recovering"

// ReasonDiverged is given where the members of a store have come too far apart.
const ReasonDiverged Reason = "diverged"

// Suspect reports whether an answer may be the store's failure shining through: its status is to be converted and the
// backend did not say when to come back, or there is no answer at all.
func (h Head) Suspect() bool { return h.Broken || h.Convert && !h.RetryAfter }

// Answer says what becomes of a backend's answer. It is pure.
//
// checked says that v comes from a check that began after the head came; without it an answer that is suspect, or that would
// sign a visitor out, is never delivered as it is. closed is the latest moment at which the store was impaired, the zero time if
// it never was: an answer whose request was under way then is the store's failure, even if the store is well again by now.
//
// An answer that is suspect or denies the session becomes the page; one that only touches the session's cookie is delivered
// without that. Both last until the ramp ends, because apps reconnect late; only a changed session passes as soon as the store
// is open, since from then on the new one is kept. A sign-in that is answered well although the store was impaired while it was
// under way becomes the page, too: what was given may not have been kept. Where a store came back without what it held, nothing is
// kept for anybody: the session is gone, and the app says so. Where members have come apart, a session that an app does not find may well
// be there: it is neither ended nor replaced, and nothing else is touched. A need that the store cannot touch never becomes the page. A store of which
// nothing is known converts 502 to 504, and guards nothing.
func Answer(n Need, h Head, v Verdict, checked bool, closed time.Time) Judgement {
	page := n != NeedNone && (h.Suspect() || h.Denies)
	if j := vouched(h, v, closed); n != NeedNone && j.Fate == Page {
		return j
	}
	if !page && !h.Deletes && !h.Changes {
		return Judgement{}
	}
	if checked && v.blind() {
		if n != NeedNone && (h.Broken || h.Suspect() && h.Status >= 502 && h.Status <= 504) {
			return Judgement{Fate: Page, Reason: Reason(v.Cause.String())}
		}
		return Judgement{}
	}
	reason, changes := Reason(""), true
	switch {
	case v.Impaired():
		reason = v.reason()
	case !h.Arrived.After(closed):
		reason = ReasonRecovering
	case h.Apart && !h.Suspect():
		reason = ReasonDiverged
	case v.Recovering() && v.Lost && !h.Suspect():
		if !checked {
			return Judgement{Fate: Check}
		}
		return Judgement{}
	case v.Recovering() && (checked || !h.Changes):
		reason, changes = ReasonRecovering, v.Late
	case !checked:
		return Judgement{Fate: Check}
	case v.Late:
		reason = ReasonUnconfirmed
	default:
		return Judgement{}
	}
	if page {
		return Judgement{Fate: Page, Reason: reason}
	}
	hold := Hold{Deletions: h.Deletes, Changes: h.Changes && changes}
	if hold == (Hold{}) {
		return Judgement{}
	}
	return Judgement{Reason: reason, Hold: hold}
}

// reason is why the store is impaired, or taken for it.
func (v Verdict) reason() Reason {
	if v.State.Impaired() {
		return Reason(v.Cause.String())
	}
	return Reason(v.ObservedCause.String())
}

// vouched judges an answer as one that signs somebody in. A person who says that the store is well
// says it of sign-ins.
func vouched(h Head, v Verdict, closed time.Time) Judgement {
	switch {
	case !h.Vouches:
	case v.State.Impaired():
		return Judgement{Fate: Page, Reason: v.reason()}
	case v.Cause != CauseOverride && !h.Arrived.After(closed):
		return Judgement{Fate: Page, Reason: ReasonRecovering}
	}
	return Judgement{}
}

// blind reports whether nothing is known of the store, and nothing was lately.
func (v Verdict) blind() bool { return v.State == Unknown && !v.Impaired() && !v.Recovering() }

package shed

import (
	"testing"
	"time"
)

func at(s int) time.Time { return time.Unix(int64(1000+s), 0) }

// What would sign a visitor out is looked at like an error, and becomes the page or is left out of the answer.
func TestTheGuardTable(t *testing.T) {
	denied := Head{Status: 303, Denies: true, Deletes: true, Arrived: at(10)}
	deleted := Head{Status: 200, Deletes: true, Arrived: at(10)}
	changed := Head{Status: 200, Changes: true, Arrived: at(10)}
	both := Head{Status: 200, Deletes: true, Changes: true, Arrived: at(10)}
	gives := Head{Status: 303, Vouches: true, Arrived: at(10)}
	ok := Verdict{State: Writable, Cause: OK, Observed: Writable, ObservedCause: OK}
	ro := Verdict{State: ReadOnly, Cause: CauseReadOnly, Observed: ReadOnly, ObservedCause: CauseReadOnly}
	ramp := ok
	ramp.Opened = at(5)
	lost := ramp
	lost.Lost = true
	overruled := Verdict{State: Writable, Cause: CauseOverride, Observed: Down, ObservedCause: CauseHung}
	ordered := Verdict{State: Down, Cause: CauseOverride, Observed: Writable, ObservedCause: OK}
	held := Verdict{State: ReadOnly, Cause: CauseFlapping, Observed: Writable, ObservedCause: OK}
	unknown := Verdict{State: Unknown, Cause: CauseProberAuth, Observed: Unknown, ObservedCause: CauseProberAuth}
	late := ok
	late.Late = true
	lateRamp := ramp
	lateRamp.Late = true
	never, before, since := time.Time{}, at(9), at(11)
	apart := func(h Head) Head {
		h.Apart = true
		return h
	}
	for _, c := range []struct {
		name    string
		need    Need
		head    Head
		verdict Verdict
		checked bool
		closed  time.Time
		want    Judgement
	}{
		{"nobody's session is touched", NeedRead, Head{Status: 200, Arrived: at(10)}, ro, false, since, Judgement{}},
		{"look first", NeedRead, denied, ok, false, never, Judgement{Fate: Check}},
		{"look first, for a cookie too", NeedRead, deleted, ok, false, never, Judgement{Fate: Check}},
		{"look first, for another session too", NeedRead, changed, ok, false, never, Judgement{Fate: Check}},
		{"the store is well: it is the app's to say", NeedRead, denied, ok, true, before, Judgement{}},
		{"the store is well: the cookie goes", NeedRead, deleted, ok, true, before, Judgement{}},
		{"apart: the page", NeedRead, apart(denied), ok, false, never, Judgement{Fate: Page, Reason: ReasonDiverged}},
		{"apart: the cookie stays", NeedRead, apart(deleted), ok, false, never, Judgement{Reason: ReasonDiverged, Hold: Hold{Deletions: true}}},
		{"apart: so does the session", NeedRead, apart(changed), ok, false, never, Judgement{Reason: ReasonDiverged, Hold: Hold{Changes: true}}},
		{"apart: a sign-in that worked is one", NeedWrite, apart(gives), ok, false, never, Judgement{}},
		{"apart: an error is the app's own", NeedRead, apart(Head{Status: 500, Convert: true, Arrived: at(10)}), ok, true, never, Judgement{}},
		{"impaired: the page", NeedRead, denied, ro, false, never, Judgement{Fate: Page, Reason: "read_only"}},
		{"impaired: the cookie stays", NeedRead, deleted, ro, false, never, Judgement{Reason: "read_only", Hold: Hold{Deletions: true}}},
		{"impaired: so does the session", NeedRead, changed, ro, true, never, Judgement{Reason: "read_only", Hold: Hold{Changes: true}}},
		{"impaired: both", NeedWrite, both, ro, true, never, Judgement{Reason: "read_only", Hold: Hold{true, true}}},
		{"impaired meanwhile", NeedRead, denied, ok, false, since, Judgement{Fate: Page, Reason: ReasonRecovering}},
		{"impaired meanwhile: the session stays", NeedRead, changed, ok, true, since, Judgement{Reason: ReasonRecovering, Hold: Hold{Changes: true}}},
		{"it came back empty: look first", NeedRead, denied, lost, false, before, Judgement{Fate: Check}},
		{"it came back empty: the app says the truth", NeedRead, denied, lost, true, before, Judgement{}},
		{"it came back empty: the cookie goes", NeedRead, deleted, lost, true, before, Judgement{}},
		{"it came back empty: an error is one", NeedRead, Head{Status: 500, Convert: true, Arrived: at(10)}, lost, true, before,
			Judgement{Fate: Page, Reason: ReasonRecovering}},
		{"it came back empty, and was away when this came", NeedRead, denied, lost, true, since, Judgement{Fate: Page, Reason: ReasonRecovering}},
		{"the ramp runs: the page", NeedRead, denied, ramp, false, before, Judgement{Fate: Page, Reason: ReasonRecovering}},
		{"the ramp runs: the cookie stays", NeedRead, deleted, ramp, false, before, Judgement{Reason: ReasonRecovering, Hold: Hold{Deletions: true}}},
		{"the ramp runs: another session is looked at", NeedRead, changed, ramp, false, before, Judgement{Fate: Check}},
		{"the ramp runs: another session is kept by the store", NeedRead, changed, ramp, true, before, Judgement{}},
		{"the ramp runs: only the deletion is held", NeedRead, both, ramp, true, before, Judgement{Reason: ReasonRecovering, Hold: Hold{Deletions: true}}},
		{"the ramp runs, and it is too late to tell", NeedRead, changed, lateRamp, true, before, Judgement{Reason: ReasonRecovering, Hold: Hold{Changes: true}}},
		{"an override is no judge of apps", NeedRead, denied, overruled, false, never, Judgement{Fate: Page, Reason: "hung"}},
		{"an override that closes guards", NeedRead, deleted, ordered, false, never, Judgement{Reason: "override", Hold: Hold{Deletions: true}}},
		{"a store that is held guards", NeedRead, changed, held, false, never, Judgement{Reason: "flapping", Hold: Hold{Changes: true}}},
		{"unknown guards nothing", NeedRead, denied, unknown, true, never, Judgement{}},
		{"unknown is looked at first", NeedRead, deleted, unknown, false, never, Judgement{Fate: Check}},
		{"too late to tell: the page", NeedRead, denied, late, true, never, Judgement{Fate: Page, Reason: ReasonUnconfirmed}},
		{"too late to tell: all stays", NeedRead, both, late, true, never, Judgement{Reason: ReasonUnconfirmed, Hold: Hold{true, true}}},
		{"a sign-in of a store that is well", NeedWrite, gives, ok, false, before, Judgement{}},
		{"a sign-in while the ramp runs", NeedWrite, gives, ramp, false, before, Judgement{}},
		{"a sign-in of a store that closed", NeedWrite, gives, ro, false, never, Judgement{Fate: Page, Reason: "read_only"}},
		{"a sign-in of a store that was closed meanwhile", NeedWrite, gives, ok, false, since, Judgement{Fate: Page, Reason: ReasonRecovering}},
		{"a sign-in that also forgets", NeedWrite, Head{Status: 303, Vouches: true, Deletes: true, Arrived: at(10)}, ro, false, never, Judgement{Fate: Page, Reason: "read_only"}},
		{"a sign-in that a person wants", NeedWrite, gives, overruled, false, since, Judgement{}},
		{"a need the store cannot touch is never converted", NeedNone, denied, ro, false, never, Judgement{Reason: "read_only", Hold: Hold{Deletions: true}}},
		{"and a refusal without a cookie passes there", NeedNone, Head{Status: 401, Denies: true, Arrived: at(10)}, ro, false, never, Judgement{}},
	} {
		if got := Answer(c.need, c.head, c.verdict, c.checked, c.closed); got != c.want {
			t.Errorf("%s: %+v; want %+v", c.name, got, c.want)
		}
	}
}

// Whatever is known, an answer that was checked is not checked again, nothing is held that the answer does not do, and while the
// store is impaired no deletion passes.
func TestTheGuardInEveryState(t *testing.T) {
	for _, s := range States {
		for _, o := range States {
			for bits := range 128 {
				h := Head{Status: 200, Denies: bits&1 != 0, Deletes: bits&2 != 0, Changes: bits&4 != 0, Vouches: bits&64 != 0, Arrived: at(10)}
				v := Verdict{State: s, Observed: o, Late: bits&8 != 0}
				if bits&16 != 0 {
					v.Opened = at(5)
				}
				for _, n := range []Need{NeedRead, NeedWrite, NeedNone} {
					j := Answer(n, h, v, bits&32 != 0, time.Time{})
					if j.Fate == Check && bits&32 != 0 {
						t.Errorf("%v %+v %+v: asks again", n, h, v)
					}
					if j.Hold.Deletions && !h.Deletes || j.Hold.Changes && !h.Changes {
						t.Errorf("%v %+v %+v: holds what is not there: %+v", n, h, v, j)
					}
					if v.Impaired() && h.Deletes && j.Fate == Deliver && !j.Hold.Deletions {
						t.Errorf("%v %+v %+v: a deletion passes", n, h, v)
					}
				}
			}
		}
	}
}

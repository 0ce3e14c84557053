package shed

import (
	"testing"
	"time"
)

// The table of states and needs that the README shows, row by row and column by column.
func TestDecideTable(t *testing.T) {
	type row struct {
		state State
		cause Cause
		write bool // whether a write passes
		read  bool // whether a read that carries a session passes
	}
	for _, r := range []row{
		{Writable, OK, true, true},
		{Strained, CauseSlow, true, true},
		{ReadOnly, CauseFull, false, true},
		{Down, CauseHung, false, false},
		{Unknown, CauseProberAuth, true, true},
	} {
		v := Verdict{State: r.state, Cause: r.cause}
		for _, c := range []struct {
			need    Need
			carries bool
			pass    bool
		}{
			{NeedWrite, false, r.write}, {NeedWrite, true, r.write},
			{NeedRead, true, r.read}, {NeedRead, false, true},
			{NeedNone, true, true}, {NeedNone, false, true},
		} {
			d := Decide(c.need, c.carries, v)
			if (d.Action == Pass) != c.pass {
				t.Errorf("%v, needs %v, carries %v: %v; want pass %v", r.state, c.need, c.carries, d, c.pass)
			}
			if d.Action == Degrade && d.Reason != Reason(r.cause.String()) {
				t.Errorf("%v: reason %q; want the cause %q", r.state, d.Reason, r.cause)
			}
			if d.Action == Pass && d.Reason != ReasonNone {
				t.Errorf("%v: passing has reason %q", r.state, d.Reason)
			}
		}
	}
}

func TestDecideLateDegradesOnlyWhoNeedsTheStore(t *testing.T) {
	for _, s := range States {
		v := Verdict{State: s, Cause: CauseUnknown, Late: true}
		if d := Decide(NeedWrite, false, v); d.Action != Degrade {
			t.Errorf("%v and late: a write passed", s)
		}
		if d := Decide(NeedRead, true, v); d.Action != Degrade && s != ReadOnly {
			t.Errorf("%v and late: a read that carries a session passed", s)
		}
		if d := Decide(NeedRead, false, v); d.Action != Pass {
			t.Errorf("%v and late: %v for a read that carries nothing", s, d)
		}
		if d := Decide(NeedNone, true, v); d.Action != Pass {
			t.Errorf("%v and late: %v for a route that needs nothing", s, d)
		}
	}
}

func TestAnswerTable(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(1000+s), 0) }
	bad := Head{Status: 500, Convert: true, Arrived: at(10)}
	broken := Head{Broken: true, Arrived: at(10)}
	deliberate := Head{Status: 503, Convert: true, RetryAfter: true, Arrived: at(10)}
	fine := Head{Status: 200, Arrived: at(10)}
	ok := Verdict{State: Writable, Cause: OK}
	ro := Verdict{State: ReadOnly, Cause: CauseReadOnly}
	unknown := Verdict{State: Unknown}
	for _, c := range []struct {
		name    string
		need    Need
		head    Head
		verdict Verdict
		checked bool
		closed  time.Time
		want    Judgement
	}{
		{"a good answer is delivered whatever the state", NeedRead, fine, ro, false, at(20), Judgement{}},
		{"a deliberate refusal is left alone", NeedRead, deliberate, ro, false, at(20), Judgement{}},
		{"a need the store cannot touch is never converted", NeedNone, bad, ro, false, at(20), Judgement{}},
		{"impaired", NeedRead, bad, ro, false, at(20), Judgement{Fate: Page, Reason: "read_only"}},
		{"impaired and broken", NeedWrite, broken, ro, false, at(20), Judgement{Fate: Page, Reason: "read_only"}},
		{"not known to be impaired: look first", NeedRead, bad, ok, false, time.Time{}, Judgement{Fate: Check}},
		{"looked: the store is well, the error is the app's own", NeedRead, bad, ok, true, time.Time{}, Judgement{}},
		{"looked: too late to tell", NeedRead, bad, Verdict{State: Writable, Late: true}, true, time.Time{}, Judgement{Fate: Page, Reason: ReasonUnconfirmed}},
		{"impaired while the request was under way", NeedRead, bad, ok, false, at(11), Judgement{Fate: Page, Reason: ReasonRecovering}},
		{"impaired before the request came", NeedRead, bad, ok, true, at(9), Judgement{}},
		{"the ramp runs", NeedRead, bad, Verdict{State: Writable, Cause: OK, Opened: at(5)}, false, at(4), Judgement{Fate: Page, Reason: ReasonRecovering}},
		{"unknown converts 502 to 504", NeedRead, Head{Status: 503, Convert: true, Arrived: at(10)}, unknown, true, time.Time{}, Judgement{Fate: Page, Reason: "unknown"}},
		{"unknown converts what is broken", NeedRead, broken, unknown, true, time.Time{}, Judgement{Fate: Page, Reason: "unknown"}},
		{"unknown leaves a 500 alone", NeedRead, bad, unknown, true, time.Time{}, Judgement{}},
		{"unknown is looked at again first", NeedRead, bad, unknown, false, time.Time{}, Judgement{Fate: Check}},
	} {
		if got := Answer(c.need, c.head, c.verdict, c.checked, c.closed); got != c.want {
			t.Errorf("%s: %+v; want %+v", c.name, got, c.want)
		}
	}
}

// A verdict that was checked never asks for another check: otherwise an answer could circle for ever.
func TestAnswerEnds(t *testing.T) {
	for _, s := range States {
		for _, late := range []bool{false, true} {
			for _, n := range []Need{NeedRead, NeedWrite, NeedNone} {
				j := Answer(n, Head{Broken: true, Arrived: time.Unix(9, 0)}, Verdict{State: s, Late: late}, true, time.Time{})
				if j.Fate == Check {
					t.Errorf("%v, late %v, needs %v: asks again", s, late, n)
				}
			}
		}
	}
}

func TestWordsAreClosedAndDistinct(t *testing.T) {
	seen := map[string]bool{}
	n := 0
	for c := range Causes {
		if seen[c.String()] {
			t.Errorf("cause word %q twice", c)
		}
		seen[c.String()] = true
		n++
	}
	if n != 22 {
		t.Errorf("%d causes; the surface has 22", n)
	}
	if Cause(200).String() != "unknown" || State(200).String() != "unknown" {
		t.Error("a value outside the set is not unknown")
	}
}

func TestAHoldDownConcernsSignIns(t *testing.T) {
	held := Verdict{State: ReadOnly, Cause: CauseFlapping, Observed: Writable, ObservedCause: OK}
	if d := Decide(NeedWrite, true, held); d.Action != Degrade || d.Reason != "flapping" {
		t.Errorf("a sign-in: %v", d)
	}
	reported := held
	reported.Cause = CauseReported
	if d := Decide(NeedWrite, true, reported.Unheld()); d.Action != Pass {
		t.Errorf("what apps say of the store closed a route that signs nobody in: %+v", d)
	}
	if d := Decide(NeedWrite, true, held.Unheld()); d.Action != Pass {
		t.Errorf("another write: %v", d)
	}
	if v := (Verdict{State: ReadOnly, Cause: CauseFull, Observed: ReadOnly, ObservedCause: CauseFull}); v.Unheld() != v {
		t.Errorf("%+v: a store that fails is not held", v.Unheld())
	}
}

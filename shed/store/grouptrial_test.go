package store

import (
	"testing"
	"time"

	"gatehouse/shed"
)

// try hands out trials for a while; works says how each ends, by its number.
func (tr *troupe) try(over time.Duration, works func(i int) bool) (n int) {
	for end := time.Now().Add(over); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if trial, ok := tr.Trial(); ok {
			trial.End(works(n))
			trial.End(!works(n)) // does nothing
			n++
		}
	}
	return n
}

func always(int) bool { return true }

func TestReadsThatWorkOverruleProbersThatReachNoPart(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		if _, ok := tr.Trial(); ok {
			t.Error("a trial of a store that is well")
		}
		for _, p := range tr.p {
			p.say(refused)
		}
		tr.become(t, shed.Down, time.Second)
		if n := tr.try(13*time.Second, always); n < 22 || n > 26 {
			t.Errorf("%d trials in 13 s, want two a second", n)
		}
		tr.want(t, shed.Unknown, shed.CauseRefused)
		v := tr.Verdict(t.Context(), 0)
		if v.Late || !v.Recovering() || !tr.Status().Trial {
			t.Errorf("%+v: nobody waits for probers at fault", v)
		}
		tr.try(3*time.Second, func(int) bool { return false })
		tr.want(t, shed.Down, shed.CauseRefused)
	})
}

// Nobody waits for checks that hang, where trials have shown that they say nothing.
func TestNobodyWaitsForProbersThatAreOverruled(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		for _, p := range tr.p {
			p.say(hung)
		}
		tr.become(t, shed.Down, 2*time.Second)
		tr.try(13*time.Second, always)
		tr.want(t, shed.Unknown, shed.CauseHung)
		for range 10 {
			from := time.Now()
			if v := tr.Verdict(t.Context(), 0); v.Late || time.Since(from) != 0 {
				t.Errorf("%+v after %v", v, time.Since(from))
			}
			time.Sleep(37 * time.Millisecond)
		}
	})
}

// Nor for one of them, beside others that are checked.
func TestNobodyWaitsForAProberThatIsOverruledAmongOthers(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		tr.p["b"].say(hung)
		tr.become(t, shed.Down, 2*time.Second)
		tr.try(45*time.Second, always)
		tr.want(t, shed.Unknown, shed.CauseHung)
		for range 50 {
			from := time.Now()
			if v := tr.Verdict(t.Context(), 0); v.Late || v.Begun.Before(from) || time.Since(from) > 15*time.Millisecond {
				t.Errorf("%+v after %v", v, time.Since(from))
			}
			time.Sleep(37 * time.Millisecond)
		}
	})
}

// A read that works says little of one part in three.
func TestReadsOfOtherPartsDoNotOverrule(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		tr.p["b"].say(refused)
		tr.become(t, shed.Down, time.Second)
		tr.try(25*time.Second, always)
		tr.want(t, shed.Down, shed.CauseRefused)
		tr.try(time.Minute, func(i int) bool { return i%3 != 0 }) // b's visitors fail
		tr.want(t, shed.Down, shed.CauseRefused)
		tr.try(35*time.Second, always)
		tr.want(t, shed.Unknown, shed.CauseRefused)
		tr.try(10*time.Second, func(i int) bool { return i%3 != 0 })
		tr.want(t, shed.Down, shed.CauseRefused)
	})
}

func TestATrialOfAGroupIsOnlyForWhatMayLieOnOurWay(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		tr.p["a"].say(loading)
		tr.become(t, shed.Down, time.Second)
		if n := tr.try(5*time.Second, always); n > 0 {
			t.Errorf("%d trials", n)
		}
		tr.p["a"].say(refused)
		time.Sleep(5 * time.Second)
		if err := tr.Override(Override{State: shed.Down, Until: time.Now().Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		if n := tr.try(5*time.Second, always); n > 0 {
			t.Errorf("%d trials against a person's word", n)
		}
		if d := tr.TrialTime(); d != trialEvery {
			t.Errorf("a trial may take %v", d)
		}
	})
}

package store

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

func TestAPersonsWordIsAboutTheWholeStore(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		tr.p["b"].say(hung)
		tr.become(t, shed.Down, 2*time.Second)
		if err := tr.Override(Override{State: shed.Writable, By: "ada", Until: time.Now().Add(10 * time.Minute)}); err != nil {
			t.Fatal(err)
		}
		tr.want(t, shed.Writable, shed.CauseOverride)
		from := time.Now()
		v := tr.Verdict(t.Context(), 0)
		if v.Late || v.Observed != shed.Down || v.ObservedCause != shed.CauseHung || time.Since(from) != 0 || !tr.LastImpaired().Equal(from) {
			t.Errorf("%+v", v)
		}
		fresh := tr.part(t, "d", readOnly)
		tr.f.play(Part{Name: "a"}, Part{Name: "b"}, fresh)
		time.Sleep(time.Second)
		tr.want(t, shed.Writable, shed.CauseOverride)
		for _, p := range tr.Parts() {
			if p.State != shed.Writable || p.Cause != shed.CauseOverride || p.Override == nil {
				t.Errorf("%s: %v (%v)", p.Name, p.State, p.Cause)
			}
		}
		if o := tr.Overridden(); o == nil || o.By != "ada" || o.At.IsZero() || tr.Status().Override == nil {
			t.Errorf("%+v", o)
		}
		told := len(tr.of(""))
		if !tr.EndOverride("grace") || tr.EndOverride("grace") {
			t.Error("an override ends once")
		}
		tr.want(t, shed.Down, shed.CauseHung)
		all := tr.of("")[told:]
		if len(all) != 1 || all[0].Ended == nil || all[0].Ended.By != "grace" || !all[0].Ended.Until.Equal(all[0].At) || tr.Overridden() != nil {
			t.Errorf("told %+v", all)
		}
		for _, name := range []string{"a", "b", "d"} {
			if tr.Part(name).Overridden() != nil {
				t.Errorf("%s is still overridden", name)
			}
		}
	})
}

func TestAnOverrideOfTheWholeRunsOutAtOnceEverywhere(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		called := 0
		onClose(tr, func(shed.Verdict) { called++ })
		told := len(tr.of(""))
		if err := tr.Override(Override{State: shed.ReadOnly, By: "ada", Until: time.Now().Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		if d := tr.become(t, shed.Writable, 2*time.Minute); d < time.Minute || d > time.Minute+time.Millisecond {
			t.Errorf("ended after %v", d)
		}
		synctest.Wait()
		if v := tr.Current(); v.Cause != shed.OK || time.Since(v.Opened) > time.Millisecond || called != 1 {
			t.Errorf("%+v, %d called back", v, called)
		}
		all := tr.of("")[told:]
		if len(all) != 2 || !all[0].Set || all[0].To != shed.ReadOnly || all[1].Ended == nil || all[1].Ended.By != "ada" || all[1].To != shed.Writable {
			t.Errorf("told %+v", all)
		}
		for _, name := range abc {
			if got := tr.of(name); len(got) != 3 || !got[1].Set || got[2].Ended == nil {
				t.Errorf("told of %s %+v", name, got)
			}
		}
		for _, d := range []time.Duration{0, MaxOverride + time.Second} {
			if err := tr.Override(Override{State: shed.Down, Until: time.Now().Add(d)}); !errors.Is(err, ErrOverrideLength) {
				t.Errorf("%v: %v", d, err)
			}
		}
	})
}

func TestAHoldDownOfAPartHoldsWhatNeedsIt(t *testing.T) {
	set := together(0)
	set.HoldFrom, set.HoldTo = 30*time.Second, 5*time.Minute
	flap := func(t *testing.T, tr *troupe, name string) {
		t.Helper()
		for range 2 {
			tr.p[name].say(readOnly)
			until(t, time.Second, "closed", func() bool { return tr.Part(name).Current().Observed == shed.ReadOnly })
			tr.p[name].say(good)
			until(t, 2*time.Second, "open", func() bool { return tr.Part(name).Current().Observed == shed.Writable })
		}
	}
	inGroup(t, set, abc, func(t *testing.T, tr *troupe) {
		flap(t, tr, "b")
		tr.want(t, shed.ReadOnly, shed.CauseFlapping)
		v := tr.Current()
		if u := unheld(v); u.State != shed.Writable || !u.Recovering() || v.Impaired() && v.Observed.Impaired() {
			t.Errorf("%+v: others go on", v)
		}
		if !tr.HeldUntil().Equal(tr.Part("b").HeldUntil()) || !tr.Status().Held.Equal(tr.HeldUntil()) || tr.HeldUntil().IsZero() {
			t.Errorf("held until %v", tr.HeldUntil())
		}
		asked := time.Now()
		if v := tr.Verdict(t.Context(), 0); v.Begun.Before(asked) || v.Late {
			t.Errorf("%+v: permission from before the request", v)
		}
		if tr.LastImpaired().Equal(time.Now()) {
			t.Error("a hold is no impairment")
		}
		called := 0
		onClose(tr, func(shed.Verdict) { called++ })
		tr.p["a"].say(readOnly)
		until(t, time.Second, "closed", func() bool { return tr.Current().Cause == shed.CauseReadOnly })
		if called != 1 {
			t.Errorf("%d called back", called)
		}
	})
	set.Require = 1
	inGroup(t, set, []string{"a", "b"}, func(t *testing.T, tr *troupe) {
		flap(t, tr, "b")
		tr.want(t, shed.Writable, shed.OK)
		tr.p["a"].say(refused)
		tr.become(t, shed.ReadOnly, time.Second)
		tr.want(t, shed.ReadOnly, shed.CauseFlapping)
		if u := unheld(tr.Current()); u.State != shed.Writable {
			t.Errorf("%+v: reads are what b gives", u)
		}
		if v := tr.Look(t.Context()); v.Observed != shed.Down {
			t.Errorf("%+v: an app may live on a", v)
		}
	})
}

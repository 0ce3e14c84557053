package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

// holding is the usual Monitor with the hold-down of the surface.
func holding() Settings {
	s := usual
	s.HoldFrom, s.HoldTo = 30*time.Second, 5*time.Minute
	return s
}

// flap closes the store and lets the checks open it again.
func (s *scene) flap(t *testing.T) {
	t.Helper()
	s.p.say(readOnly)
	until(t, time.Second, "closed", func() bool { return s.Current().Observed == shed.ReadOnly })
	s.p.say(good)
	until(t, 2*time.Second, "open again", func() bool { return s.Current().Observed == shed.Writable })
}

func TestTheFirstClosureIsNotHeldAndFurtherOnesTwiceAsLong(t *testing.T) {
	in(t, holding(), good, func(t *testing.T, s *scene) {
		s.flap(t)
		s.want(t, shed.Writable, shed.OK)
		for i, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute} {
			s.flap(t)
			s.want(t, shed.ReadOnly, shed.CauseFlapping)
			if left := time.Until(s.Status().Held); left < want-time.Second || left > want {
				t.Errorf("closure %d: held for another %v, want %v", i+2, left, want)
			}
		}
		s.flap(t)
		if d := s.become(t, shed.Writable, 6*time.Minute); d < 4*time.Minute+50*time.Second || d > 5*time.Minute {
			t.Errorf("held for %v, want five minutes at the most", d)
		}
		if v := s.Current(); time.Since(v.Opened) > time.Millisecond || !s.Status().Held.IsZero() {
			t.Errorf("%+v: want the ramp from the end of the hold-down", v)
		}
		time.Sleep(10 * time.Minute)
		s.flap(t)
		s.want(t, shed.Writable, shed.OK) // the others were long ago
	})
}

// Held back are writes, not reads, and the store's own trouble comes first.
func TestWhileHeldReadsGoOnAndTroubleIsSeen(t *testing.T) {
	in(t, holding(), good, func(t *testing.T, s *scene) {
		s.flap(t)
		s.p.say(refused)
		s.become(t, shed.Down, time.Second)
		s.p.say(good)
		s.become(t, shed.ReadOnly, 3*time.Second)
		s.want(t, shed.ReadOnly, shed.CauseFlapping)
		v := s.Current()
		if v.Observed != shed.Writable || shed.Decide(shed.NeedRead, true, v).Action != shed.Pass ||
			shed.Decide(shed.NeedWrite, true, v).Action != shed.Degrade {
			t.Errorf("%+v", v)
		}
		s.p.say(refused)
		s.become(t, shed.Down, time.Second)
		s.want(t, shed.Down, shed.CauseRefused)
	})
}

// Whom the hold-down does not concern gets no permission that is older than he asks for, is woken when the checks find the store
// open, and is called back when they close it.
func TestAHoldDownIsNoBlanketPermission(t *testing.T) {
	in(t, holding(), good, func(t *testing.T, s *scene) {
		s.flap(t)
		s.p.say(readOnly)
		until(t, time.Second, "closed", func() bool { return s.Current().Observed == shed.ReadOnly })
		open := make(chan bool, 1)
		go func() {
			_, ok := s.Await(t.Context(), func(v shed.Verdict) bool { return v.Unheld().State == shed.Writable })
			open <- ok
		}()
		s.p.say(good)
		until(t, 2*time.Second, "whoever waits is woken", func() bool { return len(open) == 1 })
		s.want(t, shed.ReadOnly, shed.CauseFlapping)
		if v := s.Current().Unheld(); !v.Recovering() {
			t.Errorf("%+v: apps reconnect late", v)
		}
		asked := time.Now()
		if v := s.Verdict(t.Context(), 0); v.Begun.Before(asked) || v.Late {
			t.Errorf("%+v: permission from before the request", v)
		}
		called := 0
		onClose(s, func(shed.Verdict) { called++ })
		s.p.say(readOnly)
		until(t, time.Second, "closed again", func() bool { return s.Current().Observed == shed.ReadOnly })
		if called != 1 {
			t.Errorf("%d were called back", called)
		}
	})
}

func TestAFlappingStoreChangesItsStateRarely(t *testing.T) {
	in(t, holding(), good, func(t *testing.T, s *scene) {
		for range 60 * 1000 / 1400 {
			s.p.say(readOnly)
			time.Sleep(700 * time.Millisecond)
			s.p.say(good)
			time.Sleep(700 * time.Millisecond)
		}
		changes := 0
		for _, tr := range s.transitions()[1:] {
			if tr.From != tr.To {
				changes++
			}
		}
		if changes == 0 || changes > 3 {
			t.Errorf("%d changes of state, want at most 3: %+v", changes, s.transitions())
		}
	})
}

// Our own fault holds nobody, and does not let a flapping store off.
func TestTheHoldDownAndOurOwnFault(t *testing.T) {
	in(t, holding(), good, func(t *testing.T, s *scene) {
		s.flap(t)
		s.flap(t)
		s.want(t, shed.ReadOnly, shed.CauseFlapping)
		s.p.say(refused)
		s.become(t, shed.Down, time.Second)
		s.p.say(noAuth)
		s.become(t, shed.Unknown, time.Second)
		s.want(t, shed.Unknown, shed.CauseProberAuth)
		s.p.say(good)
		s.become(t, shed.ReadOnly, time.Second)
		s.want(t, shed.ReadOnly, shed.CauseFlapping)
		if left := time.Until(s.Status().Held); left < 59*time.Second {
			t.Errorf("held for another %v: the third closure went by unseen", left)
		}
	})
}

func TestNoHoldDownWhereItIsOff(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		for range 3 {
			s.flap(t)
			s.want(t, shed.Writable, shed.OK)
		}
	})
}

func TestAnOverrideIsActedOnUntilItEnds(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		s.p.say(hung)
		s.become(t, shed.Down, 2*time.Second)
		if err := s.Override(Override{State: shed.Writable, By: "ada", Until: time.Now().Add(10 * time.Minute)}); err != nil {
			t.Fatal(err)
		}
		s.want(t, shed.Writable, shed.CauseOverride)
		v := s.Verdict(t.Context(), 0)
		if v.Late || v.State != shed.Writable || v.Observed != shed.Down || v.ObservedCause != shed.CauseHung || !v.Impaired() {
			t.Errorf("%+v", v)
		}
		if !s.LastImpaired().Equal(time.Now()) {
			t.Error("what apps answer is not judged by the checks any more")
		}
		s.Set(usual) // a reload
		if o := s.Overridden(); o == nil || o.By != "ada" || o.At.IsZero() {
			t.Errorf("%+v", o)
		}
		s.p.say(good)
		time.Sleep(5 * time.Minute)
		s.want(t, shed.Writable, shed.CauseOverride)
		if st := s.Status(); st.Override == nil || st.Observed != shed.Writable {
			t.Errorf("%+v", st)
		}
		told := len(s.transitions())
		time.Sleep(6 * time.Minute)
		s.want(t, shed.Writable, shed.OK)
		last := s.transitions()
		if len(last) != told+1 || last[told].Ended == nil || last[told].Ended.By != "ada" || s.Overridden() != nil {
			t.Errorf("told %+v", last[told:])
		}
	})
}

func TestAnOverrideCanCloseAndItsEndOpensByTheRamp(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		cancelled := 0
		onClose(s, func(shed.Verdict) { cancelled++ })
		if err := s.Override(Override{State: shed.ReadOnly, By: "ada", Until: time.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		s.want(t, shed.ReadOnly, shed.CauseOverride)
		if cancelled != 1 {
			t.Errorf("%d were called back", cancelled)
		}
		if v := s.Verdict(t.Context(), 0); v.State != shed.ReadOnly || v.Late {
			t.Errorf("%+v: nobody waits to be refused", v)
		}
		time.Sleep(time.Minute)
		if !s.EndOverride("grace") || s.EndOverride("grace") {
			t.Error("an override ends once")
		}
		s.want(t, shed.Writable, shed.OK)
		if v := s.Current(); !v.Opened.Equal(time.Now()) {
			t.Errorf("%+v: want a ramp from now", v)
		}
		told := s.transitions()
		if last := told[len(told)-1]; last.Ended == nil || last.Ended.By != "grace" || last.From != shed.ReadOnly {
			t.Errorf("%+v", last)
		}
	})
}

func TestAnOverrideHasBounds(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		for _, d := range []time.Duration{0, -time.Second, MaxOverride + time.Second} {
			if err := s.Override(Override{State: shed.Down, Until: time.Now().Add(d)}); !errors.Is(err, ErrOverrideLength) {
				t.Errorf("%v: %v", d, err)
			}
		}
		s.want(t, shed.Writable, shed.OK)
		s.Close()
		if err := s.Override(Override{State: shed.Down, Until: time.Now().Add(time.Minute)}); !errors.Is(err, ErrOverrideClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// An override that ends while a slow check is under way must not wait for the next one.
func TestAnOverrideThatRanOutIsSeenAtOnce(t *testing.T) {
	set := usual
	set.Interval = time.Minute
	in(t, set, good, func(t *testing.T, s *scene) {
		if err := s.Override(Override{State: shed.Down, Until: time.Now().Add(10 * time.Second)}); err != nil {
			t.Fatal(err)
		}
		if d := s.become(t, shed.Writable, time.Minute); d < 10*time.Second || d > 10*time.Second+10*time.Millisecond {
			t.Errorf("ended after %v, want 10 s", d)
		}
	})
}

// A check that hangs does not make an override last.
func TestAnOverrideEndsWhileACheckHangs(t *testing.T) {
	set := usual
	set.Timeout = 10 * time.Second
	in(t, set, good, func(t *testing.T, s *scene) {
		s.p.say(hung)
		time.Sleep(time.Second)
		if err := s.Override(Override{State: shed.ReadOnly, Until: time.Now().Add(5 * time.Second)}); err != nil {
			t.Fatal(err)
		}
		if d := s.become(t, shed.Writable, time.Minute); d < 5*time.Second || d > 5*time.Second+10*time.Millisecond {
			t.Errorf("ended after %v, want 5 s", d)
		}
		if v := s.Current(); v.Cause == shed.CauseOverride {
			t.Errorf("%+v", v)
		}
	})
}

func TestTheEndOfACertificateIsToldWhileTheStoreIsAway(t *testing.T) {
	shown := good
	shown.Expires = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	in(t, usual, shown, func(t *testing.T, s *scene) {
		s.p.say(refused)
		s.become(t, shed.Down, time.Second)
		if got := s.Status().Expires; !got.Equal(shown.Expires) {
			t.Errorf("%v", got)
		}
	})
}

func TestAwait(t *testing.T) {
	in(t, usual, readOnly, func(t *testing.T, s *scene) {
		writable := func(v shed.Verdict) bool { return v.State == shed.Writable }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		from := time.Now()
		if v, ok := s.Await(ctx, writable); ok || v.State != shed.ReadOnly || time.Since(from) != time.Second {
			t.Errorf("%+v %v after %v", v, ok, time.Since(from))
		}
		time.AfterFunc(3*time.Second, func() { s.p.say(good) })
		if v, ok := s.Await(t.Context(), writable); !ok || v.State != shed.Writable {
			t.Errorf("%+v %v", v, ok)
		}
		if _, ok := s.Await(t.Context(), writable); !ok {
			t.Error("it holds already")
		}
		go func() {
			time.Sleep(time.Second)
			s.Close()
		}()
		if v, ok := s.Await(t.Context(), func(shed.Verdict) bool { return false }); ok || !v.Late {
			t.Errorf("%+v %v", v, ok)
		}
	})
}

func TestAfterHearsOfACheckThatBeganLater(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		s.p.takes(50 * time.Millisecond)
		time.Sleep(120 * time.Millisecond) // a check is under way
		asked := time.Now()
		var heard []shed.Verdict
		s.After(func(v shed.Verdict) { heard = append(heard, v) })
		time.Sleep(time.Second)
		synctest.Wait()
		if len(heard) != 1 || heard[0].Begun.Before(asked) || heard[0].Late {
			t.Fatalf("heard %+v; asked %v", heard, asked)
		}
		s.After(func(v shed.Verdict) { heard = append(heard, v) })
		s.Close()
		s.After(func(v shed.Verdict) { heard = append(heard, v) })
		if len(heard) != 3 || !heard[1].Late || !heard[2].Late {
			t.Errorf("heard %+v", heard[1:])
		}
	})
}

package store

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

func TestWithAllTheWorstPartDecides(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		tr.want(t, shed.Writable, shed.OK)
		called := 0
		onClose(tr, func(v shed.Verdict) {
			if called++; v.State != shed.ReadOnly {
				t.Errorf("called back with %+v", v)
			}
		})
		tr.p["b"].say(readOnly)
		if d := tr.become(t, shed.ReadOnly, time.Second); d > 110*time.Millisecond {
			t.Errorf("took %v", d)
		}
		tr.want(t, shed.ReadOnly, shed.CauseReadOnly)
		if called != 1 || !tr.LastImpaired().Equal(time.Now()) {
			t.Errorf("%d called back, last impaired %v ago", called, time.Since(tr.LastImpaired()))
		}
		if v := tr.Verdict(t.Context(), 0); v.State != shed.ReadOnly || v.Late {
			t.Errorf("%+v: nobody waits to be refused", v)
		}
		tr.p["b"].say(good)
		tr.become(t, shed.Writable, time.Second)
		if v := tr.Current(); !v.Opened.Equal(v.Since) || v.Cause != shed.OK {
			t.Errorf("%+v: want the ramp", v)
		}
		closed := tr.LastImpaired()
		time.Sleep(usual.RampOver)
		if v := tr.Current(); v.Recovering() || !tr.LastImpaired().Equal(closed) {
			t.Errorf("%+v: want the ramp to have ended", v)
		}
		all := tr.of("")
		if len(all) != 3 || all[1].From != shed.Writable || all[1].To != shed.ReadOnly || all[1].Err == nil || all[2].To != shed.Writable {
			t.Errorf("told %+v", all)
		}
		if b := tr.of("b"); len(b) != 3 {
			t.Errorf("told of b %+v", b)
		}
	})
}

func TestWithAnyAPartThatFailsChangesNothingButWhatJudgesAnswers(t *testing.T) {
	inGroup(t, together(1), abc, func(t *testing.T, tr *troupe) {
		onClose(tr, func(v shed.Verdict) { t.Errorf("called back with %+v", v) })
		told := len(tr.of(""))
		for _, e := range []Evidence{readOnly, refused, hung, noAuth} {
			tr.p["b"].say(e)
			for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(7 * time.Millisecond) {
				asked := time.Now()
				v := tr.Verdict(t.Context(), 0)
				if v.State != shed.Writable || v.Late || v.Recovering() || v.Begun.Before(asked) || time.Since(asked) > 20*time.Millisecond {
					t.Fatalf("%v: %+v after %v", e.Cause, v, time.Since(asked))
				}
			}
			if e.State.Impaired() {
				if v := tr.Look(t.Context()); v.State != shed.Writable || v.Observed != e.State || v.ObservedCause != e.Cause || v.Late {
					t.Errorf("looked and saw %+v, want %v", v, e.Cause)
				}
				if !tr.LastImpaired().Equal(time.Now()) {
					t.Error("an app may live on b")
				}
			}
		}
		if got := tr.of(""); len(got) != told {
			t.Errorf("told %+v", got[told:])
		}
	})
}

func TestSoManyOfThem(t *testing.T) {
	inGroup(t, together(2), abc, func(t *testing.T, tr *troupe) {
		tr.p["a"].say(refused)
		time.Sleep(time.Second)
		tr.want(t, shed.Writable, shed.OK)
		tr.p["c"].say(full)
		tr.become(t, shed.ReadOnly, time.Second)
		tr.want(t, shed.ReadOnly, shed.CauseFull)
		fewer := together(1)
		tr.Set(fewer)
		tr.want(t, shed.Writable, shed.OK)
		if !tr.Current().Recovering() {
			t.Error("it opened without a ramp")
		}
		tr.Set(together(3))
		tr.want(t, shed.Down, shed.CauseRefused)
	})
}

func TestAskingAPartThatHangsIsBounded(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		tr.p["b"].say(hung)
		from := time.Now()
		if v := tr.Verdict(t.Context(), 0); !v.Late || time.Since(from) != 2*usual.Timeout {
			t.Errorf("%+v after %v", v, time.Since(from))
		}
		tr.become(t, shed.Down, time.Second)
		tr.p["b"].say(good)
		tr.become(t, shed.Writable, 3*time.Second)
		tr.p["b"].say(hung)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		from = time.Now()
		if v := tr.Look(ctx); !v.Late || time.Since(from) != 30*time.Millisecond {
			t.Errorf("%+v after %v", v, time.Since(from))
		}
	})
}

func TestAllPartsAreAskedAtTheSameTimeAndTheirChecksJoined(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		for _, p := range tr.p {
			p.takes(10 * time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond)
		before := tr.Status().Probes
		var all sync.WaitGroup
		from := time.Now()
		for range 100 {
			all.Go(func() {
				v := tr.Verdict(t.Context(), 0)
				if v.Late || v.Begun.Before(from) || time.Since(from) > 25*time.Millisecond {
					t.Errorf("%+v after %v", v, time.Since(from))
				}
			})
		}
		all.Wait()
		if n := tr.Status().Probes - before; n > 6 {
			t.Errorf("%d probes for a hundred who came together", n)
		}
		n := tr.Status().Probes
		if v := tr.Verdict(t.Context(), time.Second); v.Late || tr.Status().Probes != n {
			t.Errorf("%+v: that was fresh enough", v)
		}
	})
}

func TestAGroupIsKnownWhenAllItsPartsAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := cast(t, together(0), abc...)
		defer tr.Close()
		if v := tr.Current(); v.State != shed.Unknown {
			t.Errorf("%+v", v)
		}
		tr.p["c"].takes(90 * time.Millisecond)
		tr.p["b"].say(readOnly)
		tr.Start()
		tr.Start()
		time.Sleep(50 * time.Millisecond)
		tr.want(t, shed.ReadOnly, shed.CauseReadOnly) // by two of three
		if v := tr.First(t.Context()); v.Late || tr.Part("c").Current().Begun.IsZero() {
			t.Errorf("%+v", v)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		tr := cast(t, together(0))
		tr.Start()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		from := time.Now()
		if v := tr.First(ctx); !v.Late || v.State != shed.Unknown || time.Since(from) != time.Second {
			t.Errorf("%+v of no parts after %v", v, time.Since(from))
		}
		if v := tr.Verdict(t.Context(), 0); !v.Late || time.Since(from) > 2*time.Second {
			t.Errorf("%+v of no parts after %v", v, time.Since(from))
		}
		go tr.f.play(tr.part(t, "a", good))
		if v := tr.First(t.Context()); v.Late || v.State != shed.Writable {
			t.Errorf("%+v", v)
		}
		tr.Close()
	})
}

func TestClosingAGroupReleasesEverybodyAndClosesEverything(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		tr.p["b"].say(hung)
		var all sync.WaitGroup
		for _, ask := range []func(context.Context) shed.Verdict{
			func(ctx context.Context) shed.Verdict { return tr.Verdict(ctx, 0) }, tr.Look,
			func(ctx context.Context) shed.Verdict {
				v, _ := tr.Await(ctx, func(v shed.Verdict) bool { return v.State == shed.Down })
				return v
			},
		} {
			all.Go(func() {
				if v := ask(t.Context()); !v.Late {
					t.Errorf("%+v", v)
				}
			})
		}
		var heard []shed.Verdict
		tr.After(func(v shed.Verdict) { heard = append(heard, v) })
		synctest.Wait()
		from := time.Now()
		go tr.Close()
		tr.Close()
		all.Wait()
		tr.After(func(v shed.Verdict) { heard = append(heard, v) })
		if len(heard) != 2 || !heard[0].Late || !heard[1].Late {
			t.Errorf("heard %+v", heard)
		}
		if v := tr.Verdict(t.Context(), 0); !v.Late || time.Since(from) != 0 {
			t.Errorf("%+v after %v", v, time.Since(from))
		}
		if err := tr.Override(Override{State: shed.Down, Until: time.Now().Add(time.Minute)}); err != ErrOverrideClosed {
			t.Errorf("override: %v", err)
		}
		tr.Start()
		for name, p := range tr.p {
			if p.closed != 1 {
				t.Errorf("%s was closed %d times", name, p.closed)
			}
		}
		if tr.f.closed != 1 {
			t.Errorf("the Finder was closed %d times", tr.f.closed)
		}
	})
}

func TestWhatAGroupKnowsCostsNothing(t *testing.T) {
	tr := cast(t, together(0), abc...)
	defer tr.Close()
	now := time.Now()
	for _, p := range tr.roster.Load().list {
		p.monitor.at.Store(&standing{state: shed.Writable, cause: shed.OK, observed: shed.Writable, begun: now, over: time.Hour})
	}
	tr.publish(now, nil)
	ctx := context.Background()
	if n := testing.AllocsPerRun(1000, func() {
		tr.Current()
		tr.LastImpaired()
		tr.Verdict(ctx, time.Hour)
		tr.Of("b/1").Current()
		tr.Diverged()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if v := tr.Verdict(ctx, time.Hour); v.Late || v.State != shed.Writable || tr.Of("b/1") != tr.Part("b") || tr.Of("d/1") != nil || tr.Of("?") != nil {
		t.Errorf("%+v", v)
	}
}

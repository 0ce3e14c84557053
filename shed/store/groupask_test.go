package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

// A part that closes releases whoever waits for another that hangs.
func TestAClosingPartReleasesEverybody(t *testing.T) {
	for _, row := range []struct {
		name string
		ask  func(tr *troupe) shed.Verdict
	}{
		{"who wants permission", func(tr *troupe) shed.Verdict { return tr.Verdict(context.Background(), 0) }},
		{"who judges an answer", func(tr *troupe) shed.Verdict { return tr.Look(context.Background()) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
				tr.p["a"].say(hung)
				tr.p["b"].say(readOnly)
				from := time.Now()
				if v := row.ask(tr); v.Late || v.Observed != shed.ReadOnly || time.Since(from) > 30*time.Millisecond {
					t.Errorf("%+v after %v", v, time.Since(from))
				}
			})
		})
	}
}

// A person's word releases whoever waits for a part that hangs, and nobody who has gone is remembered.
func TestWhoWaitsIsReleasedByAPersonsWord(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		tr.p["a"].say(hung)
		got := make(chan shed.Verdict, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go tr.Verdict(ctx, 0)
		go tr.Look(ctx)
		go func() { got <- tr.Verdict(t.Context(), 0) }()
		time.Sleep(10 * time.Millisecond)
		cancel()
		synctest.Wait()
		tr.Group.mu.Lock()
		if a, l := tr.askers.list.Len(), tr.lookers.list.Len(); a != 1 || l != 0 {
			t.Errorf("%d and %d wait, want one", a, l)
		}
		tr.Group.mu.Unlock()
		if err := tr.Override(Override{State: shed.Writable, Until: time.Now().Add(time.Minute)}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if len(got) != 1 {
			t.Fatal("it waits on")
		}
		if v := <-got; v.Late || v.Cause != shed.CauseOverride {
			t.Errorf("%+v", v)
		}
	})
}

func TestAnAnswerIsJudgedByWhatNewcomersMeetAtEveryPart(t *testing.T) {
	inGroup(t, together(1), abc, func(t *testing.T, tr *troupe) {
		if v := tr.Look(t.Context()); v.Observed.Impaired() || tr.p["b"].greetings() != 1 {
			t.Errorf("%+v after %d new connections", v, tr.p["b"].greetings())
		}
		tr.p["b"].greets(slotless)
		time.Sleep(1300 * time.Millisecond)
		if v := tr.Look(t.Context()); v.Observed != shed.Down || v.ObservedCause != shed.CauseTooManyClients || v.State != shed.Writable || v.Late {
			t.Errorf("%+v", v)
		}
		_, sizes := tr.p["c"].seen()
		if sizes[len(sizes)-1] != usual.Payload {
			t.Error("a small canary for a doubted answer")
		}
	})
}

func TestAwaitOfAGroup(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		tr.p["a"].say(readOnly)
		tr.become(t, shed.ReadOnly, time.Second)
		writable := func(v shed.Verdict) bool { return v.State == shed.Writable }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if v, ok := tr.Await(ctx, writable); ok || v.State != shed.ReadOnly {
			t.Errorf("%+v %v", v, ok)
		}
		time.AfterFunc(time.Second, func() { tr.p["a"].say(good) })
		from := time.Now()
		if v, ok := tr.Await(t.Context(), writable); !ok || time.Since(from) > 2*time.Second {
			t.Errorf("%+v %v after %v", v, ok, time.Since(from))
		}
	})
}

func TestAfterHearsWhenEveryPartWasChecked(t *testing.T) {
	inGroup(t, together(1), abc, func(t *testing.T, tr *troupe) {
		tr.p["b"].takes(50 * time.Millisecond)
		time.Sleep(time.Second)
		asked := time.Now()
		var heard []time.Duration
		tr.After(func(v shed.Verdict) {
			heard = append(heard, time.Since(asked))
			for _, name := range abc {
				if begun := tr.Part(name).Current().Begun; begun.Before(asked) || v.Late {
					t.Errorf("%s was checked %v before: %+v", name, asked.Sub(begun), v)
				}
			}
		})
		time.Sleep(time.Second)
		synctest.Wait()
		if len(heard) != 1 || heard[0] < 50*time.Millisecond || heard[0] > 200*time.Millisecond {
			t.Errorf("heard after %v", heard)
		}
	})
}

// A ramp ends when it is over, not with the next check.
func TestTheRampOfAGroupIsComputedWhenRead(t *testing.T) {
	set := together(0)
	set.StartRamp, set.Interval = true, time.Hour
	inGroup(t, set, abc, func(t *testing.T, tr *troupe) {
		if !tr.Current().Recovering() {
			t.Error("no ramp")
		}
		time.Sleep(usual.RampOver)
		if tr.Current().Recovering() {
			t.Error("it goes on")
		}
	})
}

func TestTheStatusOfAGroup(t *testing.T) {
	set := GroupSettings{Settings: limited()}
	inGroup(t, set, abc, func(t *testing.T, tr *troupe) {
		year := func(n int) time.Time { return time.Date(n, 1, 1, 0, 0, 0, 0, time.UTC) }
		says := func(used uint64, expires time.Time, e Evidence) Evidence {
			e.Vitals = &Vitals{MemoryUsed: used, MemoryMax: 100, Refuses: true}
			e.Expires = expires
			return e
		}
		tr.p["a"].say(says(20, year(2031), good))
		tr.p["b"].say(says(70, year(2030), tardy))
		tr.p["c"].say(says(30, time.Time{}, readOnly))
		tr.p["b"].takes(30 * time.Millisecond)
		tr.become(t, shed.ReadOnly, time.Second)
		time.Sleep(20 * time.Second)
		s, parts := tr.Status(), tr.Parts()
		if s.State != shed.ReadOnly || s.Cause != shed.CauseReadOnly || s.Err != "c: READONLY" || s.ErrAt.IsZero() || s.CheckTook < 30*time.Millisecond {
			t.Errorf("%+v", s.Verdict)
		}
		if !s.Expires.Equal(year(2030)) {
			t.Errorf("the earliest certificate ends %v", s.Expires)
		}
		var checks, probes uint64
		for _, p := range parts {
			checks, probes = checks+p.Checks, probes+p.Probes
		}
		if s.Checks != checks || s.Probes != probes || len(parts) != 3 || parts[2].Name != "c" || parts[0].State != shed.Writable {
			t.Errorf("%d checks, %d probes; of the parts %d, %d", s.Checks, s.Probes, checks, probes)
		}
		memory := Headroom{}
		for i, h := range s.Headroom {
			if h.Resource == Memory {
				memory = h
			}
			if i > 0 && h.Ratio < s.Headroom[i-1].Ratio {
				t.Errorf("%+v: the least comes first", s.Headroom)
			}
		}
		if memory.Ratio < 0.29 || memory.Ratio > 0.31 {
			t.Errorf("%+v, want what b has left", memory)
		}
		if n := len(s.Latencies); n != keptLatencies || s.Latencies[n-1] != tardy.Latency {
			t.Errorf("%d latencies, the last %v", n, s.Latencies[n-1])
		}
		if len(s.Transitions) == 0 || s.Transitions[len(s.Transitions)-1].To != shed.ReadOnly {
			t.Errorf("%+v", s.Transitions)
		}
	})
}

package store

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/shed"
)

// Whatever the parts do, and while they come and go: a request gets no permission from checks that began before it came, by fewer
// parts than are required, and nobody waits longer than two timeouts.
func TestPermissionOfSeveralIsNeverOlderThanTheWish(t *testing.T) {
	for _, require := range []int{1, 2, 0} {
		set := together(require)
		set.HoldFrom, set.HoldTo = 2*time.Second, 10*time.Second
		set.Reports = ReportSettings{Quorum: 2, Max: time.Second}
		inGroup(t, set, abc, func(t *testing.T, tr *troupe) {
			luck := rand.New(rand.NewPCG(uint64(require), 1))
			var all, weather sync.WaitGroup
			var permitted, refused, late atomic.Int64
			done := make(chan struct{})
			for i := range 100 {
				pauses := make([]time.Duration, 30)
				for i := range pauses {
					pauses[i] = time.Duration(luck.Int64N(int64(300 * time.Millisecond)))
				}
				all.Go(func() {
					for _, pause := range pauses {
						time.Sleep(pause)
						asked := time.Now()
						look := i%10 == 0
						v := shed.Verdict{}
						if look {
							v = tr.Look(t.Context())
						} else {
							v = tr.Verdict(t.Context(), 0)
						}
						waited := time.Since(asked)
						if waited > 2*usual.Timeout {
							t.Errorf("waited %v", waited)
						}
						switch {
						case v.Late:
							late.Add(1)
						case look:
							if !v.Observed.Impaired() && v.Begun.Before(asked) {
								t.Errorf("looked and saw %+v, asked at %v", v, asked)
							}
						case unheld(v).State.Impaired():
							refused.Add(1)
						default:
							permitted.Add(1)
							if v.Begun.Before(asked) {
								t.Errorf("permitted by %+v, begun %v before", v, asked.Sub(v.Begun))
							}
						}
					}
				})
			}
			faults := []Evidence{good, good, good, tardy, readOnly, hung, paused, noAuth, emptied, refusedNow, good, good}
			weather.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-done:
						return
					case <-time.After(time.Duration(luck.Int64N(int64(150 * time.Millisecond)))):
					}
					if i%20 == 0 {
						parts := []Part{{Name: "a"}, {Name: "b"}, {Name: "c"}}
						if i%40 == 0 {
							parts = append(parts, tr.part(t, "d", good))
						}
						tr.f.play(parts...)
						continue
					}
					for _, from := range []string{"one", "two"} {
						tr.Report(Report{From: from, For: time.Duration(luck.Int64N(int64(40 * time.Millisecond)))})
					}
					p := tr.p[abc[luck.IntN(3)]]
					p.mu.Lock()
					p.rest, p.took = faults[luck.IntN(len(faults))], time.Duration(luck.Int64N(int64(30*time.Millisecond)))
					p.mu.Unlock()
				}
			})
			all.Wait()
			close(done)
			weather.Wait()
			t.Logf("require %d: %d permitted, %d refused, %d late", require, permitted.Load(), refused.Load(), late.Load())
			if permitted.Load() == 0 || refused.Load() == 0 && require != 1 {
				t.Error("this shows nothing")
			}
			state := shed.Unknown
			for _, tr := range tr.of("") {
				if tr.From != state {
					t.Errorf("%+v does not follow %v", tr, state)
				}
				state = tr.To
			}
		})
	}
}

var refusedNow = Evidence{State: shed.Down, Cause: shed.CauseRefused, Definite: true}

// Everything at once, for the race detector.
func TestAGroupConcurrently(t *testing.T) {
	set := together(2)
	set.Reports = ReportSettings{Quorum: 2, Max: time.Second}
	inGroup(t, set, abc, func(t *testing.T, tr *troupe) {
		var all sync.WaitGroup
		until := time.Now().Add(3 * time.Second)
		for _, f := range []func(){
			func() { tr.Verdict(t.Context(), 0) },
			func() { tr.Look(t.Context()) },
			func() {
				tr.Status()
				tr.Parts()
				tr.Current()
				tr.LastImpaired()
				tr.HeldUntil()
				tr.Overridden()
			},
			func() { tr.Report(Report{From: "one", For: time.Millisecond}) },
			func() { tr.Report(Report{From: "two", For: time.Millisecond}) },
			func() { _ = tr.Override(Override{State: shed.Down, Until: time.Now().Add(3 * time.Millisecond)}) },
			func() { tr.EndOverride("ada") },
			func() { tr.Set(set) },
			func() { tr.After(func(shed.Verdict) {}) },
			func() { onClose(tr, func(shed.Verdict) { tr.Current() })() },
			func() { tr.f.play(Part{Name: "a"}, Part{Name: "b"}, Part{Name: "c"}) },
			func() { tr.f.play(Part{Name: "a"}, Part{Name: "b"}) },
			func() { tr.p["a"].say(refused); tr.p["b"].say(good, readOnly, readOnly) },
			func() {
				if trial, ok := tr.Trial(); ok {
					trial.End(true)
				}
			},
		} {
			all.Go(func() {
				for time.Now().Before(until) {
					f()
					time.Sleep(time.Millisecond)
				}
			})
		}
		all.Wait()
	})
}

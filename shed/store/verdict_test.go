package store

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

// A request that arrived before a check began never gets its verdict from an older one; and only what closes is quicker.
func TestPermissionIsNeverOlderThanTheWish(t *testing.T) {
	for seed := range uint64(8) {
		in(t, usual, good, func(t *testing.T, s *scene) {
			luck := rand.New(rand.NewPCG(seed, 1))
			var all sync.WaitGroup
			var permitted, refusedAtOnce, late atomic.Int64
			for range 200 {
				start, pauses := time.Duration(luck.Int64N(int64(time.Second))), make([]time.Duration, 20)
				for i := range pauses {
					pauses[i] = time.Duration(luck.Int64N(int64(300 * time.Millisecond)))
				}
				all.Go(func() {
					time.Sleep(start)
					for _, pause := range pauses {
						arrived := time.Now()
						v := s.Verdict(t.Context(), 0)
						waited := time.Since(arrived)
						switch {
						case v.Late:
							late.Add(1)
							if waited != 2*usual.Timeout {
								t.Errorf("late after %v", waited)
							}
						case v.State.Impaired():
							refusedAtOnce.Add(1)
						default:
							permitted.Add(1)
							if v.Begun.Before(arrived) {
								t.Errorf("permitted at %v by a check begun %v before", v.State, arrived.Sub(v.Begun))
							}
						}
						if waited > 2*usual.Timeout {
							t.Errorf("waited %v", waited)
						}
						time.Sleep(pause)
					}
				})
			}
			faults := []Evidence{good, good, tardy, readOnly, hung, good, paused, noAuth, emptied, refused, good}
			done := make(chan struct{})
			var weather sync.WaitGroup
			weather.Go(func() {
				for {
					select {
					case <-done:
						return
					case <-time.After(time.Duration(luck.Int64N(int64(200 * time.Millisecond)))):
						s.p.mu.Lock()
						s.p.rest, s.p.took = faults[luck.IntN(len(faults))], time.Duration(luck.Int64N(int64(30*time.Millisecond)))
						s.p.mu.Unlock()
					}
				}
			})
			all.Wait()
			close(done)
			weather.Wait()
			if permitted.Load() == 0 || refusedAtOnce.Load() == 0 {
				t.Errorf("seed %d shows nothing: %d permitted, %d refused, %d late", seed, permitted.Load(), refusedAtOnce.Load(), late.Load())
			}
		})
	}
}

func TestWhoArrivesDuringACheckWaitsForTheNext(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		s.p.takes(50 * time.Millisecond)
		n := s.p.probes()
		until(t, time.Second, "a check in flight", func() bool { return s.p.probes() > n })
		arrived := time.Now()
		v := s.Verdict(t.Context(), 0)
		if waited := time.Since(arrived); v.Begun.Before(arrived) || v.Late || waited < 90*time.Millisecond || waited > 105*time.Millisecond {
			t.Errorf("%+v after %v, want the rest of one check and all of the next", v, waited)
		}
	})
}

func TestAVerdictFreshEnoughIsReturnedAtOnce(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		time.Sleep(90 * time.Millisecond)
		n := s.p.probes()
		from := time.Now()
		if v := s.Verdict(t.Context(), 250*time.Millisecond); v.Late || v.State != shed.Writable || time.Since(from) != 0 {
			t.Errorf("%+v after %v", v, time.Since(from))
		}
		if v := s.Verdict(t.Context(), 10*time.Millisecond); v.Begun.Before(from) {
			t.Errorf("%+v is older than 10ms", v)
		}
		if s.p.probes() != n+1 {
			t.Errorf("%d probes, want one that was asked for", s.p.probes()-n)
		}
	})
}

func TestNoFloodOfRequestsFloodsTheStore(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		n := s.p.probes()
		end := time.Now().Add(time.Second)
		var all sync.WaitGroup
		for range 500 {
			all.Go(func() {
				for time.Now().Before(end) {
					s.Verdict(t.Context(), 0)
				}
			})
		}
		all.Wait()
		if made := s.p.probes() - n; made < 150 || made > 202 {
			t.Errorf("%d probes in a second, want one each 5ms", made)
		}
	})
}

func TestNobodyWaitsToBeRefused(t *testing.T) {
	in(t, usual, readOnly, func(t *testing.T, s *scene) {
		n, from := s.p.probes(), time.Now()
		for range 1000 {
			if v := s.Verdict(t.Context(), 0); v.State != shed.ReadOnly || v.Late {
				t.Fatalf("%+v", v)
			}
		}
		if time.Since(from) != 0 || s.p.probes() != n {
			t.Errorf("took %v and %d probes", time.Since(from), s.p.probes()-n)
		}
	})
}

func TestAClosingCheckReleasesEverybodyAtOnce(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		s.p.takes(20 * time.Millisecond)
		s.p.say(readOnly)
		n := s.p.probes()
		until(t, time.Second, "the closing check", func() bool { return s.p.probes() > n })
		var all sync.WaitGroup
		for range 100 { // these would have waited for the check after it
			all.Go(func() {
				v := s.Verdict(t.Context(), 0)
				if v.State != shed.ReadOnly || v.Late || !time.Now().Equal(v.Since) {
					t.Errorf("%+v at %v", v, time.Now())
				}
			})
		}
		all.Wait()
	})
}

func TestWaitingEnds(t *testing.T) {
	t.Run("after two probe timeouts", func(t *testing.T) {
		in(t, usual, good, func(t *testing.T, s *scene) {
			s.p.say(hung)
			from := time.Now()
			v := s.Verdict(t.Context(), 0)
			if waited := time.Since(from); !v.Late || v.State != shed.Writable || waited != 2*usual.Timeout {
				t.Errorf("%+v after %v", v, waited)
			}
		})
	})
	t.Run("with the request", func(t *testing.T) {
		in(t, usual, good, func(t *testing.T, s *scene) {
			s.p.say(hung)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			from := time.Now()
			if v := s.Verdict(ctx, 0); !v.Late || time.Since(from) != 30*time.Millisecond {
				t.Errorf("%+v after %v", v, time.Since(from))
			}
		})
	})
	t.Run("with the Monitor", func(t *testing.T) {
		in(t, usual, good, func(t *testing.T, s *scene) {
			s.p.say(hung)
			n := s.p.probes()
			until(t, time.Second, "a check in flight", func() bool { return s.p.probes() > n })
			from := time.Now()
			var all sync.WaitGroup
			all.Go(func() {
				if v := s.Verdict(t.Context(), 0); !v.Late {
					t.Errorf("%+v", v)
				}
			})
			synctest.Wait()
			s.Close()
			all.Wait()
			s.Close()
			if v := s.Verdict(t.Context(), 0); !v.Late || time.Since(from) != 0 || s.p.closed != 1 {
				t.Errorf("%+v after %v; the prober was closed %d times", v, time.Since(from), s.p.closed)
			}
		})
	})
	t.Run("before the first check", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := New(&script{t: t, rest: good}, usual, nil)
			if v := m.Verdict(t.Context(), time.Hour); !v.Late || v.State != shed.Unknown {
				t.Errorf("%+v", v)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if v := m.First(ctx); !v.Late {
				t.Errorf("%+v", v)
			}
			m.Close()
			m.Start()
		})
	})
}

func TestUnknownWaitsForTheFirstCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(&script{t: t, rest: good, took: 70 * time.Millisecond}, usual, nil)
		defer m.Close()
		m.Start()
		from := time.Now()
		if v := m.Verdict(t.Context(), time.Second); v.State != shed.Writable || v.Late || time.Since(from) > 150*time.Millisecond {
			t.Errorf("%+v after %v", v, time.Since(from))
		}
	})
}

func TestSetChangesTheInterval(t *testing.T) {
	slow := usual
	slow.Interval = time.Hour
	in(t, slow, good, func(t *testing.T, s *scene) {
		time.Sleep(time.Minute)
		if n := s.p.probes(); n != 1 {
			t.Fatalf("%d probes", n)
		}
		s.Set(usual)
		time.Sleep(time.Second)
		if n := s.p.probes(); n < 10 {
			t.Errorf("%d probes a second after Set", n)
		}
	})
}

func TestObserveSeesEveryProbe(t *testing.T) {
	seen := map[shed.Cause]int{}
	set := usual
	set.Observe = func(took time.Duration, e Evidence) {
		if took <= 0 {
			t.Errorf("took %v", took)
		}
		seen[e.Cause]++
	}
	in(t, set, readOnly, func(t *testing.T, s *scene) {
		time.Sleep(time.Second)
		s.Close()
		if seen[shed.CauseReadOnly] != s.p.probes() {
			t.Errorf("saw %v of %d", seen, s.p.probes())
		}
	})
}

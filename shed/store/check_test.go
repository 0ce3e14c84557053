package store

import (
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

func TestTheFirstVerdict(t *testing.T) {
	for _, row := range []struct {
		name   string
		first  Evidence
		probes int
		state  shed.State
		cause  shed.Cause
	}{
		{"one good probe is enough", good, 1, shed.Writable, shed.OK},
		{"a definite refusal is confirmed once", readOnly, 2, shed.ReadOnly, shed.CauseReadOnly},
		{"refused", refused, 2, shed.Down, shed.CauseRefused},
		{"a timeout needs three", hung, 3, shed.Down, shed.CauseHung},
		{"our own fault says nothing of the store", noAuth, 1, shed.Unknown, shed.CauseProberAuth},
	} {
		t.Run(row.name, func(t *testing.T) {
			in(t, usual, row.first, func(t *testing.T, s *scene) {
				s.want(t, row.state, row.cause)
				if n := s.p.probes(); n != row.probes {
					t.Errorf("%d probes, want %d", n, row.probes)
				}
				if v := s.Current(); v.Recovering() || v.Begun.IsZero() {
					t.Errorf("first verdict %+v: want no ramp, and a check behind it", v)
				}
			})
		})
	}
}

func TestConfirmations(t *testing.T) {
	for _, row := range []struct {
		name   string
		list   []Evidence
		probes int // of that check
		state  shed.State
		cause  shed.Cause
	}{
		{"one refusal is not two", []Evidence{readOnly, good}, 2, shed.Writable, shed.OK},
		{"two are", []Evidence{readOnly, readOnly}, 2, shed.ReadOnly, shed.CauseReadOnly},
		{"what both agree on", []Evidence{refused, readOnly}, 2, shed.ReadOnly, shed.CauseReadOnly},
		{"two timeouts of five", []Evidence{hung, good, hung, good, good}, 5, shed.Writable, shed.OK},
		{"one timeout", []Evidence{hung, good, good, good}, 4, shed.Writable, shed.OK},
		{"three timeouts of five", []Evidence{hung, good, hung, good, hung}, 5, shed.Down, shed.CauseHung},
		{"three timeouts at once", []Evidence{hung, hung, hung}, 3, shed.Down, shed.CauseHung},
		{"timeouts that become a refusal", []Evidence{hung, readOnly, readOnly}, 3, shed.ReadOnly, shed.CauseReadOnly},
		{"a refusal that becomes timeouts", []Evidence{readOnly, hung, hung}, 3, shed.ReadOnly, shed.CauseReadOnly},
		{"paused", []Evidence{paused, paused, paused}, 3, shed.ReadOnly, shed.CausePaused},
	} {
		t.Run(row.name, func(t *testing.T) {
			in(t, usual, good, func(t *testing.T, s *scene) {
				s.p.say(good, row.list...)
				before, checks := s.p.probes(), s.Status().Checks
				until(t, 2*time.Second, "a check", func() bool {
					st := s.Status()
					begun, _ := s.p.seen()
					return st.Checks > checks && st.CheckBegun.Equal(begun[before])
				})
				begun, sizes := s.p.seen()
				if n := s.p.probes() - before; n != row.probes {
					t.Errorf("%d probes, want %d", n, row.probes)
				}
				s.want(t, row.state, row.cause)
				for i := before + 1; i < before+row.probes; i++ {
					apart := begun[i].Sub(begun[i-1])
					if sizes[i] != sizes[before] {
						t.Errorf("confirmed with %d bytes what %d bytes found", sizes[i], sizes[before])
					}
					if apart < 5*time.Millisecond || apart > usual.Timeout+6*time.Millisecond {
						t.Errorf("probes %v apart", apart)
					}
				}
			})
		})
	}
}

func TestADefiniteRefusalClosesWithinAnIntervalAndTenMilliseconds(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		s.p.say(readOnly)
		if d := s.become(t, shed.ReadOnly, time.Second); d > 110*time.Millisecond {
			t.Errorf("took %v", d)
		}
	})
}

func TestReadOnlyWorsensAndImproves(t *testing.T) {
	in(t, usual, readOnly, func(t *testing.T, s *scene) {
		s.p.say(loading)
		if d := s.become(t, shed.Down, time.Second); d > 110*time.Millisecond {
			t.Errorf("worsening took %v", d)
		}
		s.want(t, shed.Down, shed.CauseLoading)
		s.p.say(readOnly)
		if d := s.become(t, shed.ReadOnly, 2*time.Second); d < 500*time.Millisecond || d > 710*time.Millisecond {
			t.Errorf("down became read-only after %v, want 0.5 s of agreeing probes", d)
		}
		s.want(t, shed.ReadOnly, shed.CauseReadOnly)
		if s.Current().Recovering() {
			t.Error("a ramp runs while read-only")
		}
	})
}

func TestGoodProbesCountThroughReadOnly(t *testing.T) {
	in(t, usual, loading, func(t *testing.T, s *scene) {
		s.p.say(good, readOnly)
		d := s.become(t, shed.Writable, 2*time.Second)
		if d > 820*time.Millisecond {
			t.Errorf("opening took %v", d)
		}
	})
}

func TestACauseThatChangesIsToldOnce(t *testing.T) {
	in(t, usual, readOnly, func(t *testing.T, s *scene) {
		s.p.say(readOnly, full)
		time.Sleep(time.Second)
		s.want(t, shed.ReadOnly, shed.CauseReadOnly)
		s.p.say(full)
		time.Sleep(time.Second)
		s.want(t, shed.ReadOnly, shed.CauseFull)
		told := s.transitions()
		last := told[len(told)-1]
		if len(told) != 2 || last.From != shed.ReadOnly || last.To != shed.ReadOnly || last.FromCause != shed.CauseReadOnly {
			t.Errorf("told %+v", told)
		}
	})
}

func TestPayloadOnceASecondAndWhileFull(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		time.Sleep(10*time.Second - time.Millisecond)
		large := 0
		_, sizes := s.p.seen()
		for _, n := range sizes {
			switch n {
			case usual.Payload:
				large++
			case 64:
			default:
				t.Fatalf("a canary of %d bytes", n)
			}
		}
		if large < 9 || large > 11 || sizes[0] != usual.Payload {
			t.Errorf("%d large canaries in ten seconds, the first of %d bytes", large, sizes[0])
		}
		s.p.say(full)
		s.become(t, shed.ReadOnly, time.Second)
		from := s.p.probes()
		time.Sleep(time.Second)
		_, sizes = s.p.seen()
		for _, n := range sizes[from:] {
			if n != usual.Payload {
				t.Fatalf("a canary of %d bytes while full", n)
			}
		}
	})
}

func TestBackOffWhereTheStoreCannotBeReached(t *testing.T) {
	in(t, usual, refused, func(t *testing.T, s *scene) {
		stop := make(chan struct{})
		defer close(stop)
		for range 10 { // demand changes nothing
			go func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(time.Millisecond):
						s.Verdict(t.Context(), 0)
					}
				}
			}()
		}
		from := s.p.probes()
		time.Sleep(20 * time.Second)
		n := s.p.probes() - from
		if n < 18 || n > 30 {
			t.Errorf("%d probes in 20 s, want about one a second", n)
		}
		var last time.Duration
		begun, _ := s.p.seen()
		for i := from; i < from+3; i++ {
			apart := begun[i].Sub(begun[i-1])
			if apart <= last {
				t.Errorf("wait %d is %v after %v, want it to grow", i, apart, last)
			}
			last = apart
		}
		// One that answers is asked at the interval again, whatever it answers.
		s.p.say(loading)
		until(t, 2*time.Second, "another probe", func() bool { return s.p.probes() > from+n })
		from = s.p.probes()
		time.Sleep(2 * time.Second)
		if n := s.p.probes() - from; n < 18 || n > 21 {
			t.Errorf("%d probes in 2 s of a store that answers, want 20", n)
		}
	})
}

func TestWhatAStallMeasuredDoesNotCount(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		stall := func() {
			s.pulse.mu.Lock()
			s.pulse.worst = 50 * time.Millisecond
			s.pulse.mu.Unlock()
		}
		s.p.mu.Lock()
		s.p.during = stall
		s.p.mu.Unlock()
		// Three timeouts that were ours, in a row: each is measured again, and the fourth finds the store well.
		s.p.say(good, hung, hung, hung)
		from := s.p.probes()
		until(t, 3*time.Second, "the script to end", func() bool { return s.p.probes() >= from+6 })
		s.want(t, shed.Writable, shed.OK)
		begun, _ := s.p.seen()
		for i := from + 1; i < from+4; i++ {
			if apart := begun[i].Sub(begun[i-1]); apart > usual.Timeout+time.Millisecond {
				t.Errorf("measured again only after %v", apart)
			}
		}
		// What the store says in so many words counts in any case.
		s.p.say(readOnly)
		s.become(t, shed.ReadOnly, 200*time.Millisecond)
		s.p.say(good)
		s.become(t, shed.Writable, 2*time.Second)
		// And not for ever.
		s.p.say(hung)
		if d := s.become(t, shed.Down, 10*time.Second); d < 9*usual.Timeout {
			t.Errorf("down after %v, want each of three timeouts measured four times", d)
		}
	})
}

func TestThePulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pulse
		p.start()
		time.Sleep(202 * time.Millisecond) // between two beats
		if d := p.stop(); d != 0 {
			t.Errorf("late by %v in virtual time", d)
		}
		p.start()
		p.mu.Lock()
		p.due = p.due.Add(-30 * time.Millisecond) // as if the timer had been due long ago
		p.mu.Unlock()
		time.Sleep(7 * time.Millisecond)
		if d := p.stop(); d != 30*time.Millisecond {
			t.Errorf("late by %v, want 30ms", d)
		}
	})
}

// An error of the app may be a large session's that found no room, where a small canary does.
func TestADoubtedAnswerIsJudgedByALargeCanary(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		time.Sleep(300 * time.Millisecond)
		_, before := s.p.seen()
		s.Look(t.Context())
		_, sizes := s.p.seen()
		if got := sizes[len(before):]; len(got) != 1 || got[0] != usual.Payload {
			t.Errorf("canaries of %v bytes, want one of %d", got, usual.Payload)
		}
		_, before = s.p.seen()
		s.Verdict(t.Context(), 0)
		_, sizes = s.p.seen()
		if got := sizes[len(before):]; len(got) != 1 || got[0] != small {
			t.Errorf("canaries of %v bytes for a sign-in, want one of %d", got, small)
		}
	})
}

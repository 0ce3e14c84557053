package store

import (
	"testing"
	"time"

	"gatehouse/shed"
)

// try hands out trials for a while and has each of them end so.
func (s *scene) try(over time.Duration, worked bool) (n int) {
	for end := time.Now().Add(over); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if trial, ok := s.Trial(); ok {
			n++
			trial.End(worked)
			trial.End(!worked) // does nothing
		}
	}
	return n
}

func TestReadsThatWorkOverruleAProberThatCannotReachTheStore(t *testing.T) {
	for _, e := range []Evidence{refused, hung, {State: shed.Down, Cause: shed.CauseTLS, Definite: true}, {State: shed.Down, Cause: shed.CauseDNS},
		{State: shed.Down, Cause: shed.CauseTooManyClients, Definite: true, Reached: true}} {
		t.Run(e.Cause.String(), func(t *testing.T) {
			in(t, usual, good, func(t *testing.T, s *scene) {
				s.p.say(e)
				s.become(t, shed.Down, 5*time.Second)
				if _, ok := s.Trial(); ok {
					t.Error("a trial at once: most outages are what they look like")
				}
				if n := s.try(9*time.Second, true); n < 9 || n > 18 {
					t.Errorf("%d trials in 9 s, want one to two a second", n)
				}
				s.want(t, shed.Down, e.Cause)
				s.try(4*time.Second, true)
				s.want(t, shed.Unknown, e.Cause)
				v := s.Verdict(t.Context(), 0)
				if v.Late || !v.Recovering() || v.Impaired() || !s.Status().Trial {
					t.Errorf("%+v: want a ramp, and nobody waiting for a prober at fault", v)
				}
				s.try(time.Minute, true)
				s.want(t, shed.Unknown, e.Cause)

				s.p.say(good) // the prober is mended
				s.become(t, shed.Writable, 2*time.Second)
				s.p.say(e)
				s.become(t, shed.Down, 5*time.Second) // and believed again
			})
		})
	}
}

func TestOneTrialThatFailsBeginsTheRowAnew(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		s.p.say(refused)
		s.become(t, shed.Down, time.Second)
		for range 5 {
			s.try(9*time.Second, true)
			time.Sleep(trialEvery)
			s.try(20*time.Millisecond, false)
		}
		s.want(t, shed.Down, shed.CauseRefused)
	})
}

func TestTrialsThatFailHaveTheProberBelievedAgain(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		s.p.say(refused)
		s.become(t, shed.Down, time.Second)
		s.try(13*time.Second, true)
		s.want(t, shed.Unknown, shed.CauseRefused)
		s.try(800*time.Millisecond, false)
		s.want(t, shed.Unknown, shed.CauseRefused) // a page that is broken by itself closes nothing
		s.try(800*time.Millisecond, false)
		time.Sleep(200 * time.Millisecond)
		s.want(t, shed.Down, shed.CauseRefused)
	})
}

func TestATrialIsOnlyForWhatMayLieOnOurWay(t *testing.T) {
	for _, e := range []Evidence{readOnly, full, loading, good} {
		in(t, usual, e, func(t *testing.T, s *scene) {
			time.Sleep(5 * time.Second)
			if n := s.try(5*time.Second, true); n > 0 {
				t.Errorf("%v: %d trials", e.Cause, n)
			}
		})
	}
	in(t, usual, refused, func(t *testing.T, s *scene) {
		time.Sleep(5 * time.Second)
		if err := s.Override(Override{State: shed.Down, Until: time.Now().Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		if n := s.try(5*time.Second, true); n > 0 {
			t.Errorf("%d trials against a person's word", n)
		}
	})
}

// What the store says for itself is believed at all times.
func TestAnAnswerOfTheStoreOutweighsTrials(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		s.p.say(refused)
		s.become(t, shed.Down, time.Second)
		s.try(13*time.Second, true)
		s.want(t, shed.Unknown, shed.CauseRefused)
		s.p.say(readOnly)
		s.become(t, shed.ReadOnly, time.Second)
		s.want(t, shed.ReadOnly, shed.CauseReadOnly)
	})
}

package store

import (
	"testing"
	"time"

	"gatehouse/shed"
)

func TestOpeningTakesRiseGoodProbesOverAfter(t *testing.T) {
	for _, row := range []struct {
		name     string
		rise     int
		after    time.Duration
		from, to time.Duration
	}{
		{"after decides", 3, 500 * time.Millisecond, 500 * time.Millisecond, 610 * time.Millisecond},
		{"rise decides", 8, 0, 700 * time.Millisecond, 810 * time.Millisecond},
		{"one is the least", 0, 0, 0, 110 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			set := usual
			set.Rise, set.After = row.rise, row.after
			in(t, set, readOnly, func(t *testing.T, s *scene) {
				s.p.say(good)
				if d := s.become(t, shed.Writable, 5*time.Second); d < row.from || d > row.to {
					t.Errorf("took %v, want %v to %v", d, row.from, row.to)
				}
			})
		})
	}
}

func TestOneBadProbeStartsTheRowAgain(t *testing.T) {
	in(t, usual, readOnly, func(t *testing.T, s *scene) {
		s.p.say(good, good, good, good, good, readOnly)
		if d := s.become(t, shed.Writable, 5*time.Second); d < time.Second {
			t.Errorf("opened after %v", d)
		}
	})
}

func TestTheRampIsComputedWhenRead(t *testing.T) {
	in(t, usual, readOnly, func(t *testing.T, s *scene) {
		s.p.say(good)
		if !s.LastImpaired().Equal(time.Now()) {
			t.Error("not impaired now?")
		}
		s.become(t, shed.Writable, time.Second)
		opened, closed := s.Current().Opened, s.LastImpaired()
		if time.Since(opened) > time.Millisecond || !closed.Equal(opened) {
			t.Errorf("opened %v, impaired until %v, now %v", opened, closed, time.Now())
		}
		time.Sleep(usual.RampOver - 10*time.Millisecond)
		if v := s.Current(); !v.Opened.Equal(opened) || v.Cause != shed.OK {
			t.Errorf("%+v within the ramp", v)
		}
		longer := usual
		longer.RampOver = time.Minute
		s.Set(longer)
		time.Sleep(20 * time.Millisecond)
		if !s.Current().Recovering() {
			t.Error("a longer ramp did not apply in place")
		}
		s.Set(usual)
		if s.Current().Recovering() {
			t.Error("the ramp goes on after its end")
		}
		if !s.LastImpaired().Equal(closed) {
			t.Error("LastImpaired moved")
		}
	})
}

func TestClosingEndsTheRamp(t *testing.T) {
	in(t, usual, readOnly, func(t *testing.T, s *scene) {
		s.p.say(good)
		s.become(t, shed.Writable, time.Second)
		time.Sleep(time.Second)
		s.p.say(readOnly)
		s.become(t, shed.ReadOnly, time.Second)
		if s.Current().Recovering() {
			t.Error("a ramp runs while read-only")
		}
		s.p.say(good)
		s.become(t, shed.Writable, time.Second)
		if since := time.Since(s.Current().Opened); since > time.Millisecond {
			t.Errorf("the ramp began %v ago", since)
		}
	})
}

func TestStartRamp(t *testing.T) {
	set := usual
	set.StartRamp = true
	in(t, set, good, func(t *testing.T, s *scene) {
		if v := s.Current(); v.State != shed.Writable || !v.Recovering() {
			t.Errorf("%+v, want a ramp", v)
		}
		if !s.LastImpaired().IsZero() {
			t.Error("never impaired")
		}
		time.Sleep(usual.RampOver)
		if s.Current().Recovering() {
			t.Error("the ramp goes on")
		}
	})
}

func TestALostCanaryBeginsTheRampAnew(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		since := s.Current().Since
		s.p.say(good, emptied)
		until(t, time.Second, "the loss", func() bool { return s.Current().Cause == shed.CauseSessionLoss })
		v := s.Current()
		if v.State != shed.Writable || !v.Since.Equal(since) || time.Since(v.Opened) > time.Millisecond {
			t.Errorf("%+v", v)
		}
		time.Sleep(10 * time.Second)
		s.p.say(good, emptied)
		until(t, time.Second, "the second loss", func() bool { return s.Current().Opened.After(v.Opened) })
		time.Sleep(usual.RampOver - 200*time.Millisecond)
		s.want(t, shed.Writable, shed.CauseSessionLoss)
		if !s.Current().Lost {
			t.Error("its verdict does not say so")
		}
		time.Sleep(400 * time.Millisecond)
		s.want(t, shed.Writable, shed.OK)
		lost := 0
		for _, tr := range s.transitions() {
			if tr.Lost {
				lost++
				if tr.From != shed.Writable || tr.To != shed.Writable || tr.Cause != shed.CauseSessionLoss {
					t.Errorf("%+v", tr)
				}
			}
		}
		if lost != 2 {
			t.Errorf("%d losses told, want 2", lost)
		}
	})
}

func TestALossWhileClosedIsToldWhenItOpens(t *testing.T) {
	in(t, usual, refused, func(t *testing.T, s *scene) {
		s.p.say(good, emptied)
		s.become(t, shed.Writable, 5*time.Second)
		s.want(t, shed.Writable, shed.CauseSessionLoss)
		if !s.Current().Lost {
			t.Error("its verdict does not say so")
		}
		told := s.transitions()
		last := told[len(told)-1]
		if !last.Lost || last.From != shed.Down || last.Cause != shed.CauseSessionLoss || !s.Current().Recovering() {
			t.Errorf("%+v", last)
		}
	})
}

func TestOurOwnFault(t *testing.T) {
	t.Run("leaves an open state", func(t *testing.T) {
		in(t, usual, good, func(t *testing.T, s *scene) {
			s.p.say(noAuth)
			time.Sleep(5 * time.Second)
			s.want(t, shed.Writable, shed.CauseProberAuth)
			if st := s.Status(); st.Cause != shed.CauseProberAuth {
				t.Errorf("status says %v", st.Cause)
			}
			if v := s.Verdict(t.Context(), 0); v.State != shed.Writable || v.Late {
				t.Errorf("%+v", v)
			}
			if told := s.transitions(); len(told) != 2 || told[1].Cause != shed.CauseProberAuth {
				t.Errorf("told %+v", told)
			}
			s.p.say(readOnly)
			s.become(t, shed.ReadOnly, time.Second)
			s.p.say(good)
			s.become(t, shed.Writable, time.Second)
			s.want(t, shed.Writable, shed.OK)
		})
	})
	t.Run("opens a closed one, along the ramp", func(t *testing.T) {
		in(t, usual, readOnly, func(t *testing.T, s *scene) {
			s.p.say(readOnly, noAuth)
			time.Sleep(time.Second)
			s.want(t, shed.ReadOnly, shed.CauseReadOnly)
			if told := s.transitions(); len(told) != 1 {
				t.Errorf("one odd answer: told %+v", told)
			}
			s.p.say(noAuth)
			s.become(t, shed.Unknown, time.Second)
			s.want(t, shed.Unknown, shed.CauseProberAuth)
			opened := s.Current().Opened
			if opened.IsZero() || s.LastImpaired().IsZero() {
				t.Errorf("%+v, want the ramp", s.Current())
			}
			s.p.say(good)
			if d := s.become(t, shed.Writable, time.Second); d > 110*time.Millisecond {
				t.Errorf("known again after %v", d)
			}
			if !s.Current().Opened.Equal(opened) {
				t.Error("another ramp")
			}
		})
	})
}

func TestStrained(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		s.p.say(good, tardy, good, tardy, good, good, good)
		time.Sleep(time.Second)
		if len(s.transitions()) != 1 {
			t.Errorf("two late answers of five: %+v", s.transitions())
		}
		s.p.say(good, tardy, good, tardy, good, tardy, good, good)
		s.become(t, shed.Strained, time.Second)
		s.want(t, shed.Strained, shed.CauseSlow)
		if d := s.become(t, shed.Writable, time.Second); d < 200*time.Millisecond || d > 410*time.Millisecond {
			t.Errorf("back after %v, want three answers in time", d)
		}
		if s.Current().Recovering() || !s.LastImpaired().IsZero() {
			t.Error("strained is not impaired")
		}
		s.p.say(tardy)
		s.become(t, shed.Strained, time.Second)
		s.p.say(readOnly)
		s.become(t, shed.ReadOnly, time.Second)
		s.p.say(tardy)
		s.become(t, shed.Strained, 2*time.Second)
		told := s.transitions()
		if last := told[len(told)-1]; last.From != shed.ReadOnly || last.To != shed.Strained || !s.Current().Recovering() {
			t.Errorf("%+v", last)
		}
		unlimited := usual
		unlimited.Strained = 0
		s.Set(unlimited)
		s.become(t, shed.Writable, time.Second)
	})
}

func TestTransitionsAreToldInOrderWithTheirLength(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		time.Sleep(15 * time.Second)
		s.p.say(readOnly)
		s.become(t, shed.ReadOnly, time.Second)
		s.p.say(good)
		s.become(t, shed.Writable, time.Second)
		told := s.transitions()
		if len(told) != 3 {
			t.Fatalf("told %+v", told)
		}
		state := shed.Unknown
		for _, tr := range told {
			if tr.From != state {
				t.Errorf("%+v does not follow %v", tr, state)
			}
			state = tr.To
		}
		if closing := told[1]; closing.Err == nil || closing.FromCause != shed.OK || closing.Lasted < 10*time.Second {
			t.Errorf("%+v", closing)
		}
		st := s.Status()
		if len(st.Transitions) != 3 || st.Err != "READONLY" || st.ErrAt.IsZero() || len(st.Latencies) != keptLatencies ||
			st.Checks == 0 || st.Probes < st.Checks || st.CheckBegun.IsZero() {
			t.Errorf("%+v", st)
		}
	})
}

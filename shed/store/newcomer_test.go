package store

import (
	"testing"
	"time"

	"gatehouse/shed"
)

var slotless = Evidence{State: shed.Down, Cause: shed.CauseTooManyClients, Definite: true}

func (p *script) greets(e Evidence) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.newcomer = e
}

func (p *script) greetings() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.greeted
}

func TestADoubtedAnswerIsJudgedByWhatNewcomersMeet(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		time.Sleep(time.Second)
		if n := s.p.greetings(); n != 0 {
			t.Errorf("%d new connections although nobody doubts", n)
		}
		if v := s.Look(t.Context()); v.Impaired() || s.p.greetings() != 1 {
			t.Errorf("%+v after %d new connections", v, s.p.greetings())
		}
		s.p.greets(slotless)
		time.Sleep(newcomerGap)
		v := s.Look(t.Context())
		if v.State != shed.Writable || v.Observed != shed.Down || v.ObservedCause != shed.CauseTooManyClients || v.Late {
			t.Errorf("%+v", v)
		}
		if v := s.Verdict(t.Context(), 0); v.Impaired() || v.Late {
			t.Errorf("one answer: %+v, want permission", v)
		}
		s.Look(t.Context())
		s.Look(t.Context())
		if d := s.become(t, shed.Down, time.Second); d > 200*time.Millisecond {
			t.Errorf("closed after %v", d)
		}
		s.want(t, shed.Down, shed.CauseTooManyClients)
		before := s.p.greetings()
		time.Sleep(10 * time.Second)
		if n := s.p.greetings() - before; n < 8 || n > 11 {
			t.Errorf("%d new connections in 10 s to a store without slots, want one a second", n)
		}
		s.want(t, shed.Down, shed.CauseTooManyClients)
		s.p.greets(Evidence{})
		s.become(t, shed.Writable, 3*time.Second)
		s.want(t, shed.Writable, shed.OK)
	})
}

func TestDoubtsOfLongAgoCloseNothing(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		s.p.greets(slotless)
		for range 4 {
			if v := s.Look(t.Context()); v.Observed != shed.Down {
				t.Errorf("%+v", v)
			}
			time.Sleep(doubtsOver / 2)
		}
		s.want(t, shed.Writable, shed.OK)
	})
}

func TestDoubtsAreFew(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
			s.Look(t.Context())
		}
		if n := s.p.greetings(); n > 101 {
			t.Errorf("%d new connections in 10 s of doubts, want at most ten a second", n)
		}
	})
}

// A new connection that hangs, or that is refused for our own password, says nothing of the store.
func TestOnlyADefiniteRefusalOfNewcomersCounts(t *testing.T) {
	for _, e := range []Evidence{hung, noAuth, {State: shed.Down, Cause: shed.CauseRefused}} {
		in(t, usual, good, func(t *testing.T, s *scene) {
			s.p.greets(e)
			for range 5 {
				if v := s.Look(t.Context()); v.Impaired() {
					t.Errorf("%v: %+v", e.Cause, v)
				}
				time.Sleep(newcomerGap)
			}
			s.want(t, shed.Writable, shed.OK)
		})
	}
}

// A long way to the store costs only those the time of a new connection whose answer is doubted.
func TestANewConnectionHoldsNoSignInUp(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		s.p.mu.Lock()
		s.p.longWay = 150 * time.Millisecond
		s.p.mu.Unlock()
		s.p.greets(slotless)
		time.Sleep(time.Second)
		looked := make(chan shed.Verdict, 1)
		go func() { looked <- s.Look(t.Context()) }()
		time.Sleep(20 * time.Millisecond)
		for range 5 {
			from := time.Now()
			if v := s.Verdict(t.Context(), 0); v.Late || v.Impaired() || time.Since(from) > 30*time.Millisecond {
				t.Errorf("%+v after %v", v, time.Since(from))
			}
		}
		if v := <-looked; v.Late || v.ObservedCause != shed.CauseTooManyClients {
			t.Errorf("%+v: want what the connection met that was being made", v)
		}
	})
}

// One refusal is none: slots come and go.
func TestARefusalOfNewcomersIsConfirmed(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		s.p.greets(slotless)
		s.Look(t.Context())
		s.p.greets(Evidence{})
		for range 5 {
			s.Look(t.Context())
		}
		time.Sleep(time.Second)
		if told := s.transitions(); len(told) != 1 {
			t.Errorf("told %+v", told[1:])
		}
	})
}

// Apps that keep their connections go on: trials show it.
func TestTrialsOverruleWhatNewcomersMeet(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		s.p.greets(slotless)
		for range doubtsClose {
			s.Look(t.Context())
		}
		s.become(t, shed.Down, time.Second)
		s.try(13*time.Second, true)
		s.want(t, shed.Unknown, shed.CauseTooManyClients)
	})
}

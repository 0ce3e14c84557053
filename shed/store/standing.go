package store

import (
	"time"

	"gatehouse/shed"
)

// standing is what is believed of the store, as one consistent value. A published standing is never changed.
type standing struct {
	state  shed.State
	cause  shed.Cause
	since  time.Time     // when state began
	begun  time.Time     // when the last completed check began
	opened time.Time     // when the last ramp began; zero while impaired
	over   time.Duration // how long a ramp runs
	closed time.Time     // when the last impairment ended
}

// ramping reports whether the ramp runs at now.
func (s *standing) ramping(now time.Time) bool {
	return !s.opened.IsZero() && now.Sub(s.opened) < s.over
}

// verdict is the standing as it reads at now.
func (s *standing) verdict(now time.Time) shed.Verdict {
	v := shed.Verdict{State: s.state, Cause: s.cause, Since: s.since, Begun: s.begun}
	if s.ramping(now) {
		v.Opened = s.opened
	} else if v.Cause == shed.CauseSessionLoss {
		v.Cause = ordinary(s.state)
	}
	return v
}

// fresh reports whether the standing answers a request that demands a check begun at most maxAge ago. An impaired one
// always does: only permission must be fresh.
func (s *standing) fresh(now time.Time, maxAge time.Duration) bool {
	return s.state.Impaired() || maxAge > 0 && !s.begun.IsZero() && now.Sub(s.begun) <= maxAge
}

// ordinary is the cause of an open state with nothing special about it.
func ordinary(s shed.State) shed.Cause {
	switch s {
	case shed.Writable:
		return shed.OK
	case shed.Strained:
		return shed.CauseSlow
	default:
		return shed.CauseUnknown
	}
}

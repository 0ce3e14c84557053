package store

import (
	"time"

	"gatehouse/shed"
)

// standing is what is believed of the store, as one consistent value. A published standing is never changed.
type standing struct {
	state shed.State // what is acted on
	cause shed.Cause
	since time.Time // when state began

	observed      shed.State // what the checks say
	observedCause shed.Cause
	ordinary      shed.Cause // of the observed state, where it is open

	begun  time.Time     // when the last completed check began
	opened time.Time     // when the last ramp began; zero while impaired
	over   time.Duration // how long a ramp runs
	closed time.Time     // when the last impairment ended

	lost bool // it was found empty, and the checks have not closed it since

	reopened time.Time // when the checks last found it open after they had closed it

	override *Override  // in force; nil: none
	held     time.Time  // until when the store is held read-only; zero: it is not
	trusted  bool       // the prober is at fault, by the word of trials
	away     shed.Cause // why newcomers are turned away; CauseUnknown: they are not

	settled bool         // the standing reads the same at any time since it was published
	lasting shed.Verdict // how, if it is settled
}

// settle notes, before the standing is published at now, whether it reads the same from then on: no ramp runs, and none that a hold
// interrupted. Then who asks need not look at a clock.
func (s *standing) settle(now time.Time) {
	s.settled = !s.ramping(now) && !(holds(s.cause) && now.Sub(s.reopened) < s.over)
	s.lasting = s.verdict(now)
}

// current is the standing as it reads now.
func (s *standing) current() shed.Verdict {
	if s.settled {
		return s.lasting
	}
	return s.verdict(time.Now())
}

// impaired reports whether the store is impaired, or taken for it. One that is merely held is not: that concerns sign-ins.
func (s *standing) impaired() bool {
	return s.observed.Impaired() || s.state.Impaired() && !holds(s.cause)
}

// ramping reports whether the ramp runs at now.
func (s *standing) ramping(now time.Time) bool {
	return !s.opened.IsZero() && now.Sub(s.opened) < s.over
}

// verdict is the standing as it reads at now.
func (s *standing) verdict(now time.Time) shed.Verdict {
	v := shed.Verdict{
		State: s.state, Cause: s.cause, Since: s.since, Begun: s.begun, Observed: s.observed, ObservedCause: s.observedCause,
		Lost: s.lost,
	}
	if holds(s.cause) && now.Sub(s.reopened) < s.over {
		v.Reopened = s.reopened
	}
	if s.ramping(now) {
		v.Opened = s.opened
	} else if v.Cause == shed.CauseSessionLoss && s.state == s.observed {
		v.Cause = s.ordinary
	}
	return v
}

// fresh reports whether the standing answers a request that demands a check begun at most maxAge ago. Only permission must be
// fresh, and only that of a check: nobody waits to be refused, nor for a prober that is overruled. A store that is held gives
// permission to all but sign-ins.
func (s *standing) fresh(maxAge time.Duration) bool {
	return s.final() || maxAge > 0 && !s.begun.IsZero() && time.Since(s.begun) <= maxAge // which is half of reading the clock
}

// final reports whether nobody waits for a verdict, whatever the time.
func (s *standing) final() bool {
	return s.state.Impaired() && !holds(s.cause) || s.override != nil || s.trusted
}

// holds reports whether a cause holds sign-ins back and nobody else.
func holds(c shed.Cause) bool { return c == shed.CauseFlapping || c == shed.CauseReported }

package store

import (
	"errors"
	"time"

	"gatehouse/shed"
)

// Override is a person's word about the store, which is acted on until it ends, whatever the checks say.
type Override struct {
	State shed.State
	By    string // who set it
	At    time.Time
	Until time.Time
}

// MaxOverride is how long an override may last: nobody is woken up by one that was forgotten.
const MaxOverride = 4 * time.Hour

// What Override returns.
var (
	ErrOverrideLength = errors.New("an override lasts for more than nothing and at most 4h")
	ErrOverrideClosed = errors.New("the store is not checked any more")
)

// Override has o acted on until it ends, in place of an earlier one: what the checks say is seen (Verdict.Observed) and not
// acted on, except that what an app answers is still judged by it. When it ends while the checks find the store well, after it
// was taken for impaired, the ramp begins.
func (m *Monitor) Override(o Override) error {
	now := time.Now()
	if left := o.Until.Sub(now); left <= 0 || left > MaxOverride {
		return ErrOverrideLength
	}
	if o.At.IsZero() {
		o.At = now
	}
	if !m.publish(now, func(*standing) news {
		m.effect.override = &o
		return news{}
	}) {
		return ErrOverrideClosed
	}
	m.nudge()
	return nil
}

// EndOverride ends the override, and reports whether there was one. by is who says so, for Transition.Ended.
func (m *Monitor) EndOverride(by string) bool {
	ended, now := false, time.Now()
	m.publish(now, func(*standing) news {
		if ended = m.effect.override != nil; ended {
			over := *m.effect.override
			over.Until, over.By = now, by
			m.effect.override = &over
		}
		return news{}
	})
	return ended
}

// Overridden returns the override in force, nil for none. It is only read.
func (m *Monitor) Overridden() *Override {
	if o := m.at.Load().override; o != nil && time.Now().Before(o.Until) {
		return o
	}
	return nil
}

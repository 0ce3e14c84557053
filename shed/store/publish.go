package store

import (
	"errors"
	"time"

	"gatehouse/shed"
)

// publish makes a new standing of the one that is published: change edits it, then the effect decides what is acted on. It
// releases whoever waits where there is nothing to wait for any more, calls back whom a closing concerns, and tells.
//
// It is the one place where a standing is published. Callers take turns, so that transitions are told in their order.
func (m *Monitor) publish(now time.Time, change func(at *standing) news) {
	m.telling.Lock()
	defer m.telling.Unlock()

	m.mu.Lock()
	was := m.at.Load()
	at := *was
	n := change(&at)
	n.ended = m.effect.act(&at, now)
	if was.impaired() && !at.impaired() {
		at.closed = now
	}
	if !at.state.Impaired() {
		switch {
		case n.ramp:
			m.effect.ramp(&at, now)
		case n.lost:
			m.effect.lose(&at, now)
		}
	}
	m.effect.name(&at, now)
	m.at.Store(&at)
	var released *round
	if at.impaired() {
		released, m.next = m.next, nil
	}
	if at.state != was.state || at.opened != was.opened {
		close(m.changed)
		m.changed = make(chan struct{})
	}
	t, tell := n.transition(was, &at, now)
	if tell {
		m.record.tell(t)
	}
	m.mu.Unlock()

	n.asked.release(&at, false)
	released.release(&at, false)
	if rank(at.state) > rank(was.state) {
		m.watch.fire(at.verdict(now))
	}
	if tell {
		m.on(t)
	}
}

// news is what comes with a change of standing.
type news struct {
	err   error     // what the deciding probe met
	lost  bool      // the store was found empty
	ramp  bool      // a ramp is to begin
	asked *round    // who waited for this
	ended *Override // one that has just ended
}

// transition says what there is to tell.
func (n news) transition(was, at *standing, now time.Time) (Transition, bool) {
	lost := n.lost && !at.state.Impaired()
	same := at.state == was.state && at.cause == was.cause && at.override == was.override
	t := Transition{
		At: now, From: was.state, To: at.state, FromCause: was.cause, Cause: at.cause, Observed: at.observed,
		Err: n.err, Lost: lost, Lasted: now.Sub(was.since), Override: at.override, Ended: n.ended,
	}
	t.Set = t.Override != nil && t.Override != was.override
	if lost {
		t.Cause = shed.CauseSessionLoss
	}
	return t, !same || lost || n.ended != nil
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
	if m.isClosed() {
		return ErrOverrideClosed
	}
	m.publish(now, func(*standing) news {
		m.effect.override = &o
		return news{}
	})
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

func (m *Monitor) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

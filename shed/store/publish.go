package store

import (
	"time"

	"gatehouse/shed"
)

// publish makes a new standing of the one that is published: change edits it, then the effect decides what is acted on. It
// releases whoever waits where there is nothing to wait for any more, calls back whom a closing concerns, and tells.
//
// It is the one place where a standing is published. Callers take turns, so that transitions are told in their order. After Close
// it does nothing, and reports so.
func (m *Monitor) publish(now time.Time, change func(at *standing) news) bool {
	m.telling.Lock()
	defer m.telling.Unlock()
	if m.ctx.Err() != nil {
		return false
	}

	m.mu.Lock()
	was := m.at.Load()
	at := *was
	n := change(&at)
	m.effect.said = m.reports.ends(now, m.set.Reports)
	n.ended = m.effect.act(&at, now)
	if was.impaired() && !at.impaired() {
		at.closed = now
	}
	at.lost = n.lost || at.lost && !at.observed.Impaired()
	if !at.state.Impaired() {
		switch {
		case n.ramp:
			m.effect.ramp(&at, now)
		case n.lost:
			m.effect.lose(&at, now)
		}
	}
	m.effect.name(&at, now)
	at.settle(now)
	m.at.Store(&at)
	var released *round
	if at.impaired() {
		released, m.next = m.next, nil
	}
	if at.state != was.state || at.cause != was.cause || at.observed != was.observed || at.opened != was.opened {
		close(m.changed)
		m.changed = make(chan struct{})
	}
	m.setAlarm(now)
	t, tell := n.transition(was, &at, now)
	if tell {
		m.record.tell(t)
	}
	m.mu.Unlock()

	if m.bond != nil {
		m.bond.heard(t, tell)
	}
	n.asked.release(&at, false)
	released.release(&at, false)
	if rank(at.state) > rank(was.state) || rank(at.observed) > rank(was.observed) {
		m.watch.fire(at.verdict(now))
	}
	if tell {
		m.on(t)
	}
	if m.bond != nil {
		m.bond.tell()
	}
	return true
}

// setAlarm has the standing published anew when an override, a hold-down or an app's word ends: a check that hangs must not make it last. It is
// called under the lock.
func (m *Monitor) setAlarm(now time.Time) {
	ends := m.effect.next()
	switch {
	case ends.IsZero():
		if m.alarm != nil {
			m.alarm.Stop()
		}
	case m.alarm == nil:
		m.alarm = time.AfterFunc(ends.Sub(now), func() { m.publish(time.Now(), func(*standing) news { return news{} }) })
	default:
		m.alarm.Reset(ends.Sub(now))
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

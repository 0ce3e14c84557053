package store

import (
	"math/bits"
	"time"

	"gatehouse/shed"
)

// Every so often a request is let through although the prober says that the store is down, because the fault may lie on the
// prober's own way to it. So many in a row that worked, over so long, and the prober is not believed any more, until some of the
// latest fail.
//
// What it gives up: a trial is a visitor's request like others, so whoever sends far more of them than all members together
// can show what he likes of pages that ask the store nothing.
const (
	trialBegins = time.Second // most outages are what they look like
	trialEvery  = 500 * time.Millisecond
	trialsWork  = 20
	trialsOver  = 10 * time.Second
	trialsFail  = 3 // of the latest trialsLook
	trialsLook  = 10
)

// trials are under the Monitor's lock.
type trials struct {
	last   time.Time // when one was handed out
	first  time.Time // when the first of those in a row that worked was
	worked int       // in a row
	failed uint16    // the latest, a bit each, the last one lowest: whether it failed
}

// Trial is a request that is let through to see whether the store is as the prober says. The zero value is none.
type Trial struct {
	monitor *Monitor
	group   *Group // in place of it
	begun   time.Time
}

// Trial returns a trial if one is due: for at most two requests a second, while the store is down for a reason that may lie on
// the prober's own way. The caller owes it End.
func (m *Monitor) Trial() (Trial, bool) {
	now := time.Now()
	at := m.at.Load()
	down := at.state == shed.Down && at.override == nil && lying(at.cause) && now.Sub(at.since) >= trialBegins
	if !down && !at.trusted {
		return Trial{}, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.trials.last) < trialEvery {
		return Trial{}, false
	}
	m.trials.last = now
	return Trial{monitor: m, begun: now}, true
}

// TrialTime is how long a trial may take: an app whose own store call timed out may do worse than answer late.
func (m *Monitor) TrialTime() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(2*m.set.Timeout, trialEvery)
}

// End says what became of the trial: whether the app answered as one whose store works. Doing so again does nothing.
func (t *Trial) End(worked bool) {
	m, g := t.monitor, t.group
	t.Forget()
	switch {
	case m != nil:
		m.tried(t.begun, worked)
	case g != nil:
		g.tried(t.begun, worked)
	}
}

// tried notes how a trial that began then has ended.
func (m *Monitor) tried(begun time.Time, worked bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &m.trials
	r.failed <<= 1
	if !worked {
		r.worked, r.failed = 0, r.failed|1
		return
	}
	if r.worked == 0 {
		r.first = begun
	}
	r.worked++
}

// Forget takes the trial back: it says nothing of the store, because the visitor went away, or nobody was asked.
func (t *Trial) Forget() { t.monitor, t.group = nil, nil }

// weighTrials has the course follow what trials have shown so far. It belongs to the checking goroutine.
func (m *Monitor) weighTrials() {
	c := &m.course
	m.mu.Lock()
	r := &m.trials
	shown := r.worked >= trialsWork && time.Since(r.first) >= trialsOver
	refuted := bits.OnesCount16(r.failed&(1<<trialsLook-1)) >= trialsFail
	if c.state != shed.Down && !c.trusting || c.trusting && refuted || !c.trusting && shown {
		*r = trials{last: r.last}
	}
	m.mu.Unlock()
	switch {
	case c.trusting && refuted:
		c.trusting = false
	case shown && !c.trusting:
		c.trust()
	}
}

package store

import (
	"context"
	"time"

	"gatehouse/shed"
)

// Await returns when met holds of what is acted on, or when ctx ends, with what is known then and whether it holds. It asks for
// no check.
func (m *Monitor) Await(ctx context.Context, met func(shed.Verdict) bool) (shed.Verdict, bool) {
	for {
		m.mu.Lock()
		changed := m.changed
		m.mu.Unlock()
		if v := m.Current(); met(v) {
			return v, true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return m.Current(), false
		case <-m.ctx.Done():
			return m.late(), false
		}
	}
}

// After calls f once, when the first check has ended that begins after now, with what is known then; marked Late where there
// will be no such check. f runs in the Monitor's goroutine and must return at once. It asks for no check: there will be one
// within an interval.
func (m *Monitor) After(f func(shed.Verdict)) {
	m.mu.Lock()
	closed := m.closed
	if !closed {
		m.after = append(m.after, f)
	}
	m.mu.Unlock()
	if closed {
		f(m.late())
	}
}

// Every so often a request is let through although the prober says that the store is down, because the fault may lie on the
// prober's own way to it. That many in a row that worked, over that time, and the prober is not believed any more.
const (
	trialEvery  = 500 * time.Millisecond
	trialsWork  = 20
	trialsOver  = 10 * time.Second
	trialsFail  = 3 // in a row, before a prober that was not believed is believed again
	trialBegins = time.Second
)

// trials are under the Monitor's lock.
type trials struct {
	last   time.Time // when one was handed out
	first  time.Time // when the first of those in a row that worked was
	worked int       // in a row
	failed int       // in a row
}

// Trial is a request that is let through to see whether the store is as the prober says. The zero value is none.
type Trial struct {
	monitor *Monitor
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
	return Trial{m, now}, true
}

// TrialTime is how long a trial may take: an app whose own store call timed out may do worse than answer late.
func (m *Monitor) TrialTime() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(2*m.set.Timeout, trialEvery)
}

// End says what became of the trial: whether the app answered as one whose store works. Doing so again does nothing.
func (t *Trial) End(worked bool) {
	m := t.monitor
	if m == nil {
		return
	}
	t.monitor = nil
	m.mu.Lock()
	defer m.mu.Unlock()
	switch r := &m.trials; {
	case !worked:
		r.worked, r.failed = 0, r.failed+1
	case r.worked == 0:
		r.first = t.begun
		fallthrough
	default:
		r.worked, r.failed = r.worked+1, 0
	}
}

// Forget takes the trial back: it says nothing, because the visitor went away.
func (t *Trial) Forget() { t.monitor = nil }

// weighTrials has the course follow what trials have shown so far. It belongs to the checking goroutine.
func (m *Monitor) weighTrials() {
	c := &m.course
	m.mu.Lock()
	r := &m.trials
	shown := r.worked >= trialsWork && time.Since(r.first) >= trialsOver
	refuted := r.failed >= trialsFail
	if c.state != shed.Down && !c.trusting {
		*r = trials{last: r.last}
	}
	if refuted || shown && !c.trusting {
		r.worked, r.failed = 0, 0
	}
	m.mu.Unlock()
	switch {
	case c.trusting && refuted:
		c.trusting = false
	case shown && !c.trusting:
		c.trust()
	}
}

package store

import (
	"context"
	"math/rand/v2"
	"time"

	"gatehouse/shed"
)

const (
	gap        = 5 * time.Millisecond  // between a probe and its confirmation, and between the begins of forced checks
	farthest   = time.Second           // between the probes of a store that cannot be reached
	tolerate   = 20 * time.Millisecond // how late this process may be scheduled before a measurement does not count
	doubtedGap = 20 * time.Millisecond // between two large canaries, where answers are doubted
	repeats    = 3                     // how often in a row a measurement that does not count is made again
)

// run is the checking goroutine.
func (m *Monitor) run() {
	for m.sleep() {
		m.check()
	}
}

// sleep waits until a check is due and reports whether there is to be one.
func (m *Monitor) sleep() bool {
	for {
		if m.ctx.Err() != nil {
			return false
		}
		m.mu.Lock()
		due := m.pace.due(m.set, m.next != nil)
		m.mu.Unlock()
		wait := time.Until(due)
		if wait <= 0 {
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-m.wake:
		case <-m.ctx.Done():
		}
		timer.Stop()
	}
}

// check makes one check and publishes what it found.
func (m *Monitor) check() {
	m.mu.Lock()
	s, asked, after := m.set, m.next, m.after
	m.next, m.after = nil, nil
	begun := time.Now()
	m.record.checks++
	m.mu.Unlock()

	c := &m.course
	m.greet(asked != nil && asked.doubted, s)
	m.weighDoubts(begun)
	m.weighTrials()
	size := min(small, s.Payload)
	large := time.Second
	if asked != nil && asked.doubted {
		large = doubtedGap // it may have been a large session that found no room
	}
	if c.cause == shed.CauseFull || begun.Sub(m.payload) >= large {
		size, m.payload = s.Payload, begun
	}
	e, worse, ok := m.gather(size, begun, s)
	if !ok {
		asked.release(m.at.Load(), true)
		hear(after, m.late())
		return
	}
	m.heed()
	now := time.Now()
	was := c.state
	c.settle(e, worse, s)
	m.pace.set(begun, now, e.Reached || !c.state.Impaired(), s)
	published := m.publish(now, func(at *standing) news {
		at.begun, at.over = begun, m.set.RampOver
		switch {
		case open(was) && c.state.Impaired():
			m.effect.closing(now)
		case open(c.state):
			m.effect.opening(at, now, s)
		}
		at.observed, at.observedCause, at.ordinary, at.trusted = c.state, c.cause, c.cause, c.trusting
		at.away = c.newcomers.cause
		n := news{err: e.Err, lost: c.lost, asked: asked, ramp: s.StartRamp && !m.began}
		m.began = true
		m.record.begun, m.record.took = begun, now.Sub(begun)
		m.record.headroom = c.load.headroom(&c.late, s)
		if !e.Expires.IsZero() { // where the store cannot be reached it ends all the same
			m.record.expires = e.Expires
		}
		return n
	})
	if !published {
		asked.release(m.at.Load(), true)
		hear(after, m.late())
		return
	}
	if !m.at.Load().state.Impaired() {
		c.lost = false // it has been told
	}
	hear(after, m.Current())
	select {
	case <-m.first:
	default:
		close(m.first) // after the first verdict was told: who waited for it does not hear of it twice
	}
}

// hear tells those who wanted to hear of a check.
func hear(after []func(shed.Verdict), v shed.Verdict) {
	for _, f := range after {
		f(v)
	}
}

// gather makes the probes of one check. It returns the evidence that decides, and whether that was confirmed to be worse
// than what is believed; ok is false where the Monitor is being closed.
//
// What is confirmed is the least that the confirming probes agree on: one that found the store down and one that found it
// read-only have both found that it takes no writes.
func (m *Monitor) gather(size int, begun time.Time, s Settings) (e Evidence, worse, ok bool) {
	believed := rank(m.course.state)
	var bad []Evidence
	good, refusals := 0, 0 // refusals: definite ones in a row
	for at := begun; ; at = time.Now() {
		e, ok = m.measure(size, at, s)
		if !ok {
			return e, false, false
		}
		if rank(e.State) > believed {
			bad = append(bad, e)
			if refusals++; !e.Definite {
				refusals = 0
			}
		} else {
			good++
			if len(bad) == 0 || good == 3 || len(bad) == 1 && bad[0].Definite {
				return e, false, true
			}
			refusals = 0
		}
		if refusals == 2 {
			return least(bad[len(bad)-2:]), true, true
		}
		if len(bad) == 3 {
			return least(bad), true, true
		}
		if !m.pause(gap) {
			return e, false, false
		}
	}
}

// least is the latest of the mildest.
func least(bad []Evidence) Evidence {
	mild := bad[0]
	for _, e := range bad[1:] {
		if rank(e.State) <= rank(mild.State) {
			mild = e
		}
	}
	return mild
}

// measure probes until the measurement counts, and notes it.
func (m *Monitor) measure(size int, begun time.Time, s Settings) (e Evidence, ok bool) {
	for again := 0; ; again++ {
		ctx, cancel := context.WithTimeout(m.ctx, s.Timeout)
		from := time.Now()
		m.pulse.start()
		e = m.prober.Probe(ctx, size)
		stalled := m.pulse.stop()
		took := time.Since(from)
		cancel()
		if m.ctx.Err() != nil {
			return e, false
		}
		m.mu.Lock()
		m.record.note(e, took)
		m.mu.Unlock()
		if s.Observe != nil {
			s.Observe(took, e)
		}
		if stalled > tolerate && rank(e.State) > 0 && !e.Definite && again < repeats {
			// A canary found missing stays missed: the prober has told of it once and planted another.
			m.course.lost = m.course.lost || e.Lost
			continue
		}
		e = m.course.doubt(m.course.newcomers.outside(e))
		m.course.take(e, begun, stalled <= tolerate, s)
		return e, true
	}
}

// pause waits and reports whether the Monitor is still open.
func (m *Monitor) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-m.ctx.Done():
		return false
	}
}

// pace says when the next check is due. It belongs to the checking goroutine.
type pace struct {
	begun, ended time.Time
	wait         time.Duration // between probes of a store that cannot be reached; zero where it can
	jittered     time.Duration
}

// set notes a check. Where the store cannot be reached the wait doubles from the interval to farthest.
func (p *pace) set(begun, ended time.Time, reached bool, s Settings) {
	p.begun, p.ended = begun, ended
	if reached {
		p.wait = 0
		return
	}
	p.wait = max(s.Interval, min(2*p.wait, farthest))
	p.jittered = p.wait - time.Duration(rand.Int64N(int64(p.wait)/4+1))
}

// due is when the next check is to begin. Somebody waiting hastens it; while the store is impaired nobody does.
func (p *pace) due(s Settings, asked bool) time.Time {
	switch {
	case p.begun.IsZero():
		return time.Time{}
	case asked:
		return p.begun.Add(gap)
	case p.wait > 0:
		return p.ended.Add(p.jittered)
	}
	due := p.begun.Add(s.Interval)
	if soonest := p.ended.Add(gap); due.Before(soonest) {
		return soonest
	}
	return due
}

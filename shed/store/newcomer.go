package store

import (
	"context"
	"time"

	"gatehouse/shed"
)

// A prober keeps its connection, and many apps dial for each request: where the store takes no new connections (its slots are
// used up, its certificate has ended) the one is well and the others fail. So where an app's answer is doubted, the check that is
// to judge it tries a new connection too. A store that turns newcomers away is taken for impaired by that answer, and once
// several answers were doubted for it, it is down: apps that keep their connections are what trials are for.
const (
	newcomerGap   = 100 * time.Millisecond // between two new connections that were taken
	newcomerAgain = time.Second            // after one that was not
	newcomerWait  = 10 * time.Millisecond  // how long a check whose probes are done waits for one
	doubtsClose   = 3
	doubtsOver    = 5 * time.Second
)

// newcomers is what who comes anew meets. It belongs to the checking goroutine.
type newcomers struct {
	tried  time.Time
	came   chan Evidence // what the new connection that is being made will have met; nil: none is
	cause  shed.Cause    // of being turned away, definitely; CauseUnknown: they are taken
	closed bool          // the store counts as down for it
}

// greet begins to make a new connection, if it is time and somebody doubts or it is not known to be taken again. It is made
// beside the probes, so that a long way to the store costs no check its time.
func (m *Monitor) greet(doubted bool, s Settings) {
	n := &m.course.newcomers
	gap := newcomerGap
	if n.cause != shed.CauseUnknown {
		gap = newcomerAgain
	}
	if n.came != nil || !doubted && n.cause == shed.CauseUnknown || time.Since(n.tried) < gap {
		return
	}
	n.tried = time.Now()
	came := make(chan Evidence, 1)
	n.came = came
	m.worker.Go(func() {
		ctx, cancel := context.WithTimeout(m.ctx, s.Timeout)
		defer cancel()
		came <- m.prober.Greet(ctx)
	})
}

// heed takes in what the new connection met. A check waits a moment for it, no longer: what comes later counts for the next.
func (m *Monitor) heed() {
	n := &m.course.newcomers
	if n.came == nil {
		return
	}
	wait := time.NewTimer(newcomerWait)
	defer wait.Stop()
	select {
	case e := <-n.came:
		n.came = nil
		switch {
		case open(e.State):
			n.cause = shed.CauseUnknown
		case e.State == shed.Down && e.Definite:
			n.cause = e.Cause
			m.mu.Lock()
			m.record.err, m.record.errAt = "a new connection: "+errorText(e.Err), time.Now()
			m.mu.Unlock()
		}
	case <-wait.C:
	case <-m.ctx.Done():
	}
}

// weighDoubts decides whether the store counts as down for what newcomers meet.
func (m *Monitor) weighDoubts(now time.Time) {
	n := &m.course.newcomers
	if n.cause == shed.CauseUnknown {
		n.closed = false
		return
	}
	m.mu.Lock()
	recent := 0
	for _, at := range m.doubts {
		if !at.IsZero() && now.Sub(at) <= doubtsOver {
			recent++
		}
	}
	m.mu.Unlock()
	n.closed = n.closed || recent >= doubtsClose
}

// outside is e as it counts where newcomers are turned away.
func (n *newcomers) outside(e Evidence) Evidence {
	if n.closed && open(e.State) {
		e.State, e.Cause, e.Definite = shed.Down, n.cause, true
	}
	return e
}

// doubt notes an answer that was looked at while newcomers are turned away, and returns the verdict that it is judged by.
func (m *Monitor) doubt(v shed.Verdict, cause shed.Cause) shed.Verdict {
	if cause == shed.CauseUnknown || v.Observed.Impaired() {
		return v
	}
	m.mu.Lock()
	copy(m.doubts[1:], m.doubts[:])
	m.doubts[0] = time.Now()
	m.mu.Unlock()
	v.Observed, v.ObservedCause = shed.Down, cause
	return v
}

func errorText(err error) string {
	if err == nil {
		return "it was not taken"
	}
	return err.Error()
}

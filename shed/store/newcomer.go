package store

import (
	"context"
	"errors"
	"time"

	"gatehouse/shed"
)

// A prober keeps its connection, and many apps dial for each request: where the store takes no new connections (its slots are
// used up, its certificate has ended) the one is well and the others fail. So where an app's answer is doubted, the check that is
// to judge it tries a new connection too. A store that turns newcomers away is taken for impaired by that answer, and once
// answers of several checks were doubted for it, it is down: apps that keep their connections are what trials are for.
const (
	newcomerGap   = 100 * time.Millisecond // between two new connections that were taken
	newcomerAgain = time.Second            // after one that was not
	newcomerWait  = 10 * time.Millisecond  // how long a check whose probes are done waits for one
	doubtsClose   = 3
	doubtsOver    = 5 * time.Second
)

// newcomers is what who comes anew meets. It belongs to the checking goroutine.
type newcomers struct {
	tried   time.Time
	cause   shed.Cause // of being turned away, definitely; CauseUnknown: they are taken
	refused int        // in a row
	closed  bool       // the store counts as down for it
}

// greeting is a new connection that is being made. met may be read once done is closed.
type greeting struct {
	done chan struct{}
	met  Evidence
}

// turned returns why it was turned away, CauseUnknown if it was not.
func (g *greeting) turned() shed.Cause {
	if g.met.State == shed.Down && g.met.Definite {
		return g.met.Cause
	}
	return shed.CauseUnknown
}

// greet begins to make a new connection, if it is time and somebody doubts or it is not known to be taken again. It is made
// beside the probes, so that a long way to the store costs no check its time. A first refusal is confirmed at once.
func (m *Monitor) greet(doubted bool, s Settings) {
	n := &m.course.newcomers
	if m.course.state.Impaired() && !n.closed { // the checks find it by themselves
		n.cause, n.refused = shed.CauseUnknown, 0
		return
	}
	wait := newcomerGap
	switch n.refused {
	case 0:
	case 1:
		wait = gap
	default:
		wait = newcomerAgain
	}
	if m.greeting.Load() != nil || !doubted && n.cause == shed.CauseUnknown || time.Since(n.tried) < wait {
		return
	}
	n.tried = time.Now()
	g := &greeting{done: make(chan struct{})}
	m.greeting.Store(g)
	m.worker.Go(func() {
		ctx, cancel := context.WithTimeout(m.ctx, s.Timeout)
		defer cancel()
		g.met = m.prober.Greet(ctx)
		close(g.done)
	})
}

// heed takes in what the new connection met. A check waits a moment for it, no longer: what comes later counts for the next.
func (m *Monitor) heed() {
	g := m.greeting.Load()
	if g == nil {
		return
	}
	wait := time.NewTimer(newcomerWait)
	defer wait.Stop()
	select {
	case <-g.done:
	case <-wait.C:
		return
	case <-m.ctx.Done():
		return
	}
	m.greeting.Store(nil)
	n := &m.course.newcomers
	switch cause := g.turned(); {
	case open(g.met.State):
		n.cause, n.refused = shed.CauseUnknown, 0
	case cause != shed.CauseUnknown:
		n.cause, n.refused = cause, n.refused+1
		m.mu.Lock()
		m.record.err, m.record.errAt = "a new connection: "+errorText(g.met.Err), time.Now()
		m.mu.Unlock()
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
	n.closed = n.closed || n.refused >= 2 && recent >= doubtsClose
}

// outside is e as it counts where newcomers are turned away.
func (n *newcomers) outside(e Evidence) Evidence {
	if n.closed && open(e.State) {
		e.State, e.Cause, e.Definite, e.Err = shed.Down, n.cause, true, errNewcomers
	}
	return e
}

var errNewcomers = errors.New("new connections are turned away")

// doubt notes an answer that was looked at while newcomers are turned away, and returns the verdict that it is judged by. A new
// connection that is being made is waited for, until patience is over. Answers that shared a check count once.
func (m *Monitor) doubt(ctx context.Context, v shed.Verdict, cause shed.Cause, patience time.Duration) shed.Verdict {
	if g := m.greeting.Load(); g != nil && !v.Late {
		limit := time.NewTimer(patience)
		defer limit.Stop()
		select {
		case <-g.done:
			if turned := g.turned(); turned != shed.CauseUnknown || open(g.met.State) {
				cause = turned
			}
		case <-limit.C:
		case <-ctx.Done():
		}
	}
	if cause == shed.CauseUnknown || v.Observed.Impaired() {
		return v
	}
	m.mu.Lock()
	if !v.Begun.Equal(m.doubted) {
		m.doubted = v.Begun
		copy(m.doubts[1:], m.doubts[:])
		m.doubts[0] = time.Now()
	}
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

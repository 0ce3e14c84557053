package shed

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// What Gate.Acquire returns when there is no permit to be had.
var (
	ErrFull = errors.New("the pool is full and so is its queue")
	ErrLate = errors.New("no permit came in time")
)

// GateSettings bounds a Gate.
type GateSettings struct {
	Limit   int           // permits at once; 0: no limit
	Length  int           // how many may queue for one
	Timeout time.Duration // how long they may queue
}

// Gate bounds how many requests are in a pool at once, with a bounded first-in-first-out queue in front.
//
// What it gives up: fairness between kinds of visitors; whoever came first goes first. The zero value lets everybody in and
// only counts. A Gate is safe for concurrent use and must not be copied.
type Gate struct {
	mu       sync.Mutex
	settings GateSettings
	inFlight int
	queue    list.List // of *waiter
}

type waiter struct{ granted chan struct{} }

// Set changes the bounds in place. Permits are never revoked: after a cut the gate stays closed until enough came back.
func (g *Gate) Set(s GateSettings) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settings = s
	g.grant()
}

// Load returns how many permits are out, how many may be (0: no limit) and how many requests queue.
func (g *Gate) Load() (inFlight, limit, queued int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inFlight, g.settings.Limit, g.queue.Len()
}

// Try returns a permit if one is free and nobody queues for it.
func (g *Gate) Try() (Permit, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.free() || g.queue.Len() > 0 {
		return Permit{}, false
	}
	g.inFlight++
	return Permit{g}, true
}

// Acquire returns a permit, queueing for one if it must; the caller owes it Done. It returns ErrFull at once when the queue
// is full, ErrLate when the queue's timeout passed, and the cause of ctx when that ended first.
func (g *Gate) Acquire(ctx context.Context) (Permit, error) {
	g.mu.Lock()
	if g.free() && g.queue.Len() == 0 {
		g.inFlight++
		g.mu.Unlock()
		return Permit{g}, nil
	}
	if g.queue.Len() >= g.settings.Length {
		g.mu.Unlock()
		return Permit{}, ErrFull
	}
	w := &waiter{make(chan struct{})}
	place := g.queue.PushBack(w)
	timeout := g.settings.Timeout
	g.mu.Unlock()

	timer := time.NewTimer(timeout)
	defer timer.Stop()
	var err error
	select {
	case <-w.granted:
		return Permit{g}, nil
	case <-timer.C:
		err = ErrLate
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	g.mu.Lock()
	select {
	case <-w.granted: // granted while we gave up: pass it on
		g.giveBack()
	default:
		g.queue.Remove(place)
	}
	g.mu.Unlock()
	return Permit{}, err
}

func (g *Gate) free() bool { return g.settings.Limit == 0 || g.inFlight < g.settings.Limit }

func (g *Gate) giveBack() {
	g.inFlight--
	g.grant()
}

func (g *Gate) grant() {
	for g.free() && g.queue.Len() > 0 {
		w := g.queue.Remove(g.queue.Front()).(*waiter)
		g.inFlight++
		close(w.granted)
	}
}

// Permit is the right to be in a pool. The zero value is none. It is not safe for concurrent use, and a copy is not a second
// permit: give back only one of them.
type Permit struct{ gate *Gate }

// Done gives the permit back. Doing so again does nothing.
func (p *Permit) Done() {
	g := p.gate
	if g == nil {
		return
	}
	p.gate = nil
	g.mu.Lock()
	g.giveBack()
	g.mu.Unlock()
}

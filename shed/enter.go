package shed

import (
	"context"
	"time"
)

// Acquire is Enter where there is no other pool to be a guest of.
func (g *Gate) Acquire(ctx context.Context, c Class) (Permit, error) { return Enter(ctx, g, nil, c) }

// Enter returns a permit for a request of class c; the caller owes it Done. Where own has none free it tries to be a guest at
// over (nil: there is none), then queues at own, and while it queues takes whichever comes first: a permit of own, or a
// guest's of over.
//
// It returns ErrFull at once when own's queue is full, ErrLate when the wait is over, ErrDisplaced when the place in the queue
// went to a request that matters more or whose class was due, and the cause of ctx when that ended first: the place is given
// back at once. A permit that is free is given whatever the state of ctx. Only who queues costs an allocation.
//
// One who stands in two queues is let in exactly once: his fate is settled by whoever swaps one flag of his, and each gate
// does so under its own lock only. A gate that comes too late finds the flag set and goes on to the next in its queue; the waiter
// himself then leaves both queues, one after the other.
func Enter(ctx context.Context, own, over *Gate, c Class) (Permit, error) {
	c = c.known()
	own.mu.Lock()
	if own.free() {
		p := own.take(c, false)
		own.mu.Unlock()
		return p, nil
	}
	own.mu.Unlock()
	if over != nil {
		if p, ok := over.Lend(c); ok {
			return p, nil
		}
	}
	w, p, err := own.line(c)
	if w == nil {
		return p, err
	}
	if over != nil {
		over.visit(w)
	}
	if w.queued != nil {
		w.queued(c)
	}
	p, err = own.wait(ctx, w)
	own.leave(w)
	if over != nil {
		over.unvisit(w)
	}
	return p, err
}

// line gives a newcomer a place in the queue; without one a permit, if one came free meanwhile, or ErrFull.
func (g *Gate) line(c Class) (*waiter, Permit, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free() {
		return nil, g.take(c, false), nil
	}
	now := time.Now()
	if g.queued == 0 {
		g.turns.rest(now)
	}
	g.account()
	if g.queued >= g.settings.Length && !g.displace(c, now) {
		return nil, Permit{}, ErrFull
	}
	g.wants.pass(now, &g.turns.held)
	g.wants.saw(c, g.limit)
	w := newWaiter(c, now, g.settings.Timeout)
	w.queued = g.settings.Queued
	g.queues[c].push(&w.own, now)
	g.queued++
	return w, Permit{}, nil
}

// displace makes place for a newcomer of class c in a full queue, by the rule said at displaced.
func (g *Gate) displace(c Class, now time.Time) bool {
	var queued [NumClasses]int
	for i := range g.queues {
		queued[i] = g.queues[i].n
	}
	v, ok := g.turns.displaced(c, g.limit, g.settings.Length, &g.settings.Shares, &queued)
	if !ok {
		return false
	}
	place := g.queues[v].lastInTurn(now)
	g.queues[v].remove(place)
	g.queued--
	if place.waiter.settle() { // else somebody let him in elsewhere, and his place is free anyway
		place.waiter.result <- outcome{err: ErrDisplaced}
	}
	return true
}

// visit lets one who queues elsewhere come in as a guest, now or once there is room.
func (g *Gate) visit(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.admits(w.class) {
		if w.settle() {
			w.result <- outcome{permit: g.take(w.class, true)}
		}
		return
	}
	g.visitors[w.class].push(&w.guest, time.Now())
	g.visiting++
}

// leave takes w out of the queue, if he is still in it.
func (g *Gate) leave(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.queues[w.class].remove(&w.own) {
		g.queued--
	}
}

// unvisit is leave for one who would come as a guest.
func (g *Gate) unvisit(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.visitors[w.class].remove(&w.guest) {
		g.visiting--
	}
}

// wait waits for w's fate, which is settled exactly once: by a gate that lets him in, by one who displaces him, or here.
func (g *Gate) wait(ctx context.Context, w *waiter) (Permit, error) {
	timer := time.NewTimer(g.patience(w))
	defer timer.Stop()
	for {
		select {
		case o := <-w.result:
			return o.permit, o.err
		case <-ctx.Done():
			if !w.settle() {
				o := <-w.result
				o.permit.Done()
			}
			return Permit{}, context.Cause(ctx)
		case <-timer.C:
			if left := g.patience(w); left > 0 {
				timer.Reset(left)
				continue
			}
			if !w.settle() {
				o := <-w.result
				return o.permit, o.err
			}
			return Permit{}, ErrLate
		}
	}
}

// patience is how much longer w may wait.
func (g *Gate) patience(w *waiter) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Until(g.queues[w.class].deadline(w))
}

package shed

import "time"

// Permit is the right to be in a pool. The zero value is none. It is not safe for concurrent use, and a copy is not a second
// permit: give back only one of them.
type Permit struct {
	gate    *Gate
	class   Class
	guest   bool
	sampled bool
	reads   bool // counted among the gate's reads
}

// Of returns the gate whose permit it is; nil of the zero value and of one that was given back.
func (p *Permit) Of() *Gate { return p.gate }

// Sample tells an adaptive limit how long the pool took to the head of its answer, or that it gave none in time (failed; then
// took means nothing). It counts once, and only before Done. From then on the permit no longer counts against the limit, only
// against the most that it may come to. A permit that is given back without it says nothing of the pool:
// so it is to be with answers that tell nothing of how busy the pool is, such as an error made in no time, a refused
// connection or a visitor who went away.
func (p *Permit) Sample(took time.Duration, failed bool) {
	g := p.gate
	if g == nil || p.sampled {
		return
	}
	p.sampled = true
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.settings.Adaptive == nil {
		return
	}
	now := time.Now()
	g.window.add(now, took, failed, g.inFlight)
	g.account()
	g.put(p.class, p.guest, -1)
	g.reading[p.class]++
	g.reads++
	p.reads = true
	if g.window.complete(now) {
		g.measure, _ = g.measure.next(g.window, *g.settings.Adaptive)
		g.limit = int(g.measure.limit)
		g.window = window{began: now}
	}
	g.admit()
}

// Done gives the permit back. Doing so again does nothing.
func (p *Permit) Done() {
	g := p.gate
	if g == nil {
		return
	}
	p.gate = nil
	g.mu.Lock()
	defer g.mu.Unlock()
	g.account()
	if p.reads {
		g.reading[p.class]--
		g.reads--
	} else {
		g.put(p.class, p.guest, -1)
	}
	g.admit()
}

// put counts n permits more.
func (g *Gate) put(c Class, guest bool, n int) {
	g.inFlight += n
	if guest {
		g.guests[c] += n
	} else {
		g.turns.held[c] += n
	}
}

package shed

import (
	"math"
	"time"
)

// Room returns how many guests, whatever they are, could come in now; a very large number where there is no limit. It is 0 while
// the pool is full, and while what is free is its reserve.
func (g *Gate) Room() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.room()
}

// Lend returns a permit for a guest of class c, a request of another pool's route, without queueing: if one is free for it now,
// by the rule said at admits.
func (g *Gate) Lend(c Class) (Permit, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c = c.known()
	if !g.admits(c) {
		return Permit{}, false
	}
	return g.take(c, true), true
}

// Lends reports whether a guest of class c who is refused just now stays outside while the pool could help him: it has room for
// him, or it serves, with permits beyond that class's share, a class of its own that matters less than c, although guests have
// not all that they may have and nobody of its own waits who matters as much as c or more.
//
// It is true for a moment in a pool that works as it should, too: a permit is never taken back, so a guest waits until one of
// those lesser requests ends.
func (g *Gate) Lends(c Class) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c = c.known()
	if g.admits(c) {
		return true
	}
	g.wants.pass(time.Now(), &g.turns.held)
	if !g.mayGrow() {
		return false
	}
	for i := range c + 1 {
		if g.queues[i].n > 0 {
			return false
		}
	}
	for i := c + 1; i < NumClasses; i++ {
		if float64(g.turns.held[i]) > g.settings.Shares.of(int(i), g.limit)+rounding {
			return true
		}
	}
	return false
}

// room is 0 while somebody of the gate's own waits, because then the gate is full.
func (g *Gate) room() int {
	if g.limit == 0 {
		return math.MaxInt
	}
	return max(min(g.lendable(), g.most())-g.inFlight, 0)
}

// lendable is the limit without the reserve.
func (g *Gate) lendable() int {
	return g.limit - int(math.Ceil(g.settings.Reserve*float64(g.limit)-rounding))
}

// admits reports whether a guest of class c may have a permit that is free while nobody of the gate's own waits.
//
// He may if the reserve stays free. He may also have one of the reserve where lesser classes of the pool's own have so much that
// nothing else is left of it: as long as all requests of his class, with him, have no more than its share, and guests and all
// that matter as much as he or more have no more than the limit without the reserve. Else requests that matter less could keep
// him out for good by never being quite as many as to queue.
func (g *Gate) admits(c Class) bool {
	if g.room() > 0 {
		return true
	}
	if !g.free() || float64(g.guests[c]+g.turns.held[c]+1) > g.settings.Shares.of(int(c), g.limit)+rounding {
		return false
	}
	in := g.allGuests() + 1
	for i := range c + 1 {
		in += g.turns.held[i]
	}
	return in <= g.lendable()
}

// mayGrow reports whether there may be one guest more in a pool that is full.
//
// In a pool in which its own wait, a permit that comes free goes to a class of the pool's own that is due by its share; else to
// whoever matters most, and of those who matter alike to the pool's own. So a guest goes before what the pool lends to lesser
// classes of its own, and never before anybody who matters as much. As no permit is ever taken back, that alone would let guests
// with slow requests take one after another of those that a better class just gave back and asks for again a moment later. So
// there are never more guests in a full pool than the limit without the reserve, nor than what the shares leave that the pool's
// own wanted lately. The rest stays theirs, and finds its way back to them as guests leave.
func (g *Gate) mayGrow() bool {
	left := float64(g.limit) - g.wants.guaranteed(g.limit, &g.settings.Shares)
	return g.allGuests() < min(g.lendable(), int(left+rounding))
}

func (g *Gate) allGuests() (n int) {
	for _, guests := range g.guests {
		n += guests
	}
	return n
}

// wantTime is for how long at least it counts that permits were wanted, and for twice as long at most; longer, if nobody asked.
const wantTime = 10 * time.Second

// wants is how many permits each class of a gate's own wanted at once lately. The zero value has seen none.
type wants struct {
	most, before [NumClasses]int // in the span that runs, and in the one before
	began        time.Time
}

// saw tells that class c wants n permits.
func (w *wants) saw(c Class, n int) { w.most[c] = max(w.most[c], n) }

// pass begins a new span if the last one is over. What is held is wanted in the new one, too.
func (w *wants) pass(now time.Time, held *[NumClasses]int) {
	if now.Sub(w.began) >= wantTime {
		w.before, w.most, w.began = w.most, *held, now
	}
}

// guaranteed is how much of their shares of the limit the classes wanted, all together.
func (w *wants) guaranteed(limit int, shares *Shares) float64 {
	sum := 0.0
	for c := range w.most {
		sum += min(shares.of(c, limit), float64(max(w.most[c], w.before[c])))
	}
	return sum
}

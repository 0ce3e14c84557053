package shed

import (
	"errors"
	"math"
	"sync"
	"time"
)

// What Enter and Acquire return when there is no permit to be had.
var (
	ErrFull      = errors.New("the pool is full and so is its queue")
	ErrLate      = errors.New("no permit came in time")
	ErrDisplaced = errors.New("the place in the queue went to another request")
)

// GateSettings bounds a Gate.
type GateSettings struct {
	Limit    int               // permits at once; 0 and no Adaptive: no limit. With Adaptive: where it begins, 0 for its own choice
	Adaptive *AdaptiveSettings // nil: Limit is fixed
	Length   int               // how many may queue for a permit
	Timeout  time.Duration     // how long they may queue; a quarter of it under overload
	Shares   Shares
	Reserve  float64 // part of the limit that guests (requests of other pools' routes) never take, 0..1
}

// Gate bounds how many requests are in a pool at once, with a bounded queue in front.
//
// Who goes next when a permit comes free is said at turns.next: every class has its share, what is left goes to the class that
// matters most. Within a class it is first come, first served in calm and newest first under overload, as said at queue. The
// limit is fixed, or found by the rule said at measure.
//
// What it gives up: a permit is never taken back, so a class that filled the pool while it was alone there keeps it until its
// requests end; the others then come first. And order in a class is kept only in calm.
//
// The zero value lets everybody in and only counts. A Gate is safe for concurrent use and must not be copied. No method holds
// the locks of two gates at once.
type Gate struct {
	mu       sync.Mutex
	settings GateSettings
	limit    int // permits at once now; 0: no limit
	inFlight int // own and guests
	turns    turns
	guests   [NumClasses]int // permits of guests

	queues   [NumClasses]queue // who waits for a permit of this pool
	queued   int               // how many; while it is not 0 the gate is full
	visitors [NumClasses]queue // who queues at another gate and would come as a guest
	visiting int

	measure measure
	window  window
}

// Set changes the bounds in place. Permits are never revoked: after a cut the gate stays closed until enough came back. Who
// queues already keeps the timeout that he came with, and his place even if the queue is shorter now. An adaptive limit keeps
// what it has learnt.
func (g *Gate) Set(s GateSettings) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.account()
	if s.Adaptive != nil {
		a := s.Adaptive.withDefaults()
		s.Adaptive = &a
		g.measure = g.measure.bounded(a, s.Limit)
		g.limit = int(g.measure.limit)
	} else {
		g.measure, g.window = measure{}, window{}
		g.limit = max(s.Limit, 0)
	}
	g.settings = s
	g.admit()
}

// GateLoad is how full a gate is at one moment.
type GateLoad struct {
	InFlight   int // permits that are out, guests' included
	Limit      int // how many may be; 0: no limit
	Queued     int
	Overloaded bool // at least one class is served newest first
	Classes    [NumClasses]ClassLoad
}

// ClassLoad is a class's part of a GateLoad.
type ClassLoad struct{ InFlight, Queued int }

// Load returns how full the gate is.
func (g *Gate) Load() GateLoad {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := GateLoad{InFlight: g.inFlight, Limit: g.limit, Queued: g.queued}
	if g.queued > 0 {
		now := time.Now()
		for c := range g.queues {
			l.Overloaded = l.Overloaded || g.queues[c].overloaded(now)
		}
	}
	for c := range l.Classes {
		l.Classes[c] = ClassLoad{g.turns.held[c] + g.guests[c], g.queues[c].n}
	}
	return l
}

// Room returns how many guests could come in now; a very large number where there is no limit.
func (g *Gate) Room() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.room()
}

// Lend returns a permit for a guest, a request of another pool's route, without queueing. A guest comes in only while nobody
// of the gate's own waits and the reserve stays free.
func (g *Gate) Lend(c Class) (Permit, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.room() < 1 {
		return Permit{}, false
	}
	return g.take(c.known(), true), true
}

func (g *Gate) free() bool { return g.limit == 0 || g.inFlight < g.limit }

// room is 0 while somebody of the gate's own waits, because then the gate is full.
func (g *Gate) room() int {
	if g.limit == 0 {
		return math.MaxInt
	}
	reserve := int(math.Ceil(g.settings.Reserve*float64(g.limit) - rounding))
	return max(g.limit-reserve-g.inFlight, 0)
}

func (g *Gate) take(c Class, guest bool) Permit {
	g.inFlight++
	if guest {
		g.guests[c]++
	} else {
		g.turns.held[c]++
	}
	return Permit{gate: g, class: c, guest: guest}
}

// admit gives what is free to those who wait for it: the gate's own first. Before the change that calls for it, account.
func (g *Gate) admit() {
	if g.queued == 0 && g.visiting == 0 {
		return
	}
	now := time.Now()
	for g.queued > 0 && g.free() {
		c := g.turns.next(g.limit, &g.settings.Shares, g.waiting())
		w := g.queues[c].serve(now)
		g.queued--
		if w.settle() {
			w.result <- outcome{permit: g.take(c, false)}
		}
	}
	for c := 0; g.visiting > 0 && c < NumClasses && g.room() > 0; {
		if g.visitors[c].n == 0 {
			c++
			continue
		}
		w := g.visitors[c].serve(now)
		g.visiting--
		if w.settle() {
			w.result <- outcome{permit: g.take(Class(c), true)}
		}
	}
}

func (g *Gate) waiting() (w [NumClasses]bool) {
	for c := range g.queues {
		w[c] = g.queues[c].n > 0
	}
	return w
}

// account is to be called before anything changes that lag depends on: limit, shares, permits, who waits.
func (g *Gate) account() {
	if g.queued > 0 {
		g.turns.account(time.Now(), g.limit, &g.settings.Shares, g.waiting())
	}
}

package shed

import (
	"errors"
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
	// Queued is told of the class of each one who has to queue, once he stands there, before he waits and without any lock held; whoever
	// gives a permit back then gives it to the queue with him in it. nil: nobody.
	Queued  func(Class)
	Reserve float64 // part of the limit, 0..1, by which guests (requests of other pools' routes) always stay below it
}

// Gate bounds how many requests are in a pool at once, with a bounded queue in front.
//
// Who goes next when a permit comes free is said at turns: every class has its share, what is left goes to the class that
// matters most. Where guests of other pools wait, too, it is said at mayGrow: they go before lesser classes of the pool's own,
// in a bounded number; what they may take of a pool in which nobody waits is said at admits. Within a class it is first come, first
// served in calm and newest first under overload, as said at queue. The limit is fixed, or found by the rule said at measure; one
// that is found bounds the requests whose answer has not begun.
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
	inFlight int // permits that count against the limit, own and guests: all but reads
	turns    turns
	guests   [NumClasses]int // permits of guests
	wants    wants
	reading  [NumClasses]int // permits of an adaptive limit whose answer has begun: see measure
	reads    int             // all of them

	queues   [NumClasses]queue // who waits for a permit of this pool
	queued   int               // how many; while it is not 0 the gate is full
	visitors [NumClasses]queue // who queues at another gate and would come as a guest
	visiting int

	measure measure
	window  window
}

// Set changes the bounds in place. Permits are never revoked: after a cut the gate stays closed until enough came back. Who
// queues already keeps the timeout that he came with, and his place even if the queue is shorter now. An adaptive limit keeps
// what it has learnt; answers that had begun under it never count against a fixed one.
func (g *Gate) Set(s GateSettings) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.account()
	if s.Adaptive != nil {
		a := s.Adaptive.withDefaults()
		s.Adaptive = &a
		g.measure = g.measure.bounded(a, s.Limit, g.inFlight)
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
	Limit      int // how many may be; 0: no limit. An adaptive one has those on top whose answer has begun
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
	l := GateLoad{InFlight: g.inFlight + g.reads, Limit: g.limit, Queued: g.queued}
	if a := g.settings.Adaptive; a != nil {
		l.Limit = min(g.limit+g.reads, a.Max)
	}
	if g.queued > 0 {
		now := time.Now()
		for c := range g.queues {
			l.Overloaded = l.Overloaded || g.queues[c].overloaded(now)
		}
	}
	for c := range l.Classes {
		l.Classes[c] = ClassLoad{g.turns.held[c] + g.guests[c] + g.reading[c], g.queues[c].n}
	}
	return l
}

func (g *Gate) free() bool { return g.limit == 0 || g.inFlight < g.most() }

// most is how many permits may be out without those that are reads.
func (g *Gate) most() int {
	if a := g.settings.Adaptive; a != nil {
		return min(g.limit, a.Max-g.reads)
	}
	return g.limit
}

func (g *Gate) take(c Class, guest bool) Permit {
	g.put(c, guest, 1)
	if !guest {
		g.wants.saw(c, g.turns.held[c])
	}
	return Permit{gate: g, class: c, guest: guest}
}

// admit gives what is free to those who wait for it. Before the change that calls for it, account.
func (g *Gate) admit() {
	if g.queued == 0 && g.visiting == 0 {
		return
	}
	now := time.Now()
	g.wants.pass(now, &g.turns.held)
	for g.free() {
		c, guest, ok := g.next()
		if !ok {
			return
		}
		var w *waiter
		if guest {
			w = g.visitors[c].serve(now)
			g.visiting--
		} else {
			w = g.queues[c].serve(now)
			g.queued--
		}
		if w.settle() {
			w.result <- outcome{permit: g.take(c, guest)}
		}
	}
}

// next returns who is to have a permit that is free: a class of the gate's own, or of the guests. Not ok: nobody who waits.
func (g *Gate) next() (c Class, guest, ok bool) {
	if g.queued == 0 {
		for c := range g.visitors {
			if g.visitors[c].n > 0 && g.admits(Class(c)) {
				return Class(c), true, true
			}
		}
		return 0, false, false
	}
	own, due := g.turns.next(g.limit, &g.settings.Shares, g.waiting())
	if due || g.visiting == 0 || !g.mayGrow() {
		return own, false, true
	}
	for c := range own {
		if g.visitors[c].n > 0 {
			return c, true, true
		}
	}
	return own, false, true
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

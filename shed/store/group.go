package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/shed"
)

// Group is several Monitors that stand for one store: the shards of a cluster, the members of an active-active store. There is one
// Monitor for each part that its Finder names; parts come and go, and one that stays keeps its Monitor. Make one with NewGroup, Start
// it, and Close it when nobody asks it any more. All its methods may be called concurrently, and before Start.
//
// What is acted on is the verdict of the Require-th best part, what is observed that of the worst: see combine. A part that is
// new counts from its first verdict on; a Group of which no part has one is unknown. What a single part's
// Monitor offers beside is for requests of which it is known on which part they depend (Of, Part): those register there.
type Group struct {
	finder Finder
	on     func(part string, t Transition)
	at     atomic.Pointer[union]
	roster atomic.Pointer[roster]
	watch  watchers

	ctx    context.Context // ends with Close
	stop   context.CancelFunc
	worker sync.WaitGroup
	once   sync.Once // Close
	beats  hearts

	changing sync.Mutex // held by who changes the Group or all its parts; taken before everything else
	telling  sync.Mutex // held while something is told; nothing else is taken under it

	mu       sync.Mutex // taken last
	set      GroupSettings
	started  bool
	closed   bool
	override *Override
	reports  reports
	trials   groupTrials
	askers   askers        // who waits for a verdict
	lookers  askers        // who waits until every part was looked at
	after    askers        // who wants to hear of that, and does not wait
	changed  chan struct{} // closed with the next change of what is acted on
	moved    chan struct{} // closed when parts come or go
	alarm    *time.Timer   // for what ends by itself; nil until something does
	queue    []told        // what is to be told
	recent   []Transition  // of the combination, the last keptTransitions
}

// GroupSettings is how a Group works. Settings is how each part is checked; of its functions it calls ObservePart in place of Observe,
// if there is one, from several goroutines at a time.
type GroupSettings struct {
	Settings
	Require     int          // how many parts must be able; zero: all, and so is a number beyond that of the parts
	Beat        BeatSettings // the zero value: no heartbeats
	ObservePart func(part string, took time.Duration, e Evidence)
}

// told is a transition that is to be told.
type told struct {
	part string
	t    Transition
}

// NewGroup returns a Group of the parts that f names; it owns f, and their Probers. on is told of every transition of a part, and of
// the combination by the name "", which comes after that of the part it follows from; all in their order, one at a time. It may be nil,
// may ask the Group and its Monitors but not change them (Set, Override, EndOverride, Report, Close), and delays checks for
// as long as it takes.
func NewGroup(f Finder, s GroupSettings, on func(part string, t Transition)) *Group {
	if on == nil {
		on = func(string, Transition) {}
	}
	g := &Group{finder: f, on: on, set: s, changed: make(chan struct{}), moved: make(chan struct{})}
	g.ctx, g.stop = context.WithCancel(context.Background())
	g.at.Store(&union{Verdict: shed.Verdict{Since: time.Now()}, over: s.RampOver})
	g.roster.Store(&roster{})
	g.beats = hearts{group: g, wake: make(chan struct{}, 1)}
	parts, changed := f.Parts()
	g.adopt(parts, changed)
	return g
}

// Start begins to check. A second Start, or one after Close, does nothing.
func (g *Group) Start() {
	g.changing.Lock()
	defer g.changing.Unlock()
	g.mu.Lock()
	again := g.started || g.closed
	g.started = true
	g.mu.Unlock()
	if again {
		return
	}
	for _, p := range g.roster.Load().list {
		p.monitor.Start()
	}
	g.worker.Go(g.follow)
	g.worker.Go(g.beats.run)
}

// Close ends checking, closes the Monitors and the Finder, and returns when all have ended. Whoever waits is released with what
// is known, marked Late; so is whoever asks afterwards for something fresher. It is idempotent.
func (g *Group) Close() { g.once.Do(g.close) }

func (g *Group) close() {
	g.stop()
	g.changing.Lock() // whoever changes something has ended, and nobody will begin
	g.mu.Lock()
	g.closed = true
	waiting := append(g.askers.all(), g.lookers.all()...)
	after := g.after.all()
	if g.alarm != nil {
		g.alarm.Stop()
	}
	g.mu.Unlock()
	g.changing.Unlock()
	release(waiting, g.at.Load(), true)
	g.worker.Wait()
	var all sync.WaitGroup
	for _, p := range g.roster.Load().list {
		all.Go(p.close)
	}
	all.Wait()
	_ = g.finder.Close()
	g.deliver()
	release(after, g.at.Load(), true)
}

// Set changes the settings in place, those of all parts, too. The state stays, except as Require says otherwise; StartRamp is ignored.
func (g *Group) Set(s GroupSettings) {
	g.changing.Lock()
	defer g.changing.Unlock()
	g.mu.Lock()
	g.set = s
	g.mu.Unlock()
	for _, p := range g.roster.Load().list {
		p.monitor.Set(s.of(p.name))
	}
	g.publish(time.Now(), func(u *union) groupNews {
		u.over = s.RampOver
		return groupNews{}
	})
	g.beats.nudge()
}

// of is how a part is checked.
func (s GroupSettings) of(part string) Settings {
	out := s.Settings
	if f := s.ObservePart; f != nil {
		out.Observe = func(took time.Duration, e Evidence) { f(part, took, e) }
	}
	return out
}

// Of returns the Monitor of the part that holds key, nil where it is not known. One of a part that has gone knows what it knew last,
// and marks it Late. It does not allocate.
func (g *Group) Of(key string) *Monitor {
	if name, ok := g.finder.Of(key); ok {
		return g.Part(name)
	}
	return nil
}

// Part returns the Monitor of the part of that name; nil: there is none.
func (g *Group) Part(name string) *Monitor {
	if p := g.roster.Load().byName[name]; p != nil {
		return p.monitor
	}
	return nil
}

// Current returns what is known now. It never waits and does not allocate.
func (g *Group) Current() shed.Verdict { return g.at.Load().current() }

// LastImpaired returns the latest moment at which any part was impaired, or taken for it, or the combination was: now if so, and the
// zero time if never. An app may live on any part.
func (g *Group) LastImpaired() time.Time {
	at := g.at.Load()
	if at.impaired {
		return time.Now()
	}
	return at.closed
}

// LastClosed returns the latest moment at which the combination was impaired, whatever single parts were: now if it is, and the zero
// time if never. It is for answers of which nobody knows on which part they rest, where as many parts as are required do.
func (g *Group) LastClosed() time.Time {
	at := g.at.Load()
	if at.shuts() {
		return time.Now()
	}
	return at.shut
}

// HeldUntil returns until when a combination that is held for what keeps failing is held, so that sign-ins are not let in before; zero
// where it is not.
func (g *Group) HeldUntil() time.Time { return g.at.Load().held }

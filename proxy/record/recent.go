package record

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/shed"
)

// nowSeconds is how many of the last full seconds a rate is taken over.
const nowSeconds = 5

// Recent is what the last minute was like, for a person who wants to know now and has no time for a query.
type Recent struct {
	Pools  []PoolRecent  // by name
	Routes []RouteRecent // by name
}

// PoolRecent is the last minute of a pool. Latencies are those of its backends, to the head of the answer or to their
// failure.
type PoolRecent struct {
	Name          string
	Asked         uint64  // exchanges that reached a backend
	Failed        uint64  // of these: no answer, or a 5xx
	PerSecond     float64 // of the last five full seconds
	P50, P90, P99 time.Duration
	Shed          [shed.NumClasses]uint64 // how many of each class the pool turned away for want of room
	Tax           uint64                  // sign-ins that the pool refused while another pool had room
	// Rates and Slowest are second by second, the oldest first: how many, and their P99. Without traffic it is 0.
	Rates   [Span]uint32
	Slowest [Span]time.Duration
}

// RouteRecent is the last minute of a route.
type RouteRecent struct {
	Name      string
	Total     uint64
	PerSecond float64 // of the last five full seconds
	Tallies   []Tally // the most frequent first; none that is zero
}

// Tally is how often an outcome came, for one reason.
type Tally struct {
	Outcome   Outcome
	Reason    string
	Count     uint64
	PerSecond float64 // of the last five full seconds
}

// maxTallies bounds how many pairs of outcome and reason a route remembers; any further one is counted under otherReason.
const (
	maxTallies  = 64
	otherReason = "other"
)

// poolWindow and routeWindow are what Exchange feeds. Both are safe for concurrent use.
type poolWindow struct {
	heads  latencies
	failed window
}

type routeWindow struct {
	cells atomic.Pointer[[]*tallyWindow] // replaced, never changed in place
	grow  sync.Mutex
}

type tallyWindow struct {
	outcome Outcome
	reason  string
	window
}

func (w *routeWindow) add(second uint32, o Outcome, reason string) {
	o = min(o, outcomes-1)
	if c := find(w.cells.Load(), o, reason); c != nil {
		c.add(second)
		return
	}
	w.grown(o, reason).add(second)
}

func (w *routeWindow) grown(o Outcome, reason string) *tallyWindow {
	w.grow.Lock()
	defer w.grow.Unlock()
	cells := w.cells.Load()
	if cells != nil && len(*cells) >= maxTallies-int(outcomes) {
		reason = otherReason
	}
	if c := find(cells, o, reason); c != nil {
		return c
	}
	c := &tallyWindow{outcome: o, reason: plain(reason, maxName)}
	var next []*tallyWindow
	if cells != nil {
		next = slices.Clone(*cells)
	}
	next = append(next, c)
	w.cells.Store(&next)
	return c
}

func find(cells *[]*tallyWindow, o Outcome, reason string) *tallyWindow {
	if cells == nil {
		return nil
	}
	for _, c := range *cells {
		if c.outcome == o && c.reason == reason {
			return c
		}
	}
	return nil
}

// Recent returns the last minute of every pool and route that has a Series. It reads some thousands of counters a pool:
// meant for a page that asks once a second, not for a request.
func (r *Recorder) Recent() Recent {
	now := r.second(time.Now())
	r.mu.Lock()
	pools := make([]*poolParts, 0, len(r.pools))
	for _, p := range r.pools {
		pools = append(pools, p)
	}
	routes := make([]*routeParts, 0, len(r.routes))
	for _, p := range r.routes {
		routes = append(routes, p)
	}
	r.mu.Unlock()

	var out Recent
	for _, p := range pools {
		recent := p.recent(now)
		if counts := r.shedding.pools.find(p.name); counts != nil {
			recent.Tax = counts.taxLately.sum(now, Span)
			for class := range counts.shedLately {
				recent.Shed[class] = counts.shedLately[class].sum(now, Span)
			}
		}
		out.Pools = append(out.Pools, recent)
	}
	for _, p := range routes {
		out.Routes = append(out.Routes, p.recent(now))
	}
	slices.SortFunc(out.Pools, func(a, b PoolRecent) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(out.Routes, func(a, b RouteRecent) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func (p *poolParts) recent(now uint32) PoolRecent {
	minute := p.heads.over(now, Span)
	out := PoolRecent{
		Name: p.name, Asked: minute.count(), Failed: p.failed.sum(now, Span),
		P50: minute.quantile(0.5), P90: minute.quantile(0.9), P99: minute.quantile(0.99),
	}
	for i := range uint32(Span) {
		ago := Span - 1 - i
		if ago > now {
			continue
		}
		second := p.heads.over(now-ago, 1)
		out.Rates[i] = uint32(second.count())
		out.Slowest[i] = second.quantile(0.99)
	}
	var asked uint64
	for _, n := range out.Rates[Span-1-nowSeconds : Span-1] {
		asked += uint64(n)
	}
	out.PerSecond = perSecond(asked, now)
	return out
}

func (p *routeParts) recent(now uint32) RouteRecent {
	out := RouteRecent{Name: p.name}
	cells := p.cells.Load()
	if cells == nil {
		return out
	}
	for _, c := range *cells {
		t := Tally{Outcome: c.outcome, Reason: c.reason, Count: c.sum(now, Span)}
		if t.Count == 0 {
			continue
		}
		if now > 0 {
			t.PerSecond = perSecond(c.sum(now-1, nowSeconds), now)
		}
		out.Total += t.Count
		out.PerSecond += t.PerSecond
		out.Tallies = append(out.Tallies, t)
	}
	slices.SortFunc(out.Tallies, func(a, b Tally) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}

// perSecond returns the rate of n events in the last full seconds of a process that is now seconds old.
func perSecond(n uint64, now uint32) float64 {
	full := min(now, nowSeconds)
	if full == 0 {
		return 0
	}
	return float64(n) / float64(full)
}

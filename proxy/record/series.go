package record

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Unmatched is the route and pool of an exchange that ended before a route was found. It is there without being asked for.
const Unmatched = "none"

// Series is where the exchanges of one route with one pool are counted. It holds what their labels resolve to, so that an
// exchange hashes none. Get it from Recorder.Series when a route is built; it is safe for concurrent use.
type Series struct {
	route *routeParts
	pool  *poolParts
	names string // the route's and the pool's, as a line has them

	asked     bool // since the last Keep; under Recorder.mu
	forgotten bool // under Recorder.mu
	requests  [outcomes][codeSlots]atomic.Pointer[prometheus.Counter]
	duration  atomic.Pointer[prometheus.Observer]
}

// poolParts and routeParts are what the Series of one pool, and of one route, share.
type poolParts struct {
	name string
	poolWindow
	upstream atomic.Pointer[prometheus.Observer]
}

type routeParts struct {
	name string
	routeWindow
}

type seriesKey struct{ route, pool string }

// Series returns the Series of that route and pool: the same one as before, if it was asked for before and not forgotten
// since, so that counts survive a reload. Nothing shows in the metrics before the first exchange, so a plan that is
// discarded leaves no trace. The names must come from the operator's file.
func (r *Recorder) Series(route, pool string) *Series {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := seriesKey{label(route), label(pool)}
	if s := r.series[k]; s != nil {
		s.asked = true
		return s
	}
	s := &Series{asked: true, route: r.routes[k.route], pool: r.pools[k.pool], names: names(k.route, k.pool)}
	if s.route == nil {
		s.route = &routeParts{name: k.route}
		r.routes[k.route] = s.route
	}
	if s.pool == nil {
		s.pool = &poolParts{name: k.pool}
		r.pools[k.pool] = s.pool
	}
	r.series[k] = s
	return s
}

// Keep ends a reload: the Series of these routes that were asked for since the last Keep live on, and Unmatched's. All
// others are forgotten, with what they counted: a route that is gone, or one that has another pool now. Exchanges that still
// end on a forgotten Series are logged and not counted, so that they bring back no label that the reload took away.
func (r *Recorder) Keep(routes []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := map[*Series]bool{}
	for k, s := range r.series {
		kept[s] = s == r.unmatched || s.asked && slices.ContainsFunc(routes, func(name string) bool { return label(name) == k.route })
		s.asked = false
	}
	r.sweep(kept)
}

// sweep forgets every Series that is not kept.
func (r *Recorder) sweep(kept map[*Series]bool) {
	pools, live := map[string]*poolParts{}, map[string]*routeParts{}
	for k, s := range r.series {
		if kept[s] {
			pools[k.pool], live[k.route] = s.pool, s.route
			continue
		}
		s.forgotten = true
		delete(r.series, k)
		r.requests.DeletePartialMatch(prometheus.Labels{"route": k.route, "pool": k.pool})
		r.duration.DeleteLabelValues(k.route, k.pool)
	}
	for name, p := range r.pools {
		if pools[name] == nil {
			r.upstream.DeleteLabelValues(name)
			p.upstream.Store(&r.nowhere)
		}
	}
	r.pools, r.routes = pools, live
}

// count returns the counter of that outcome and status.
func (r *Recorder) count(s *Series, o Outcome, status int) prometheus.Counter {
	if o >= outcomes {
		o = Error
	}
	slot := codeSlot(status)
	at := &s.requests[o][slot]
	if c := at.Load(); c != nil {
		return *c
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var c prometheus.Counter
	if s.forgotten {
		c = prometheus.NewCounter(prometheus.CounterOpts{Name: "forgotten"})
	} else {
		c = r.requests.WithLabelValues(s.route.name, s.pool.name, o.String(), codeLabel(slot))
	}
	at.Store(&c)
	return c
}

// timing returns where the durations of a Series go.
func (r *Recorder) timing(s *Series) prometheus.Observer {
	if o := s.duration.Load(); o != nil {
		return *o
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.nowhere
	if !s.forgotten {
		o = r.duration.WithLabelValues(s.route.name, s.pool.name)
	}
	s.duration.Store(&o)
	return o
}

// backendTiming returns where the durations of a pool's backends go.
func (r *Recorder) backendTiming(s *Series) prometheus.Observer {
	if o := s.pool.upstream.Load(); o != nil {
		return *o
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.forgotten && r.pools[s.pool.name] != s.pool {
		return r.nowhere
	}
	o := r.upstream.WithLabelValues(s.pool.name)
	s.pool.upstream.Store(&o)
	return o
}

// label makes a name one that a metric can carry.
func label(name string) string { return strings.ToValidUTF8(name, "\uFFFD") }

package proxy

import (
	"context"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/line"
	"gatehouse/shed/store"
)

// Monitor is what exchanges ask of a session store: a *store.Monitor, or a *store.Group where several stand for one. It is safe
// for concurrent use. Its methods are as there.
type Monitor interface {
	Current() shed.Verdict
	Verdict(ctx context.Context, maxAge time.Duration) shed.Verdict
	Look(ctx context.Context) shed.Verdict
	Await(ctx context.Context, met func(shed.Verdict) bool) (shed.Verdict, bool)
	After(f func(shed.Verdict))
	Watch(w *store.Watcher, h store.Hearer)
	LastImpaired() time.Time
	LastClosed() time.Time
	HeldUntil() time.Time
	Trial() (store.Trial, bool)
	TrialTime() time.Duration
	Report(r store.Report)
}

// Store is the session store of a pool's app. It is state, shared by the Runtimes that name it.
type Store struct {
	Name    string
	Monitor Monitor
	Line    *line.Line // of those who want to sign in there

	// Several says that Monitor stands for several parts, of which one that fails is not all.
	Several bool
	// Of is who watches the part of the store that keeps a session; nil where nobody knows, and a nil Of where there are no parts.
	Of func(session string) Monitor
	// Copies says that this is one of several members, of which others hold what it holds.
	Copies bool
	// Apart reports whether members show too little of what the others hold; nil: there are none.
	Apart func() bool

	elsewhere elsewhere // whose session it may not have, and another has
}

// settle puts the exchange before the store of the pool that it is bound for: its whole, or the part that keeps the session that the
// request carries. A sign-in may end up in any part.
func (x *exchange) settle(s *Store) {
	x.store, x.monitor = s, nil
	if s == nil {
		return
	}
	x.monitor = s.Monitor
	if s.Of != nil && x.carries && !x.route.SignIn {
		if part := s.Of(x.session); part != nil {
			x.monitor = part
		}
	}
}

// several reports whether the exchange is before several parts of a store at once.
func (x *exchange) several() bool {
	return x.store != nil && x.store.Several && x.monitor == x.store.Monitor
}

// impaired reports whether a verdict finds the store impaired, or taken for it: of several parts so many that the others are not
// enough. What an app answers is judged more strictly, since it may live on any of them.
func impaired(v shed.Verdict, several bool) bool {
	if several {
		return v.State.Impaired()
	}
	return v.Impaired()
}

// diverged reports whether a session may be kept at a member, and not be found by the pool's app: members are too far apart, or that of
// the route's pool came back empty. Its new heartbeats say nothing of what it held before; and whoever goes over for it meanwhile may
// have signed in there a moment ago.
func (x *exchange) diverged() bool {
	return x.store != nil && (x.store.Apart != nil && x.store.Apart() || x.store.emptied() || x.route.Store.emptied())
}

// emptied reports whether s is a member that came back without what it held, while the others hold it. nil is none.
func (s *Store) emptied() bool {
	if s == nil || !s.Copies {
		return false
	}
	v := s.Monitor.Current()
	return v.Lost && v.Recovering()
}

// apart reports whether the route's overflow pool has a session store of its own, which may do better than that of the route's pool.
func (x *exchange) apart() bool {
	return x.route.Overflow != nil && x.route.OverflowStore != x.route.Store
}

// mayLend reports whether the overflow pool's store can give what the request needs, as far as is known without waiting. One whose
// sign-ins line up takes none of another's.
func (x *exchange) mayLend() bool {
	if !x.apart() || !x.asks || x.pool == x.route.Overflow {
		return true
	}
	s := x.route.OverflowStore
	if s == nil {
		return true
	}
	v := s.Monitor.Current()
	return shed.Decide(x.route.Need, x.carries, x.concern(v)).Action == shed.Pass && !(x.route.SignIn && v.Recovering())
}

// goOver has the overflow pool serve the request as its own, where its store can give what that of the route's pool cannot, and
// reports whether it is so.
func (x *exchange) goOver() bool {
	if !x.apart() || x.pool == x.route.Overflow || !x.mayLend() {
		return false
	}
	before := x.verdict
	x.moveOver()
	if x.obey(x.permission(&x.life)) == nil {
		return true
	}
	x.moveBack()
	x.verdict = before
	return false
}

// moveBack notes that the route's pool serves the request after all.
func (x *exchange) moveBack() {
	x.pool, x.series = x.route.Pool, x.route.Series
	x.settle(x.route.Store)
}

// moveOver notes that the overflow pool serves the request.
func (x *exchange) moveOver() {
	x.pool, x.series = x.route.Overflow, x.route.OverflowSeries
	if x.apart() {
		x.trial.Forget() // it was about the store that is left
		x.settle(x.route.OverflowStore)
	}
}

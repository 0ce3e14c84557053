package proxy

import (
	"sync/atomic"
	"time"

	"gatehouse/proxy/intake"
	"gatehouse/routing"
	"gatehouse/shed/page"
	"gatehouse/shed/quota"
	"gatehouse/shed/session"
)

// Runtime is everything one exchange needs, built whole from one file and then only read.
//
// NewRuntime makes it ready to be pinned; its fields are set before the first pin and never after. What it points to may be
// shared with the Runtime before it and after it.
type Runtime struct {
	Table   *routing.Table[*Route]
	Names   []string // of the routes, in Table's order
	Session session.Marks
	Seal    *session.Seal // of Gatehouse's own cookies
	Trusted intake.Trusted

	SignInAt  session.Places     // where the app sends those whom it takes for signed out
	SignedOut *session.SignedOut // ids that are refused; nil: none can be
	MaxAge    time.Duration      // how long a session can live, and so an id is refused

	// Stores are the session stores that routes lead to, for those who look from outside: first the one that stands for all.
	Stores []*Store
	// Reporters are the pools whose backends' own word about the store is taken.
	Reporters map[*Pool]bool
	// NewPlaces bounds how many places in the line one network is given; nil: it does not.
	NewPlaces *quota.Limiter
	// Strained bounds how many sign-ins a strained store is given; nil: it does not.
	Strained *quota.Limiter
	Waits    *Waits

	Page     *page.Maker
	Status   int     // of a page that stands in for the store
	WaitRate float64 // sign-ins a second that a recovered store is given: how fast a backlog goes down
	// PerClient and PerAddress bound how many pages are made.
	PerClient, PerAddress *quota.Limiter

	// QuotaStore is where several Gatehouses count together; nil: each counts for itself.
	QuotaStore *quota.Shared

	// Pools are all that routes lead to, for those who look from outside.
	Pools []*Pool

	pins    atomic.Int64
	drained chan struct{}
}

// NewRuntime returns an empty Runtime that its owner holds: Retire ends that.
func NewRuntime() *Runtime {
	rt := &Runtime{drained: make(chan struct{})}
	rt.pins.Store(1)
	return rt
}

// routeName names the route at an index of Table; -1 is none.
func (rt *Runtime) routeName(i int) string {
	if i < 0 || i >= len(rt.Names) {
		return "none"
	}
	return rt.Names[i]
}

// pin keeps rt and all it points to alive until release. It reports false when rt has drained already.
func (rt *Runtime) pin() bool {
	for {
		n := rt.pins.Load()
		if n == 0 {
			return false
		}
		if rt.pins.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (rt *Runtime) release() {
	if rt.pins.Add(-1) == 0 {
		close(rt.drained)
	}
}

// Retire says that no further exchange will begin on rt, and returns a channel that is closed when the last has ended. It is
// called once, after another Runtime went live.
func (rt *Runtime) Retire() <-chan struct{} {
	rt.release()
	return rt.drained
}

package quota

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Settings are what a quota allows. Rate is in events a second for each key; zero or less, or +Inf, means no limit. Burst is
// how many may come at once after a pause; less than 1 means 1. Size bounds the keys that are remembered, 65536 where it is
// not positive; it is rounded up to a multiple of 16.
type Settings struct {
	Rate  float64
	Burst int
	Size  int

	// Shared is where the quota is counted together with other processes; nil: this one counts alone. All of them must give
	// the quota the same Name, and different quotas different ones.
	Shared *Shared
	Name   string

	// StandIn is the part of Rate and Burst that TakeStrictly allows while Shared does not answer. 1 or more: all of it. Zero
	// or less means a half and not nothing: a quota's store that is away must not keep everybody from signing in.
	StandIn float64
}

const defaultStandIn = 0.5

// Limiter counts what each key takes. The zero value allows everything. It is safe for concurrent use, starts no goroutine,
// and a call costs no allocation for a key that is known, unless it asks a shared store.
type Limiter struct {
	local   table
	strict  table // what TakeStrictly allows without the shared store; no limit where there is none
	sharing atomic.Pointer[sharing]
}

// sharing is how a quota is counted together with others.
type sharing struct {
	shared *Shared
	name   string
	allows allowance
	holds  *holds
}

// New returns a Limiter with these settings.
func New(s Settings) *Limiter {
	l := new(Limiter)
	l.Set(s)
	return l
}

// Set changes the settings in place, also from counting alone to counting together and back. What callers have taken stays
// taken, unless the limit is lifted: then nobody is remembered. Where Size shrinks, keys that still hold a debt are kept, and
// their places go to new keys once it is gone.
func (l *Limiter) Set(s Settings) {
	r, burst := rate.Limit(s.Rate), max(s.Burst, 1)
	if !(s.Rate > 0) || math.IsInf(s.Rate, 1) {
		r = rate.Inf
	}
	if s.Size <= 0 {
		s.Size = defaultSize
	}
	l.local.set(r, burst, s.Size)
	if s.Shared == nil || r == rate.Inf {
		l.sharing.Store(nil)
		l.strict.set(rate.Inf, 1, s.Size)
		return
	}
	part := s.StandIn
	if !(part > 0) {
		part = defaultStandIn
	}
	part = min(part, 1)
	l.strict.set(r*rate.Limit(part), max(int(float64(burst)*part), 1), s.Size)
	l.sharing.Store(&sharing{s.Shared, s.Name, allow(s.Rate, burst), &holds{from: time.Now()}})
}

// Take counts one event of k. A zero duration means: go on. Otherwise nothing was counted, the Charge is empty, and the
// duration, always positive, is when to come again at the earliest.
//
// Without a shared store it never blocks. With one it waits for the store's answer, SharedSettings.Timeout or until ctx ends
// at the most, and then, or at once while the store is known to be away, what this process has counted decides. That is
// counted always, and refuses without asking the store: so a store that lost everything, or is lost, gives nobody a new burst,
// and one process never has it remember more keys than its own table would let through. A refusal by the store is repeated for
// up to 100 ms without asking it.
func (l *Limiter) Take(ctx context.Context, k Key) (Charge, time.Duration) {
	with := l.sharing.Load()
	e, wait := l.count(with, k)
	if wait > 0 || with == nil {
		return Charge{event: e}, wait
	}
	return with.take(ctx, k, e, event{}, 0)
}

// TakeStrictly is Take for a route by which one signs in. While the shared store does not answer it allows only
// Settings.StandIn of the quota: every process then counts for itself, and as many as there are would allow as many times as
// many guesses. What it counts meanwhile counts for Take as well.
func (l *Limiter) TakeStrictly(ctx context.Context, k Key) (Charge, time.Duration) {
	with := l.sharing.Load()
	e, wait := l.count(with, k)
	if wait > 0 || with == nil {
		return Charge{event: e}, wait
	}
	strict, alone := l.strict.take(k.id)
	return with.take(ctx, k, e, strict, alone)
}

// count counts an event here, unless the store has just refused one of the same key.
func (l *Limiter) count(with *sharing, k Key) (event, time.Duration) {
	if with != nil {
		if wait := with.holds.wait(k.id); wait > 0 {
			return event{}, wait
		}
	}
	return l.local.take(k.id)
}

// take has the store confirm an event that this process has counted. alone is how long k would have to wait if the store does
// not answer.
func (w *sharing) take(ctx context.Context, k Key, own, strict event, alone time.Duration) (Charge, time.Duration) {
	key, wait, ok := w.shared.take(ctx, w, k)
	switch {
	case !ok:
		wait = alone
	case wait > 0:
		w.holds.refused(k.id, wait)
	}
	if wait > 0 {
		own.undo()
		strict.undo()
		return Charge{}, wait
	}
	c := Charge{event: own, strict: strict}
	if ok {
		c.there = &there{w, k.id, key}
	}
	return c, 0
}

// Len returns how many keys this process remembers. Spill buckets do not count.
func (l *Limiter) Len() int { return l.local.len() }

// Charge is one event that was counted. The zero value is none. It belongs to one exchange: it is not safe for concurrent
// use, and only one copy of it may be refunded.
type Charge struct {
	event  event
	strict event
	there  *there // nil: the store was not asked, or did not answer
}

// there is an event that a store counted.
type there struct {
	sharing *sharing
	id      id
	key     string
}

// Refund gives the event back, as if it had not been taken. Calling it again, or on an empty Charge, does nothing. It never
// waits for a shared store, which hears of it before it hears of any event that is taken later.
func (c *Charge) Refund() {
	given := *c
	*c = Charge{}
	given.event.undo()
	given.strict.undo()
	if t := given.there; t != nil {
		t.sharing.shared.refund(t.key, t.sharing.allows)
		t.sharing.holds.forget(t.id)
	}
}

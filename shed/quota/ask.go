package quota

import (
	"context"
	"sync/atomic"
	"time"
)

// ask is one event that the store is asked to count, or to give back.
type ask struct {
	key    string
	allows allowance
	events int          // 1: take one; -1: give it back, and nobody waits
	done   chan verdict // of one place; nil where nobody waits
	left   atomic.Bool  // who waited has gone
	told   bool         // an answer was passed on; only the serving goroutine looks
}

// verdict is the store's answer.
type verdict struct {
	wait time.Duration
	ok   bool // there is one
}

func (a *ask) answer(wait time.Duration) { a.tell(verdict{wait, true}) }

// tell passes v on, where nothing was before.
func (a *ask) tell(v verdict) {
	if a.told {
		return
	}
	a.told = true
	if a.done != nil {
		a.done <- v
	}
}

// take asks the store to count one event of k. It returns false where there was no answer in time; the event may then be
// counted there or not.
func (s *Shared) take(ctx context.Context, w *sharing, k Key) (key string, wait time.Duration, ok bool) {
	if !s.up.Load() {
		s.standIns.Add(1)
		return "", 0, false
	}
	a := &ask{key: k.shared(s.set.Prefix, w.name), allows: w.allows, events: 1, done: make(chan verdict, 1)}
	select {
	case s.asks <- a:
	default:
		s.standIns.Add(1)
		return "", 0, false
	}
	late := time.NewTimer(s.set.Timeout)
	defer late.Stop()
	var v verdict
	select {
	case v = <-a.done:
	case <-late.C:
		a.left.Store(true)
	case <-ctx.Done():
		a.left.Store(true)
	}
	if !v.ok {
		s.standIns.Add(1)
		return "", 0, false
	}
	return a.key, v.wait, true
}

// refund gives an event back that the store had counted. It never waits.
func (s *Shared) refund(key string, allows allowance) {
	if !s.up.Load() {
		s.lost.Add(1)
		return
	}
	select {
	case s.asks <- &ask{key: key, allows: allows, events: -1}:
	default:
		s.lost.Add(1)
	}
}

package store

import (
	"context"
	"sync"
	"time"
)

// BeatSettings is how a Group whose parts copy what they hold to each other finds out how far they have come apart. The zero value
// does not.
type BeatSettings struct {
	Interval time.Duration // between two heartbeats
	Lag      time.Duration // more than this behind is too far; at least four intervals, since a heartbeat is up to one old when it is looked for
}

func (s BeatSettings) on() bool { return s.Interval > 0 && s.Lag > 0 }

// hearts is the Group's beating goroutine. Each part's Beat has a goroutine beside it, so that one that hangs delays nobody.
type hearts struct {
	group *Group
	wake  chan struct{}

	judging sync.Mutex // so that what was seen first is weighed first; nothing of a part is changed under it
}

func (h *hearts) nudge() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *hearts) run() {
	g := h.group
	for last := (time.Time{}); ; {
		g.mu.Lock()
		set, timeout := g.set.Beat, g.set.Timeout
		g.mu.Unlock()
		wait := time.Hour // for a nudge
		if set.on() {
			if wait = time.Until(last.Add(set.Interval)); wait <= 0 {
				last = time.Now()
				h.beat(max(timeout, set.Interval))
				wait = set.Interval
			}
		}
		h.judge() // silence grows by itself, and the settings may have changed
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-h.wake:
		case <-g.ctx.Done():
		}
		timer.Stop()
		if g.ctx.Err() != nil {
			return
		}
	}
}

// beat has every part that can make a heartbeat that none of is under way.
func (h *hearts) beat(timeout time.Duration) {
	parts := h.group.roster.Load().list
	for _, p := range parts {
		if others := p.others(parts); p.heart != nil && len(others) > 0 {
			p.heart.begin(p.name, others, timeout, h.judge)
		}
	}
}

// others are the names of the parts whose heartbeats may have come to p.
func (p *part) others(parts []*part) (names []string) {
	for _, other := range parts {
		if other != p && other.heart != nil {
			names = append(names, other.name)
		}
	}
	return names
}

// judge decides anew whether the parts have come too far apart.
func (h *hearts) judge() {
	h.judging.Lock()
	defer h.judging.Unlock()
	g := h.group
	var all []beating
	parts := g.roster.Load().list
	for _, p := range parts {
		if p.heart != nil {
			all = append(all, p.heart.beating(p.name, parts))
		}
	}
	now := time.Now()
	g.mu.Lock()
	same := g.at.Load().diverged == nil && diverge(nil, all, now, g.set.Beat) == nil
	g.mu.Unlock()
	if !same {
		g.publish(now, func(u *union) groupNews {
			u.diverged = diverge(u.diverged, all, now, g.set.Beat)
			return groupNews{}
		})
	}
}

// heart is one part's.
type heart struct {
	beater Beater
	ctx    context.Context
	stop   context.CancelFunc
	work   sync.WaitGroup

	mu     sync.Mutex
	busy   bool // one is under way
	closed bool
	asked  time.Time // when it last showed what it holds; zero: never
	err    string    // of the last
	seen   map[string]Lag
}

func newHeart(b Beater) *heart {
	h := &heart{beater: b, seen: map[string]Lag{}}
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

// begin makes a heartbeat, unless one is under way, and calls ended afterwards.
func (h *heart) begin(own string, others []string, timeout time.Duration, ended func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy || h.closed {
		return
	}
	h.busy = true
	h.work.Go(func() {
		ctx, cancel := context.WithTimeout(h.ctx, timeout)
		defer cancel()
		seen, err := h.beater.Beat(ctx, own, others)
		if h.ctx.Err() == nil {
			h.note(others, seen, err)
			ended()
		}
		h.mu.Lock()
		h.busy = false
		h.mu.Unlock()
	})
}

// note takes in what a Beat returned. A heartbeat that was here and is gone is as old as it was.
func (h *heart) note(others []string, seen []time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = ""
	if err != nil {
		h.err = err.Error()
	}
	if len(seen) != len(others) {
		return
	}
	now := time.Now()
	h.asked = now
	had := h.seen
	h.seen = make(map[string]Lag, len(others))
	for i, of := range others {
		l := had[of]
		if l.Of = of; seen[i].After(l.Seen) {
			l.Seen = seen[i]
		}
		if !l.Seen.IsZero() {
			l.Lag = max(0, now.Sub(l.Seen))
		}
		h.seen[of] = l
	}
}

// beating is what a part's heart shows.
func (h *heart) beating(name string, parts []*part) beating {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := beating{name: name, asked: h.asked}
	for _, other := range parts {
		if other.heart != nil && other.heart != h {
			l := h.seen[other.name]
			l.Of = other.name
			b.lags = append(b.lags, l)
		}
	}
	return b
}

// status is what PartStatus tells. A nil heart tells nothing.
func (h *heart) status(parts []*part) ([]Lag, string) {
	if h == nil {
		return nil, ""
	}
	lags := h.beating("", parts).lags
	h.mu.Lock()
	defer h.mu.Unlock()
	return lags, h.err
}

// close waits for the heartbeat that is under way; there will be no other. A nil heart has none.
func (h *heart) close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.stop()
	h.work.Wait()
}

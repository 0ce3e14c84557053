package store

import (
	"container/list"
	"context"
	"time"

	"gatehouse/shed"
)

// asker is somebody who waits for checks of a Group's parts that began no earlier than from. at and late are set before done is
// closed, or before tell is called, whichever there is.
type asker struct {
	from time.Time
	done chan struct{}
	tell func(shed.Verdict) // in place of done
	at   *union
	late bool
}

// askers are in the order in which they came, which is that of from; so whoever is due is at the front. The zero value is empty;
// it is under the Group's lock.
type askers struct{ list list.List }

func (a *askers) add(w *asker) *list.Element { return a.list.PushBack(w) }

// due takes out those whose moment is due.
func (a *askers) due(is func(from time.Time) bool) (all []*asker) {
	for e := a.list.Front(); e != nil && is(e.Value.(*asker).from); e = a.list.Front() {
		all = append(all, a.list.Remove(e).(*asker))
	}
	return all
}

// all takes everybody out.
func (a *askers) all() []*asker { return a.due(func(time.Time) bool { return true }) }

// release has them go on with what is known.
func release(all []*asker, at *union, late bool) {
	for _, w := range all {
		w.at, w.late = at, late
		if w.tell != nil {
			w.tell(w.verdict())
		} else {
			close(w.done)
		}
	}
}

func (w *asker) verdict() shed.Verdict {
	v := w.at.verdict(time.Now())
	v.Late = w.late
	return v
}

// Verdict returns what the store can do, from checks that began at most maxAge ago; with maxAge zero, from some that begin after this
// call. It rests on as many parts as are required, the freshest of those that permit (see combine): where there are not enough,
// all parts are asked at the same time, and their checks are joined, for at most two probe timeouts or until ctx ends; what is known
// then is marked Late. Whoever needs few parts waits for no other. While the combination is impaired, or a person or trials overrule
// the checks that it rests on, nobody waits.
func (g *Group) Verdict(ctx context.Context, maxAge time.Duration) shed.Verdict {
	if at := g.at.Load(); at.fresh(maxAge) {
		return at.current()
	}
	v, _ := g.join(ctx, &g.askers, false, (*union).final)
	return v
}

// Look returns what is known from checks of every part that began after this call, also where a person or trials overrule them: it
// judges what an app answered, which may live on any of them, so what it has Observed is always the worst part's. Each part's part of
// it is as in Monitor.Look. It waits as Verdict does, and never while the checks find a part impaired.
func (g *Group) Look(ctx context.Context) shed.Verdict {
	begun := time.Now()
	v, at := g.join(ctx, &g.lookers, true, func(u *union) bool { return u.impaired })
	v.Observed, v.ObservedCause = at.worst, at.worstCause
	if at.impaired || v.Late {
		return v
	}
	g.mu.Lock()
	patience := 2 * g.set.Timeout
	g.mu.Unlock()
	for _, p := range g.roster.Load().list {
		own := p.monitor.at.Load()
		if own.begun.IsZero() {
			continue
		}
		if met := p.monitor.doubt(ctx, own.verdict(time.Now()), own.away, patience-time.Since(begun)); met.Observed.Impaired() {
			v.Observed, v.ObservedCause = met.Observed, met.ObservedCause
			return v
		}
	}
	return v
}

// join has every part that is not known to be impaired begin a check, and waits in a list until what those find is enough.
func (g *Group) join(ctx context.Context, in *askers, doubted bool, enough func(u *union) bool) (shed.Verdict, *union) {
	g.mu.Lock()
	at := g.at.Load()
	if g.closed || enough(at) {
		w := asker{at: at, late: g.closed}
		g.mu.Unlock()
		return w.verdict(), at
	}
	w := &asker{from: time.Now(), done: make(chan struct{})}
	place, patience := in.add(w), 2*g.set.Timeout
	g.mu.Unlock()
	for _, p := range g.roster.Load().list {
		p.monitor.hasten(doubted)
	}

	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-w.done:
	case <-limit.C:
	case <-ctx.Done():
	}
	g.mu.Lock()
	in.list.Remove(place) // nothing, if it was released
	g.mu.Unlock()
	select {
	case <-w.done:
		return w.verdict(), w.at
	default:
		late := asker{at: g.at.Load(), late: true} // w may be being released
		return late.verdict(), late.at
	}
}

// hasten has a check begin soon, unless the checks find the store impaired. doubted says that an app's answer is to be judged by it.
func (m *Monitor) hasten(doubted bool) {
	m.mu.Lock()
	if m.closed || m.at.Load().impaired() {
		m.mu.Unlock()
		return
	}
	if m.next == nil {
		m.next = &round{done: make(chan struct{})}
	}
	m.next.doubted = m.next.doubted || doubted
	m.mu.Unlock()
	m.nudge()
}

// After calls f once, when of every part a check has ended that began after now, with what is known then; marked Late where there
// will be no such checks. f runs in a Monitor's goroutine and must return at once. It asks for no check: there will be some
// within an interval, or a second where a part cannot be reached.
func (g *Group) After(f func(shed.Verdict)) {
	g.mu.Lock()
	closed := g.closed
	if !closed {
		g.after.add(&asker{from: time.Now(), tell: f})
	}
	g.mu.Unlock()
	if closed {
		release([]*asker{{tell: f}}, g.at.Load(), true)
	}
}

// Await returns when met holds of what is acted on, or when ctx ends, with what is known then and whether it holds. It asks for
// no check.
func (g *Group) Await(ctx context.Context, met func(shed.Verdict) bool) (shed.Verdict, bool) {
	for {
		g.mu.Lock()
		changed := g.changed
		g.mu.Unlock()
		if v := g.Current(); met(v) {
			return v, true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return g.Current(), false
		case <-g.ctx.Done():
			v := g.Current()
			v.Late = true
			return v, false
		}
	}
}

// First waits until every part that is known has had its first check, or for ctx, and returns what is known then; marked Late if
// no check has ended.
func (g *Group) First(ctx context.Context) shed.Verdict {
	for waiting := true; waiting; {
		g.mu.Lock()
		moved := g.moved
		g.mu.Unlock()
		parts := g.roster.Load()
		waiting = len(parts.list) == 0
		for _, p := range parts.list {
			select {
			case <-p.monitor.first:
				continue
			case <-moved:
				waiting = true
			case <-ctx.Done():
			case <-g.ctx.Done():
			}
			break
		}
		if parts.stale() || len(parts.list) == 0 { // what found the parts is none of them any more
			select {
			case <-moved:
			case <-ctx.Done():
			case <-g.ctx.Done():
			}
			waiting = true
		}
		waiting = waiting && ctx.Err() == nil && g.ctx.Err() == nil
	}
	v := g.Current()
	v.Late = v.Begun.IsZero()
	return v
}

// Watch has h told once when the combination becomes impaired, or worsens from read-only to down, or does so for those whom no hold
// concerns: see Monitor.Watch. Who depends on one part only watches that.
func (g *Group) Watch(w *Watcher, h Hearer) { g.watch.put(w, h) }

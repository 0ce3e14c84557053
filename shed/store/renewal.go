package store

import (
	"time"

	"gatehouse/shed"
)

// deliver tells what is to be told. When it returns, whatever was to be told before has been.
func (g *Group) deliver() {
	g.telling.Lock()
	defer g.telling.Unlock()
	g.mu.Lock()
	queue := g.queue
	g.queue = nil
	g.mu.Unlock()
	for _, n := range queue {
		g.on(n.part, n.t)
	}
}

// publish makes a new union of the one that is published: change, which may be nil, edits it first, under the lock. After Close it
// does nothing, and reports so.
func (g *Group) publish(now time.Time, change func(u *union) groupNews) bool {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return false
	}
	n := g.renew(now, change, groupNews{})
	g.mu.Unlock()
	n.spread(g)
	g.deliver()
	return true
}

// groupNews is what comes with a new union.
type groupNews struct {
	err   error     // what the deciding probe of the part met that it comes from
	lost  bool      // that part was found empty
	ended *Override // has just ended

	now      *union
	worse    bool
	released []*asker
}

// renew publishes a new union. It is called under the lock; what it returns is to be spread without it.
func (g *Group) renew(now time.Time, change func(u *union) groupNews, n groupNews) groupNews {
	was := g.at.Load()
	u := *was
	if change != nil {
		n = change(&u)
	}
	u.said = g.reports.ends(now, g.set.Reports)
	u.override = g.override
	u.weigh(was, g.roster.Load().standings(), g.set.Require, now)
	g.at.Store(&u)
	n.now = &u
	n.worse = rank(u.State) > rank(was.State) || rank(unheld(u.Verdict).State) > rank(unheld(was.Verdict).State)
	n.released = append(n.released, g.askers.due(func(from time.Time) bool { return u.final() || u.since(from) })...)
	n.released = append(n.released, g.lookers.due(func(from time.Time) bool { return u.impaired || u.throughout(from) })...)
	n.released = append(n.released, g.after.due(u.throughout)...)
	if u.State != was.State || u.Cause != was.Cause || u.Observed != was.Observed || !u.Opened.Equal(was.Opened) {
		close(g.changed)
		g.changed = make(chan struct{})
	}
	g.setAlarm(now, &u)
	if t, tell := n.transition(was, &u, now); tell {
		if len(g.recent) == keptTransitions {
			g.recent = append(g.recent[:0], g.recent[1:]...)
		}
		g.recent = append(g.recent, t)
		g.queue = append(g.queue, told{"", t})
	}
	return n
}

// spread releases whoever waited for it, and calls back whom a closing concerns.
func (n groupNews) spread(g *Group) {
	release(n.released, n.now, false)
	if n.worse {
		g.watch.fire(n.now.verdict(time.Now()))
	}
}

func (n groupNews) transition(was, u *union, now time.Time) (Transition, bool) {
	t := Transition{
		At: now, From: was.State, To: u.State, FromCause: was.Cause, Cause: u.Cause, Observed: u.worst,
		Err: n.err, Lost: n.lost && u.Cause == shed.CauseSessionLoss, Lasted: now.Sub(was.Since), Override: u.override, Ended: n.ended,
	}
	t.Set = t.Override != nil && t.Override != was.override
	same := u.State == was.State && u.Cause == was.Cause && u.override == was.override
	return t, !same || t.Lost || n.ended != nil
}

// setAlarm has the union published anew when something of it ends by itself. It is called under the lock.
func (g *Group) setAlarm(now time.Time, u *union) {
	ends := u.said
	if u.override != nil {
		ends = u.override.Until
	}
	switch {
	case ends.IsZero() || g.closed:
		if g.alarm != nil {
			g.alarm.Stop()
		}
	case g.alarm == nil:
		g.alarm = time.AfterFunc(ends.Sub(now), g.lapse)
	default:
		g.alarm.Reset(ends.Sub(now))
	}
}

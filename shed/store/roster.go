package store

import (
	"time"

	"gatehouse/shed"
)

// roster is the parts that a Group has now, in the Finder's order. A published roster is never changed.
type roster struct {
	list    []*part
	byName  map[string]*part
	changed <-chan struct{} // the Finder's; only the following goroutine looks at it
}

// part is a Part with its Monitor.
type part struct {
	name    string
	monitor *Monitor
	heart   *heart // nil: its Prober makes no heartbeats
}

// close ends its heartbeats first: none may begin once its Prober is closed.
func (p *part) close() {
	p.heart.close()
	p.monitor.Close()
}

// follow is the goroutine that takes in parts as they come and go.
func (g *Group) follow() {
	changed := g.roster.Load().changed
	for changed != nil {
		select {
		case <-changed:
		case <-g.ctx.Done():
			return
		}
		var parts []Part
		parts, changed = g.finder.Parts()
		for _, p := range g.adopt(parts) {
			p.close()
		}
	}
}

// adopt makes parts the Group's, and returns those that are its no more. A part that is new has its Monitor made, which begins
// at once where the Group has begun, and hears a person's word that is in force. The first parts of a store that is to begin with
// a ramp do so.
func (g *Group) adopt(parts []Part) (gone []*part) {
	g.changing.Lock()
	defer g.changing.Unlock()
	old := g.roster.Load()
	now := &roster{byName: make(map[string]*part, len(parts))}
	g.mu.Lock()
	set, override, started := g.set, g.override, g.started
	g.mu.Unlock()
	set.StartRamp = set.StartRamp && g.at.Load().Begun.IsZero()
	var fresh []*part
	for _, found := range parts {
		if now.byName[found.Name] != nil {
			continue
		}
		p := old.byName[found.Name]
		if p == nil {
			if found.Prober == nil {
				continue
			}
			p = g.newPart(found, set)
			fresh = append(fresh, p)
		}
		now.list = append(now.list, p)
		now.byName[p.name] = p
	}
	for _, p := range old.list {
		if now.byName[p.name] == nil {
			gone = append(gone, p)
		}
	}
	g.roster.Store(now)
	for _, p := range fresh {
		if override != nil {
			_ = p.monitor.Override(*override) // one that ended in this moment has ended
		}
		if started && g.ctx.Err() == nil {
			p.monitor.Start()
		}
	}
	g.publish(time.Now(), nil)
	g.mu.Lock()
	close(g.moved)
	g.moved = make(chan struct{})
	g.mu.Unlock()
	return gone
}

func (g *Group) newPart(found Part, set GroupSettings) *part {
	p := &part{name: found.Name, monitor: New(found.Prober, set.of(found.Name), nil)}
	p.monitor.bond = &bond{
		heard: func(t Transition, tell bool) { g.heard(p, t, tell) },
		tell:  g.deliver,
	}
	if b, ok := found.Prober.(Beater); ok {
		p.heart = newHeart(b)
	}
	return p
}

// heard takes in that a part's standing was published.
func (g *Group) heard(p *part, t Transition, tell bool) {
	g.mu.Lock()
	if tell {
		g.queue = append(g.queue, told{p.name, t})
	}
	n := g.renew(time.Now(), nil, groupNews{err: t.Err, lost: t.Lost})
	g.mu.Unlock()
	n.spread(g)
}

// standings are what is believed of the parts, in their order.
func (r *roster) standings() []*standing {
	all := make([]*standing, len(r.list))
	for i, p := range r.list {
		all[i] = p.monitor.at.Load()
	}
	return all
}

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

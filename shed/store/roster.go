package store

import (
	"time"
)

// roster is the parts that a Group has now, in the Finder's order. A published roster is never changed.
type roster struct {
	list    []*part
	byName  map[string]*part
	changed <-chan struct{} // the Finder's
}

// stale reports whether the Finder knows of other parts by now.
func (r *roster) stale() bool {
	select {
	case <-r.changed:
		return true
	default:
		return false
	}
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
		for _, p := range g.adopt(parts, changed) {
			p.close()
		}
	}
}

// adopt makes parts the Group's, and returns those that are its no more. A part that is new has its Monitor made, which begins
// at once where the Group has begun, and hears a person's word that is in force. The first parts of a store that is to begin with
// a ramp do so.
func (g *Group) adopt(parts []Part, changed <-chan struct{}) (gone []*part) {
	g.changing.Lock()
	defer g.changing.Unlock()
	old := g.roster.Load()
	now := &roster{byName: make(map[string]*part, len(parts)), changed: changed}
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
	g.beats.nudge()
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

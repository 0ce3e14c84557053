package store

import "time"

// Override has o acted on until it ends, in place of an earlier one, for the whole store: by the combination, and by every part,
// also those that come meanwhile. See Monitor.Override.
func (g *Group) Override(o Override) error {
	g.changing.Lock()
	defer g.changing.Unlock()
	now := time.Now()
	if left := o.Until.Sub(now); left <= 0 || left > MaxOverride {
		return ErrOverrideLength
	}
	if o.At.IsZero() {
		o.At = now
	}
	if !g.publish(now, func(*union) groupNews {
		g.override = &o
		return groupNews{}
	}) {
		return ErrOverrideClosed
	}
	for _, p := range g.roster.Load().list {
		_ = p.monitor.Override(o) // one that ended in this moment has ended
	}
	return nil
}

// EndOverride ends the override of the whole store, and reports whether there was one. by is who says so, for Transition.Ended.
func (g *Group) EndOverride(by string) bool {
	g.changing.Lock()
	defer g.changing.Unlock()
	g.mu.Lock()
	o := g.override
	g.mu.Unlock()
	if o == nil {
		return false
	}
	for _, p := range g.roster.Load().list {
		p.monitor.EndOverride(by)
	}
	now := time.Now()
	ended := *o
	ended.Until, ended.By = now, by
	return g.publish(now, func(*union) groupNews {
		g.override = nil
		return groupNews{ended: &ended}
	})
}

// Overridden returns the override of the whole store that is in force, nil for none. It is only read.
func (g *Group) Overridden() *Override {
	if o := g.at.Load().override; o != nil && time.Now().Before(o.Until) {
		return o
	}
	return nil
}

// lapse has what ended by itself be over. An override ends at the parts first: what one of them has not noticed yet is nothing to
// act on in its place.
func (g *Group) lapse() {
	g.changing.Lock()
	defer g.changing.Unlock()
	now := time.Now()
	g.mu.Lock()
	ended := g.override
	g.mu.Unlock()
	if ended != nil && now.Before(ended.Until) {
		ended = nil
	}
	if ended != nil {
		for _, p := range g.roster.Load().list {
			p.monitor.publish(now, func(*standing) news { return news{} })
		}
	}
	g.publish(now, func(*union) groupNews {
		if ended != nil {
			g.override = nil
		}
		return groupNews{ended: ended}
	})
}

// Report takes a backend's word about the whole store; one about a part is for the Monitor of that. It holds the combination as
// Monitor.Report holds a store, and no part.
func (g *Group) Report(r Report) {
	now := time.Now()
	g.mu.Lock()
	g.reports.take(r, now, g.set.Reports)
	turned := turns(g.at.Load().said, g.reports.ends(now, g.set.Reports))
	g.mu.Unlock()
	if turned {
		g.publish(now, nil)
	}
}

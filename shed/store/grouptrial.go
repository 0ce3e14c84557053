package store

import (
	"time"

	"gatehouse/shed"
)

// groupTrials are under the Group's lock.
type groupTrials struct {
	last   time.Time // when one was handed out
	worked int       // in a row, since the parts were told of one
}

// Trial returns a trial if one is due: for at most two requests a second, while the combination is down for a reason that may lie on
// the probers' own way, or is not believed to be so because of trials. The caller owes it End.
//
// A read that works was served by some part, and need not be one of those that are said to be down. So where they are one of n it
// takes n reads in a row to count as one for them, while one that fails counts at once: chance alone shows nobody well. Of
// which part a request depends is known, that part's Monitor has trials of its own.
func (g *Group) Trial() (Trial, bool) {
	now := time.Now()
	at := g.at.Load()
	down := at.State == shed.Down && at.override == nil && lying(at.Cause) && now.Sub(at.Since) >= trialBegins
	if !down && !(at.trusted && at.override == nil) {
		return Trial{}, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Sub(g.trials.last) < trialEvery {
		return Trial{}, false
	}
	g.trials.last = now
	return Trial{group: g, begun: now}, true
}

// TrialTime is how long a trial may take: an app whose own store call timed out may do worse than answer late.
func (g *Group) TrialTime() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(2*g.set.Timeout, trialEvery)
}

// tried tells the parts that trials are about how one that began then has ended.
func (g *Group) tried(begun time.Time, worked bool) {
	all := g.roster.Load().list
	var about []*part
	for _, p := range all {
		if at := p.monitor.at.Load(); at.trusted || at.observed == shed.Down && lying(at.observedCause) {
			about = append(about, p)
		}
	}
	g.mu.Lock()
	g.trials.worked++
	counts := !worked || g.trials.worked*len(about) >= len(all)
	if counts {
		g.trials.worked = 0
	}
	g.mu.Unlock()
	if counts {
		for _, p := range about {
			p.monitor.tried(begun, worked)
		}
	}
}

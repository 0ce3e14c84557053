package store

import (
	"cmp"
	"slices"
	"time"
)

// PartStatus is what a person wants to know of one part of a store.
type PartStatus struct {
	Name string
	Status
	Lags    []Lag  // of every other part that makes heartbeats, in the Group's order; nil where it makes none itself
	BeatErr string // why its own heartbeat could not be made, or read, the last time; empty if it could
}

// Lag is how far a part is behind another.
type Lag struct {
	Of   string        // whose heartbeat is meant
	Seen time.Time     // when the latest that has come here was made; zero: never has one, and the two may not copy to each other at all
	Lag  time.Duration // how old that was when it was looked at; zero where Seen is
}

// Parts returns how each part stands, in the Finder's order. The caller owns it.
func (g *Group) Parts() []PartStatus {
	g.mu.Lock()
	beats := g.set.Beat.on()
	g.mu.Unlock()
	parts := g.roster.Load().list
	all := make([]PartStatus, 0, len(parts))
	for _, p := range parts {
		s := PartStatus{Name: p.name, Status: p.monitor.Status()}
		if beats {
			s.Lags, s.BeatErr = p.heart.status(parts)
		}
		all = append(all, s)
	}
	return all
}

// Status returns how the combination stands, as a copy that the caller owns: its own verdict, transitions, override, reports and
// divergence; the sums of what the parts did; the latest failure that any met, with its name; of each resource the least that any
// has left; of each moment the longest latency. CheckBegun is when the oldest check that the verdict rests on began, CheckTook the longest of any
// part's last.
func (g *Group) Status() Status {
	now := time.Now()
	g.mu.Lock()
	at := g.at.Load()
	s := Status{
		Verdict: at.verdict(now), CheckBegun: at.Begun, Override: at.override, Held: at.held, Trial: at.trusted,
		Diverged: at.diverged, Reports: g.reports.list(now), Transitions: append([]Transition(nil), g.recent...),
	}
	g.mu.Unlock()
	for _, p := range g.roster.Load().list {
		s.include(p.name, p.monitor.Status())
	}
	slices.SortStableFunc(s.Headroom, func(a, b Headroom) int { return cmp.Compare(a.Ratio, b.Ratio) })
	return s
}

// include adds what a part tells.
func (s *Status) include(name string, p Status) {
	if p.ErrAt.After(s.ErrAt) {
		s.Err, s.ErrAt = name+": "+p.Err, p.ErrAt
	}
	s.CheckTook = max(s.CheckTook, p.CheckTook)
	s.Checks, s.Probes = s.Checks+p.Checks, s.Probes+p.Probes
	if !p.Expires.IsZero() && (s.Expires.IsZero() || p.Expires.Before(s.Expires)) {
		s.Expires = p.Expires
	}
	for _, h := range p.Headroom {
		i := slices.IndexFunc(s.Headroom, func(had Headroom) bool { return had.Resource == h.Resource })
		switch {
		case i < 0:
			s.Headroom = append(s.Headroom, h)
		default:
			s.Headroom[i].Ratio = min(s.Headroom[i].Ratio, h.Ratio)
			s.Headroom[i].Strains = s.Headroom[i].Strains || h.Strains
		}
	}
	if more := len(p.Latencies) - len(s.Latencies); more > 0 {
		s.Latencies = append(slices.Clone(p.Latencies[:more]), s.Latencies...)
	}
	for i, d := range slices.Backward(p.Latencies) {
		j := len(s.Latencies) - len(p.Latencies) + i // both end now
		s.Latencies[j] = max(s.Latencies[j], d)
	}
}

// Diverged reports whether parts have come too far apart, as Status tells, for those who ask for one part only. It does not
// allocate.
func (g *Group) Diverged() bool { return g.at.Load().diverged != nil }

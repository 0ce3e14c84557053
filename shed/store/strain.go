package store

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/shed"
)

// Resource is something of a store that can run out. Its words are metric labels.
type Resource string

// The resources.
const (
	Memory      Resource = "memory"      // where a full store refuses writes; one that evicts is full as a matter of course
	Clients     Resource = "clients"     // connection slots
	Evictions   Resource = "evictions"   // sessions that are thrown away, against the rate that is tolerated
	Latency     Resource = "latency"     // the worst of the last five probes, against their deadline
	Replication Resource = "replication" // good replicas, where writes depend on them, and their lag
	Persistence Resource = "persistence" // dumps to disk and the append-only file: well, or not
)

// Headroom is how far a resource is from its limit.
type Headroom struct {
	Resource Resource
	Ratio    float64 // 1: all is free, 0: the limit
	Strains  bool    // the store counts as strained for it
}

// causeOf is what a store that runs out of r will fail with.
func causeOf(r Resource) shed.Cause {
	switch r {
	case Memory:
		return shed.CauseFull
	case Clients:
		return shed.CauseTooManyClients
	case Evictions:
		return shed.CauseSessionLoss
	case Replication:
		return shed.CauseNoReplicas
	case Persistence:
		return shed.CausePersistenceError
	default:
		return shed.CauseSlow
	}
}

const (
	stale     = 15 * time.Second // vitals that old say nothing any more
	remembers = 10 * time.Minute // how long the number of good replicas is held against fewer
	lagLimit  = 10 * time.Second // min-replicas-max-lag as servers ship it; what it is set to cannot be seen without CONFIG
	enters    = 2                // vitals in a row beyond a limit
	leaves    = 3                // vitals in a row within it
)

// strain tells from a server's vitals whether it is near a limit. The zero value knows nothing.
type strain struct {
	last   Vitals
	at     time.Time // when last was heard; zero: never
	levels []level

	most   int       // good replicas
	mostAt time.Time // when there last were so many
}

// level is one resource over the latest vitals.
type level struct {
	Headroom
	beyond, within int // in a row
}

// note takes in what was heard with a probe that began then; nil is nothing.
func (t *strain) note(v *Vitals, begun time.Time, s Settings) {
	if v == nil {
		if begun.Sub(t.at) > stale {
			t.levels, t.at = nil, time.Time{}
		}
		return
	}
	first := t.at.IsZero()
	seconds := begun.Sub(t.at).Seconds()
	evicted, rejected, delayed := since(v.Evicted, t.last.Evicted), since(v.Rejected, t.last.Rejected), since(v.Delayed, t.last.Delayed)
	if v.Good >= t.most || begun.Sub(t.mostAt) > remembers {
		t.most, t.mostAt = v.Good, begun
	}
	t.last, t.at = *v, begun

	var now []level
	add := func(r Resource, used, limit float64) {
		now = append(now, t.step(r, 1-used, used >= limit))
	}
	if v.Refuses && v.MemoryMax > 0 {
		add(Memory, float64(v.MemoryUsed)/float64(v.MemoryMax), or(s.Memory, 2))
	}
	if v.ClientsMax > 0 {
		used, limit := float64(v.Clients)/float64(v.ClientsMax), or(s.Clients, 2)
		if !first && rejected > 0 {
			used = max(used, 1)
		}
		add(Clients, used, limit)
	}
	if !first && seconds > 0 && s.Evictions > 0 {
		add(Evictions, float64(evicted)/seconds/s.Evictions, 1)
	}
	if v.Replicated {
		used := float64(v.Lag) / float64(lagLimit)
		if t.most > 0 {
			used = max(used, 1-float64(v.Good)/float64(t.most))
		}
		now = append(now, t.step(Replication, 1-used, v.Good < t.most || v.Lag > lagLimit/2))
	}
	bad := v.SaveFailed || !first && delayed > 0
	used := 0.0
	if bad {
		used = 1
	}
	now = append(now, t.step(Persistence, 1-used, bad))
	t.levels = now
}

// step moves one resource on by one reading.
func (t *strain) step(r Resource, ratio float64, beyond bool) level {
	var l level
	if i := slices.IndexFunc(t.levels, func(l level) bool { return l.Resource == r }); i >= 0 {
		l = t.levels[i]
	}
	l.Resource, l.Ratio = r, min(1, max(0, ratio))
	if beyond {
		l.beyond, l.within = l.beyond+1, 0
	} else {
		l.beyond, l.within = 0, l.within+1
	}
	switch {
	case l.beyond >= enters:
		l.Strains = true
	case l.within >= leaves:
		l.Strains = false
	}
	return l
}

// worst returns the resource with the least headroom among those that strain the store.
func (t *strain) worst() (r Resource, strains bool) {
	least := 2.0
	for _, l := range t.levels {
		if l.Strains && l.Ratio < least {
			r, strains, least = l.Resource, true, l.Ratio
		}
	}
	return r, strains
}

// headroom lists the resources, the one with the least first. The list is the caller's.
func (t *strain) headroom(l *lateness, s Settings) []Headroom {
	var all []Headroom
	for _, level := range t.levels {
		all = append(all, level.Headroom)
	}
	if worst := l.worst(); worst > 0 && s.Timeout > 0 {
		ratio := 1 - float64(worst)/float64(s.Timeout)
		all = append(all, Headroom{Resource: Latency, Ratio: min(1, max(0, ratio)), Strains: l.strains})
	}
	slices.SortStableFunc(all, func(a, b Headroom) int { return cmp.Compare(a.Ratio, b.Ratio) })
	return all
}

// since is how much a counter grew; one that fell belongs to a server that has been started anew.
func since(now, before uint64) uint64 {
	if now < before {
		return 0
	}
	return now - before
}

func or(v, other float64) float64 {
	if v > 0 {
		return v
	}
	return other
}

// lateness tells a strained store from one slow answer.
type lateness struct {
	recent  [5]time.Duration // the last five good probes, in a ring; zero: not that many yet
	late    [5]bool
	next    int
	intime  int // in a row
	strains bool
}

func (l *lateness) note(latency time.Duration, s Settings) {
	late := s.Strained > 0 && latency > s.Strained
	l.recent[l.next], l.late[l.next] = latency, late
	l.next = (l.next + 1) % len(l.recent)
	l.intime++
	if late {
		l.intime = 0
	}
	n := 0
	for _, was := range l.late {
		if was {
			n++
		}
	}
	switch {
	case n >= 3 && late:
		l.strains = true
	case l.intime >= s.rise():
		l.strains = false
	}
}

// worst is the longest of the last five.
func (l *lateness) worst() time.Duration { return slices.Max(l.recent[:]) }

package probe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

const (
	avoidFor  = 10 * time.Second // a slot that a node sends elsewhere, before a canary tries it again
	detourFor = 2 * time.Second  // a node that only a redirection names is probed, before the cluster must have named it, too
)

// shard is some slots and the node that serves them. Everything of it is under the Cluster's lock.
type shard struct {
	name     string
	master   string // by the cluster
	spans    []span // in order
	prober   *shardProber
	nodes    succession
	tag      string // of the canary's key; empty: no slot is left to it
	slot     int    // the tag's
	avoided  []avoided
	detour   string          // what a redirection named in place of master; empty: none did
	until    time.Time       // it counts
	stay     context.Context // ends when another node or another slot is to be probed
	leave    context.CancelFunc
	impaired bool      // by its last evidence
	hastened time.Time // when the cluster was last asked for its sake
	toldOf   time.Time // when an evidence last told of something that is not well
}

// avoided is a slot that is not to be probed for a while.
type avoided struct {
	slot  int
	until time.Time
}

// holds reports whether slot is among the spans.
func holds(spans []span, slot int) bool {
	_, ok := slices.BinarySearchFunc(spans, slot, func(s span, slot int) int {
		switch {
		case s.last < slot:
			return -1
		case s.first > slot:
			return 1
		}
		return 0
	})
	return ok
}

// shared is how many slots both have.
func shared(a, b []span) (n int) {
	for len(a) > 0 && len(b) > 0 {
		if both := min(a[0].last, b[0].last) - max(a[0].first, b[0].first) + 1; both > 0 {
			n += both
		}
		if a[0].last < b[0].last {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return n
}

// tagIn is a tag that falls in a slot of spans which is none of not, and that slot; empty where there is none.
func tagIn(spans []span, not []avoided) (tag string, slot int) {
	free := 0
	for _, s := range spans {
		free += s.last - s.first + 1
	}
	for _, a := range not {
		if holds(spans, a.slot) {
			free--
		}
	}
	for n := 0; free > 0; n++ {
		tag = strconv.Itoa(n)
		slot = Slot(tag)
		if holds(spans, slot) && !slices.ContainsFunc(not, func(a avoided) bool { return a.slot == slot }) {
			return tag, slot
		}
	}
	return "", 0
}

// kin says which of the shards before each of the groups of spans, by master, is: that of the same node if it still has a slot that
// it had; then, for a failover, the one with which it shares most slots. nil: none, it is new.
func kin(before []*shard, groups [][]span) []*shard {
	type pair struct {
		group, n int
		of       *shard
	}
	var pairs []pair
	for g, spans := range groups {
		for _, of := range before {
			if n := shared(spans, of.spans); n > 0 {
				if of.master == spans[0].master {
					n += Slots
				}
				pairs = append(pairs, pair{g, n, of})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(b.n, a.n) })
	all := make([]*shard, len(groups))
	for _, p := range pairs {
		if all[p.group] == nil && !slices.Contains(all, p.of) {
			all[p.group] = p.of
		}
	}
	return all
}

// grouped is the spans of each master, in the order of their first slots.
func grouped(spans []span) (groups [][]span) {
	of := map[string]int{}
	for _, s := range spans {
		i, ok := of[s.master]
		if !ok {
			i = len(groups)
			of[s.master], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], s)
	}
	return groups
}

// nameFor is the name of a new shard: by its lowest slot and, where another has that name, a number.
func nameFor(lowest int, taken func(string) bool) string {
	name := fmt.Sprintf("shard-%d", lowest)
	for n, first := 2, name; taken(name); n++ {
		name = fmt.Sprintf("%s-%d", first, n)
	}
	return name
}

// steady keeps the tag if its slot is still the shard's, or finds another. It reports whether it is another.
func (s *shard) steady(now time.Time) bool {
	s.avoided = slices.DeleteFunc(s.avoided, func(a avoided) bool { return !now.Before(a.until) })
	if s.tag != "" && holds(s.spans, s.slot) && !slices.ContainsFunc(s.avoided, func(a avoided) bool { return a.slot == s.slot }) {
		return false
	}
	was := s.tag
	s.tag, s.slot = tagIn(s.spans, s.avoided)
	return s.tag != was
}

// at is the node that is to be probed.
func (s *shard) at(now time.Time) string {
	if s.detour != "" && now.Before(s.until) {
		return s.detour
	}
	return s.master
}

// turn ends the probes of what was to be probed until now.
func (s *shard) turn(in context.Context) {
	s.leave()
	s.stay, s.leave = context.WithCancel(in)
}

package config

import (
	"slices"
	"time"
)

// reports reads how far the app's own word about the store is taken. Pools must have been read, and known says that no mistake was
// found in them; session is the mapping of session.
func (v value) reports(c *Config, session mapping, known bool) {
	to := &Reports{Quorum: 2, Max: 5 * time.Second}
	before := len(v.r.problems)
	m := v.fields(
		field{name: "pools", read: func(v value) { v.believed(&to.Pools, c.Pools) }},
		field{name: "quorum", read: func(v value) { v.number(&to.Quorum, 1, maxItems) }},
		field{name: "max", read: func(v value) { v.duration(&to.Max, 100*time.Millisecond, time.Minute) }},
	)
	m.need("pools", "names of the pools whose backends are believed")
	if len(v.r.problems) > before || len(to.Pools) == 0 {
		return
	}
	c.Session.Reports = to
	if session.has != nil && len(session.said("store")) == 0 {
		v.fail("a word about the session store, and there is none; session.store, or no reports, is wanted")
		return
	}
	n := mostBackends(c.Pools, to.Pools)
	switch {
	case !known || to.Quorum <= n:
	case anyBound(c.Pools, to.Pools):
		m.at("quorum").fail("a quorum of %d, and no store has more than %d distinct backends in these pools; so many at most, or further pools, are wanted", to.Quorum, n)
	default:
		m.at("quorum").fail("a quorum of %d, and the distinct backends of these pools are %d; so many at most, or further pools, are wanted", to.Quorum, n)
	}
}

// anyBound reports whether one of some pools has a store of its own.
func anyBound(pools []Pool, names []string) bool {
	return slices.ContainsFunc(pools, func(p Pool) bool { return p.Store != "" && slices.Contains(names, p.Name) })
}

// mostBackends is how many distinct backends of some pools can say something of one store: the whole, or a member.
func mostBackends(pools []Pool, names []string) (most int) {
	byStore := map[string][]string{}
	for _, p := range pools {
		if slices.Contains(names, p.Name) {
			byStore[p.Store] = append(byStore[p.Store], p.Name)
		}
	}
	for _, group := range byStore {
		most = max(most, distinctBackends(pools, group))
	}
	return most
}

// believed reads the names of pools. An empty list is none.
func (v value) believed(to *[]string, pools []Pool) {
	for _, item := range v.items("names of pools") {
		s := ""
		if item.poolName(&s, pools); s != "" {
			*to = item.once(*to, s)
		}
	}
}

// distinctBackends counts the servers of some pools: one that is in two of them says what it says once.
func distinctBackends(pools []Pool, names []string) int {
	var seen []Address
	for _, p := range pools {
		if !slices.Contains(names, p.Name) {
			continue
		}
		for _, b := range p.Backends {
			if a := (Address{b.Network, b.Address}); !slices.Contains(seen, a) {
				seen = append(seen, a)
			}
		}
	}
	return len(seen)
}

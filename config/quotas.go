package config

import (
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// quotas reads the quotas, in the order of the file. It returns where each of them stands.
func (v value) quotas(to *[]Quota) (places []mapping) {
	for _, e := range v.named("a mapping of quotas by name, such as per-client: {key: client_ip, rate: 600/m},") {
		q, m := Quota{Name: e.name}, mapping{value: e.value}
		if e.value.readable() {
			m = e.value.quota(&q)
		}
		*to, places = append(*to, q), append(places, m)
	}
	return places
}

// unusedQuotas warns of quotas that count nobody. Routes must have been read; places is where the quotas stand.
func (c *Config) unusedQuotas(places []mapping) {
	for i, q := range c.Quotas {
		if !slices.ContainsFunc(c.Routes, func(r Route) bool { return slices.Contains(r.Quotas, q.Name) }) {
			places[i].warn("no route names this quota, so it counts nobody; quotas: [%s] in a route, or no such quota, is wanted", q.Name)
		}
	}
}

func (v value) quota(to *Quota) mapping {
	m := v.fields(
		field{name: "key", read: func(v value) { v.quotaKey(&to.Key) }},
		field{name: "rate", read: func(v value) { v.rate(&to.Rate) }},
		field{name: "burst", read: func(v value) { v.number(&to.Burst, 1, 1_000_000) }},
		field{name: "dry_run", read: func(v value) { v.flag(&to.DryRun) }},
		field{name: "shared", read: func(v value) { v.flag(&to.Shared) }},
	)
	m.need("key", "one of client_ip, route, cookie:NAME, header:NAME")
	m.need("rate", "a rate such as 600/m")
	if to.Burst == 0 {
		to.Burst = max(1, int(math.Ceil(to.Rate.PerSecond())))
	}
	return m
}

// quotaKey reads what tells callers apart.
func (v value) quotaKey(to *string) {
	const wanted = "one of client_ip, route, cookie:NAME, header:NAME"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	kind, name, named := strings.Cut(s, ":")
	switch {
	case s == "client_ip" || s == "route":
		*to = s
	case named && kind == "cookie":
		if name, ok = v.appCookie(name); ok {
			*to = "cookie:" + name
		}
	case named && kind == "header":
		if name, ok = v.fieldName(name); ok {
			*to = "header:" + name
		}
	default:
		v.fail("%s; %s is wanted", v.shown(), wanted)
	}
}

func defaultQuotaStore() *QuotaStore {
	return &QuotaStore{Timeout: 5 * time.Millisecond, StandIn: 0.50, KeyPrefix: "gatehouse:quota:"}
}

// quotaStore reads where several Gatehouses count together.
func (v value) quotaStore(to *QuotaStore) mapping {
	m := v.fields(
		field{name: "redis", read: func(v value) { v.redis(&to.Redis) }},
		field{name: "timeout", read: func(v value) { v.duration(&to.Timeout, time.Millisecond, time.Second) }},
		field{name: "stand_in", read: func(v value) { v.share(&to.StandIn, 0.01) }},
		field{name: "key_prefix", read: func(v value) { v.keyPrefix(&to.KeyPrefix) }},
		field{name: "sentinel", refusal: "one node is enough, as each Gatehouse counts for itself while it is away: redis is wanted"},
	)
	m.need("redis", "redis: {address: host:port}")
	return m
}

// sharing reports quotas that are shared nowhere, a store where nothing is shared, and one that goes down together with the
// session store: just when everybody comes to sign in again. The mapping is that of the whole file, quotas are where those stand, and store is that of quota_store.
func (m mapping) sharing(c *Config, quotas []mapping, store mapping) {
	if m.has == nil {
		return
	}
	var shared []value
	for i, q := range c.Quotas {
		if q.Shared {
			shared = append(shared, quotas[i].at("shared"))
		}
	}
	there, said := m.has["quota_store"]
	switch {
	case !said:
		for _, v := range shared {
			v.fail("no store to share it in; quota_store, or shared: false, is wanted")
		}
	case len(shared) == 0:
		there.warn("no quota is shared, so nobody asks this store; shared: true in a quota, or no quota_store, is wanted")
	}
	if q := c.QuotaStore; q != nil && c.Session.Store.at(q.Redis.Address) {
		store.at("redis").warn("the session store's own node: what takes the one down takes the other down; an address of its own is wanted")
	}
}

// at reports whether some of the store is at an address, as far as can be told; never of a nil Store.
func (s *Store) at(a Address) bool {
	if s == nil {
		return false
	}
	nodes := []Address{s.Redis.Address}
	if s.Cluster != nil {
		nodes = append(nodes, s.Cluster.Addresses...)
	}
	for _, m := range s.Members {
		nodes = append(nodes, m.Redis.Address)
	}
	return slices.ContainsFunc(nodes, a.sameNode)
}

// sameNode reports whether two addresses to connect to are one server's, as far as can be told from them.
func (a Address) sameNode(b Address) bool {
	if a == b {
		return a.Network != ""
	}
	if a.Network != "tcp" || b.Network != "tcp" {
		return false
	}
	hostA, portA, _ := net.SplitHostPort(a.Address)
	hostB, portB, _ := net.SplitHostPort(b.Address)
	return portA == portB && thisMachine(hostA) && thisMachine(hostB)
}

func thisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

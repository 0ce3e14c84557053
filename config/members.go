package config

import (
	"slices"
	"time"

	"gopkg.in/yaml.v3"
)

// members reads several stores that tell each other, in their order.
func (v value) members(to *Store) {
	items := v.items("members, such as {name: eu, redis: {address: \"10.0.2.1:6379\"}},")
	lines := map[string]int{}
	for _, item := range items {
		one := Member{}
		m := item.fields(
			field{name: "name", read: func(v value) { v.memberName(&one.Name, lines) }},
			field{name: "redis", read: func(v value) { v.redis(&one.Redis) }},
			field{name: "sentinel", read: func(v value) { v.sentinel(&one.Redis, &one.Sentinel) }},
			field{name: "cluster", refusal: "a member is one node, or what Sentinels name: redis or sentinel is wanted"},
		)
		m.need("name", "a name such as eu")
		m.oneOf("redis", "sentinel")
		if len(m.said("redis", "sentinel", "cluster")) == 0 {
			m.need("redis", "redis: {address: host:port}, or sentinel,")
		}
		if i := slices.IndexFunc(to.Members, one.same); i >= 0 {
			key := "redis"
			if one.Sentinel != nil {
				key = "sentinel"
			}
			m.at(key).fail("where members[%d] is, too; members that are apart are wanted", i)
		}
		to.Members = append(to.Members, one)
	}
	if v.node.Kind == yaml.SequenceNode && len(v.node.Content) < 2 {
		v.fail("only %d; at least two members, or redis or sentinel instead of them, are wanted", len(v.node.Content))
	}
	to.Convergence = Convergence{Interval: time.Second, Lag: 5 * time.Second}
}

// same reports whether two members are one, as far as can be told.
func (m Member) same(other Member) bool {
	if m.Sentinel == nil || other.Sentinel == nil {
		return m.Redis.Address.sameNode(other.Redis.Address)
	}
	return m.Sentinel.Master == other.Sentinel.Master && slices.ContainsFunc(m.Sentinel.Addresses, func(a Address) bool {
		return slices.ContainsFunc(other.Sentinel.Addresses, a.sameNode)
	})
}

// memberName reads the name of a member. lines holds the line of each name seen so far.
func (v value) memberName(to *string, lines map[string]int) {
	s, ok := v.text("a name such as eu")
	if !ok {
		return
	}
	v.label(s)
	*to = s
	if s == "store" {
		v.fail("%s is the name of all members together; another name is wanted", v.shown())
		return
	}
	if line, twice := lines[s]; twice {
		v.fail("%s is the name of the member in line %d; another name is wanted", v.shown(), line)
		return
	}
	lines[s] = v.node.Line
}

// require reads how many members must be able. Members must have been read.
func (v value) require(to *Store) {
	switch v.node.Value {
	case "any":
		to.Require = 1
	case "all":
		to.Require = 0
	default:
		v.count(&to.Require, max(1, len(to.Members)), "any, all or a whole number such as 1")
	}
}

// convergence reads how members are watched for telling each other, or off.
func (v value) convergence(to *Store) {
	if v.node.Value == "off" {
		to.Convergence = Convergence{}
		return
	}
	if v.node.Kind == yaml.ScalarNode {
		v.fail("%s; off, or a mapping with keys of interval, lag is wanted", v.shown())
		return
	}
	c := Convergence{Interval: time.Second, Lag: 5 * time.Second}
	v.fields(
		field{name: "interval", read: func(v value) { v.duration(&c.Interval, 100*time.Millisecond, time.Minute) }},
		field{name: "lag", read: func(v value) { v.duration(&c.Lag, 100*time.Millisecond, time.Hour) }},
	)
	if c.Lag < 4*c.Interval { // a heartbeat is one interval old before the next, and one may be late
		v.fail("lag is less than four intervals, so a member would be behind for one heartbeat that is late; at least %s is wanted", short(4*c.Interval))
	}
	to.Convergence = c
}

// alone reports what is said of members where there are none. The mapping is that of the store.
func (m mapping) alone() {
	if m.has == nil || len(m.said("members")) > 0 {
		return
	}
	for _, key := range m.said("require", "convergence") {
		m.at(key).fail("it is about members, and there are none; members, or no %s, is wanted", key)
	}
}

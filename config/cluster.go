package config

import (
	"regexp"
	"slices"
	"strings"
)

// cluster reads where a cluster is, who is asking there, and what is known of its keys.
func (v value) cluster(to *Store) {
	c, node := &Cluster{}, &to.Redis
	to.Cluster = c
	m := v.fields(slices.Concat(
		[]field{
			{name: "addresses", read: func(v value) { v.clusterNodes(&c.Addresses) }},
			{name: "min_shards", read: func(v value) { v.minShards(&c.MinShards) }},
			{name: "key", read: func(v value) { v.keyTemplate(&c.Key) }},
		},
		account(&node.Username, &node.Password),
		[]field{secured(&node.TLS), {name: "db", refusal: "a cluster has one database: no db is wanted"}},
	)...)
	m.need("addresses", "addresses: [host:port, …] of some of its nodes")
	m.onePassword()
}

// clusterNodes reads where some of a cluster's nodes are.
func (v value) clusterNodes(to *[]Address) {
	v.servers(to, "a node", "addresses such as 10.0.0.1:6379")
	if len(*to) == 1 {
		v.warn("a start while this one node is away finds no cluster; several of its nodes are wanted")
	}
}

// minShards reads how many shards must take writes.
func (v value) minShards(to *int) {
	if v.node.Value == "all" {
		*to = 0
		return
	}
	v.count(to, maxItems, "all, or a whole number such as 2,")
}

// count reads a number of things, 1 to most, where words that were not wanted might stand.
func (v value) count(to *int, most int, wanted string) {
	s, ok := v.text(wanted)
	switch {
	case !ok:
	case !regexp.MustCompile(`^-?[0-9]`).MatchString(s):
		v.fail("%s; %s is wanted", v.shown(), wanted)
	default:
		v.number(to, 1, most)
	}
}

// keyTemplate reads the key under which the app keeps a session. Redis has braces of its own in keys, so those of no word that is
// known here stay as they are.
func (v value) keyTemplate(to *string) {
	const wanted = "a key such as sess:{id}, with {id} or {id_base64} once,"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	if strings.Count(s, "{id}")+strings.Count(s, "{id_base64}") != 1 {
		v.fail("%s does not tell where the session's id stands; %s is wanted", v.shown(), wanted)
		return
	}
	v.keyPrefix(to)
}

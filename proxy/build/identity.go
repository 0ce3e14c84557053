package build

import (
	"fmt"
	"strings"

	"gatehouse/config"
)

// storeIdentity is what a store's state goes by: which keys of which servers are meant. Where its passwords are found is no part of
// it, so that they can be moved.
type storeIdentity struct {
	name   string
	prefix string // the prober remembers the canary by its key
	nodes  string // all of them, and as whom
}

func identify(s *config.Store) storeIdentity {
	id := storeIdentity{name: s.Name, prefix: s.Probe.KeyPrefix}
	switch {
	case s.Cluster != nil:
		id.nodes = "cluster " + addresses(s.Cluster.Addresses) + " " + account(s.Redis)
	case len(s.Members) > 0:
		all := make([]string, len(s.Members))
		for i, m := range s.Members {
			all[i] = m.Name + " " + node(m.Redis, m.Sentinel)
		}
		id.nodes = strings.Join(all, "; ")
	default:
		id.nodes = node(s.Redis, s.Sentinel)
	}
	return id
}

// node tells one node from another, or what the Sentinels say it is.
func node(r config.Redis, s *config.Sentinel) string {
	if s == nil {
		return r.Address.Network + " " + r.Address.Address + " " + account(r)
	}
	return "sentinel " + s.Master + "@" + addresses(s.Addresses) + "@" + s.Access.Username + " " + account(r)
}

func account(r config.Redis) string {
	secured := "plain"
	if r.TLS != nil {
		secured = fmt.Sprintf("%+v", *r.TLS)
	}
	return fmt.Sprintf("%q %d %s", r.Username, r.DB, secured)
}

func addresses(all []config.Address) string { return strings.Join(hosts(all), ",") }

func hosts(all []config.Address) []string {
	out := make([]string, len(all))
	for i, a := range all {
		out[i] = a.Address
	}
	return out
}

// where names the store for a person.
func where(c *config.Store) string {
	switch {
	case c.Cluster != nil:
		return "the cluster at " + addresses(c.Cluster.Addresses)
	case len(c.Members) > 0:
		names := make([]string, len(c.Members))
		for i, m := range c.Members {
			names[i] = m.Name
		}
		return "the store of the members " + strings.Join(names, ", ")
	case c.Sentinel != nil:
		return "the store that the Sentinels know as " + c.Sentinel.Master
	}
	return c.Redis.Address.Address
}

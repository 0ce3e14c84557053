package build

import (
	"crypto/rand"
	"encoding/hex"

	"gatehouse/config"
	"gatehouse/shed/store"
	"gatehouse/shed/store/probe"
)

// prober returns what asks one node, or the node that the Sentinels name.
func (s *livingStore) prober(c *config.Store, whose string, r config.Redis, sentinel *config.Sentinel) store.Prober {
	node := s.node(c, whose, r)
	if sentinel == nil {
		return probe.New(node)
	}
	return probe.NewSentinel(probe.SentinelSettings{
		Master: sentinel.Master, Sentinels: hosts(sentinel.Addresses), Username: sentinel.Access.Username,
		Password: s.secrets.of(whose + sentinelsOwn), TLS: (*probe.TLS)(sentinel.Access.TLS), Node: node,
	})
}

func (s *livingStore) node(c *config.Store, whose string, r config.Redis) probe.Settings {
	return probe.Settings{
		Network: r.Address.Network, Address: r.Address.Address, Username: r.Username, Password: s.secrets.of(whose),
		DB: r.DB, Prefix: c.Probe.KeyPrefix, Instance: s.instance, TLS: (*probe.TLS)(r.TLS),
	}
}

// finder returns what finds the parts of a store that has some; nil of one that has none.
func (s *livingStore) finder(c *config.Store) store.Finder {
	switch {
	case c.Cluster != nil:
		return probe.NewCluster(probe.ClusterSettings{Addresses: hosts(c.Cluster.Addresses), Node: s.node(c, "", c.Redis)})
	case len(c.Members) > 0:
		parts := make([]store.Part, len(c.Members))
		for i, m := range c.Members {
			parts[i] = store.Part{Name: m.Name, Prober: s.prober(c, m.Name, m.Redis, m.Sentinel)}
		}
		return store.Fixed(parts...)
	}
	return nil
}

// instance names this process among those that probe the same store.
func instance() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

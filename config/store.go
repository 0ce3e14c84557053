package config

import (
	"net/netip"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

func defaultStore() *Store {
	return &Store{
		Name:     "store",
		Probe:    Probe{Interval: 100 * time.Millisecond, Timeout: 200 * time.Millisecond, Payload: 4 << 10, KeyPrefix: "gatehouse:"},
		Strained: Strained{Latency: 25 * time.Millisecond, Memory: 0.90, Clients: 0.90, Evictions: Rate{100, time.Second}},
		Recovery: Recovery{
			Rise:  3,
			After: 500 * time.Millisecond,
			Hold:  Hold{From: 30 * time.Second, To: 5 * time.Minute},
			Ramp:  Ramp{From: Rate{10, time.Second}, To: Rate{500, time.Second}, Over: 30 * time.Second},
		},
	}
}

// store reads the session store.
func (v value) store(to *Store) {
	m := v.fields(
		field{name: "redis", read: func(v value) { v.redis(&to.Redis) }},
		field{name: "sentinel", read: func(v value) { v.sentinel(&to.Redis, &to.Sentinel) }},
		field{name: "cluster", read: func(v value) { v.cluster(to) }},
		field{name: "members", read: func(v value) { v.members(to) }},
		field{name: "require", read: func(v value) { v.require(to) }},
		field{name: "convergence", read: func(v value) { v.convergence(to) }},
		field{name: "probe", read: func(v value) { v.probe(&to.Probe) }},
		field{name: "strained", read: func(v value) { v.strained(&to.Strained) }},
		field{name: "recovery", read: func(v value) { v.recovery(&to.Recovery) }},
	)
	m.oneOf("redis", "sentinel", "cluster", "members")
	if len(m.said("redis", "sentinel", "cluster", "members")) == 0 {
		m.need("redis", "redis: {address: host:port}, or one of sentinel, cluster and members,")
	}
	m.alone()
	if to.Strained.Latency >= to.Probe.Timeout {
		v.warn("strained.latency is not below probe.timeout, so a slow store is never seen to be strained; less than %s is wanted",
			short(to.Probe.Timeout))
	}
}

// strained reads when a writable store is near a limit.
func (v value) strained(to *Strained) {
	v.fields(
		field{name: "latency", read: func(v value) { v.duration(&to.Latency, 100*time.Microsecond, 10*time.Second) }},
		field{name: "memory", read: func(v value) { v.share(&to.Memory, 0.01) }},
		field{name: "clients", read: func(v value) { v.share(&to.Clients, 0.01) }},
		field{name: "evictions", read: func(v value) { v.rate(&to.Evictions) }},
		field{name: "rate", read: func(v value) { v.rate(&to.Rate) }},
	)
}

// tls reads true, false or how the server and Gatehouse prove who they are. A mapping says that TLS is meant.
func (v value) tls(to **TLS) {
	const wanted = "true, false, or a mapping with keys of ca_file, server_name, cert_file, key_file"
	on := v.node.Kind == yaml.MappingNode
	switch {
	case v.node.Kind == yaml.SequenceNode:
		v.fail("%s; %s is wanted", v.kind(), wanted)
	case !on:
		v.flag(&on)
	case len(v.node.Content) == 0:
		v.fail("an empty mapping; tls: true, for the authorities that the system trusts, is wanted")
	}
	if !on {
		return
	}
	t := &TLS{}
	*to = t
	if v.node.Kind != yaml.MappingNode {
		return
	}
	m := v.fields(
		field{name: "ca_file", read: func(v value) { v.file(&t.CAFile) }},
		field{name: "server_name", read: func(v value) { v.serverName(&t.ServerName) }},
		field{name: "cert_file", read: func(v value) { v.file(&t.CertFile) }},
		field{name: "key_file", read: func(v value) { v.file(&t.KeyFile) }},
	)
	m.certified()
}

// certified complains of half a proof of who Gatehouse is.
func (m mapping) certified() {
	cert, one := m.has["cert_file"]
	key, other := m.has["key_file"]
	switch {
	case one && !other:
		cert.fail("a certificate without its key; key_file is wanted beside it")
	case other && !one:
		key.fail("a key without its certificate; cert_file is wanted beside it")
	}
}

// serverName reads the name or address that a server's certificate must be for.
func (v value) serverName(to *string) {
	const wanted = "a name or an IP address, without a port,"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	name := strings.ToLower(s)
	if ip, err := netip.ParseAddr(name); err != nil && !isHostName(name) || err == nil && ip.Zone() != "" {
		v.fail("%s; %s is wanted", v.shown(), wanted)
		return
	}
	*to = strings.Trim(name, "[]")
}

// environment reads the name of an environment variable. The value may be the secret itself, set in the wrong place.
func (v value) environment(to *string) {
	s, ok := v.text("the name of an environment variable")
	if !ok {
		return
	}
	if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,254}$`).MatchString(s) {
		v.fail("%s cannot be a variable's name; the name of an environment variable is wanted, not what it holds", v.shown())
		return
	}
	*to = s
}

// probe reads how the store is checked.
func (v value) probe(to *Probe) {
	v.fields(
		field{name: "interval", read: func(v value) { v.duration(&to.Interval, 10*time.Millisecond, time.Minute) }},
		field{name: "timeout", read: func(v value) { v.duration(&to.Timeout, time.Millisecond, 10*time.Second) }},
		field{name: "payload", read: func(v value) { v.size(&to.Payload, 64, 1<<20) }},
		field{name: "key_prefix", read: func(v value) { v.keyPrefix(&to.KeyPrefix) }},
	)
}

func (v value) keyPrefix(to *string) {
	s, ok := v.text("the beginning of a key")
	if !ok {
		return
	}
	if len(s) > 200 || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		v.fail("%s; at most 200 bytes without spaces and control characters are wanted", v.shown())
		return
	}
	*to = s
}

// recovery reads how the store is opened again.
func (v value) recovery(to *Recovery) {
	v.fields(
		field{name: "rise", read: func(v value) { v.number(&to.Rise, 1, 1000) }},
		field{name: "after", read: func(v value) { v.duration(&to.After, 0, 10*time.Minute) }},
		field{name: "hold", read: func(v value) { v.hold(&to.Hold) }},
		field{name: "ramp", read: func(v value) { v.ramp(&to.Ramp) }},
	)
}

// hold reads how long a store that keeps failing is held. A from of zero turns it off.
func (v value) hold(to *Hold) {
	m := v.fields(
		field{name: "from", read: func(v value) { v.duration(&to.From, 0, time.Hour) }},
		field{name: "to", read: func(v value) { v.duration(&to.To, 0, time.Hour) }},
	)
	if _, said := m.has["to"]; !said {
		to.To = max(to.To, to.From)
	}
	if to.From > to.To {
		v.fail("from is above to; at least %s is wanted for to", short(to.From))
	}
}

func (v value) ramp(to *Ramp) {
	v.fields(
		field{name: "from", read: func(v value) { v.rate(&to.From) }},
		field{name: "to", read: func(v value) { v.rate(&to.To) }},
		field{name: "over", read: func(v value) { v.duration(&to.Over, 0, time.Hour) }},
	)
	if to.From.PerSecond() > to.To.PerSecond() {
		v.fail("from is above to; a ramp that goes up, from at most %g/s, is wanted", to.To.PerSecond())
	}
}

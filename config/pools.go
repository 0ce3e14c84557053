package config

import (
	"slices"
	"time"
)

// pools reads the pools, in the order of the file. It returns where each of them stands. The session must have been read; its
// mapping and its store are passed.
func (v value) pools(to *[]Pool, session mapping, store *Store) (places []mapping) {
	for _, e := range v.named("a mapping of pools by name, such as app: {backends: [\"http://10.0.0.1:8080\"]},") {
		p, m := defaultPool(e.name), mapping{value: e.value}
		if e.value.readable() {
			m = e.value.pool(&p, session, store)
		}
		*to, places = append(*to, p), append(places, m)
	}
	v.some("pool")
	return places
}

// defaultPool is what a pool with a limit is, unless told otherwise.
func defaultPool(name string) Pool {
	return Pool{
		Name:      name,
		Queue:     Queue{Length: 128, Timeout: 2 * time.Second},
		Shares:    defaultShares(),
		Reserve:   0.10,
		Retries:   Retries{Budget: 0.20},
		Eject:     defaultEject(),
		SlowStart: 10 * time.Second,
	}
}

func (v value) pool(to *Pool, session mapping, store *Store) mapping {
	understood := false // what max_in_flight says
	known := false      // all of the backends
	m := v.fields(slices.Concat(
		[]field{
			{name: "backends", read: func(v value) {
				before := len(v.r.problems)
				v.backends(&to.Backends)
				known = len(v.r.problems) == before
			}},
			{name: "tls", read: func(v value) {
				to.TLS = &TLS{}
				v.poolTLS(to.TLS)
			}},
			{name: "proxy_protocol", read: func(v value) { v.word(&to.ProxyProtocol, "v1", "v2") }},
			{name: "store", read: func(v value) { v.poolStore(&to.Store, session, store) }},
		},
		limitFields(to, &understood),
		[]field{
			{name: "retries", read: func(v value) { v.retries(&to.Retries) }},
			{name: "eject", read: func(v value) { v.eject(&to.Eject) }},
			{name: "slow_start", read: func(v value) { v.duration(&to.SlowStart, 0, time.Hour) }},
			{name: "health", read: func(v value) {
				to.Health = &Health{Interval: 2 * time.Second, Timeout: time.Second}
				v.poolHealth(to.Health)
			}},
		},
	)...)
	m.need("backends", "a list of URLs such as http://10.0.0.1:8080")
	m.limit(to, understood)
	m.reach(to, known)
	return m
}

func (v value) poolHealth(to *Health) {
	v.fields(
		field{name: "path", read: func(v value) { v.local(&to.Path) }},
		field{name: "interval", read: func(v value) { v.duration(&to.Interval, 100*time.Millisecond, time.Hour) }},
		field{name: "timeout", read: func(v value) { v.duration(&to.Timeout, time.Millisecond, time.Minute) }},
	).need("path", "a path such as /healthz")
}

package config

import (
	"regexp"
	"strings"
	"time"
)

// session reads how a session is recognised and kept.
func (v value) session(to *Session) {
	m := v.fields(
		field{name: "cookies", read: func(v value) { v.sessionCookies(&to.Cookies) }},
		field{name: "headers", read: func(v value) { v.sessionHeaders(&to.Headers) }},
		field{name: "store", read: func(v value) {
			to.Store = defaultStore()
			v.store(to.Store)
		}},
	)
	if store, there := m.has["store"]; there && len(to.Cookies)+len(to.Headers) == 0 {
		store.warn("no request is seen to carry a session, so needs: read protects nobody; session.cookies or session.headers is wanted")
	}
}

func defaultStore() *Store {
	return &Store{
		Name:     "store",
		Probe:    Probe{Interval: 100 * time.Millisecond, Timeout: 200 * time.Millisecond, Payload: 4 << 10, KeyPrefix: "gatehouse:"},
		Strained: Strained{Latency: 25 * time.Millisecond},
		Recovery: Recovery{
			Rise:  3,
			After: 500 * time.Millisecond,
			Ramp:  Ramp{From: Rate{10, time.Second}, To: Rate{500, time.Second}, Over: 30 * time.Second},
		},
	}
}

// sessionCookies reads names of cookies; a trailing * stands for any end.
func (v value) sessionCookies(to *[]string) {
	for _, item := range v.items("cookie names") {
		s, ok := item.text("a cookie's name")
		if !ok {
			continue
		}
		if s == "*" {
			item.fail("every cookie would carry a session; a name, or the beginning of one and *, is wanted")
			continue
		}
		if _, ok := item.cookieName(strings.TrimSuffix(s, "*")); ok {
			*to = item.once(*to, s)
		}
	}
}

func (v value) sessionHeaders(to *[]string) {
	for _, item := range v.items("header names") {
		s, ok := item.text("a header's name")
		if !ok {
			continue
		}
		if s, ok = item.fieldName(s); !ok {
			continue
		}
		if s == "Cookie" {
			item.fail("the header of every cookie; names of cookies under session.cookies are wanted")
			continue
		}
		*to = item.once(*to, s)
	}
}

// store reads the session store.
func (v value) store(to *Store) {
	m := v.fields(
		field{name: "redis", read: func(v value) { v.redis(&to.Redis) }},
		field{name: "probe", read: func(v value) { v.probe(&to.Probe) }},
		field{name: "strained", read: func(v value) {
			v.fields(field{name: "latency", read: func(v value) {
				v.duration(&to.Strained.Latency, 100*time.Microsecond, 10*time.Second)
			}})
		}},
		field{name: "recovery", read: func(v value) { v.recovery(&to.Recovery) }},
	)
	m.need("redis", "redis: {address: host:port}")
	if to.Strained.Latency >= to.Probe.Timeout {
		v.warn("strained.latency is not below probe.timeout, so a slow store is never seen to be strained; less than %s is wanted",
			short(to.Probe.Timeout))
	}
}

// redis reads one node.
func (v value) redis(to *Redis) {
	m := v.fields(
		field{name: "address", read: func(v value) { v.dialAddress(&to.Address) }},
		field{name: "username", read: func(v value) {
			if s, ok := v.text("a user's name"); ok {
				to.Username = s
			}
		}},
		field{name: "password_file", read: func(v value) { v.file(&to.Password.File) }},
		field{name: "password_env", read: func(v value) { v.environment(&to.Password.Env) }},
		field{name: "db", read: func(v value) { v.number(&to.DB, 0, 1<<20) }},
		field{name: "password", refusal: "a secret does not belong in this file: password_file or password_env is wanted"},
	)
	m.need("address", "address: host:port")
	file, one := m.has["password_file"]
	env, other := m.has["password_env"]
	if one && other {
		second := env
		if f, e := file.node, env.node; f.Line > e.Line || f.Line == e.Line && f.Column > e.Column {
			second = file
		}
		second.fail("both password_file and password_env; one of them is wanted")
	}
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
		field{name: "ramp", read: func(v value) { v.ramp(&to.Ramp) }},
	)
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

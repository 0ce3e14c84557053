package test

import (
	"fmt"
	"strings"
)

// site is what the file of a site says, as far as tests change it. The zero value of a field leaves the default.
type site struct {
	listen  string // 127.0.0.1 and a free port
	backend string // of both pools
	store   string // the session store's address; empty: there is none, and so no protection
	redis   string // further keys of redis
	probe   string // keys of probe
	ramp    string // of recovery
	keys    string // further keys of store, a line each
	session string // further keys of session, a line each
	routes  string // further routes, a line each, that come before all others
	needs   string // of the last route
}

// text is the file.
func (s site) text() string {
	or := func(text, otherwise string) string {
		if text == "" {
			return otherwise
		}
		return text
	}
	indent := func(lines, by string) string {
		if lines == "" {
			return ""
		}
		return by + strings.ReplaceAll(lines, "\n", by)
	}
	store := ""
	if s.store != "" {
		more := ""
		if s.redis != "" {
			more = ", " + s.redis
		}
		store = fmt.Sprintf(`
  store:
    redis: {address: %q%s}
    probe: {%s}
    recovery: {rise: 3, after: 500ms, ramp: {%s}}%s`, s.store, more, s.probe, or(s.ramp, "from: 10/s, to: 100/s, over: 2s"), indent(s.keys, "\n    "))
	}
	return fmt.Sprintf(`
listen: [{address: %q}]
admin: {address: "127.0.0.1:0"}
session:
  cookies: [sid]%s%s
pools:
  login: {backends: [%q], max_in_flight: 64}
  app: {backends: [%q]}
routes:%s
  - {name: sign-in, match: {path: [/login]}, pool: login, overflow: app, needs: write, restart: /login}
  - {name: assets, match: {path: "/assets/*"}, pool: app, needs: none}
  - {name: notes, match: {path: /notes, method: POST}, pool: app, needs: write, sign_in: false}
  - {name: app, pool: app, needs: %s}
degrade: {rate: {per_client: 1000/s, burst: 1000, per_address: 5000/s}}
`, or(s.listen, "127.0.0.1:0"), indent(s.session, "\n  "), store, s.backend, s.backend, indent(s.routes, "\n  "), or(s.needs, "read"))
}

// configFor is the file of a site before that app; without the protection it has no session store, and so converts nothing.
func configFor(a *app, store *redisServer, protection bool) string {
	s := site{backend: a.URL}
	if protection {
		s.store = store.address()
	}
	return s.text()
}

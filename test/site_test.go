package test

import (
	"fmt"
	"strings"
)

// site is what the file of a site says, as far as tests change it. The zero value of a field leaves the default.
type site struct {
	listen  string // 127.0.0.1 and a free port
	backend string // of both pools; several stand one after the other
	store   string // the session store's address; empty: there is none, and so no protection
	place   string // what is said of where it is instead, such as a cluster, with its name
	redis   string // further keys of redis
	probe   string // keys of probe
	ramp    string // of recovery
	keys    string // further keys of store, a line each
	session string // further keys of session, a line each
	routes  string // further routes, a line each, that come before all others
	needs   string // of the last route
	own     string // backend of the pool login; that of both where empty
	login   string // further keys of the pool login; a limit of 64 where empty
	pool    string // further keys of the pool app
	apart   bool   // sign-ins borrow nowhere
	over    string // the pool that they borrow of; app where empty
	pools   string // further pools, a line each
	signIn  string // further keys of the sign-in route
	degrade string // further keys of degrade
	top     string // further lines at the top
}

// crowd has the file believe which address each visitor says that he comes from.
const crowd = `trusted_proxies: [127.0.0.0/8]`

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
	if s.store != "" || s.place != "" {
		more := ""
		if s.redis != "" {
			more = ", " + s.redis
		}
		place := or(strings.ReplaceAll(s.place, "\n", "\n    "), fmt.Sprintf("redis: {address: %q%s}", s.store, more))
		store = fmt.Sprintf(`
  store:
    %s
    probe: {%s}
    recovery: {rise: 3, after: 500ms, ramp: {%s}}%s`, place, s.probe, or(s.ramp, "from: 10/s, to: 100/s, over: 2s"), indent(s.keys, "\n    "))
	}
	keys := func(text string) string {
		if text == "" {
			return ""
		}
		return ", " + text
	}
	overflow := ", overflow: " + or(s.over, "app")
	if s.apart {
		overflow = ""
	}
	return fmt.Sprintf(`
listen: [{address: %q}]
%s
admin: {address: "127.0.0.1:0"}
session:
  cookies: [sid]%s%s
pools:
  login: {backends: [%s]%s}
  app: {backends: [%s]%s}%s
routes:%s
  - {name: sign-in, match: {path: [/login]}, pool: login%s, needs: write, restart: /login%s}
  - {name: assets, match: {path: "/assets/*"}, pool: app, needs: none}
  - {name: notes, match: {path: /notes, method: POST}, pool: app, needs: write, sign_in: false}
  - {name: app, pool: app, needs: %s}
degrade: {rate: {per_client: 1000/s, burst: 1000, per_address: 5000/s}%s}
`, or(s.listen, "127.0.0.1:0"), s.top, indent(s.session, "\n  "), store, quoted(or(s.own, s.backend)), keys(or(s.login, "max_in_flight: 64")),
		quoted(s.backend), keys(s.pool), indent(s.pools, "\n  "), indent(s.routes, "\n  "), overflow, keys(s.signIn), or(s.needs, "read"), keys(s.degrade))
}

// quoted is a list of words as the file has it.
func quoted(words string) string {
	all := strings.Fields(words)
	for i, w := range all {
		all[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(all, ", ")
}

// configFor is the file of a site before that app; without the protection it has no session store, and so converts nothing.
func configFor(a *app, store *redisServer, protection bool) string {
	s := site{backend: a.URL}
	if protection {
		s.store = store.address()
	}
	return s.text()
}

package config

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// rule is a route and where its parts stand.
type rule struct {
	value
	route    *Route
	index    int
	paths    []value // one for each of route.Match.Path
	complete bool    // its match was read without a mistake
}

// routes reads the routes in their order. The session, whose mapping is passed, pools and quotas must have been read.
func (v value) routes(to *Config, session mapping) {
	items := v.items("routes, such as {name: app, pool: app},")
	to.Routes = make([]Route, len(items)) // at its full length at once: the rules point into it
	var rules []rule
	lines := map[string]int{}
	for i, item := range items {
		u := rule{value: item, route: &to.Routes[i], index: i}
		u.read(to, session, lines)
		rules = append(rules, u)
	}
	v.some("route")
	hidden(rules)
}

// read reads one route. lines holds the line of each name seen so far.
func (u *rule) read(to *Config, session mapping, lines map[string]int) {
	t := u.route
	*t = Route{
		Line:            u.node.Line,
		Needs:           "read",
		Timeout:         30 * time.Second,
		ImpairedTimeout: 3 * time.Second,
		VerdictMaxAge:   250 * time.Millisecond,
		Convert:         []int{500, 502, 503, 504},
		Guard:           to.Session.Guard,
		AmbiguousPaths:  "refuse",
	}
	u.complete = true
	m := u.fields(
		field{name: "name", read: func(v value) { v.routeName(&t.Name, lines) }},
		field{name: "match", read: func(v value) {
			before := len(v.r.problems)
			u.paths = v.match(&t.Match)
			u.complete = len(v.r.problems) == before
		}},
		field{name: "pool", read: func(v value) { v.poolName(&t.Pool, to.Pools) }},
		field{name: "overflow", read: func(v value) { v.poolName(&t.Overflow, to.Pools) }},
		field{name: "needs", read: func(v value) { v.word(&t.Needs, "write", "read", "none") }},
		field{name: "sign_in", read: func(v value) { v.flag(&t.SignIn) }},
		field{name: "sign_out", read: func(v value) { v.flag(&t.SignOut) }},
		field{name: "restart", read: func(v value) { v.local(&t.Restart) }},
		field{name: "quotas", read: func(v value) { v.quotaNames(&t.Quotas, to.Quotas) }},
		field{name: "timeout", read: func(v value) { v.duration(&t.Timeout, time.Millisecond, 24*time.Hour) }},
		field{name: "impaired_timeout", read: func(v value) { v.duration(&t.ImpairedTimeout, time.Millisecond, 24*time.Hour) }},
		field{name: "verdict_max_age", read: func(v value) { v.duration(&t.VerdictMaxAge, 0, time.Minute) }},
		field{name: "wait", read: func(v value) { v.duration(&t.Wait, 0, time.Minute) }},
		field{name: "guard", read: func(v value) { v.flag(&t.Guard) }},
		field{name: "members", read: func(v value) { v.flag(&t.Members) }},
		field{name: "background", read: func(v value) { v.flag(&t.Background) }},
		field{name: "convert", read: func(v value) { v.statuses(&t.Convert) }},
		field{name: "ambiguous_paths", read: func(v value) { v.word(&t.AmbiguousPaths, "refuse", "as_matched", "report") }},
	)
	u.complete = u.complete && m.has != nil
	m.need("name", "a name, for metrics and logs,")
	m.need("pool", "the name of a pool")
	u.agree(m, &to.Session)
	u.classify(m, session)
}

// agree fills the defaults that hang on other keys, and reports keys that contradict each other.
func (u *rule) agree(m mapping, session *Session) {
	t := u.route
	signIn, said := m.has["sign_in"]
	if !said {
		t.SignIn = t.Needs == "write" && !t.SignOut
	}
	switch {
	case t.SignOut && t.SignIn:
		m.at("sign_out").fail("a sign-out that is a sign-in, too; one of sign_out and sign_in is wanted")
	case t.SignOut && len(session.Cookies) == 0:
		m.at("sign_out").warn("no cookie is known to carry a session, so none can be ended here while the app cannot end it; session.cookies is wanted")
	}
	if guard, said := m.has["guard"]; said && t.SignOut && t.Guard {
		guard.fail("a sign-out takes the session away, so nothing guards it; no guard is wanted here")
	}
	t.Guard = t.Guard && !t.SignOut
	if t.Wait > 0 && t.Needs == "none" {
		m.at("wait").fail("a wait for the session store by a route that needs nothing of it; needs: write or read, or no wait, is wanted")
	}
	if t.SignIn && t.Needs == "none" {
		signIn.fail("a sign-in that needs nothing of the session store; needs: write or read, or sign_in: false, is wanted")
	}
	if _, said := m.has["verdict_max_age"]; !said && t.SignIn {
		t.VerdictMaxAge = 0
	}
	if impaired, said := m.has["impaired_timeout"]; said && t.Needs == "none" {
		impaired.fail("a route that needs nothing of the session store has one timeout, whatever the store can do; no impaired_timeout is wanted here")
	} else if !said {
		t.ImpairedTimeout = min(t.ImpairedTimeout, t.Timeout)
	} else if t.ImpairedTimeout > t.Timeout {
		impaired.warn("longer than timeout, so a slow store holds requests longer than a good one; at most %s is wanted", short(t.Timeout))
	}
	if t.Overflow != "" && t.Overflow == t.Pool {
		m.at("overflow").fail("the route's own pool; another pool is wanted")
		t.Overflow = ""
	}
}

// classify reports what cannot be true of those who come here: members are told by answers that only they get, and nobody signs
// in without waiting for it.
func (u *rule) classify(m, session mapping) {
	t := u.route
	if t.Background && t.SignIn {
		m.at("background").fail("a sign-in that nobody waits for; background: false, or sign_in: false, is wanted")
	}
	if !t.Members {
		return
	}
	members, what := m.at("members"), ""
	switch _, said := m.has["sign_in"]; {
	case t.SignIn && !said:
		members.fail("needs: write makes this a sign-in, whose answers prove no session; sign_in: false, or no members, is wanted")
		return
	case t.SignIn:
		what = "a sign-in"
	case t.SignOut:
		what = "a sign-out"
	case t.Needs == "none":
		what = "a route that needs nothing of the session store"
	case session.namesNone():
		members.fail("no cookie or header is known to carry a session, so no answer proves one; session.cookies or session.headers is wanted")
		return
	default:
		return
	}
	members.fail("answers of %s prove no session; members is wanted only where nobody else gets a good answer", what)
}

// routeName reads the name of a route.
func (v value) routeName(to *string, lines map[string]int) {
	s, ok := v.text("a name, for metrics and logs,")
	if !ok {
		return
	}
	v.label(s)
	*to = s
	if line, twice := lines[s]; twice {
		v.fail("%s is the name of the route in line %d; another name is wanted", v.shown(), line)
		return
	}
	lines[s] = v.node.Line
}

// poolName reads the name of a pool that exists. A file without pools has been complained about already.
func (v value) poolName(to *string, pools []Pool) {
	names := make([]string, len(pools))
	for i, p := range pools {
		names[i] = p.Name
	}
	if s, ok := v.text("the name of a pool"); ok && (len(names) == 0 || v.known(s, "pool", names)) {
		*to = s
	}
}

// quotaNames reads the quotas of a route.
func (v value) quotaNames(to *[]string, quotas []Quota) {
	names := make([]string, len(quotas))
	for i, q := range quotas {
		names[i] = q.Name
	}
	for _, item := range v.items("names of quotas") {
		if s, ok := item.text("the name of a quota"); ok && item.known(s, "quota", names) {
			*to = item.once(*to, s)
		}
	}
}

// known reports whether the file defines such a name.
func (v value) known(s, what string, names []string) bool {
	if slices.Contains(names, s) {
		return true
	}
	const most = 12
	list := names
	if len(list) > most {
		list = append(slices.Clone(list[:most]), "and "+strconv.Itoa(len(names)-most)+" more")
	}
	switch near := suggest(s, names); {
	case near != "":
		v.fail("nobody defined a %s %s; did you mean %s? wanted: %s", what, v.shown(), near, strings.Join(list, ", "))
	case len(names) > 0:
		v.fail("nobody defined a %s %s; wanted: %s", what, v.shown(), strings.Join(list, ", "))
	default:
		v.fail("nobody defined a %s %s; a definition under %ss is wanted", what, v.shown(), what)
	}
	return false
}

// statuses reads the statuses that may be the store's failure shining through. An empty list is none.
func (v value) statuses(to *[]int) {
	list := []int{}
	for _, item := range v.items("statuses such as 502") {
		n := 0
		item.number(&n, 400, 599)
		switch {
		case n == 0:
		case slices.Contains(list, n):
			item.fail("%d is in the list already; once is wanted", n)
		default:
			list = append(list, n)
		}
	}
	*to = list
}

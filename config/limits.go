package config

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// limitFields are the keys of a pool by which its limit is said and shared out, max_in_flight first: what the others mean hangs
// on it. It tells whether that was understood.
func limitFields(to *Pool, understood *bool) []field {
	return []field{
		{name: "max_in_flight", read: func(v value) {
			before := len(v.r.problems)
			v.maxInFlight(to)
			*understood = len(v.r.problems) == before
		}},
		{name: "adaptive", read: func(v value) { v.adaptive(to.Adaptive) }},
		{name: "queue", read: func(v value) { v.queue(&to.Queue) }},
		{name: "shares", read: func(v value) { v.shares(&to.Shares) }},
		{name: "reserve", read: func(v value) { v.share(&to.Reserve, 0) }},
	}
}

// limit reports what is of no use without the limit that it belongs to, and takes it out of the pool.
func (m mapping) limit(to *Pool, understood bool) {
	_, said := m.has["max_in_flight"]
	bounds, bounded := m.has["adaptive"]
	limited := to.MaxInFlight > 0 || to.Adaptive != nil
	switch {
	case said && !understood: // and reported: some limit was meant
	case bounded && to.Adaptive == nil:
		bounds.fail("bounds of a limit that does not adapt; max_in_flight: adaptive is wanted beside them")
	case !limited:
		for _, what := range []struct{ key, means string }{
			{"queue", "a queue where nobody waits"}, {"shares", "shares of no limit"}, {"reserve", "a reserve of no limit"},
		} {
			if v, there := m.has[what.key]; there {
				v.fail("%s; max_in_flight above 0, or adaptive, is wanted beside it", what.means)
			}
		}
	}
	if !limited {
		to.Queue, to.Shares, to.Reserve = Queue{}, Shares{}, 0
	}
}

// maxInFlight reads how many requests may be in a pool at once: a number, or a word that leaves it to Gatehouse.
func (v value) maxInFlight(to *Pool) {
	switch s, ok := v.text("a whole number, or adaptive,"); {
	case !ok:
	case s == "adaptive":
		to.Adaptive = defaultAdaptive()
	case regexp.MustCompile(`^-?[0-9]`).MatchString(s):
		v.number(&to.MaxInFlight, 0, 1_000_000)
	default:
		v.fail("%s; a whole number such as 64, 0 for no limit, or adaptive is wanted", v.shown())
	}
}

func defaultAdaptive() *Adaptive { return &Adaptive{Min: 8, Max: 1000} }

// adaptive reads the bounds of a limit. Where only one is said and the other's default is beyond it, the other follows. Bounds
// of no such limit, a nil one, are read all the same: they may hold mistakes.
func (v value) adaptive(to *Adaptive) {
	if to == nil {
		to = defaultAdaptive()
	}
	before := len(v.r.problems)
	m := v.fields(
		field{name: "min", read: func(v value) { v.number(&to.Min, 1, 1_000_000) }},
		field{name: "max", read: func(v value) { v.number(&to.Max, 1, 1_000_000) }},
	)
	if len(v.r.problems) > before || to.Min <= to.Max {
		return
	}
	_, low := m.has["min"]
	_, high := m.has["max"]
	switch {
	case low && high:
		v.fail("min is above max; at most %d is wanted", to.Max)
	case low:
		to.Max = to.Min
	default:
		to.Min = to.Max
	}
}

func (v value) queue(to *Queue) {
	v.fields(
		field{name: "length", read: func(v value) { v.number(&to.Length, 0, 1_000_000) }},
		field{name: "timeout", read: func(v value) { v.duration(&to.Timeout, time.Millisecond, 10*time.Minute) }},
	)
}

func defaultShares() Shares {
	return Shares{Member: 0.40, SignIn: 0.20, Unproved: 0.10, Anonymous: 0.10, Background: 0.05}
}

// shares reads what each class is sure of. A class that is left out has its default, which counts in the sum.
func (v value) shares(to *Shares) {
	before := len(v.r.problems)
	var fields []field
	classes := []struct {
		name string
		to   *float64
	}{{"member", &to.Member}, {"sign_in", &to.SignIn}, {"unproved", &to.Unproved}, {"anonymous", &to.Anonymous}, {"background", &to.Background}}
	for _, c := range classes {
		fields = append(fields, field{name: c.name, read: func(v value) { v.share(c.to, 0) }})
	}
	m := v.fields(fields...)
	sum, out := 0.0, []string{}
	for _, c := range classes {
		sum += *c.to
		if _, said := m.has[c.name]; !said {
			out = append(out, c.name)
		}
	}
	total := strconv.FormatFloat(sum, 'g', 10, 64)
	const rounding = 1e-10 // a tenth of the least that share tells apart
	switch {
	case len(v.r.problems) > before || sum <= 1+rounding:
	case len(out) == 0:
		v.fail("shares of %s in all; at most 1 is wanted", total)
	default:
		v.fail("shares of %s in all, with the defaults of %s; at most 1 is wanted", total, strings.Join(out, ", "))
	}
}

// idleLimits warns of what is said of a pool's limit and does nothing by what the routes say. Routes must have been read; places
// is where the pools stand.
func (c *Config) idleLimits(places []mapping) {
	signIns := slices.ContainsFunc(c.Routes, func(r Route) bool { return r.SignIn })
	members := slices.ContainsFunc(c.Routes, func(r Route) bool { return r.Members })
	for i, p := range c.Pools {
		m := places[i]
		if r := slices.IndexFunc(c.Routes, func(r Route) bool { return r.Overflow == p.Name }); r >= 0 && p.Reserve == 1 {
			m.at("reserve").warn("routes[%d] overflows into this pool, which lends nothing; less than 1, or no overflow there, is wanted", r)
		}
		if share, said := m.at("shares").under("member"); said && p.Shares.Member > 0 && !members {
			if signIns {
				share.warn("no route has members: true, so only who signed in here lately has this share; members: true where only members get a good answer is wanted")
			} else {
				share.warn("no route has members: true, so nobody has this share; members: true where only members get a good answer is wanted")
			}
		}
		m.crumbs(c, p)
	}
}

// crumbs warns where members, or those who sign in, come to a pool and their share of its limit is less than one place: a part of
// the time nothing is kept for them. The mapping is that of the pool.
func (m mapping) crumbs(c *Config, p Pool) {
	limit, at := p.MaxInFlight, m.at("max_in_flight")
	if p.Adaptive != nil {
		limit, at = p.Adaptive.Max, m.at("adaptive")
	}
	comes := func(who func(Route) bool) bool {
		return slices.ContainsFunc(c.Routes, func(r Route) bool { return r.Pool == p.Name && who(r) })
	}
	proves := slices.ContainsFunc(c.Routes, func(r Route) bool { return r.Members || r.SignIn }) && len(c.Session.Cookies)+len(c.Session.Headers) > 0
	var short []string
	least := 0.0
	for _, class := range []struct {
		name  string
		share float64
		comes bool
	}{
		{"member", p.Shares.Member, proves && comes(func(r Route) bool { return !r.Background })},
		{"sign_in", p.Shares.SignIn, comes(func(r Route) bool { return r.SignIn })},
	} {
		_, said := m.at("shares").under(class.name)
		const rounding = 1e-9
		if class.share > 0 && (class.comes || said) && class.share*float64(limit) < 1-rounding {
			short = append(short, class.name)
			least = max(least, math.Ceil(1/class.share-rounding))
		}
	}
	if len(short) > 0 {
		at.warn("the share of %s comes to less than one place of %d; at least %d, or a larger share, is wanted", strings.Join(short, " and of "), limit, int(least))
	}
}

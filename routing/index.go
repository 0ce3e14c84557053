package routing

import "strings"

// index finds the rules that may take a request, in the table's order, without asking the others.
//
// Rules are put into groups by host, and within a group into a tree by path: under what their patterns say, or under what
// all paths that their expressions take begin with. Keys are folded, so that one tree serves readings with and without
// letter case. What the index finds by host is certain; what it finds by path may be a little too much and is asked again,
// as are all other keys. It never asks a rule that stands behind the one that matches.
//
// The zero value is empty. It is filled by add, in the table's order, and then only read.
type index struct {
	hosts  tree[*group]
	any    group // rules that demand no host
	enough int   // how many bytes of a path decide, in any group
}

// group is the rules that demand the same of the host.
type group struct {
	paths tree[entry]
}

// entry is a rule and by which of its ways to take a path it was found; nil both, if it takes every path.
type entry struct {
	at         int // the rule's place in the table
	rule       *rule
	pattern    *pattern
	expression *expression
}

// spread is how many hosts a rule may list to be put into a group for each. With more, its list is a group of its own, which
// it shares with the rules that list the same: else a table's index could be as large as its hosts times its paths.
const spread = 4

// indexOf makes the index of all rules.
func indexOf(rules []*rule) index {
	var x index
	made := map[string]*group{}
	named := func(hosts ...string) *group {
		name := strings.Join(hosts, " ")
		g := made[name]
		if g == nil {
			g = &group{}
			made[name] = g
			for _, h := range hosts {
				putHost(&x.hosts, h, g)
			}
		}
		return g
	}
	for at, r := range rules {
		switch hosts := fewestHosts(r.Hosts); {
		case len(hosts) == 0:
			x.any.add(at, r)
		case len(hosts) > spread:
			named(hosts...).add(at, r)
		default:
			for _, h := range hosts {
				named(h).add(at, r)
			}
		}
	}
	x.enough = x.any.paths.enough()
	for _, g := range made {
		x.enough = max(x.enough, g.paths.enough())
	}
	return x
}

// add puts a rule under everything that it may be found by.
func (g *group) add(at int, r *rule) {
	e := entry{at: at, rule: r}
	switch {
	case len(r.patterns)+len(r.expressions) == 0:
		g.paths.put("", borderNone, everyReading, e)
	case r.byExpression():
		for _, e.expression = range r.expressions {
			for _, o := range e.expression.openings {
				for _, text := range o.texts {
					g.paths.put(text, borderNone, o.readings, e)
				}
			}
		}
	default:
		for _, e.pattern = range r.patterns {
			b := borderFolder
			if e.pattern.deep {
				b = borderSlash
			}
			plain := everyReading
			for _, o := range e.pattern.others {
				plain = plain.without(o.readings)
				g.paths.put(o.folded, b, o.readings, e)
			}
			g.paths.put(e.pattern.folded, b, plain, e)
		}
	}
}

// byExpression reports whether the rule's expressions tell more about where a path begins than its patterns do.
func (r *rule) byExpression() bool {
	if len(r.expressions) == 0 {
		return false
	}
	known := 0
	for _, p := range r.patterns {
		if !p.deep {
			return false
		}
		known = max(known, len(p.folded)+1)
	}
	for _, e := range r.expressions {
		for _, o := range e.openings {
			for _, text := range o.texts {
				if len(text) <= known && len(r.patterns) > 0 {
					return false
				}
			}
		}
	}
	return true
}

// groups appends the groups that take the bare host; that of rules which demand none is not among them.
func (x *index) groups(dst []*group, host string) []*group { return appendGroups(dst, &x.hosts, host) }

// first returns the place of the first rule that takes the request, or -1. The groups are those of its host.
func (x *index) first(q *ask, groups []*group) int {
	var letters [256]byte
	path := appendFolded(letters[:0], q.path, x.enough)
	var seats [12][]entry
	line := x.any.queue(seats[:0], path, q.how)
	for _, g := range groups {
		line = g.queue(line, path, q.how)
	}
	for len(line) > 0 {
		run := line.run()
		for i := range run {
			if run[i].takes(q) {
				return run[i].at
			}
		}
		line = line.skip(len(run))
	}
	return -1
}

// queue adds what the group has for a folded path that was read like that.
func (g *group) queue(line queue, path []byte, how Reading) queue {
	for w := g.paths.walk(path); w.at != nil; w.descend() {
		for i := range w.at.lists {
			if l := &w.at.lists[i]; l.border.allows(w.rest) && l.readings.has(how) {
				line = line.join(l.values)
			}
		}
	}
	return line
}

// takes asks the rule everything that being found does not answer.
func (e *entry) takes(q *ask) bool {
	r := e.rule
	switch {
	case e.pattern != nil && !e.pattern.matches(q.path, q.how):
		return false
	case len(r.Methods) > 0 && !r.hasMethod(q.Method):
		return false
	case e.expression != nil:
		if len(r.patterns) > 0 && !r.hasPath(q.path, q.how) || !e.expression.matches(q.path, q.how) {
			return false
		}
	case len(r.expressions) > 0 && !r.hasExpression(q.path, q.how):
		return false
	}
	return r.refusesPairs(q) == keyNone
}

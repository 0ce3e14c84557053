package routing

import (
	"fmt"
	"strings"
)

// Step is one line of what Explain tells: about a rule, or, where Reading is not nil, about another reading of the path.
type Step struct {
	Index   int    // the rule: the one asked, or the one that the reading takes; -1 where that takes none
	Name    string // of the rule
	Matched bool   // the rule takes the request; for a reading: it takes the same rule as the canonical one
	Key     string // the key that the request does not meet; "" where Matched, and for a rule that was not asked
	Why     string // in plain words; what it quotes of the request is escaped and cut, and never a field's value

	Reading *Reading // nil: the step is about a rule
	Path    string   // the path as that reading has it
}

// Explain tells for every rule in order whether it takes the request, or which key it fails by, and then what each other
// reading of the path takes. Readings of the same text are told once. It is for people, not for the request path.
func (t *Table[T]) Explain(r *Request) []Step {
	var steps []Step
	mine, a := -1, newAsk(r)
	for i, rule := range t.rules {
		s := Step{Index: i, Name: rule.Name}
		switch {
		case mine >= 0:
			s.Why = fmt.Sprintf("not asked: %q comes first and takes the request", t.rules[mine].Name)
		default:
			k := rule.refuses(&a)
			s.Key, s.Why, s.Matched = string(k), rule.why(k, r), k == keyNone
			if s.Matched {
				mine = i
			}
		}
		steps = append(steps, s)
	}
	if r.RawPath == "" || r.RawPath == "*" {
		return steps
	}
	return append(steps, t.explainReadings(a, mine)...)
}

func (t *Table[T]) explainReadings(r ask, mine int) []Step {
	if err := check(r.RawPath); err != nil {
		how := ReadingsNone
		return []Step{{Index: -1, Reading: &how, Path: r.RawPath, Why: err.Error()}}
	}
	var steps []Step
	groups := t.index.groups(nil, r.bare)
	first := func(path string, how Reading) int { a := r.as(path, how); return t.index.first(&a, groups) }
	tell := func(path string, how Reading) {
		i := first(path, how)
		s := Step{Index: i, Matched: i == mine, Reading: &how, Path: path}
		where := "takes no route"
		if i >= 0 {
			s.Name = t.rules[i].Name
			where = fmt.Sprintf("takes %q", s.Name)
		}
		if i == mine {
			where += ", as the canonical reading does"
		}
		s.Why = fmt.Sprintf("%s (%v): %s", quoted(path), how, where)
		steps = append(steps, s)
	}
	told := map[string]bool{r.Path: true}
	tellOnce := func(path string, how Reading) {
		if !told[path] {
			told[path] = true
			tell(path, how)
		}
		if folded := how | CaseIgnored; first(path, folded) != first(path, how) {
			if key := "case ignored:" + path; !told[key] {
				told[key] = true
				tell(path, folded)
			}
		}
	}
	tellOnce(r.Path, 0)
	if !shapeOf(r.RawPath).crooked {
		return steps
	}
	var s survey
	s.explore(r.RawPath)
	for _, v := range s.all {
		tellOnce(string(s.buf[v.from:v.to]), v.how)
	}
	if s.full {
		how := ReadingsTooMany
		steps = append(steps, Step{Index: -1, Reading: &how, Path: r.RawPath, Why: how.String()})
	}
	return steps
}

// why says in plain words what the rule wants by that key and what came.
func (r *rule) why(k key, q *Request) string {
	switch k {
	case keyNone:
		if r.looks() {
			return "the path " + quoted(q.Path) + " and every other key match"
		}
		if r.demandsNothing() {
			return "it demands nothing and takes every request"
		}
		return "it takes every path, and every other key matches"
	case keyHost:
		return fmt.Sprintf("the host is %s, wanted %s", quoted(q.Host), choice(r.Hosts))
	case keyMethod:
		return fmt.Sprintf("the method is %s, wanted %s", quoted(q.Method), choice(r.Methods))
	case keyPath:
		return fmt.Sprintf("the path is read as %s, wanted %s", quoted(q.Path), choice(r.Paths))
	case keyRegexp:
		return fmt.Sprintf("the path is read as %s, wanted one that matches %s from end to end", quoted(q.Path), choice(r.PathRegexps))
	case keyHeader:
		return missing("field", r.Headers, func(p *Pair) bool { return p.inHeader(q.Fields) })
	case keyCookie:
		return missing("cookie", r.Cookies, func(p *Pair) bool { return p.inCookies(q.Fields) })
	case keyQuery:
		return missing("query parameter", r.Queries, func(p *Pair) bool { return p.inQuery(q.Query) })
	}
	return ""
}

func (r *rule) demandsNothing() bool {
	return len(r.Hosts)+len(r.patterns)+len(r.Methods)+len(r.expressions)+len(r.Headers)+len(r.Cookies)+len(r.Queries) == 0
}

// missing tells of the first pair that is not met. What did come is not told: it may be a secret.
func missing(what string, pairs []Pair, met func(*Pair) bool) string {
	for i := range pairs {
		p := pairs[i]
		if met(&p) {
			continue
		}
		p.Values = nil
		if met(&p) {
			return fmt.Sprintf("the %s %s has another value, wanted %s", what, p.Name, choice(pairs[i].Values))
		}
		return fmt.Sprintf("there is no %s %s", what, strings.Join(p.names(), " or "))
	}
	return ""
}

func choice(values []string) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = quoted(v)
	}
	return strings.Join(words, " or ")
}

// quoted escapes what a stranger sent and cuts it to a line's length.
func quoted(s string) string {
	const most = 120
	if len(s) > most {
		return fmt.Sprintf("%+q…", s[:most])
	}
	return fmt.Sprintf("%+q", s)
}

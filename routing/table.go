package routing

import (
	"errors"
	"fmt"
)

// Table holds rules in order, each with the value that its route stands for. It is built once by New and then only read,
// so it is safe for concurrent use. The zero value has no rules and matches nothing.
type Table[T any] struct {
	rules  []*rule
	values []T
	index  index
	looks  bool // some rule looks at the path: readings matter
	cased  bool // ignoring case may matter to a path without capitals
}

// Match is what Table.Match found.
type Match[T any] struct {
	Found     bool
	Index     int // of the rule; -1 where none matches
	Value     T   // the rule's
	Ambiguous bool
	Other     int     // index of the rule that another reading takes, -1 where that takes none; only where Ambiguous
	Reading   Reading // the reading that disagrees; only where Ambiguous
	Policy    Policy  // the matched rule's
}

// New makes a table; values[i] belongs to rules[i]. It keeps neither slice, but what they refer to must not be changed. The
// error joins one *RuleError for each mistake.
func New[T any](rules []Rule, values []T) (*Table[T], error) {
	if len(rules) != len(values) {
		return nil, fmt.Errorf("routing: %d rules with %d values", len(rules), len(values))
	}
	t := &Table[T]{values: append([]T(nil), values...)}
	var mistakes []error
	for i := range rules {
		r, wrong := newRule(i, rules[i])
		mistakes = append(mistakes, wrong...)
		t.rules = append(t.rules, r)
		t.looks = t.looks || r.looks()
		t.cased = t.cased || r.cased()
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	t.index = indexOf(t.rules)
	return t, nil
}

// Match returns the first rule that matches, and whether another plausible reading of the path takes another. The caller
// owes r.Path, the canonical reading of r.RawPath. Where RawPath has none the match is ambiguous for ReadingsNone; an empty
// one and "*" (the target of OPTIONS) have no other readings.
//
// A path of letters, digits and plain punctuation costs no allocation, any other of ordinary length two; a few more where a
// dozen rules lie within each other, or where rules have paths or hosts of hundreds of bytes.
func (t *Table[T]) Match(r *Request) Match[T] {
	var seats [4]*group
	a := newAsk(r)
	groups := t.index.groups(seats[:0], a.bare)
	i := t.index.first(&a, groups)
	if i < 0 {
		return Match[T]{Index: -1, Other: -1}
	}
	m := Match[T]{Found: true, Index: i, Value: t.values[i], Other: -1, Policy: t.rules[i].Ambiguous}
	if t.looks && r.RawPath != "" && r.RawPath != "*" {
		m.Other, m.Reading, m.Ambiguous = t.dissent(a, groups, i)
	}
	return m
}

// dissent looks for a reading that takes another rule than the given one, the plainest first.
func (t *Table[T]) dissent(a ask, groups []*group, mine int) (other int, how Reading, found bool) {
	first := func(path string, how Reading) int {
		b := a.as(path, how)
		return t.index.first(&b, groups)
	}
	shape := shapeOf(a.RawPath)
	if shape.cased || t.cased {
		if i := first(a.Path, CaseIgnored); i != mine {
			return i, CaseIgnored, true
		}
	}
	if !shape.crooked {
		return -1, 0, false
	}
	if check(a.RawPath) != nil {
		return -1, ReadingsNone, true
	}
	var s survey
	s.explore(a.RawPath)
	text := string(s.buf)
	for _, v := range s.all {
		if i := first(text[v.from:v.to], v.how); i != mine {
			return i, v.how, true
		}
	}
	for _, v := range s.all {
		path := text[v.from:v.to]
		if t.cased || shapeOf(path).cased {
			if i := first(path, v.how|CaseIgnored); i != mine {
				return i, v.how | CaseIgnored, true
			}
		}
	}
	if s.full {
		return -1, ReadingsTooMany, true
	}
	return -1, 0, false
}

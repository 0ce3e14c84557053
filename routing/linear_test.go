package routing

import "strings"

// linear asks every rule in turn, straight from what the operator wrote: what the index is held against. It shares with the
// package how readings are made and how names with values are compared, and nothing of how a rule is found.
type linear []linearRule

type linearRule struct {
	*rule
	forms map[Reading][]form // of each path, as they are first asked for
}

func (r *linearRule) formsOf(how Reading) []form {
	forms, ok := r.forms[how]
	if !ok {
		for _, source := range r.Paths {
			text := strings.TrimSuffix(source, "/*")
			if how&decodings != decodings {
				text = string(how.append(nil, text))
			}
			forms = append(forms, newForm(text))
		}
		r.forms[how] = forms
	}
	return forms
}

func newLinear[T any](t *Table[T]) linear {
	var l linear
	for _, r := range t.rules {
		l = append(l, linearRule{r, map[Reading][]form{}})
	}
	return l
}

func (r *linearRule) hasPath(path string, how Reading) bool {
	for i, f := range r.formsOf(how &^ CaseIgnored) {
		rest, ok := strings.CutPrefix(path, f.text)
		if how&CaseIgnored != 0 {
			n, folded := foldPrefix(path, f.folded)
			rest, ok = path[n:], folded
		}
		deep := strings.HasSuffix(r.Paths[i], "/*")
		if ok && (rest == "" || rest == "/" || deep && rest[0] == '/') {
			return true
		}
	}
	return false
}

func (r *linearRule) hasExpression(path string, how Reading) bool {
	i := 0
	switch {
	case how&DecodedOnce != 0:
		i = 1
	case how&DecodedTwice != 0:
		i = 2
	}
	if how&CaseIgnored != 0 {
		i += 3
	}
	for _, e := range r.expressions {
		if e.forms[i].MatchString(path) {
			return true
		}
	}
	return false
}

func (l linear) first(a ask) int {
	for i := range l {
		r := &l[i]
		switch {
		case len(r.Hosts) > 0 && !r.hasHost(a.bare),
			len(r.Paths) > 0 && !r.hasPath(a.path, a.how),
			len(r.PathRegexps) > 0 && !r.hasExpression(a.path, a.how),
			len(r.Methods) > 0 && !r.hasMethod(a.Method),
			r.refusesPairs(&a) != keyNone:
			continue
		}
		return i
	}
	return -1
}

// match is Table.Match as it was before there was an index, but for the values.
func (l linear) match(r *Request) Match[string] {
	a := newAsk(r)
	i := l.first(a)
	if i < 0 {
		return Match[string]{Index: -1, Other: -1}
	}
	m := Match[string]{Found: true, Index: i, Value: l[i].Name, Other: -1, Policy: l[i].Ambiguous}
	looks, cased := false, false
	for _, r := range l {
		looks, cased = looks || r.looks(), cased || r.cased()
	}
	if looks && r.RawPath != "" && r.RawPath != "*" {
		m.Other, m.Reading, m.Ambiguous = l.dissent(a, i, cased)
	}
	return m
}

func (l linear) dissent(a ask, mine int, cased bool) (other int, how Reading, found bool) {
	shape := shapeOf(a.RawPath)
	if shape.cased || cased {
		if i := l.first(a.as(a.Path, CaseIgnored)); i != mine {
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
	for _, v := range s.all {
		if i := l.first(a.as(string(s.buf[v.from:v.to]), v.how)); i != mine {
			return i, v.how, true
		}
	}
	for _, v := range s.all {
		path := string(s.buf[v.from:v.to])
		if cased || shapeOf(path).cased {
			if i := l.first(a.as(path, v.how|CaseIgnored)); i != mine {
				return i, v.how | CaseIgnored, true
			}
		}
	}
	if s.full {
		return -1, ReadingsTooMany, true
	}
	return -1, 0, false
}

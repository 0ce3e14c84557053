package routing

import (
	"errors"
	"fmt"
	"strings"
)

// Policy says what becomes of an ambiguous request.
type Policy uint8

const (
	Refuse    Policy = iota // 400, and a log line that names both routes
	AsMatched               // it takes the route of the canonical reading
	Report                  // the same, and it is logged
)

// String returns the operator's word: refuse, as_matched or report.
func (p Policy) String() string {
	switch p {
	case Refuse:
		return "refuse"
	case AsMatched:
		return "as_matched"
	case Report:
		return "report"
	}
	return fmt.Sprintf("Policy(%d)", uint8(p))
}

// Rule is what a route demands of a request: all of its keys, of each key's list any. An empty list demands nothing; of
// Headers, Cookies and Queries every Pair is a key of its own, and its names are a list.
type Rule struct {
	Name        string
	Hosts       []string // "example.com", or "*.example.com" for names with one or more labels in front; without port
	Paths       []string // "/login" is that and "/login/"; "/oauth/*" is "/oauth" and everything below
	PathRegexps []string // RE2, for the whole canonical path, its final slash included
	Methods     []string // compared with case
	Headers     []Pair
	Cookies     []Pair
	Queries     []Pair
	Ambiguous   Policy
}

// RuleError is one mistake in a rule.
type RuleError struct {
	Index int    // of the rule
	Name  string // of the rule
	Key   string // the operator's word: host, path, path_regexp, method, header, cookie, query
	Value string // the entry
	Err   error  // what is wrong, and what is wanted
}

func (e *RuleError) Error() string {
	return fmt.Sprintf("route %q: %s: %q: %v", e.Name, e.Key, e.Value, e.Err)
}

func (e *RuleError) Unwrap() error { return e.Err }

// key names what a rule looks at, by the operator's word.
type key string

const (
	keyNone   key = "" // nothing: the rule matches
	keyHost   key = "host"
	keyMethod key = "method"
	keyPath   key = "path"
	keyRegexp key = "path_regexp"
	keyHeader key = "header"
	keyCookie key = "cookie"
	keyQuery  key = "query"
)

// rule is a Rule made ready.
type rule struct {
	Rule
	patterns    []*pattern
	expressions []*expression
}

// newRule returns every mistake there is.
func newRule(index int, from Rule) (*rule, []error) {
	var mistakes []error
	wrong := func(k key, value string, err error) {
		mistakes = append(mistakes, &RuleError{index, from.Name, string(k), value, err})
	}
	r := &rule{Rule: from}
	r.Hosts = nil
	for _, h := range from.Hosts {
		host, err := readHost(h)
		if err != nil {
			wrong(keyHost, h, err)
		}
		r.Hosts = append(r.Hosts, host)
	}
	for _, text := range from.Paths {
		p, err := newPattern(text)
		if err != nil {
			wrong(keyPath, text, err)
			continue
		}
		r.patterns = append(r.patterns, p)
	}
	for _, text := range from.PathRegexps {
		e, err := newExpression(text)
		if err != nil {
			wrong(keyRegexp, text, err)
			continue
		}
		r.expressions = append(r.expressions, e)
	}
	for _, m := range from.Methods {
		if !isName(m) {
			wrong(keyMethod, m, errors.New("no method has such a name; want one like GET"))
		}
	}
	r.Headers = nil
	for _, p := range from.Headers {
		names := p.names()
		for i, name := range names {
			names[i] = canonicalName(name)
			switch {
			case !isName(name):
				wrong(keyHeader, names[i], errors.New("no field has such a name"))
			case names[i] == "Host":
				wrong(keyHeader, names[i], errors.New("it is not looked at here; want the key host"))
			}
		}
		r.Headers = append(r.Headers, Pair{Name: names[0], Values: p.Values, Or: names[1:]})
	}
	for _, p := range from.Cookies {
		for _, name := range p.names() {
			if !isName(name) {
				wrong(keyCookie, name, errors.New("no cookie has such a name"))
			}
		}
	}
	for _, p := range from.Queries {
		for _, name := range p.names() {
			if name == "" {
				wrong(keyQuery, name, errors.New("the name is missing"))
			}
		}
	}
	if from.Ambiguous > Report {
		wrong("ambiguous_paths", from.Ambiguous.String(), errors.New("want refuse, as_matched or report"))
	}
	return r, mistakes
}

// ask is one question to every rule: a request, its path read in one way.
type ask struct {
	*Request
	bare string // the host without what spellings of it differ in
	path string
	how  Reading
}

// newAsk asks with the canonical path.
func newAsk(r *Request) ask {
	return ask{Request: r, bare: unbracketed(strings.TrimSuffix(r.Host, ".")), path: r.Path}
}

// as returns the question for another reading.
func (a ask) as(path string, how Reading) ask {
	a.path, a.how = path, how
	return a
}

// refuses returns the first key that is not met; keyNone if the rule matches.
func (r *rule) refuses(q *ask) key {
	switch {
	case len(r.Hosts) > 0 && !r.hasHost(q.bare):
		return keyHost
	case len(r.patterns) > 0 && !r.hasPath(q.path, q.how):
		return keyPath
	case len(r.Methods) > 0 && !r.hasMethod(q.Method):
		return keyMethod
	case len(r.expressions) > 0 && !r.hasExpression(q.path, q.how):
		return keyRegexp
	}
	return r.refusesPairs(q)
}

// refusesPairs is refuses for the keys that are names with values.
func (r *rule) refusesPairs(q *ask) key {
	for i := range r.Headers {
		if !r.Headers[i].inHeader(q.Fields) {
			return keyHeader
		}
	}
	for i := range r.Cookies {
		if !r.Cookies[i].inCookies(q.Fields) {
			return keyCookie
		}
	}
	for i := range r.Queries {
		if !r.Queries[i].inQuery(q.Query) {
			return keyQuery
		}
	}
	return keyNone
}

func (r *rule) hasPath(path string, how Reading) bool {
	for _, p := range r.patterns {
		if p.matches(path, how) {
			return true
		}
	}
	return false
}

func (r *rule) hasExpression(path string, how Reading) bool {
	for _, e := range r.expressions {
		if e.matches(path, how) {
			return true
		}
	}
	return false
}

func (r *rule) hasMethod(method string) bool {
	for _, m := range r.Methods {
		if m == method {
			return true
		}
	}
	return false
}

// looks reports whether the rule looks at the path at all; one that lists "/*" does not (but see Request.Path).
func (r *rule) looks() bool {
	for _, p := range r.patterns {
		if p.all() {
			return len(r.expressions) > 0
		}
	}
	return len(r.patterns)+len(r.expressions) > 0
}

// cased reports whether ignoring case may make a difference to a path without capitals.
func (r *rule) cased() bool {
	for _, p := range r.patterns {
		if p.cased() {
			return true
		}
	}
	for _, e := range r.expressions {
		if e.cased {
			return true
		}
	}
	return false
}

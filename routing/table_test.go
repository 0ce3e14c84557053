package routing

import (
	"errors"
	"strings"
	"testing"
)

// fields is a header for tests.
type fields [][2]string

func (f fields) Field(name string, i int) (string, bool) {
	for _, line := range f {
		if line[0] == name {
			if i == 0 {
				return line[1], true
			}
			i--
		}
	}
	return "", false
}

func get(t testing.TB, raw string) *Request {
	t.Helper()
	path, err := Canonical(raw)
	if err != nil {
		t.Fatalf("Canonical(%q): %v", raw, err)
	}
	return &Request{Method: "GET", Host: "example.com", RawPath: raw, Path: path}
}

func TestMatchPaths(t *testing.T) {
	for _, c := range []struct {
		pattern    string
		yes, other []string
	}{
		{"/", []string{"/"}, []string{"/x"}},
		{"/login", []string{"/login", "/login/"}, []string{"/loginx", "/login/x", "/", "/logi"}},
		{"/login/", []string{"/login", "/login/"}, []string{"/login/x"}},
		{"/oauth/*", []string{"/oauth", "/oauth/", "/oauth/x", "/oauth/x/y", "/oauth/a%2Fb"}, []string{"/oauthx", "/"}},
		{"/*", []string{"/", "/x", "/x//y"}, nil},
		{"/café", []string{"/caf%C3%A9", "/café"}, []string{"/cafe"}},
		{"/a b/*", []string{"/a%20b", "/a%20b/c"}, []string{"/a+b"}},
		{"/@me", []string{"/@me", "/%40me"}, nil},
		{"/a%2Fb", []string{"/a%2Fb", "/a%2fb"}, []string{"/a/b"}},
		{"/100%25", []string{"/100%25"}, nil},
		{"/Mixed", []string{"/Mixed"}, nil},
		{"/v1./x;y", []string{"/v1./x;y"}, []string{"/v1/x"}},
	} {
		tab := table(t, Rule{Name: "it", Paths: []string{c.pattern}}, Rule{Name: "other"})
		for _, raw := range c.yes {
			if m := tab.Match(get(t, raw)); m.Index != 0 || m.Ambiguous || m.Value != "it" || !m.Found {
				t.Errorf("%q on %q: %+v", c.pattern, raw, m)
			}
		}
		for _, raw := range c.other {
			if m := tab.Match(get(t, raw)); m.Index != 1 || m.Ambiguous {
				t.Errorf("%q on %q: %+v", c.pattern, raw, m)
			}
		}
	}
}

func TestMatchExpressions(t *testing.T) {
	tab := table(t,
		Rule{Name: "project", PathRegexps: []string{`/projects/[^/]+%2F[^/]+`}},
		Rule{Name: "user", PathRegexps: []string{`/user/[0-9]+|/u/[a-z]+`}},
		Rule{Name: "both", Paths: []string{"/both/*"}, PathRegexps: []string{".*/end"}},
		Rule{Name: "other"},
	)
	for raw, want := range map[string]string{
		"/projects/a%2fb": "project", "/projects/a%2Fb": "project",
		"/user/12": "user", "/u/ab": "user", "/user/12/x": "other", "/x/user/12": "other",
		"/both/end": "both", "/both/x/end": "both", "/both/x": "other", "/x/end": "other",
	} {
		if m := tab.Match(get(t, raw)); m.Value != want || m.Ambiguous {
			t.Errorf("%q: %+v; want %s", raw, m, want)
		}
	}
}

func TestMatchKeys(t *testing.T) {
	request := func(change func(*Request)) *Request {
		r := &Request{Method: "GET", Host: "example.com", RawPath: "/", Path: "/"}
		change(r)
		return r
	}
	cookie := func(lines ...string) *Request {
		var f fields
		for _, l := range lines {
			f = append(f, [2]string{"Cookie", l})
		}
		return request(func(r *Request) { r.Fields = f })
	}
	query := func(q string) *Request { return request(func(r *Request) { r.Query = q }) }
	host := func(h string) *Request { return request(func(r *Request) { r.Host = h }) }
	header := func(lines ...[2]string) *Request { return request(func(r *Request) { r.Fields = fields(lines) }) }
	sid := Rule{Cookies: []Pair{{Name: "sid"}}}
	beta := Rule{Cookies: []Pair{{Name: "group", Values: []string{"beta", "gamma"}}}}
	api := Rule{Queries: []Pair{{Name: "a b", Values: []string{"x&y", ""}}}}
	wild := Rule{Hosts: []string{"example.org", "*.Example.com"}}
	name := Rule{Headers: []Pair{{Name: "x-group", Values: []string{"a", "b"}}, {Name: "ACCEPT-language"}}}
	for _, c := range []struct {
		name string
		rule Rule
		r    *Request
		want bool
	}{
		{"nothing wanted", Rule{}, &Request{}, true},
		{"host", wild, host("example.org"), true},
		{"host, its root dot", wild, host("example.org."), true},
		{"host, case", wild, host("EXAMPLE.org"), true},
		{"host below", wild, host("a.example.com"), true},
		{"host far below", wild, host("a.b.example.com"), true},
		{"host itself", wild, host("example.com"), false},
		{"host, empty label", wild, host(".example.com"), false},
		{"host, border", wild, host("aexample.com"), false},
		{"host, none", wild, host(""), false},
		{"host, address", Rule{Hosts: []string{"[::1]"}}, host("::1"), true},
		{"host, bracketed address", Rule{Hosts: []string{"::1"}}, host("[::1]"), true},
		{"method", Rule{Methods: []string{"POST", "GET"}}, query(""), true},
		{"method, case", Rule{Methods: []string{"get"}}, query(""), false},
		{"cookie", sid, cookie("sid=1"), true},
		{"cookie, later", sid, cookie("a=b; sid=1"), true},
		{"cookie, second line", sid, cookie("a=b", "sid=1"), true},
		{"cookie, no value", sid, cookie("sid"), true},
		{"cookie, name's end", sid, cookie("xsid=1; sidx=2; SID=3"), false},
		{"cookie, in a value", sid, cookie("a=sid=1"), false},
		{"cookie, none", sid, query(""), false},
		{"cookie value", beta, cookie("a;;group=alpha;group= gamma "), true},
		{"cookie value, quoted", beta, cookie(`group="beta"`), true},
		{"cookie value, half quoted", beta, cookie(`group="beta`), false},
		{"cookie value, other", beta, cookie("group=betas"), false},
		{"cookies past the bound", sid, cookie(strings.Repeat("a=b;", maxPairs) + "sid=1"), false},
		{"query", api, query("z=1&a+b=x%26y"), true},
		{"query, escaped name", api, query("a%20b=x%26y"), true},
		{"query, no value", api, query("a+b"), true},
		{"query, other", api, query("a+b=x&y"), false},
		{"query, name only", Rule{Queries: []Pair{{Name: "q"}}}, query("&&q=anything"), true},
		{"query, broken escape", Rule{Queries: []Pair{{Name: "q", Values: []string{"%zz%4"}}}}, query("q=%zz%4"), true},
		{"query, none", api, query(""), false},
		{"header", name, header([2]string{"X-Group", "c"}, [2]string{"X-Group", "b"}, [2]string{"Accept-Language", ""}), true},
		{"header, one of two", name, header([2]string{"X-Group", "b"}), false},
		{"header, whole value", name, header([2]string{"X-Group", "a, b"}, [2]string{"Accept-Language", ""}), false},
		{"header, none", name, query(""), false},
		{"one of two names", Rule{Cookies: []Pair{{Name: "other", Or: []string{"sid"}}}}, cookie("sid=1"), true},
		{"neither of two names", Rule{Cookies: []Pair{{Name: "other", Or: []string{"third"}}}}, cookie("sid=1"), false},
		{"all of", Rule{Hosts: []string{"example.com"}, Methods: []string{"GET"}, Cookies: sid.Cookies}, cookie("sid=1"), true},
		{"not all of", Rule{Hosts: []string{"example.com"}, Methods: []string{"PUT"}, Cookies: sid.Cookies}, cookie("sid=1"), false},
	} {
		if m := table(t, c.rule).Match(c.r); m.Found != c.want {
			t.Errorf("%s: found %v", c.name, m.Found)
		}
	}
}

func TestMatchOrder(t *testing.T) {
	tab := table(t,
		Rule{Name: "first", Paths: []string{"/a/*"}},
		Rule{Name: "hidden", Paths: []string{"/a/b"}},
		Rule{Name: "second", Paths: []string{"/b"}},
	)
	if m := tab.Match(get(t, "/a/b")); m.Value != "first" {
		t.Errorf("%+v", m)
	}
	if m := tab.Match(get(t, "/c")); m.Found || m.Index != -1 || m.Ambiguous {
		t.Errorf("%+v", m)
	}
	if m := tab.Match(&Request{Method: "OPTIONS", RawPath: "*", Path: "*"}); m.Found {
		t.Errorf("%+v", m)
	}
	var zero Table[int]
	if m := zero.Match(get(t, "/")); m.Found {
		t.Errorf("%+v", m)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		rule Rule
		want string
	}{
		{Rule{Paths: []string{"login"}}, `path: "login": `},
		{Rule{Paths: []string{""}}, `path: "": `},
		{Rule{Paths: []string{"/a*"}}, `want "/name" or "/name/*"`},
		{Rule{Paths: []string{"/*/a"}}, `want "/name" or "/name/*"`},
		{Rule{Paths: []string{"/a//b"}}, `want "/a/b"`},
		{Rule{Paths: []string{"/a/../b/*"}}, `want "/b/*"`},
		{Rule{Paths: []string{"/o%61uth/*"}}, `want "/oauth/*"`},
		{Rule{Paths: []string{"/%2f"}}, `want "/%2F"`},
		{Rule{Paths: []string{"/a?b"}}, "neither query"},
		{Rule{Paths: []string{"/\xff"}}, "UTF-8"},
		{Rule{Paths: []string{"/%00"}}, "control"},
		{Rule{PathRegexps: []string{"a)(b"}}, "path_regexp"},
		{Rule{PathRegexps: []string{""}}, "empty"},
		{Rule{PathRegexps: []string{strings.Repeat("a", maxExpression+1)}}, "at most"},
		{Rule{Hosts: []string{""}}, "host"},
		{Rule{Hosts: []string{"*."}}, "whole labels"},
		{Rule{Hosts: []string{"a.*.b"}}, "want *.example.com"},
		{Rule{Hosts: []string{"example.com:80"}}, "without its port"},
		{Rule{Hosts: []string{"http://example.com"}}, "not a host"},
		{Rule{Methods: []string{"GET POST"}}, "method"},
		{Rule{Headers: []Pair{{Name: "a b"}}}, "header"},
		{Rule{Headers: []Pair{{Name: "host"}}}, "key host"},
		{Rule{Cookies: []Pair{{}}}, "cookie"},
		{Rule{Queries: []Pair{{}}}, "query"},
		{Rule{Ambiguous: 7}, "as_matched"},
	} {
		c.rule.Name = "it"
		_, err := New([]Rule{{}, c.rule}, []int{0, 1})
		var wrong *RuleError
		if !errors.As(err, &wrong) || wrong.Index != 1 || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), `route "it": `) {
			t.Errorf("%+v: %v; want %s", c.rule, err, c.want)
		}
	}
	_, err := New([]Rule{{Paths: []string{"a", "b"}}, {Methods: []string{""}}}, []int{0, 1})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("not every mistake: %v", err)
	}
	if _, err := New([]Rule{{}}, []int(nil)); err == nil {
		t.Error("a rule without value was accepted")
	}
}

// TestNewKeepsNothing: the caller's slices are its own again.
func TestNewKeepsNothing(t *testing.T) {
	rules := []Rule{{Name: "a", Paths: []string{"/a"}}}
	values := []string{"a"}
	tab, err := New(rules, values)
	if err != nil {
		t.Fatal(err)
	}
	rules[0], values[0] = Rule{Name: "b", Methods: []string{"PUT"}}, "b"
	if m := tab.Match(get(t, "/a")); m.Value != "a" {
		t.Errorf("%+v", m)
	}
}

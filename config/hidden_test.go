package config

import (
	"strings"
	"testing"
	"time"
)

func TestCovers(t *testing.T) {
	pair := func(name string, values ...string) []Pair { return []Pair{{Name: name, Values: values}} }
	for _, c := range []struct {
		what string
		a, b Match
		want bool
	}{
		{"nothing demanded", Match{}, Match{Path: []string{"/x"}}, true},
		{"something demanded", Match{Path: []string{"/x"}}, Match{}, false},
		{"the same path", Match{Path: []string{"/x"}}, Match{Path: []string{"/x"}}, true},
		{"one of two paths", Match{Path: []string{"/x"}}, Match{Path: []string{"/x", "/y"}}, false},
		{"a path below", Match{Path: []string{"/x/*"}}, Match{Path: []string{"/x", "/x/y", "/x/y/*"}}, true},
		{"a path beside", Match{Path: []string{"/x/*"}}, Match{Path: []string{"/xy"}}, false},
		{"a path above", Match{Path: []string{"/x/y/*"}}, Match{Path: []string{"/x/*"}}, false},
		{"every path", Match{Path: []string{"/*"}}, Match{PathRegexp: []string{"/a.*"}}, true},
		{"the root alone", Match{Path: []string{"/"}}, Match{Path: []string{"/*"}}, false},
		{"an exact path for what is below", Match{Path: []string{"/x"}}, Match{Path: []string{"/x/*"}}, false},
		{"the same expression", Match{PathRegexp: []string{"/a", "/b"}}, Match{PathRegexp: []string{"/b"}}, true},
		{"another expression", Match{PathRegexp: []string{"/a|/b"}}, Match{PathRegexp: []string{"/b"}}, false},
		{"an expression for both spellings", Match{PathRegexp: []string{"/a/?"}}, Match{Path: []string{"/a"}}, true},
		{"an expression for one spelling", Match{PathRegexp: []string{"/a"}}, Match{Path: []string{"/a"}}, false},
		{"an expression for what is below", Match{PathRegexp: []string{"/a/?"}}, Match{Path: []string{"/a/*"}}, false},
		{"every expression", Match{PathRegexp: []string{"/.*"}}, Match{Path: []string{"/a/*"}}, true},
		{"fewer methods", Match{Method: []string{"GET", "HEAD"}}, Match{Method: []string{"GET"}}, true},
		{"more methods", Match{Method: []string{"GET"}}, Match{Method: []string{"GET", "HEAD"}}, false},
		{"a host below", Match{Host: []string{"*.a.b"}}, Match{Host: []string{"x.y.a.b", "*.x.a.b", "*.a.b"}}, true},
		{"the host itself", Match{Host: []string{"*.a.b"}}, Match{Host: []string{"a.b"}}, false},
		{"another host", Match{Host: []string{"*.a.b"}}, Match{Host: []string{"xa.b"}}, false},
		{"a header that is there", Match{Header: pair("A")}, Match{Header: pair("A", "1")}, true},
		{"a header of one value", Match{Header: pair("A", "1")}, Match{Header: pair("A")}, false},
		{"a header of fewer values", Match{Header: pair("A", "1", "2")}, Match{Header: pair("A", "2")}, true},
		{"another header", Match{Header: pair("A")}, Match{Header: pair("B")}, false},
		{"a cookie demanded", Match{Cookie: pair("a")}, Match{Path: []string{"/x"}}, false},
		{"one name of several", Match{Header: []Pair{{Name: "A", Or: []string{"B"}}}}, Match{Header: pair("B")}, true},
		{"several names of one", Match{Header: pair("A")}, Match{Header: []Pair{{Name: "A", Or: []string{"B"}}}}, false},
		{"a parameter demanded", Match{Query: pair("a")}, Match{Query: pair("a")}, true},
		{"one key of two", Match{Path: []string{"/*"}, Method: []string{"GET"}}, Match{Path: []string{"/x"}}, false},
	} {
		if got := covers(c.a, c.b); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

// TestWrongMatchHidesNothing: a match that was not understood must not be taken for one that demands nothing.
func TestWrongMatchHidesNothing(t *testing.T) {
	list := problems(t, `
listen: [{address: ":8080"}]
pools: {app: {backends: ["http://10.0.0.1:8080"]}}
routes:
  - {name: a, pool: app, match: {path: login}}
  - {name: b, pool: app, match: {path: /login}}
  - {name: c, pool: app, match: {pth: /login}}
  - {name: d, pool: app, match: {path: /other}}
`)
	if len(list) != 2 || strings.Contains(list.Error(), "never") {
		t.Errorf("got %v; want what is wrong with a and c alone", list)
	}
}

// TestManyRoutes bounds the time that comparing every route with every other takes.
func TestManyRoutes(t *testing.T) {
	var b strings.Builder
	b.WriteString("listen: [{address: \":8080\"}]\npools: {app: {backends: [\"http://a:1\"]}}\nroutes:\n")
	for i := range maxItems {
		name := "r" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
		b.WriteString("  - {name: " + name + ", pool: app, match: {host: " + name + ".example.com, path: [/a, /b/*, /c/" + name + "/*]}}\n")
	}
	start := time.Now()
	if c := parsed(t, b.String()); len(c.Routes) != maxItems {
		t.Fatalf("%d routes", len(c.Routes))
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("%v for %d routes", took, maxItems)
	}
}

func TestMatchForms(t *testing.T) {
	c := parsed(t, `
listen: [{address: ":8080"}]
pools: {app: {backends: ["http://a:1"]}, other: {backends: ["http://a:1"]}}
quotas: {q: {key: route, rate: 1/s}}
routes:
  - name: all-keys
    pool: app
    overflow: other
    needs: write
    restart: /login?again=1
    quotas: [q]
    timeout: 1s
    wait: 20s
    convert: []
    ambiguous_paths: report
    match:
      host: [Example.com, "*.Example.com", "[::1]"]
      path: [/login/, "/oauth/*", /]
      path_regexp: "/(login|oauth).*"
      method: [GET, PROPFIND]
      header: {x-a: [1, 010], X-B: "*"}
      cookie: sid
      query: [a, b c]
  - {name: rest, pool: app, needs: none, sign_in: false, verdict_max_age: 1s}
  `)
	want := Match{
		Host: []string{"example.com", "*.example.com", "[::1]"}, Path: []string{"/login", "/oauth/*", "/"},
		PathRegexp: []string{"/(login|oauth).*"}, Method: []string{"GET", "PROPFIND"},
		Header: []Pair{{Name: "X-A", Values: []string{"1", "010"}}, {Name: "X-B"}}, Cookie: []Pair{{Name: "sid"}},
		Query: []Pair{{Name: "a", Or: []string{"b c"}}},
	}
	r := c.Routes[0]
	same(t, "match", r.Match, want)
	r.Match = Match{}
	same(t, "route", r, Route{Name: "all-keys", Line: 6, Pool: "app", Overflow: "other", Needs: "write", SignIn: true, Restart: "/login?again=1",
		Quotas: []string{"q"}, Timeout: time.Second, ImpairedTimeout: time.Second, Wait: 20 * time.Second, Guard: true, Convert: []int{}, AmbiguousPaths: "report"})
	if r := c.Routes[1]; r.SignIn || r.VerdictMaxAge != time.Second || r.Match.Path != nil {
		t.Errorf("got %+v", r)
	}
}

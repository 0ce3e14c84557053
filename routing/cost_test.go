package routing

import (
	"strings"
	"testing"
	"time"
)

// TestMatchAllocations has no expressions: what package regexp allocates is its own affair, and random under the race detector.
func TestMatchAllocations(t *testing.T) {
	tab := table(t,
		Rule{Name: "beta", Hosts: []string{"*.example.com"}, Paths: []string{"/beta/*"}, Cookies: []Pair{{Name: "group", Values: []string{"beta"}}}},
		Rule{Name: "sign-in", Hosts: []string{"www.example.com"}, Paths: []string{"/login"}, Methods: []string{"POST"}},
		Rule{Name: "search", Paths: []string{"/search/*"}, Queries: []Pair{{Name: "q", Values: []string{"a b"}}}, Headers: []Pair{{Name: "Accept"}}},
		Rule{Name: "app"},
	)
	for _, c := range []struct {
		raw, query, want string
		most             float64
	}{
		{"/login", "", "sign-in", 0},
		{"/beta/x", "", "beta", 0},
		{"/search/x", "a=b&q=a+b", "search", 0},
		{"/some/page-1.html", "", "app", 0},
		{"/Some/Page", "", "app", 0},
		{"/some//page", "", "app", 2},
		{"/projects/group%2Fname", "", "app", 2},
		{"/x;y/a%20b/c", "", "app", 2},
	} {
		r := get(t, c.raw)
		r.Method, r.Host, r.Query = "POST", "www.example.com", c.query
		r.Fields = Fields(fields{{"Cookie", "a=b; group=beta"}, {"Accept", "*/*"}})
		var m Match[string]
		if got := testing.AllocsPerRun(200, func() { m = tab.Match(r) }); got > c.most {
			t.Errorf("%q: %v allocations", c.raw, got)
		}
		if m.Value != c.want || m.Ambiguous {
			t.Errorf("%q: %+v", c.raw, m)
		}
	}
	if got := testing.AllocsPerRun(200, func() { _, _ = Canonical("/some/page-1.html") }); got > 0 {
		t.Errorf("Canonical: %v allocations", got)
	}
}

// TestHostilePathsAreCheap: the longest path with as many readings as can be. The bound is what a very slow machine needs;
// without bounds on the survey it would be minutes.
func TestHostilePathsAreCheap(t *testing.T) {
	tab := signIn(t)
	for _, unit := range []string{`/%255c%5c..;%2f%3b%253b/.%20%2520./`, "%25", "/..", "//", ";/", "%252e%252e%252f", `\`, "/A", ". "} {
		raw := "/" + strings.Repeat(unit, (MaxPath-1)/len(unit))
		r := get(t, raw)
		start := time.Now()
		for range 10 {
			tab.Match(r)
		}
		took := time.Since(start) / 10
		t.Logf("%8v a match of %q…", took.Round(time.Microsecond), unit)
		if took > time.Second {
			t.Errorf("%q…: %v", unit, took)
		}
	}
}

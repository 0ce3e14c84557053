package routing

import (
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	tab := table(t,
		Rule{Name: "host", Hosts: []string{"a.example.com", "*.b.example.com"}},
		Rule{Name: "path", Paths: []string{"/login", "/oauth/*"}},
		Rule{Name: "regexp", PathRegexps: []string{"/[0-9]+"}},
		Rule{Name: "method", Methods: []string{"POST"}},
		Rule{Name: "header", Headers: []Pair{{Name: "X-Group", Values: []string{"beta"}}}},
		Rule{Name: "cookie", Cookies: []Pair{{Name: "sid"}, {Name: "group", Values: []string{"beta"}}}},
		Rule{Name: "query", Queries: []Pair{{Name: "v"}}},
		Rule{Name: "app"},
		Rule{Name: "late"},
	)
	r := get(t, "/LOGIN.")
	r.Fields = fields{{"Cookie", "sid=secret; group=private"}}
	steps := tab.Explain(r)
	for i, want := range []struct {
		key, why string
		matched  bool
	}{
		{"host", `the host is "example.com", wanted "a.example.com" or "*.b.example.com"`, false},
		{"path", `the path is read as "/LOGIN.", wanted "/login" or "/oauth/*"`, false},
		{"path_regexp", `the path is read as "/LOGIN.", wanted one that matches "/[0-9]+" from end to end`, false},
		{"method", `the method is "GET", wanted "POST"`, false},
		{"header", "there is no field X-Group", false},
		{"cookie", `the cookie group has another value, wanted "beta"`, false},
		{"query", "there is no query parameter v", false},
		{"", "it demands nothing and takes every request", true},
		{"", `not asked: "app" comes first and takes the request`, false},
	} {
		s := steps[i]
		if s.Index != i || s.Name != tab.rules[i].Name || s.Key != want.key || s.Why != want.why || s.Matched != want.matched || s.Reading != nil {
			t.Errorf("step %d: %+v; want %+v", i, s, want)
		}
	}
	var told []string
	for _, s := range steps[9:] {
		if s.Reading == nil {
			t.Errorf("%+v is not about a reading", s)
			continue
		}
		told = append(told, s.Why)
	}
	all := strings.Join(told, "\n")
	want := `"/LOGIN" (trailing dots and spaces dropped): takes "app", as the canonical reading does
"/LOGIN" (trailing dots and spaces dropped, case ignored): takes "path"`
	if all != want {
		t.Errorf("readings:\n%s\nwant:\n%s", all, want)
	}
	if strings.Contains(all+steps[5].Why, "private") {
		t.Error("a cookie's value is told")
	}
}

func TestExplainWithoutRoute(t *testing.T) {
	tab := table(t, Rule{Name: "sign-in", Paths: []string{"/login"}})
	steps := tab.Explain(get(t, "/x/..%2flogin"))
	if steps[0].Matched || len(steps) < 2 {
		t.Fatalf("%+v", steps)
	}
	var taken bool
	for _, s := range steps[1:] {
		taken = taken || s.Index == 0 && s.Path == "/login" && !s.Matched
	}
	if !taken {
		t.Errorf("no reading takes sign-in: %+v", steps)
	}
	if steps := tab.Explain(get(t, "/login")); len(steps) != 1 || !steps[0].Matched {
		t.Errorf("%+v", steps)
	}
	if steps := tab.Explain(&Request{RawPath: "/\x1b[31m%", Path: "/"}); len(steps) != 2 || *steps[1].Reading != ReadingsNone {
		t.Errorf("%+v", steps)
	}
	long := get(t, "/"+strings.Repeat("é\u2028", 200))
	for _, s := range tab.Explain(long) {
		if strings.ContainsAny(s.Why, "\u2028é\n") || len(s.Why) > 1000 {
			t.Errorf("a stranger's bytes are told as they came: %q", s.Why)
		}
	}
}

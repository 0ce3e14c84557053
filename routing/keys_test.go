package routing

import (
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
)

// TestLiterals: what the index knows of an expression; "" is nothing.
func TestLiterals(t *testing.T) {
	for source, want := range map[string]string{
		"/item-7/[0-9]+":                      "/item-7/",
		"/Item":                               "/item",
		"(?i)/ITEM.*":                         "/item",
		"/(?:a|b)/c.*":                        "/a/c /b/c",
		"/api/(v1|v2)/(x|y).*":                "/api/v1/x /api/v1/y /api/v2/x /api/v2/y",
		"/a(/.*)?":                            "/a",
		"/ab?c":                               "/abc /ac",
		"/a+b":                                "/a",
		"/a{2}b":                              "/a",
		"/a{0,2}b":                            "/",
		"/v[12]/x":                            "/v1/x /v2/x",
		"/v[0-9]/x":                           "/v",
		"^/a$":                                "/a",
		`(?m)^/a\b.*`:                         "/a",
		`/\Qa.b\E.*`:                          "/a.b",
		"(/a|/b)|/abc":                        "/a /b",
		"/(a1|b2|c3|d4|e5|f6|g7|h8|i9).*":     "/",
		"/(a1|b2|c3|d4|e5|f6|g7|h8)(x|y|z).*": "/a1 /b2 /c3 /d4 /e5 /f6 /g7 /h8",
		"/É":                                  "/" + foldString("é"),
		".*":                                  "",
		"/a|":                                 "",
		"[^/]+/a":                             "",
		"(?:)":                                "",
	} {
		re, err := syntax.Parse(source, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(literals(re), " "); got != want {
			t.Errorf("%s begins with %q; want %q", source, got, want)
		}
	}
}

func TestFewestHosts(t *testing.T) {
	for _, c := range []struct{ hosts, want []string }{
		{nil, nil},
		{[]string{"b.com", "a.com", "b.com"}, []string{"a.com", "b.com"}},
		{[]string{"example.com", "*.example.com"}, []string{"*.example.com", "example.com"}},
		{[]string{"a.example.com", "*.a.example.com", "*.example.com"}, []string{"*.example.com"}},
		{[]string{"aexample.com", "*.example.com"}, []string{"*.example.com", "aexample.com"}},
		{[]string{"*.com", "com", "x.y.com", "*.y.com", "x.org"}, []string{"*.com", "com", "x.org"}},
	} {
		if got := fewestHosts(c.hosts); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v; want %v", c.hosts, got, c.want)
		}
	}
}

// TestPathAndExpression: whichever of the two a rule is found by, the other is asked.
func TestPathAndExpression(t *testing.T) {
	tab := table(t,
		Rule{Name: "never", Paths: []string{"/b/*"}, PathRegexps: []string{"/ab/c.*"}},
		Rule{Name: "by expression", Paths: []string{"/ab/*"}, PathRegexps: []string{"/ab/c/(d|e)", "/ab/cc/.*"}},
		Rule{Name: "by path", Paths: []string{"/ab/x"}, PathRegexps: []string{"/ab/.*[^/]"}},
		Rule{Name: "other", Ambiguous: AsMatched},
	)
	for raw, want := range map[string]string{
		"/ab/c": "other", "/ab/c/d": "by expression", "/ab/c/e": "by expression", "/ab/c/f": "other", "/ab/cc/f": "by expression", "/b/c": "other",
		"/ab/x": "by path", "/ab/x/": "other",
	} {
		if m := tab.Match(get(t, raw)); m.Value != want {
			t.Errorf("%s: %+v; want %s", raw, m, want)
		}
	}
}

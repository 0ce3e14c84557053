package routing

import "testing"

func TestAmbiguous(t *testing.T) {
	tab := signIn(t)
	for _, c := range []struct {
		raw   string
		index int
		other int
		how   Reading
	}{
		{"/LOGIN", 3, 0, CaseIgnored},
		{"//login", 0, 3, 0},
		{"/./login", 0, 3, 0},
		{"/%6cogin", 0, 3, 0},
		{"/%2flogin", 3, 0, DecodedOnce | SlashesMerged},
		{"/a%2f..%2flogin", 3, 0, DecodedOnce | DotsResolved},
		{`/\login`, 3, 0, BackslashesTurn | SlashesMerged},
		{"/login;x=y", 3, 0, ParamsDropped},
		{"/x/..;/login", 3, 0, ParamsDropped | DotsResolved},
		{"/login%20", 3, 0, TrailDropped},
		{"/login.", 3, 0, TrailDropped},
		{"/%256cogin", 3, 0, DecodedTwice},
		{"/LOGIN.", 3, 0, TrailDropped | CaseIgnored},
		{"/login%2500", 3, 0, DecodedTwice | CutAtControl},
		{"/logın", 3, 0, CaseIgnored},
		{"/oauth/../x", 3, 1, 0},
	} {
		m := tab.Match(get(t, c.raw))
		if !m.Ambiguous || m.Index != c.index || m.Other != c.other || m.Reading != c.how || m.Policy != Refuse {
			t.Errorf("%q: %+v (%v); want %d, not %d when %v", c.raw, m, m.Reading, c.index, c.other, c.how)
		}
	}
}

func TestNotAmbiguous(t *testing.T) {
	tab := signIn(t)
	for raw, want := range map[string]string{
		"/login": "sign-in", "/login/": "sign-in", "/oauth": "oauth", "/oauth/a%2Fb": "oauth", "/oauth//x": "oauth", "/oauth/X;y": "oauth",
		"/projects/group%2Fname": "app", "/a//b": "app", "/Foo": "app", "/img/a.b;c=1": "app", "/a.json": "app", "/login.json": "app",
		"/wiki/Login": "app", "/a%20b.%20": "app", "/go/https://example.com/login": "app", "/go/https%3A%2F%2Fexample.com%2Flogin": "app",
		"/go/https%253A%252F%252Fexample.com": "app", `/a\b`: "app", "/;jsessionid=1": "app", "/x/../y": "app", "/caf%C3%A9": "app", "/100%25": "app",
		"/": "app", "/.": "app", "/Files/My%20Doc%20(1).PDF": "app", "/a/%E2%84%AA": "app", "/assets/App-1.2.js;v=1": "assets",
		"/assets/a%2Fb": "assets",
	} {
		if m := tab.Match(get(t, raw)); m.Value != want || m.Ambiguous {
			t.Errorf("%q: %+v (%v); want %s", raw, m, m.Reading, want)
		}
	}
}

// TestCaseOfPatterns: where the patterns have capitals, a path without any can be the ambiguous one.
func TestCaseOfPatterns(t *testing.T) {
	tab := table(t,
		Rule{Name: "sign-in", Paths: []string{"/Login"}},
		Rule{Name: "session", PathRegexps: []string{"/[A-Z]ession"}},
		Rule{Name: "app"},
	)
	for raw, other := range map[string]int{"/login": 0, "/LOGIN": 0, "/session": 1, "/SESSION": 1} {
		if m := tab.Match(get(t, raw)); m.Index != 2 || !m.Ambiguous || m.Other != other || m.Reading != CaseIgnored {
			t.Errorf("%q: %+v", raw, m)
		}
	}
	for _, raw := range []string{"/Login", "/Session", "/x"} {
		if m := tab.Match(get(t, raw)); m.Ambiguous {
			t.Errorf("%q: %+v", raw, m)
		}
	}
}

func TestCaselessExpressions(t *testing.T) {
	for source, want := range map[string]bool{
		"/api/v[0-9]+/.*": true, `/a\.b\d+`: true, "/[a-z_.-]+": true, "/[^a-z]+": true, "/(a|b)?x{1,3}": true,
		"/A": false, "/[A-Z]": false, "/[^A-Z]": false, "/[!-_]": false, "/[[:upper:]]": false, `/\x41`: false, `/\101`: false, `/\pL`: false, `/\W`: false,
		"/é": false, "/[a-z-_]": false,
	} {
		if got := caseless.MatchString(source); got != want {
			t.Errorf("%s: %v", source, got)
		}
	}
}

// TestNoRouteIsSafe: what goes nowhere is not ambiguous; what another reading would not show, is.
func TestNoRouteIsSafe(t *testing.T) {
	tab := table(t, Rule{Name: "sign-in", Paths: []string{"/login"}}, Rule{Name: "api", Paths: []string{"/api/*"}})
	for _, raw := range []string{"/LOGIN", "/x%2f..%2flogin", "/API"} {
		if m := tab.Match(get(t, raw)); m.Found || m.Ambiguous {
			t.Errorf("%q: %+v", raw, m)
		}
	}
	m := tab.Match(get(t, "/api/..%2fadmin"))
	if m.Value != "api" || !m.Ambiguous || m.Other != -1 || m.Reading != DecodedOnce|DotsResolved {
		t.Errorf("%+v (%v)", m, m.Reading)
	}
	if m := tab.Match(get(t, "/api//x")); m.Ambiguous {
		t.Errorf("%+v", m)
	}
}

// TestAmbiguousWithinKeys: a route that another key rules out cannot disagree.
func TestAmbiguousWithinKeys(t *testing.T) {
	tab := table(t,
		Rule{Name: "sign-in", Hosts: []string{"id.example.com"}, Paths: []string{"/login"}},
		Rule{Name: "app", Ambiguous: Report},
	)
	r := get(t, "/LOGIN")
	if m := tab.Match(r); m.Ambiguous {
		t.Errorf("%+v", m)
	}
	r.Host = "id.example.com"
	if m := tab.Match(r); !m.Ambiguous || m.Policy != Report || m.Other != 0 || m.Value != "app" {
		t.Errorf("%+v", m)
	}
}

func TestPolicies(t *testing.T) {
	for p, word := range map[Policy]string{Refuse: "refuse", AsMatched: "as_matched", Report: "report"} {
		if p.String() != word {
			t.Errorf("%d is %s", p, p)
		}
		tab := table(t, Rule{Name: "sign-in", Paths: []string{"/login"}, Ambiguous: Refuse}, Rule{Name: "app", Ambiguous: p})
		if m := tab.Match(get(t, "/LOGIN")); !m.Ambiguous || m.Policy != p || m.Value != "app" {
			t.Errorf("%v: %+v", p, m)
		}
	}
}

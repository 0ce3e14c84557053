package routing

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// signIn is the table that everybody has: sign-in, a subtree, assets, and the app behind everything.
func signIn(t testing.TB) *Table[string] {
	return table(t,
		Rule{Name: "sign-in", Paths: []string{"/login"}},
		Rule{Name: "oauth", Paths: []string{"/oauth/*"}},
		Rule{Name: "assets", PathRegexps: []string{"/assets(/.*)?"}},
		Rule{Name: "app"},
	)
}

// table makes a table whose values are the names.
func table(t testing.TB, rules ...Rule) *Table[string] {
	t.Helper()
	var names []string
	for _, r := range rules {
		names = append(names, r.Name)
	}
	made, err := New(rules, names)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// signInRoute is signIn's table by hand.
func signInRoute(path string) int {
	switch {
	case path == "/login", path == "/login/":
		return 0
	case path == "/oauth", strings.HasPrefix(path, "/oauth/"):
		return 1
	case path == "/assets", strings.HasPrefix(path, "/assets/"):
		return 2
	}
	return 3
}

// disagree returns the backend whose reading takes another route than Match says, without Match calling it ambiguous.
func disagree(t *Table[string], raw string) (backend string, ok bool) {
	path, err := Canonical(raw)
	if err != nil {
		return "", false
	}
	m := t.Match(&Request{RawPath: raw, Path: path})
	if m.Ambiguous {
		return "", false
	}
	for _, b := range backends {
		if signInRoute(b.read(raw)) != m.Index {
			return b.name, true
		}
	}
	return "", false
}

func TestNoBackendIsFooled(t *testing.T) {
	tab := signIn(t)
	for _, raw := range hostile {
		if who, ok := disagree(tab, raw); ok {
			t.Errorf("%q: %s takes another route, and it is not ambiguous", raw, who)
		}
	}
}

func TestNoBackendIsFooledByRandomPaths(t *testing.T) {
	tab := signIn(t)
	pieces := []string{
		"/", "/", "/", "login", "login", "LoGiN", "oauth", "OAUTH", "assets", "x", ".", "..", "..", ";", ";x", `\`, "//", " ", "%20", "%2f", "%2F", "%5c",
		"%2e", "%2e%2e", "%3b", "%252f", "%252e", "%255c", "%253b", "%2500", "%25", "%6c", "%256c", "%4C", "log", "in",
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	var reached, ambiguous, many int
	const rounds = 20_000
	for range rounds {
		raw := "/"
		for range rnd.IntN(9) {
			raw += pieces[rnd.IntN(len(pieces))]
		}
		if who, ok := disagree(tab, raw); ok {
			t.Fatalf("%q: %s takes another route, and it is not ambiguous", raw, who)
		}
		path, err := Canonical(raw)
		if err != nil {
			continue
		}
		m := tab.Match(&Request{RawPath: raw, Path: path})
		if m.Index != 3 || m.Ambiguous {
			reached++
		}
		if m.Ambiguous {
			ambiguous++
		}
		if m.Reading&ReadingsTooMany != 0 {
			many++
		}
	}
	t.Logf("%d paths: %d not plainly the app's, %d ambiguous, %d with too many readings", rounds, reached, ambiguous, many)
	if reached < rounds/20 || ambiguous < rounds/20 || ambiguous > rounds*9/10 {
		t.Error("the paths say too little")
	}
	if many > rounds/100 {
		t.Error("too many paths are refused unread")
	}
}

func FuzzMatch(f *testing.F) {
	for _, raw := range hostile {
		f.Add(raw)
	}
	tab := signIn(f)
	f.Fuzz(func(t *testing.T, raw string) {
		if who, ok := disagree(tab, raw); ok {
			t.Fatalf("%q: %s takes another route, and it is not ambiguous", raw, who)
		}
		// Whatever a caller hands over, even what it owes not to.
		r := &Request{Method: raw, Host: raw, RawPath: raw, Path: raw, Query: raw, Fields: fields{{"Cookie", raw}}}
		everything := table(t,
			Rule{Name: "a", Hosts: []string{"*.example.com"}, Paths: []string{"/a;b./*"}, Cookies: []Pair{{Name: "a", Values: []string{"b"}}}},
			Rule{Name: "b", Queries: []Pair{{Name: "a", Values: []string{"b"}}}},
			Rule{Name: "c", PathRegexps: []string{"/[A-Z]+%2F.*"}},
			Rule{Name: "d"},
		)
		everything.Match(r)
		everything.Explain(r)
	})
}

func TestEveryReadingIsCounted(t *testing.T) {
	tab := signIn(t)
	for _, raw := range hostile {
		path, err := Canonical(raw)
		if err != nil {
			continue
		}
		if m := tab.Match(&Request{RawPath: raw, Path: path}); m.Reading&ReadingsTooMany != 0 {
			t.Errorf("%q has too many readings", raw)
		}
	}
	// A path with more readings than are followed is ambiguous, unless no rule looks at paths.
	raw := "/a" + strings.Repeat(`/%255c%5c..;%2f%3b%253b/.%20%2520./`, 20)
	path, err := Canonical(raw)
	if err != nil {
		t.Fatal(err)
	}
	r := &Request{RawPath: raw, Path: path}
	if m := tab.Match(r); !m.Ambiguous || m.Reading&ReadingsTooMany == 0 {
		t.Errorf("it matched %+v", m)
	}
	if m := table(t, Rule{Name: "app"}).Match(r); !m.Found || m.Ambiguous {
		t.Errorf("without paths it matched %+v", m)
	}
	for _, raw := range []string{"/\n", "/%", "login"} {
		if m := tab.Match(&Request{RawPath: raw, Path: "/x"}); !m.Ambiguous || m.Reading != ReadingsNone {
			t.Errorf("unreadable %q matched %+v", raw, m)
		}
	}
}

// TestReadingOf holds the survey against Reading.append: both must know the same steps.
func TestReadingOf(t *testing.T) {
	for _, c := range []struct {
		how        Reading
		text, want string
	}{
		{0, "/a%2F", "/a%2F"},
		{DecodedOnce, "/a%2F%252F", "/a/%2F"},
		{DecodedTwice, "/a%252F", "/a/"},
		{DecodedTwice | CutAtControl, "/a%2500b", "/a"},
		{BackslashesTurn, `/a\b`, "/a/b"},
		{ParamsDropped, "/a;b/c;d", "/a/c"},
		{TrailDropped, "/a. ./b ", "/a/b"},
		{TrailDropped, "/.. /. /...", "/.././"},
		{SlashesMerged | DotsResolved, "/a//../b", "/b"},
		{DotsResolved, "/a//../b", "/a/b"},
	} {
		if got := string(c.how.append(nil, c.text)); got != c.want {
			t.Errorf("%v of %q = %q; want %q", c.how, c.text, got, c.want)
		}
	}
	if got := (DecodedOnce | CaseIgnored).String(); got != "decoded once, case ignored" {
		t.Error(got)
	}
	if got := Reading(0).String(); got != "as it came" {
		t.Error(got)
	}
	for bit := Reading(1); bit < readingsEnd; bit <<= 1 {
		if bit.word() == "unknown" {
			t.Errorf("reading %d has no word", bit)
		}
	}
}

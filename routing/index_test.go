package routing

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// dice makes tables and requests of few parts, so that rules overlap and requests hit them in every way.
type dice struct{ *rand.Rand }

func (d dice) of(list ...string) string { return list[d.IntN(len(list))] }

// some returns up to most of what one makes, and none half of the time.
func (d dice) some(most int, one func() string) []string {
	var list []string
	if d.IntN(2) == 0 {
		return nil
	}
	for range 1 + d.IntN(most) {
		list = append(list, one())
	}
	return list
}

func (d dice) host() string {
	return d.of("a.example.com", "b.example.com", "example.com", "*.example.com", "*.com", "*.a.example.com", "x.a.example.com",
		"Example.ORG", "*.org", "[::1]", "com", "xn--a.com", "*.b.example.com", "c.com", "*.c.com", "d.com", "e.com")
}

func (d dice) segment() string {
	return d.of("a", "a", "b", "b", "ab", "abc", "A", "aB", "é", "É", "K", "k", "i", "ı", "ſ", "s", "a;b", "a.", "b ", "%2F", "a%2Fb", "%25", "%252F", "%25ff",
		"a%252e", "%253B", "..a", `a\b`, `\`, "%255c", "%2500a", "\ufffd")
}

// pattern makes an entry of Rule.Paths; it may be one that New refuses.
func (d dice) pattern() string {
	text := ""
	for range d.IntN(4) {
		text += "/" + d.segment()
	}
	if text == "" {
		text = d.of("/", "/*")
	}
	if canonical, err := Canonical(text); err == nil && d.IntN(2) == 0 {
		text = strings.TrimSuffix(canonical, "/*")
	}
	return text + d.of("", "", "/", "/*", "/*")
}

func (d dice) expression() string {
	return d.of("/a", "/a/.*", "/A.*", "/(a|b)/.+", "/(?:ab?|b)c?", "/[ab]{2}", "/a+b", ".*", ".*/b", "(?i)/ab", "/(?i:A)B?", "/a%2F.*", "/a%252F?b",
		"/%25.*", "/[A-Z]+", "(/a)?/b", "(/a|/b|/abc|/ab)(/.*)?", "/é|/É.*", "(?:/k){1,2}.*", "^/a$", "/a$/b|/b", `/\Qa;b\E.*`, `(?m)^/a\b.*`, "|/a", "[^b]*",
		"/[a-c]b?", "/�.*", "/[^/]+%2F.+", `/\w/x`, "(?s)/a.b", "(?U)/a+?", "/[ıi]", "/ab/.*", "/a/b/?", "/abc/.*|/b/a", "(?:/k){0,2}/?a?", "/\\x{212A}")
}

func (d dice) rule(i int) Rule {
	r := Rule{Name: fmt.Sprint(i), Ambiguous: Policy(d.IntN(3)), Methods: nil}
	if r.Hosts = d.some(3, d.host); d.IntN(12) == 0 {
		r.Hosts = []string{"a.example.com", "*.org", "c.com", "d.com", "e.com", d.host(), "b.example.com"}
	}
	if d.IntN(4) > 0 {
		r.Paths = d.some(4, d.pattern)
	}
	if d.IntN(3) == 0 {
		r.PathRegexps = d.some(2, d.expression)
	}
	if d.IntN(4) == 0 {
		r.Methods = d.some(2, func() string { return d.of("GET", "POST") })
	}
	pair := func() []Pair {
		return []Pair{{Name: "X-A", Values: d.some(1, func() string { return d.of("1", "2") })}}
	}
	switch d.IntN(9) {
	case 0:
		r.Headers = pair()
	case 1:
		r.Cookies = pair()
	case 2:
		r.Queries = pair()
	}
	return r
}

// table makes one of the rules that New takes.
func (d dice) table(t testing.TB, most int) *Table[string] {
	var rules []Rule
	for range 1 + d.IntN(most) {
		r := d.rule(len(rules))
		if _, wrong := newRule(0, r); wrong == nil {
			rules = append(rules, r)
		}
	}
	return table(t, rules...)
}

func (d dice) request() *Request {
	raw := ""
	for range d.IntN(5) {
		raw += "/" + d.of(d.segment(), d.segment(), d.segment(), ".", "..", "", "%2e%2e", "..;", "%41", "%61", "\xff", "%ff", "%C3%A9", "a%2500b", "%zz", "x"+d.segment())
	}
	raw += d.of("", "", "/", "//", ";x", ".", "%20", "*")
	r := &Request{
		Method: d.of("GET", "POST", "PUT"), RawPath: raw, Query: d.of("", "X-A=1", "X-A=2&b"),
		Host: d.of("", strings.TrimPrefix(d.host(), "*"), "x"+d.host()[1:], strings.ReplaceAll(d.host(), "*", "z"), "y."+strings.TrimPrefix(d.host(), "*."), "A.EXAMPLE.com", "example.com."),
	}
	if d.IntN(2) == 0 {
		r.Fields = fields{{"Cookie", d.of("X-A=1", "X-A=3")}, {"X-A", d.of("1", "2")}}
	}
	r.Path, _ = Canonical(raw)
	if d.IntN(20) == 0 {
		r.Path = d.of("", raw, "*", "//", "/a//b/", "a/b") // what a caller owes not to do
	}
	return r
}

// TestIndexIsTheLinearWalk compares whole answers: rule, ambiguity, the other rule, the reading and the policy.
func TestIndexIsTheLinearWalk(t *testing.T) {
	const tables, requests = 3_000, 30
	d := dice{rand.New(rand.NewPCG(3, 4))}
	var found, behind, ambiguous int
	for range tables {
		tab := d.table(t, 1+d.IntN(14))
		l := newLinear(tab)
		for range requests {
			r := d.request()
			got, want := tab.Match(r), l.match(r)
			if got != want {
				t.Fatalf("%+v\n%+v\nin %+v; want %+v", *r, got, rulesOf(tab), want)
			}
			if got.Found {
				found++
			}
			if got.Index > 2 {
				behind++
			}
			if got.Ambiguous {
				ambiguous++
			}
		}
	}
	const all = tables * requests
	t.Logf("%d matches: %d found, %d behind the third rule, %d ambiguous", all, found, behind, ambiguous)
	if found < all/4 || found > all*95/100 || behind < all/20 || ambiguous < all/20 {
		t.Error("the tables say too little")
	}
}

// TestIndexBeyondItsRoom has more lists, groups and letters than first has room for.
func TestIndexBeyondItsRoom(t *testing.T) {
	d := dice{rand.New(rand.NewPCG(7, 8))}
	for range 60 {
		var rules []Rule
		for i := range 150 {
			r := Rule{Name: fmt.Sprint(i), Paths: []string{strings.Repeat("/Éa", d.IntN(60)) + "/*"}}
			for range 1 + d.IntN(8) {
				r.Hosts = append(r.Hosts, d.of("*.", "")+strings.Repeat("ab.", d.IntN(60))+"com")
			}
			if d.IntN(100) > 0 {
				r.Queries = []Pair{{Name: fmt.Sprint(d.IntN(100))}}
			}
			rules = append(rules, r)
		}
		tab := table(t, rules...)
		l := newLinear(tab)
		for range 10 {
			r := get(t, strings.Repeat(d.of("/Éa", "/éA"), d.IntN(70))+d.of("/x", "/", "/%2f"))
			r.Host, r.Query = strings.Repeat("ab.", d.IntN(70))+"com", fmt.Sprintf("%d&%d", d.IntN(100), d.IntN(100))
			if got, want := tab.Match(r), l.match(r); got != want {
				t.Fatalf("%+v\n%+v in %+v; want %+v", *r, got, rules, want)
			}
		}
	}
}

// TestReadingsOfTheIndex asks in every way that there is, also those which no path is read in.
func TestReadingsOfTheIndex(t *testing.T) {
	d := dice{rand.New(rand.NewPCG(5, 6))}
	for range 300 {
		tab := d.table(t, 8)
		l := newLinear(tab)
		r := d.request()
		a := newAsk(r)
		groups := tab.index.groups(nil, a.bare)
		for how := range 2 * CaseIgnored {
			q := a.as(string((how&(CaseIgnored-1)).append(nil, r.RawPath)), how)
			if got, want := tab.index.first(&q, groups), l.first(q); got != want {
				t.Fatalf("%q (%v) takes %d in %+v; want %d", q.path, how, got, rulesOf(tab), want)
			}
		}
	}
}

func rulesOf(t *Table[string]) (rules []Rule) {
	for _, r := range t.rules {
		rules = append(rules, r.Rule)
	}
	return rules
}

// FuzzIndex: the table is what the first bytes draw, and also what a fuzzer writes.
func FuzzIndex(f *testing.F) {
	for i, raw := range hostile {
		f.Add(uint64(i), "/login", "/log(in|out)", "example.com", raw)
	}
	f.Fuzz(func(t *testing.T, seed uint64, path, expression, host, raw string) {
		d := dice{rand.New(rand.NewPCG(seed, 0))}
		var rules []Rule
		for i := range 6 {
			r := d.rule(i)
			switch d.IntN(4) {
			case 0:
				r.Paths = append(r.Paths, path)
			case 1:
				r.PathRegexps = append(r.PathRegexps, expression)
			case 2:
				r.Hosts = append(r.Hosts, host)
			}
			if _, wrong := newRule(0, r); wrong == nil {
				rules = append(rules, r)
			}
		}
		tab := table(t, rules...)
		r := d.request()
		if r.RawPath = raw; d.IntN(2) == 0 {
			r.Host = host
		}
		r.Path, _ = Canonical(raw)
		if got, want := tab.Match(r), newLinear(tab).match(r); got != want {
			t.Fatalf("%+v\n%+v\nin %+v; want %+v", *r, got, rules, want)
		}
	})
}

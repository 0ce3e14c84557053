package admin

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gatehouse/shed"
)

func rendered(t *testing.T, s Status) string {
	t.Helper()
	w := ask(NewHandler(settings(&fake{status: s})), "GET", "/")
	if w.Code != 200 || !strings.HasSuffix(strings.TrimSpace(w.Body.String()), "</html>") {
		t.Fatalf("%d, %d bytes", w.Code, w.Body.Len())
	}
	return w.Body.String()
}

func TestPageSaysWhatTheStoreCanDo(t *testing.T) {
	for _, state := range shed.States {
		html := rendered(t, incident(state.String(), "slow"))
		for _, want := range []string{headline(state.String()), "3\u00a0min 12\u00a0s", "Answers come, but late."} {
			if !strings.Contains(html, want) {
				t.Errorf("%v: no %q", state, want)
			}
		}
	}
	html := rendered(t, incident("read-only", "read_only"))
	for _, want := range []string{
		"Signing in, and whatever else must write a session, gets the page; members read on; everybody else is untouched.", "4.1<small>/s</small>",
		"store: the server refuses writes", "<title>Read-only · Gatehouse</title>",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q", want)
		}
	}
	if html := rendered(t, Status{}); !strings.Contains(html, "names no session store") {
		t.Error("an empty Status does not say that there is no store")
	}
}

func TestPageSaysWhatIsWrongWithTheFile(t *testing.T) {
	html := rendered(t, incident("down", "refused"))
	for _, want := range []string{"was not loaded", "routes[2].pool: there is no pool", "1 warning<"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestEveryCauseHasPlainWords(t *testing.T) {
	said := map[string]shed.Cause{}
	for c := range shed.Causes {
		text := cause(c.String())
		if c != shed.CauseUnknown && text == cause("") {
			t.Errorf("%v has no words of its own", c)
		}
		if other, twice := said[text]; twice {
			t.Errorf("%v and %v say the same", c, other)
		}
		said[text] = c
	}
	if got := reason("error", "some_new_word"); got != "some new word" {
		t.Errorf("a word nobody knows became %q", got)
	}
}

// TestPageEscapes puts markup wherever a text can stand.
func TestPageEscapes(t *testing.T) {
	const evil = `"'><script>alert(1)</script><img src=x onerror=y>`
	s := incident("down", "refused")
	s.Version, s.NotReady, s.Ready = evil, evil, false
	s.Config = Config{Path: evil, Error: evil, Warnings: []string{evil}, Sum: evil}
	s.Stores[0].Override = &OverrideState{State: evil, By: evil}
	s.Stores[0].Observed, s.Stores[0].ObservedCause = evil+"x", evil
	s.Stores[0].Headroom = []Headroom{{Resource: evil, Strains: true}}
	s.Stores[0].Name, s.Stores[0].Error, s.Stores[0].State, s.Stores[0].Cause = evil, evil, evil, evil
	s.Pools[0].Name, s.Pools[0].Backends[0] = evil, Backend{URL: evil, Error: evil, Ejected: true, EjectedUntil: s.Now}
	s.Pools[0].Classes, s.Pools[0].Tax = []Class{{Name: evil, Queue: 1, Shed: 1}}, 1
	s.QuotaStore = &QuotaStore{Error: evil}
	s.Routes[0] = Route{Name: evil, Pool: evil, Overflow: evil, Needs: evil, Total: 1, Outcomes: []Outcome{{evil, evil, 1, 1}}}
	s.Events[0].Text = evil
	s.Degraded = DegradedNow(s.Routes)
	html := rendered(t, s)
	if n := strings.Count(html, "<script>"); n != 1 {
		t.Errorf("%d scripts, want the page's own", n)
	}
	if strings.Contains(html, "<img") {
		t.Error("markup from a text is in the page")
	}
}

// TestPolicyFitsThePage holds the hashes of the policy to the bytes between the tags.
func TestPolicyFitsThePage(t *testing.T) {
	w := ask(NewHandler(settings(&fake{status: incident("writable", "ok")})), "GET", "/")
	policy, html := w.Header().Get("Content-Security-Policy"), w.Body.String()
	for _, tag := range []string{"style", "script"} {
		_, rest, _ := strings.Cut(html, "<"+tag+">")
		inside, _, ok := strings.Cut(rest, "</"+tag+">")
		if !ok || !strings.Contains(policy, tag+"-src "+hashOf(inside)+";") {
			t.Errorf("the policy does not let in the page's %s", tag)
		}
	}
	if regexp.MustCompile(`\son[a-z]+=|style=|javascript:|https?://[^w1]`).MatchString(regexp.MustCompile(`(?s)<script>.*</script>`).ReplaceAllString(html, "")) {
		t.Error("the page has something the policy keeps out, or that is not its own")
	}
}

func TestDegradedNow(t *testing.T) {
	got := DegradedNow([]Route{
		{Name: "a", Outcomes: []Outcome{{"proxied", "", 9, 9}, {"degraded", "full", 5, 1}, {"degraded", "slow", 5, 0}, {"rejected", "x", 5, 5}}},
		{Name: "b", Outcomes: []Outcome{{"shed", "pool_full", 5, 2}}},
	})
	if len(got) != 2 || got[0].Route != "b" || got[1] != (Degraded{"a", "degraded", "full", 1}) {
		t.Errorf("%+v", got)
	}
}

func TestWordsOfNumbers(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	plain := strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace
	for _, c := range [][2]string{
		{span(-1), "0 s"}, {span(59.9), "59 s"}, {span(61), "1 min 1 s"}, {span(3 * 3600), "3 h 0 min"}, {span(90000), "1 d 1 h"},
		{millis(0), "–"}, {millis(0.314), "0.31 ms"}, {millis(0.999), "1.0 ms"}, {millis(9.96), "10 ms"}, {millis(999.6), "1.0 s"},
		{rate(0), "0"}, {rate(0.04), "0.0"}, {rate(9.94), "9.9"}, {rate(1240.4), "1 240"},
		{count(0), "0"}, {count(999), "999"}, {count(1234567), "1 234 567"},
		{clock(now, now), "05:06:07"}, {clock(now.Add(-6*time.Hour), now), "2026-03-03 23:06:07"},
		{spark([]float64{1}), ""}, {spark([]float64{0, 0}), "M0.0 27.0L120.0 27.0"}, {spark([]float64{0, 5}), "M0.0 27.0L120.0 2.0"},
	} {
		if got := plain(c[0]); got != c[1] || !utf8.ValidString(got) {
			t.Errorf("%q, want %q", got, c[1])
		}
	}
	parts := bar([]Outcome{{"proxied", "", 9999, 0}, {"degraded", "a", 1, 0}, {"degraded", "b", 1, 0}})
	if len(parts) != 2 || parts[1].W == "0.0" || bar(nil) != nil {
		t.Errorf("bar: %+v", parts)
	}
	if fill(5, 0) != 0 || fill(64, 64) != 100 || fill(99, 64) != 100 || fill(-1, 3) != 0 {
		t.Error("fill")
	}
}

// TestContrast holds the page's colours, light and dark, to WCAG AA for text.
func TestContrast(t *testing.T) {
	roots := regexp.MustCompile(`(?s):root \{(.*?)\n\s*\}`).FindAllStringSubmatch(pageCSS, -1)
	if len(roots) != 2 {
		t.Fatalf("%d palettes, want a light and a dark one", len(roots))
	}
	for i, root := range roots {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});?`).FindAllStringSubmatch(root[1], -1) {
			colours[m[1]] = m[2]
		}
		for _, pair := range [][2]string{
			{"ink", "sheet"}, {"ink", "ground"}, {"soft", "sheet"}, {"soft", "ground"}, {"accent", "sheet"}, {"accent", "ground"}, {"on", "accent"},
			{"good", "good-bg"}, {"warn", "warn-bg"}, {"held", "held-bg"}, {"bad", "bad-bg"}, {"calm", "calm-bg"}, {"blue", "blue-bg"},
			{"ink", "good-bg"}, {"ink", "warn-bg"}, {"ink", "held-bg"}, {"ink", "bad-bg"}, {"ink", "calm-bg"}, {"ink", "blue-bg"},
			{"bad", "good-bg"}, {"bad", "warn-bg"}, {"bad", "held-bg"}, {"bad", "calm-bg"},
			{"accent", "good-bg"}, {"accent", "warn-bg"}, {"accent", "held-bg"}, {"accent", "bad-bg"}, {"accent", "calm-bg"},
			{"held", "sheet"}, {"bad", "sheet"}, {"warn", "sheet"}, {"blue", "sheet"}, {"good", "sheet"},
		} {
			if r := contrast(t, colours[pair[0]], colours[pair[1]]); r < 4.5 {
				t.Errorf("palette %d: %s on %s is %.2f, less than 4.5", i, pair[0], pair[1], r)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	light := func(hex string) float64 {
		n, err := strconv.ParseUint(hex, 16, 32)
		if err != nil {
			t.Fatalf("colour %q: %v", hex, err)
		}
		part := func(v uint64) float64 {
			c := float64(v&255) / 255
			if c <= 0.04045 {
				return c / 12.92
			}
			return math.Pow((c+0.055)/1.055, 2.4)
		}
		return 0.2126*part(n>>16) + 0.7152*part(n>>8) + 0.0722*part(n)
	}
	x, y := light(a), light(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

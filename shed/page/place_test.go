package page

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestNumbersAreAsGoodAsTheyAreKnown(t *testing.T) {
	for n, want := range map[int]int{
		0: 0, 1: 1, 19: 19, 20: 20, 21: 21, 99: 99, 100: 100, 104: 100, 105: 110, 340: 340, 344: 340, 345: 350, 994: 990, 995: 1000, 1049: 1000,
		1050: 1100, 12_345: 12_000, 99_500: 100_000, 999_999: 1_000_000, 5_000_000: 5_000_000, math.MaxInt: 1_000_000_000,
	} {
		if got := rounded(n); got != want {
			t.Errorf("%d: %d, want %d", n, got, want)
		}
	}
	for _, c := range []struct {
		tag  string
		n    int
		want string
	}{
		{"en", 350, "350"}, {"en", 1200, "1200"}, {"en", 12_000, "12,000"}, {"de", 120_000, "120.000"}, {"fr", 1_000_000, "1\u00a0000\u00a0000"},
		{"ja", 10_000, "10,000"}, {"pl", 9900, "9900"},
	} {
		if got := catalogue[find(c.tag)].grouped(c.n); got != c.want {
			t.Errorf("%s: %d: %q, want %q", c.tag, c.n, got, c.want)
		}
	}
}

// A visitor reads one paragraph about his place: what is kept, and who is before him.
func TestWhereTheVisitorStands(t *testing.T) {
	m := maker(t, Settings{})
	own := maker(t, Settings{Template: `<p class="note">{{.Body}}</p>{{.InLine}} {{.Ahead}} {{.Waited}}`})
	for _, c := range []struct {
		kind      Kind
		tag       string
		inLine    bool
		ahead     int
		says, own string
	}{
		{LinedUp, "en", true, 344, "Your place in the line is kept. About 340 people are before you.", "true 340 90"},
		{LinedUp, "en", true, 2, "Your place in the line is kept. About 2 people are before you.", "true 2 90"},
		{LinedUp, "en", true, 1, "Your place in the line is kept. About one person is before you.", "true 1 90"},
		{LinedUp, "en", true, 0, "Your place in the line is kept. You are next.", "true 0 90"},
		{LinedUp, "en", true, -1, "Your place in the line is kept.", "true -1 90"},
		{LinedUp, "en", false, 7, "", "false -1 0"},
		{Degraded, "en", true, 7, "Your place in the line is kept.", "true -1 90"},
		{Degraded, "en", false, 7, "", "false -1 0"},
		{Shed, "en", true, 7, "", "false -1 0"},
		{SignedOut, "en", true, 7, "", "false -1 0"},
		{LinedUp, "de", true, 12_345, "Ihr Platz in der Warteschlange bleibt erhalten. Vor Ihnen sind etwa 12.000 Personen.", "true 12000 90"},
		{LinedUp, "ja", true, 50, "お並びの順番はそのまま保持されています。お客様の前に約50人がお待ちです。", "true 50 90"},
	} {
		a := Ask{Kind: c.kind, Language: c.tag, Accept: "text/html", Refresh: true, Wait: 4 * time.Second, Restart: "/login", InLine: c.inLine, Ahead: c.ahead, Waited: 90*time.Second + 1}
		note := ""
		if c.says != "" {
			note = `<p class="note">` + c.says + "</p>\n"
		}
		page := string(m.Make(a).Body)
		if _, rest, _ := strings.Cut(page, catalogue[find(c.tag)].lead[c.kind]+"</p>\n"); !strings.HasPrefix(rest, note) || note == "" && strings.Contains(rest, "note") {
			t.Errorf("%s %d in %s: %s", c.kind, c.ahead, c.tag, rest)
		}
		if own := string(own.Make(a).Body); !strings.HasSuffix(own, c.own) || !strings.HasPrefix(own, `<p class="note">`+c.says) {
			t.Errorf("%s %d in %s: the operator's page: %s, want %s", c.kind, c.ahead, c.tag, own, c.own)
		}
		a.Accept = "text/plain"
		if text := string(m.Make(a).Body); c.says != "" && !strings.Contains(text, "\n"+c.says+"\n") {
			t.Errorf("%s %d in %s: %s", c.kind, c.ahead, c.tag, text)
		}
	}
}

// The page, its refresh and the head say the same time, and it is the one that the line named.
func TestTheLineIsBelievedToTheSecond(t *testing.T) {
	m := maker(t, Settings{MinWait: time.Second, MaxWait: 2 * time.Second})
	a := m.Make(Ask{Kind: LinedUp, Accept: "text/html", Refresh: true, Restart: "/login", Wait: 37 * time.Second, InLine: true, Ahead: 340})
	d := parseDocument(t, a.Body)
	if field(t, a, "Retry-After") != "37" || d.meta["refresh"] != "37;url=/login" || !strings.Contains(d.text["main"], " 37 seconds.") {
		t.Errorf("Retry-After %q, refresh %q: %s", field(t, a, "Retry-After"), d.meta["refresh"], d.text["main"])
	}
}

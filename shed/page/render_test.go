package page

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// document is what a browser makes of a page.
type document struct {
	count map[string]int
	text  map[string]string // of the elements of a name, joined
	attrs []html.Attribute  // of every element
	lang  string
	href  string // of the link that the visitor follows
	meta  map[string]string
}

func parseDocument(t *testing.T, body []byte) document {
	t.Helper()
	root, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	d := document{count: map[string]int{}, text: map[string]string{}, meta: map[string]string{}}
	for n := range root.Descendants() {
		if n.Type == html.CommentNode {
			t.Error("a comment is of no use to a visitor")
		}
		if n.Type == html.TextNode {
			for p := n.Parent; p != nil; p = p.Parent {
				d.text[p.Data] += n.Data
			}
		}
		if n.Type != html.ElementNode {
			continue
		}
		d.count[n.Data]++
		d.attrs = append(d.attrs, n.Attr...)
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		switch n.Data {
		case "html":
			d.lang = attr["lang"]
		case "a":
			d.href = attr["href"]
		case "meta":
			d.meta[attr["name"]+attr["http-equiv"]] = attr["content"]
		}
	}
	return d
}

// links are what the one link of each Kind says.
var links = func() (of [kinds]func(*words) string) {
	for _, k := range []Kind{Degraded, LinedUp, Shed, Failed, Internal} {
		of[k] = func(l *words) string { return l.again }
	}
	for _, k := range []Kind{Rejected, NotFound} {
		of[k] = func(l *words) string { return l.start }
	}
	of[SignedOut] = func(l *words) string { return l.onward }
	return of
}()

func TestEveryHTML(t *testing.T) {
	m := maker(t, Settings{})
	everyAnswer(func(a Ask, f form, l *words) {
		if f != formHTML {
			return
		}
		made := m.Make(a)
		d := parseDocument(t, made.Body)
		for name, want := range map[string]int{"h1": 1, "main": 1, "title": 1, "script": 0, "form": 0, "img": 0, "iframe": 0, "base": 0} {
			if d.count[name] != want {
				t.Errorf("%s in %s: %d <%s>, want %d", a.Kind, l.tag, d.count[name], name, want)
			}
		}
		title := l.title[a.Kind]
		if a.Kind == Limited {
			title = strconv.Itoa(made.Status)
		}
		if d.lang != l.tag || d.text["title"] != title || d.text["h1"] != l.title[a.Kind] {
			t.Errorf("%s in %s: lang %q, title %q, h1 %q", a.Kind, l.tag, d.lang, d.text["title"], d.text["h1"])
		}
		for _, at := range d.attrs {
			if strings.HasPrefix(at.Key, "on") || at.Key == "style" || strings.Contains(at.Val, "//") || at.Key == "src" {
				t.Errorf("%s in %s: attribute %s=%q", a.Kind, l.tag, at.Key, at.Val)
			}
		}
		if err := mentions(d.text["main"], a, l, false); err != "" {
			t.Errorf("%s in %s: %s: %q", a.Kind, l.tag, err, d.text["main"])
		}
		if d.meta["viewport"] == "" {
			t.Errorf("%s in %s: not made for a phone", a.Kind, l.tag)
		}
		if a.Kind == Limited {
			return
		}
		if d.count["a"] != 1 || d.text["a"] != links[a.Kind](l) {
			t.Errorf("%s in %s: %d links, %q", a.Kind, l.tag, d.count["a"], d.text["a"])
		}
		wantHref, wantRefresh := "/", ""
		if a.Kind == SignedOut {
			wantHref = a.Restart
		}
		if a.Kind.traits().again {
			wantHref = a.Restart
			if a.Refresh && a.Wait > 0 {
				wantRefresh = field(t, made, "Retry-After") + ";url=" + a.Restart
			}
		}
		if d.href != wantHref || d.meta["refresh"] != wantRefresh {
			t.Errorf("%s in %s: link %q, want %q; refresh %q, want %q", a.Kind, l.tag, d.href, wantHref, d.meta["refresh"], wantRefresh)
		}
		if a.RequestID != "" && d.text["code"] != a.RequestID {
			t.Errorf("%s in %s: request id %q", a.Kind, l.tag, d.text["code"])
		}
	})
}

// mentions holds what a person reads, or a program that hears of times in seconds, against what is true of the request.
func mentions(text string, a Ask, l *words, exact bool) string {
	again := a.Kind.traits().again
	placed := a.InLine && (a.Kind == LinedUp || a.Kind == Degraded)
	told := placed && a.Kind == LinedUp
	wait := a.seconds()
	timed := func(s string) string {
		n, unit := l.told(wait)
		if exact {
			n, unit = wait, l.inSeconds(wait)
		}
		return strings.ReplaceAll(s, "{n}", strconv.Itoa(n)+unit)
	}
	for _, c := range []struct {
		what     string
		sentence string
		want     bool
	}{
		{"the lead", l.lead[a.Kind], true},
		{"that the session stands", l.signedIn, a.Kind == Degraded && a.Carries && a.Reason != "session_loss"},
		{"that the place is kept", l.kept, placed},
		{"that nobody is before", l.next, told && a.Ahead == 0},
		{"that one is before", l.one, told && a.Ahead == 1},
		{"that seven are before", strings.Replace(l.ahead, "{n}", "7", 1), told && a.Ahead == 7},
		{"that thousands are before", strings.Replace(l.ahead, "{n}", "12"+l.thousands+"000", 1), told && a.Ahead == 12_345},
		{"that a form may be lost", l.unsure, again && !a.Refresh && a.Kind != Limited},
		{"that it tries again by itself", timed(l.itself), wait > 0 && a.Refresh && again && a.Kind != Limited},
		{"when to try again", timed(l.yourself), wait > 0 && !(a.Refresh && again && a.Kind != Limited)},
	} {
		if c.sentence != "" && strings.Contains(text, c.sentence) != c.want {
			return "says or does not say " + c.what
		}
	}
	return ""
}

func TestEveryProblem(t *testing.T) {
	m := maker(t, Settings{})
	everyAnswer(func(a Ask, f form, l *words) {
		if f != formProblem {
			return
		}
		made := m.Make(a)
		var p struct {
			Type      string  `json:"type"`
			Title     string  `json:"title"`
			Status    int     `json:"status"`
			Detail    string  `json:"detail"`
			Outcome   string  `json:"outcome"`
			Reason    *string `json:"reason"`
			After     *int    `json:"retry_after"`
			InLine    *bool   `json:"in_line"`
			Waited    *int    `json:"waited_seconds"`
			Ahead     *int    `json:"ahead"`
			RequestID *string `json:"request_id"`
		}
		d := json.NewDecoder(strings.NewReader(string(made.Body)))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil || d.More() {
			t.Fatalf("%s in %s: %v: %s", a.Kind, l.tag, err, made.Body)
		}
		if p.Type != "about:blank" || p.Status != made.Status || p.Title != phrase(made.Status) {
			t.Errorf("%s in %s: %s", a.Kind, l.tag, made.Body)
		}
		if (p.After != nil) != (a.seconds() > 0) || p.After != nil && strconv.Itoa(*p.After) != field(t, made, "Retry-After") {
			t.Errorf("%s in %s: retry_after: %s", a.Kind, l.tag, made.Body)
		}
		placed := a.InLine && (a.Kind == LinedUp || a.Kind == Degraded)
		if (p.InLine != nil) != placed || (p.Waited != nil) != placed || (p.Ahead != nil) != (placed && a.Kind == LinedUp && a.Ahead >= 0) {
			t.Errorf("%s in %s: the place: %s", a.Kind, l.tag, made.Body)
		}
		if placed && (!*p.InLine || *p.Waited != max(0, int(a.Waited/time.Second))) || p.Ahead != nil && *p.Ahead != map[int]int{0: 0, 1: 1, 7: 7, 12_345: 12_000}[a.Ahead] {
			t.Errorf("%s in %s: the place: %s", a.Kind, l.tag, made.Body)
		}
		if a.Kind == Limited {
			return
		}
		told := a
		told.Refresh = false // a program is not told of the page that reloads itself
		if err := mentions(strings.ReplaceAll(p.Detail, l.unsure, ""), told, withoutUnsure(l), true); err != "" {
			t.Errorf("%s in %s: %s: %q", a.Kind, l.tag, err, p.Detail)
		}
		if strings.Contains(p.Detail, "  ") || strings.HasPrefix(p.Detail, " ") || strings.HasSuffix(p.Detail, " ") || strings.Contains(p.Detail, "..") {
			t.Errorf("%s in %s: detail %q", a.Kind, l.tag, p.Detail)
		}
		outcome := p.Outcome
		if p.Reason != nil {
			outcome += "; reason=" + *p.Reason
		}
		if outcome != field(t, made, "Gatehouse-Outcome") || (p.RequestID != nil) != (a.RequestID != "") {
			t.Errorf("%s in %s: %s", a.Kind, l.tag, made.Body)
		}
	})
}

func withoutUnsure(l *words) *words {
	c := *l
	c.unsure = ""
	return &c
}

func TestEveryText(t *testing.T) {
	m := maker(t, Settings{})
	everyAnswer(func(a Ask, f form, l *words) {
		if f != formText {
			return
		}
		text := string(m.Make(a).Body)
		if !utf8.ValidString(text) || strings.ContainsAny(text, "<>&{}\r\t") || !strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\n\n") {
			t.Errorf("%s in %s: %q", a.Kind, l.tag, text)
		}
		if first, _, _ := strings.Cut(text, "\n"); first != l.title[a.Kind] {
			t.Errorf("%s in %s: begins with %q", a.Kind, l.tag, first)
		}
		told := a
		told.Refresh = false
		if err := mentions(strings.ReplaceAll(text, l.unsure, ""), told, withoutUnsure(l), false); err != "" {
			t.Errorf("%s in %s: %s: %q", a.Kind, l.tag, err, text)
		}
	})
}

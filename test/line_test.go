package test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var (
	saysSeconds = regexp.MustCompile(`(?:by itself|try again) in (\d+) second`)
	refreshes   = regexp.MustCompile(`<meta http-equiv="refresh" content="(\d+);url=/login">`)
	saysBefore  = regexp.MustCompile(`You are next\.|About one person is before you\.|About (\d+) people are before you\.`)
)

// standing is what a page in some form says to who stands in line.
type standing struct {
	seconds []int // wherever it says when to come again; all must be the same
	kept    bool  // it says that the place is kept
	ahead   int   // how many stand before; -1 where it does not say
	in      bool  // the JSON form says that the visitor is in line
}

// readStanding reads a page.
func readStanding(t *testing.T, r reply) standing {
	t.Helper()
	s := standing{seconds: []int{int(r.retry / time.Second)}, kept: strings.Contains(r.body, "Your place in the line is kept."), ahead: -1, in: true}
	number := func(text string) int {
		n, _ := strconv.Atoi(text)
		return n
	}
	for _, m := range saysSeconds.FindAllStringSubmatch(r.body, -1) {
		s.seconds = append(s.seconds, number(m[1]))
	}
	if m := saysBefore.FindStringSubmatch(r.body); m != nil {
		if s.ahead = number(m[1]); strings.HasPrefix(m[0], "About one") {
			s.ahead = 1
		}
	}
	switch kind, _, _ := strings.Cut(r.header.Get("Content-Type"), ";"); kind {
	case "text/html":
		m := refreshes.FindStringSubmatch(r.body)
		if m == nil {
			t.Errorf("the page does not reload by itself:\n%s", r.body)
			return s
		}
		s.seconds = append(s.seconds, number(m[1]))
	case "application/problem+json":
		var p struct {
			Seconds int  `json:"retry_after"`
			InLine  bool `json:"in_line"`
			Waited  *int `json:"waited_seconds"`
			Ahead   *int `json:"ahead"`
		}
		if err := json.Unmarshal([]byte(r.body), &p); err != nil || p.Waited == nil {
			t.Errorf("the JSON form: %v: %s", err, r.body)
			return s
		}
		s.seconds, s.in = append(s.seconds, p.Seconds), p.InLine
		if p.Ahead != nil && *p.Ahead != s.ahead {
			t.Errorf("ahead is %d, and the text says %d: %s", *p.Ahead, s.ahead, r.body)
		}
	}
	return s
}

// TestThePageSaysWhereAVisitorStands: in every form, while the store is closed and while the ramp runs; header, text and refresh
// agree, and the place is given once and kept.
func TestThePageSaysWhereAVisitorStands(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	g := startGatehouse(t, site{
		backend: a.URL, store: store.address(), ramp: oneIn, top: crowd, degrade: "retry_after: {min: 1s, max: 2s}",
	}.text())
	roads := roads()
	t.Cleanup(roads.CloseIdleConnections)
	var line []*inLine
	come := func() {
		for _, v := range line {
			v.come(t)
		}
	}
	closure(t, g, store, func() {
		for i := range 6 {
			v := &inLine{visitor: arrive(g.url, roads, i), ahead: map[string]int{}}
			r := v.get("/login")
			if r.set[placeCookie] == "" {
				t.Fatalf("%s was turned away without a place: %v", v.from, r)
			}
			v.due = time.Now().Add(r.retry)
			line = append(line, v)
		}
		for range len(pageForms) {
			time.Sleep(time.Until(line[0].due))
			come()
		}
	})
	first, last := line[0], line[len(line)-1]
	if r := first.get("/login"); !r.ok() {
		t.Errorf("the first in line: %v; want the form", r)
	}
	line = line[1:]
	// For as long as anybody may have been told to wait, a process that just began does not know who else is there.
	eventually(t, patience, "the last in line is told in every form how many stand before", func() bool {
		come()
		return len(last.ahead) == len(pageForms)
	})
	t.Logf("four stand before the last; the page says %v", last.ahead)
	for form, n := range last.ahead {
		if n > 12 {
			t.Errorf("the last, before whom four stand, is told as %s that %d do", form, n)
		}
	}
}

var pageForms = []string{"text/html", "application/json", "text/plain"}

// inLine is a visitor who comes again when he is told to, and asks for another form of the page each time.
type inLine struct {
	*visitor
	due   time.Time
	asked int
	ahead map[string]int // how many he was told stand before him, by the form; what was not said is not in it
}

// come has him ask if it is time, and looks at what the page says.
func (v *inLine) come(t *testing.T) {
	t.Helper()
	if time.Now().Before(v.due) {
		return
	}
	form := pageForms[v.asked%len(pageForms)]
	v.asked++
	r := v.get("/login", "Accept: "+form, "Accept-Language: en")
	v.due = time.Now().Add(max(r.retry, time.Second))
	s := readStanding(t, r)
	slices.Sort(s.seconds)
	if r.outcome != "degraded" && r.outcome != "lined_up" || r.retry < time.Second || r.retry > 2*time.Second ||
		len(slices.Compact(s.seconds)) != 1 || !s.kept || !s.in {
		t.Errorf("%s as %s: %v, it says %+v; want one number of seconds, 1 or 2, and a place that is kept\n%s", v.from, form, r, s, r.body)
	}
	if value, sent := r.set[placeCookie]; sent {
		t.Errorf("%s as %s: the place is set again: %s", v.from, form, value)
	}
	if s.ahead >= 0 {
		v.ahead[form] = s.ahead
	}
}

// TestTheBrowserComesInByItself: who leaves the page open gets the form without a hand, and can send it.
func TestTheBrowserComesInByItself(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	g := startGatehouse(t, site{
		backend: a.URL, store: store.address(), ramp: "from: 2/s, to: 2/s, over: 1h", degrade: "retry_after: {min: 1s, max: 3s}",
	}.text())
	b := openBrowser(t)
	closure(t, g, store, func() {
		b.do(chromedp.Navigate(g.url + "/login"))
		if h := b.text("h1"); h == "" {
			t.Error("the page has no heading")
		}
	})
	if n := len(a.journeys()); n != 0 {
		t.Fatalf("the app was asked for %d forms while the store was closed", n)
	}
	eventually(t, patience, "the page has reloaded by itself, and it is the form", func() bool { return len(a.journeys()) == 1 })
	b.do(chromedp.WaitReady(chromedp.CSS("form")), chromedp.Submit(chromedp.CSS("form")))
	eventually(t, patience, "the form is sent", func() bool { return len(a.signIns()) == 1 })
	eventually(t, patience, "the browser is signed in", func() bool {
		body, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("body")))
		return err == nil && strings.HasPrefix(strings.TrimSpace(body), "hello")
	})
}

package test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// kind is a kind of visitor.
type kind string

const (
	reads   kind = "signed-in reads"
	signIns kind = "sign-ins"
	forms   kind = "sign-in forms"
	strange kind = "anonymous pages"
	assets  kind = "assets"
	recalls kind = "remembered" // who comes back with nothing but a remember-me cookie
)

// rates are how many of each kind come in a second, whatever becomes of those before: an open loop.
var rates = map[kind]int{reads: 50, signIns: 15, forms: 5, strange: 10, assets: 10}

// hit is one request and what came of it.
type hit struct {
	kind      kind
	at        time.Time // when it was sent
	took      time.Duration
	status    int    // 0: no answer at all
	outcome   string // Gatehouse-Outcome, "" where a backend answered
	signedOut bool   // the answer takes a session away, or sends a member to sign in
	cookie    string // the session that the answer gives
	body      string // of a page that an app made
	session   string // of who reads
	told      string // Gatehouse-Store, which no visitor is to see
	visitor   int    // which of those who come back with a remember-me cookie
}

// ok reports whether the visitor got what was asked for.
func (h hit) ok() bool { return h.status >= 200 && h.status < 400 && h.outcome == "" && !h.signedOut }

// admitted reports whether somebody signed in.
func (h hit) admitted() bool { return h.kind == signIns && h.cookie != "" && h.outcome == "" }

// became reports whether it is that outcome, whatever the reason.
func (h hit) became(outcome string) bool {
	was, _, _ := strings.Cut(h.outcome, ";")
	return was == outcome
}

// outcomes counts what came of requests, for a person.
func outcomes(hits []hit) map[string]int {
	all := map[string]int{}
	for _, h := range hits {
		all[fmt.Sprintf("%d %s", h.status, h.outcome)]++
	}
	return all
}

// bare reports whether the visitor got an error that nobody had dressed.
func (h hit) bare() bool { return h.status == 0 || h.status >= 500 && h.outcome == "" }

// load sends visitors of every kind to one place until it is stopped.
type load struct {
	base    string
	csrf    bool // to sign in takes the form first
	client  *http.Client
	members []string // session ids that exist
	next    atomic.Int64

	stopped chan struct{}
	wg      sync.WaitGroup
	mu      sync.Mutex
	hits    []hit
	recalls []string // remember-me cookies, each in one visitor's hands
}

// startLoad signs members in to an app of that framework and begins.
func startLoad(t *testing.T, base string, f framework, members int) *load {
	t.Helper()
	l := &load{
		base: base, csrf: f == rails || f == django, stopped: make(chan struct{}),
		client: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 500, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Timeout:       15 * time.Second,
		},
	}
	t.Cleanup(l.stop)
	for range members {
		var h hit
		eventually(t, patience, "a member signs in before anything is broken", func() bool {
			h = l.send(signIns)
			return h.admitted()
		})
		l.members = append(l.members, h.cookie)
	}
	if f == spring {
		l.remember(t, 5)
	}
	for k, n := range rates {
		l.wg.Go(func() { l.run(k, time.Second/time.Duration(n)) })
	}
	return l
}

// remember has visitors sign in to be remembered, close their browsers, and come back again and again.
func (l *load) remember(t *testing.T, visitors int) {
	t.Helper()
	l.recalls = make([]string, visitors)
	for i := range l.recalls {
		form := url.Values{"name": {"bob"}, "remember": {"yes"}}
		h, cookies := l.ask(signIns, "POST", "/login", form, nil)
		if l.recalls[i] = cookies["remember"]; l.recalls[i] == "" {
			t.Fatalf("nobody is remembered: %+v", h)
		}
		l.wg.Go(func() {
			for tick := time.NewTicker(250 * time.Millisecond); ; {
				select {
				case <-l.stopped:
					tick.Stop()
					return
				case <-tick.C:
					l.note(l.recall(i))
				}
			}
		})
	}
}

// recall comes back with a remember-me cookie alone, and does with it as a browser does. Once it is gone, it is gone.
func (l *load) recall(i int) hit {
	l.mu.Lock()
	carried := l.recalls[i]
	l.mu.Unlock()
	held := map[string]string{}
	if carried != "" {
		held["remember"] = carried
	}
	h, cookies := l.ask(recalls, "GET", "/members", nil, held)
	h.visitor = i
	if now, sent := cookies["remember"]; sent {
		h.signedOut = now == ""
		l.mu.Lock()
		l.recalls[i] = now
		l.mu.Unlock()
	}
	return h
}

func (l *load) run(k kind, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-l.stopped:
			return
		case <-tick.C:
			l.wg.Go(func() { l.note(l.send(k)) })
		}
	}
}

func (l *load) note(h hit) {
	l.mu.Lock()
	l.hits = append(l.hits, h)
	l.mu.Unlock()
}

// stop ends the load and waits for the last answer.
func (l *load) stop() {
	select {
	case <-l.stopped:
		return
	default:
	}
	close(l.stopped)
	l.wg.Wait()
	l.client.CloseIdleConnections()
}

func (l *load) send(k kind) hit {
	switch k {
	case reads:
		return l.read(l.members[int(l.next.Add(1))%len(l.members)])
	case signIns:
		return l.signIn()
	case forms:
		h, _ := l.ask(k, "GET", "/login", nil, nil)
		return h
	case assets:
		h, _ := l.ask(k, "GET", "/assets/style.css", nil, nil)
		return h
	}
	h, _ := l.ask(k, "GET", "/", nil, nil)
	return h
}

// read looks at the members' page with that session.
func (l *load) read(session string) hit {
	h, cookies := l.ask(reads, "GET", "/members", nil, map[string]string{"sid": session})
	h.session = session
	now, sent := cookies["sid"]
	h.signedOut = sent && now != session || h.status >= 300 && h.status < 400
	return h
}

func (l *load) signIn() hit {
	form, carried := url.Values{"name": {"ada"}}, map[string]string{}
	if l.csrf {
		h, cookies := l.ask(signIns, "GET", "/login", nil, nil)
		if !h.ok() {
			return h
		}
		carried["sid"] = cookies["sid"]
		_, after, _ := strings.Cut(h.body, "name=csrf value=")
		secret, _, _ := strings.Cut(after, ">")
		form.Set("csrf", secret)
	}
	h, cookies := l.ask(signIns, "POST", "/login", form, carried)
	if h.status < 400 {
		h.cookie = cookies["sid"]
	}
	return h
}

// ask sends one request with those cookies and returns what came of it, and the cookies that were sent back, deleted ones
// empty.
func (l *load) ask(k kind, method, path string, form url.Values, carried map[string]string) (hit, map[string]string) {
	h := hit{kind: k, at: time.Now()}
	r, err := http.NewRequestWithContext(context.Background(), method, l.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return h, nil
	}
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range carried {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	res, err := l.client.Do(r)
	h.took = time.Since(h.at)
	if err != nil {
		return h, nil
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if h.took = time.Since(h.at); err != nil {
		return h, nil
	}
	h.status, h.outcome = res.StatusCode, res.Header.Get("Gatehouse-Outcome")
	h.told = res.Header.Get("Gatehouse-Store")
	if h.status == http.StatusOK && h.outcome == "" {
		h.body = string(body)
	}
	cookies := map[string]string{}
	for _, c := range res.Cookies() {
		if cookies[c.Name] = c.Value; c.MaxAge < 0 {
			cookies[c.Name] = ""
		}
	}
	return h, cookies
}

// between returns the hits that were sent in that time, of these kinds, or of all.
func (l *load) between(from, to time.Time, kinds ...kind) []hit {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []hit
	for _, h := range l.hits {
		if !h.at.Before(from) && h.at.Before(to) && (len(kinds) == 0 || slices.Contains(kinds, h.kind)) {
			out = append(out, h)
		}
	}
	return out
}

// first returns how long after t the first answer of that sort came to somebody who asked after t, -1 where none did.
func (l *load) first(t time.Time, is func(hit) bool) time.Duration {
	best := time.Duration(-1)
	for _, h := range l.between(t, time.Now().Add(time.Hour)) {
		if d := h.at.Add(h.took).Sub(t); is(h) && (best < 0 || d < best) {
			best = d
		}
	}
	return best
}

func count(hits []hit, is func(hit) bool) int {
	n := 0
	for _, h := range hits {
		if is(h) {
			n++
		}
	}
	return n
}

func readAll(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

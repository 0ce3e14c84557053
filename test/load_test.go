package test

import (
	"context"
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
	signedOut bool   // the answer takes a session away
	cookie    string // the session that the answer gives
}

// ok reports whether the visitor got what was asked for.
func (h hit) ok() bool { return h.status >= 200 && h.status < 400 && h.outcome == "" && !h.signedOut }

// bare reports whether the visitor got an error that nobody had dressed.
func (h hit) bare() bool { return h.status == 0 || h.status >= 500 && h.outcome == "" }

// load sends visitors of every kind to one place until it is stopped.
type load struct {
	base    string
	client  *http.Client
	members []string // session ids that exist
	next    atomic.Int64

	stopped chan struct{}
	wg      sync.WaitGroup
	mu      sync.Mutex
	hits    []hit
}

// startLoad signs members in and begins.
func startLoad(t *testing.T, base string, members int) *load {
	t.Helper()
	l := &load{
		base: base, stopped: make(chan struct{}),
		client: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 500, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Timeout:       15 * time.Second,
		},
	}
	t.Cleanup(l.stop)
	for range members {
		h := l.send(signIns)
		if h.cookie == "" {
			t.Fatalf("a member cannot sign in before anything is broken: %+v", h)
		}
		l.members = append(l.members, h.cookie)
	}
	for k, n := range rates {
		l.wg.Go(func() { l.run(k, time.Second/time.Duration(n)) })
	}
	return l
}

func (l *load) run(k kind, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-l.stopped:
			return
		case <-tick.C:
			l.wg.Go(func() {
				h := l.send(k)
				l.mu.Lock()
				l.hits = append(l.hits, h)
				l.mu.Unlock()
			})
		}
	}
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
	h := hit{kind: k, at: time.Now()}
	method, path, body, session := "GET", "/", "", ""
	switch k {
	case reads:
		path = "/members"
		session = l.members[int(l.next.Add(1))%len(l.members)]
	case signIns:
		method, path, body = "POST", "/login", url.Values{"name": {"ada"}}.Encode()
	case forms:
		path = "/login"
	case assets:
		path = "/assets/style.css"
	}
	r, err := http.NewRequestWithContext(context.Background(), method, l.base+path, strings.NewReader(body))
	if err != nil {
		return h
	}
	r.Header.Set("Accept", "text/html")
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if session != "" {
		r.AddCookie(&http.Cookie{Name: "sid", Value: session})
	}
	res, err := l.client.Do(r)
	h.took = time.Since(h.at)
	if err != nil {
		return h
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	if h.took = time.Since(h.at); err != nil {
		return h
	}
	h.status, h.outcome = res.StatusCode, res.Header.Get("Gatehouse-Outcome")
	for _, c := range res.Cookies() {
		if c.Name == "sid" {
			h.cookie = c.Value
			h.signedOut = session != "" && c.Value != session
		}
	}
	return h
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

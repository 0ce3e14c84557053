package test

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// hands is an app with so many hands: each request takes one for a while, and who comes while all are busy waits for one. Its
// sessions are its own.
type hands struct {
	*httptest.Server
	free chan struct{}

	mu       sync.Mutex
	sessions map[string]bool
	signing  int // sign-ins that are being worked on
	most     int // at once
	signIns  int // that came
}

// startHands starts an app where each request takes a hand for so long.
func startHands(t *testing.T, n int, each time.Duration) *hands {
	t.Helper()
	h := &hands{free: make(chan struct{}, n), sessions: map[string]bool{}}
	work := func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			select {
			case h.free <- struct{}{}:
			case <-r.Context().Done():
				return
			}
			defer func() { <-h.free }()
			time.Sleep(each)
			next(w, r)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", work(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "welcome, stranger") }))
	mux.HandleFunc("GET /login", work(plainForm))
	mux.HandleFunc("GET /members", work(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		known := h.sessions[session(r)]
		h.mu.Unlock()
		if !known {
			toForm(w, r)
			return
		}
		fmt.Fprint(w, "hello")
	}))
	signIn := work(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		h.mu.Lock()
		h.sessions[id] = true
		h.mu.Unlock()
		setCookie(w, "sid", id)
		http.Redirect(w, r, "/members", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.signIns++
		h.signing++
		h.most = max(h.most, h.signing)
		h.mu.Unlock()
		signIn(w, r)
		h.mu.Lock()
		h.signing--
		h.mu.Unlock()
	})
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	return h
}

// know has the app take a session for its own, as where several share a store.
func (h *hands) know(id string) {
	h.mu.Lock()
	h.sessions[id] = true
	h.mu.Unlock()
}

// asked is how many sign-ins came, and the most at once, since it was asked last.
func (h *hands) asked() (signIns, most int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	signIns, most = h.signIns, h.most
	h.signIns, h.most = 0, 0
	return signIns, most
}

// stream is one kind of visitor: so many come in a second, whatever becomes of those before.
type stream struct {
	rate int
	send func(n int) reply
}

// rush has all streams come for so long, and returns what each of them got once the last answer is there.
func rush(long time.Duration, streams map[string]stream) map[string][]reply {
	var mu sync.Mutex
	got := map[string][]reply{}
	var all sync.WaitGroup
	for name, s := range streams {
		all.Go(func() {
			every := time.Second / time.Duration(s.rate)
			began := time.Now()
			for n := range int(long / every) {
				time.Sleep(time.Until(began.Add(every * time.Duration(n))))
				all.Go(func() {
					r := s.send(n)
					mu.Lock()
					got[name] = append(got[name], r)
					mu.Unlock()
				})
			}
		})
	}
	all.Wait()
	return got
}

// steadily has something played until it comes out well, three times at most. A machine that is busy with other things is for a while
// slower than the app of a test is meant to be, and that says nothing of the program; what the program does wrong it does each time.
func steadily(play func() (well bool)) {
	for range 3 {
		if play() {
			return
		}
	}
}

// served is which part of the replies is what was asked for.
func served(replies []reply) float64 {
	n := 0
	for _, r := range replies {
		if r.ok() {
			n++
		}
	}
	return float64(n) / float64(max(1, len(replies)))
}

// printRush prints what became of each kind of visitor.
func printRush(t *testing.T, title string, long time.Duration, got map[string][]reply) {
	t.Helper()
	var text strings.Builder
	out := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "\n%s\tasked/s\tserved/s\tserved\tp50\tp95\totherwise\n", title)
	for _, name := range slices.Sorted(maps.Keys(got)) {
		var took []time.Duration
		otherwise := map[string]int{}
		for _, r := range got[name] {
			if took = append(took, r.took); !r.ok() {
				otherwise[fmt.Sprintf("%d %s", r.status, strings.TrimSpace(r.outcome+" "+r.reason))]++
			}
		}
		slices.Sort(took)
		part := func(p float64) time.Duration { return took[int(p*float64(len(took)-1))].Round(time.Millisecond) }
		asked := float64(len(took)) / long.Seconds()
		fmt.Fprintf(out, "%s\t%.0f\t%.0f\t%.1f %%\t%v\t%v\t", name, asked, asked*served(got[name]), 100*served(got[name]), part(0.5), part(0.95))
		for _, what := range slices.Sorted(maps.Keys(otherwise)) {
			fmt.Fprintf(out, "%d × %s  ", otherwise[what], what)
		}
		fmt.Fprintln(out)
	}
	_ = out.Flush()
	t.Log(text.String())
}

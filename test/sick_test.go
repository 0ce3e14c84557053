package test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// health is how a backend is.
type health int32

const (
	well   health = iota
	breaks        // takes requests and ends the connection without a word
	fails         // answers 502
	errs          // answers 500, as an app does whose store is gone
)

// backend is one of several that serve the same. It counts what it was asked, well or not.
type backend struct {
	*httptest.Server
	health atomic.Int32

	mu    sync.Mutex
	asked map[string]int // by the request's query, which tells requests apart
	all   int
}

func (b *backend) is(h health) { b.health.Store(int32(h)) }

// requests is how many came since it was asked last.
func (b *backend) requests() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.all
	b.all = 0
	return n
}

// startBackends starts so many, all of them well.
func startBackends(t *testing.T, n int) []*backend {
	t.Helper()
	var all []*backend
	for range n {
		b := &backend{asked: map[string]int{}}
		b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			b.mu.Lock()
			b.asked[r.Method+" "+r.URL.RawQuery]++
			b.all++
			b.mu.Unlock()
			switch health(b.health.Load()) {
			case breaks:
				c, _, err := http.NewResponseController(w).Hijack()
				if err == nil {
					_ = c.Close()
				}
			case fails:
				http.Error(w, "bad gateway", http.StatusBadGateway)
			case errs:
				failed(w)
			default:
				fmt.Fprint(w, "well")
			}
		}))
		t.Cleanup(b.Close)
		all = append(all, b)
	}
	return all
}

// before is the file of a site before these backends; store is where its sessions are, "" for nowhere.
func before(all []*backend, pool, store string) string {
	var urls []string
	for _, b := range all {
		urls = append(urls, fmt.Sprintf("%q", b.URL))
	}
	text := site{backend: "http://BACKENDS", pool: pool, store: store, top: crowd}.text()
	return strings.Replace(text, `app: {backends: ["http://BACKENDS"]`, "app: {backends: ["+strings.Join(urls, ", ")+"]", 1)
}

// ejected is which of the backends the program leaves alone.
func (g *gatehouse) ejected(t *testing.T, all []*backend) (out []int) {
	t.Helper()
	for i, b := range all {
		if g.metric(t, fmt.Sprintf(`gatehouse_backend_ejected{backend=%q,pool="app"}`, b.URL)) == 1 {
			out = append(out, i)
		}
	}
	return out
}

// knowsBackends fails the test where the metrics do not tell of each backend whether it is ejected.
func (g *gatehouse) knowsBackends(t *testing.T, all []*backend) {
	t.Helper()
	text := get(t, g.admin+"/metrics")
	for _, b := range all {
		if !strings.Contains(text, fmt.Sprintf(`gatehouse_backend_ejected{backend=%q,pool="app"}`, b.URL)) {
			t.Errorf("the metrics say nothing of whether %s is ejected", b.URL)
		}
	}
}

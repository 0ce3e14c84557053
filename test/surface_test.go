package test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ask sends one request with those fields, "Name: value" each.
func ask(t *testing.T, method, address string, fields ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Add(name, value)
	}
	res, err := (&http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res, readAll(t, res)
}

// TestEveryAnswerOfOursIsDressed asks for everything that Gatehouse answers itself, in every form.
func TestEveryAnswerOfOursIsDressed(t *testing.T) {
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + dead.Addr().String()
	_ = dead.Close()
	g := startGatehouse(t, fmt.Sprintf(`
listen: [{address: "127.0.0.1:0"}]
admin: {address: "127.0.0.1:0"}
session: {cookies: [sid], store: {redis: {address: %q}}}
pools:
  app: {backends: [%q]}
  dead: {backends: [%q]}
quotas: {once: {key: route, rate: 1/h, burst: 1}}
routes:
  - {name: sign-in, match: {path: /login}, pool: app, needs: write, restart: /login}
  - {name: dead, match: {path: /dead}, pool: dead, needs: none}
  - {name: once, match: {path: /once}, pool: app, needs: none, quotas: [once]}
  - {name: members, match: {path: "/members/*"}, pool: app}
degrade: {rate: {per_client: 1000/s, burst: 1000, per_address: 1000/s}}
`, store.address(), a.URL, nobody))
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, 5*time.Second, "the store is seen to be read-only", func() bool { return g.storeState(t) == "read-only" })
	_, _ = ask(t, "GET", g.url+"/once")

	for _, c := range []struct {
		path, outcome, reason string
		status                int
		again                 bool // there is a time to come again
	}{
		{"/login?next=https://evil.example", "degraded", "read_only", 503, true},
		{"/dead", "error", "backend_unreachable", 502, true},
		{"/once", "limited", "quota", 429, true},
		{"/nowhere", "rejected", "no_route", 404, false},
		{"/LOGIN", "rejected", "no_route", 404, false},
		{"/members/..;/login", "rejected", "ambiguous_path", 400, false},
		{"/%00", "rejected", "path", 400, false},
	} {
		for _, form := range []struct{ accept, contentType string }{
			{"text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"},
			{"application/json", "application/problem+json"},
			{"text/plain", "text/plain; charset=utf-8"},
		} {
			what := c.path + " as " + form.contentType
			res, body := ask(t, "GET", g.url+c.path, "Accept: "+form.accept)
			if res.StatusCode != c.status {
				t.Errorf("%s: status %d; want %d", what, res.StatusCode, c.status)
			}
			h := res.Header
			for name, want := range map[string]string{
				"Content-Type": form.contentType, "Cache-Control": "no-store", "Cdn-Cache-Control": "no-store",
				"Vary": "Accept, Accept-Language", "X-Content-Type-Options": "nosniff",
				"Gatehouse-Outcome": c.outcome + "; reason=" + c.reason,
			} {
				if h.Get(name) != want {
					t.Errorf("%s: %s: %q; want %q", what, name, h.Get(name), want)
				}
			}
			seconds, err := strconv.Atoi(h.Get("Retry-After"))
			if c.again != (err == nil && seconds > 0) {
				t.Errorf("%s: Retry-After: %q", what, h.Get("Retry-After"))
			}
			if strings.Contains(body, "evil") || strings.Contains(body, "..;") {
				t.Errorf("%s: the request is reflected: %s", what, body)
			}
			if form.accept == "application/json" && !json.Valid([]byte(body)) {
				t.Errorf("%s: no JSON: %s", what, body)
			}
			head, none := ask(t, "HEAD", g.url+c.path, "Accept: "+form.accept)
			if head.StatusCode != c.status || none != "" || head.Header.Get("Content-Type") != form.contentType {
				t.Errorf("%s: HEAD: %d %q %q", what, head.StatusCode, head.Header.Get("Content-Type"), none)
			}
		}
		res, _ := ask(t, "POST", g.url+c.path, "Content-Type: application/grpc")
		if res.StatusCode != 200 || res.Header.Get("Grpc-Status") == "" || res.Header.Get("Content-Type") != "application/grpc" {
			t.Errorf("%s as gRPC: %d %v", c.path, res.StatusCode, res.Header)
		}
	}
}

// TestPagesAreLimited: beyond the rate an answer is a 429 of a few bytes, and one client's excess is not another's.
func TestPagesAreLimited(t *testing.T) {
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	file := strings.Replace(configFor(a, store, true), "per_client: 1000/s, burst: 1000", "per_client: 1/m, burst: 3", 1)
	g := startGatehouse(t, strings.Replace(file, "listen:", "trusted_proxies: [127.0.0.1]\nlisten:", 1))
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, 5*time.Second, "the store is seen to be read-only", func() bool { return g.storeState(t) == "read-only" })
	for i, want := range []int{503, 503, 503, 429, 429} {
		res, body := ask(t, "GET", g.url+"/login", "Accept: text/html", "X-Forwarded-For: 198.51.100.1")
		if res.StatusCode != want {
			t.Errorf("request %d: %d; want %d", i+1, res.StatusCode, want)
		}
		if res.StatusCode == 429 && (len(body) > 200 || res.Header.Get("Gatehouse-Outcome") != "limited; reason=page_rate") {
			t.Errorf("the 429 has %d bytes, %q: %s", len(body), res.Header.Get("Gatehouse-Outcome"), body)
		}
	}
	if res, _ := ask(t, "GET", g.url+"/login", "Accept: text/html", "X-Forwarded-For: 198.51.100.2"); res.StatusCode != 503 {
		t.Errorf("another client: %d; want 503", res.StatusCode)
	}
}

// TestMetricsAndLogs: the names that dashboards are written against, and one line of JSON for each request whatever it held.
func TestMetricsAndLogs(t *testing.T) {
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	g := startGatehouse(t, configFor(a, store, true))
	sent := 0
	for _, path := range []string{"/", "/login", "/assets/style.css", "/%0d%0aInjected", "/x?password=hunter2"} {
		_, _ = ask(t, "GET", g.url+path, "User-Agent: red\u2028ink", "Referer: https://a.example/?token=hunter2")
		sent++
	}
	store.do("CONFIG", "SET", "maxmemory", "1000")
	eventually(t, 5*time.Second, "the store is seen to be full", func() bool { return g.storeState(t) == "read-only" })

	metrics := get(t, g.admin+"/metrics")
	for _, want := range []string{
		`gatehouse_requests_total{code="200",outcome="proxied",pool="login",route="sign-in"} 1`,
		`gatehouse_request_duration_seconds_bucket{pool="app",route="assets",le="0.001"}`,
		`gatehouse_upstream_duration_seconds_count{pool="app"}`,
		`gatehouse_pool_in_flight{pool="login"} 0`, `gatehouse_pool_limit{pool="login"} 64`, `gatehouse_pool_queue{pool="login"} 0`,
		fmt.Sprintf(`gatehouse_backend_up{backend=%q,pool="app"} 1`, a.URL),
		`gatehouse_store_state{state="read-only",store="store"} 1`, `gatehouse_store_state{state="down",store="store"} 0`,
		`gatehouse_store_observed_state{state="read-only",store="store"} 1`,
		`gatehouse_store_transitions_total{cause="full",from="writable",store="store",to="read-only"} 1`,
		`gatehouse_store_probe_duration_seconds_count{store="store"}`,
		`gatehouse_config_reload_success 1`, `gatehouse_config_reload_timestamp_seconds`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics has no %s", want)
		}
	}

	var lines []string
	eventually(t, 5*time.Second, "the access lines are written", func() bool {
		lines = g.accessLines()
		return len(lines) >= sent
	})
	keys := []string{"time", "msg", "id", "method", "path", "route", "pool", "backend", "outcome", "status"}
	for _, line := range lines {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Errorf("no JSON: %s", line)
			continue
		}
		if strings.Contains(line, "hunter2") || strings.ContainsAny(line, "\x1b\u2028") {
			t.Errorf("a line holds what it must not: %s", line)
		}
		for _, k := range keys {
			if _, ok := e[k]; !ok && e["outcome"] == "proxied" {
				t.Errorf("a line has no %s: %s", k, line)
			}
		}
	}
	if e := g.event("store state changed"); e == nil || e["to"] != "read-only" || e["cause"] != "full" {
		t.Errorf("the event log says %v", e)
	}
}

// TestWhatABackendSees: the request id goes to backend, visitor and log; a stranger's word about himself does not.
func TestWhatABackendSees(t *testing.T) {
	seen := make(chan *http.Request, 8)
	backend := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Gatehouse-Outcome", "forged")
		seen <- r
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = backend.Serve(l) }()
	t.Cleanup(func() { _ = backend.Close() })
	g := startGatehouse(t, simple("http://"+l.Addr().String(), everything))

	res, _ := ask(t, "GET", g.url+"/projects/group%2Fname//x?a=1;b=2", "X-Forwarded-For: 203.0.113.1", "X_User: admin",
		"Gatehouse-Store: down", "X-Original-URL: /admin", "X-Request-Id: forged", "Accept-Encoding: br")
	r := <-seen
	if r.RequestURI != "/projects/group%2Fname//x?a=1;b=2" {
		t.Errorf("the backend was asked for %s", r.RequestURI)
	}
	if got := r.Header.Values("X-Forwarded-For"); !slices.Equal(got, []string{"127.0.0.1"}) {
		t.Errorf("X-Forwarded-For: %v", got)
	}
	for _, name := range []string{"X_user", "X_User", "Gatehouse-Store", "X-Original-Url"} {
		if _, ok := r.Header[name]; ok {
			t.Errorf("the backend saw %s", name)
		}
	}
	if got := r.Header.Get("Accept-Encoding"); got != "br" {
		t.Errorf("Accept-Encoding became %q", got)
	}
	id := res.Header.Get("X-Request-Id")
	if id == "" || id == "forged" || id != r.Header.Get("X-Request-Id") {
		t.Errorf("request id: visitor %q, backend %q", id, r.Header.Get("X-Request-Id"))
	}
	if res.Header.Get("Gatehouse-Outcome") != "" {
		t.Error("a backend's Gatehouse-Outcome reached the visitor")
	}
	eventually(t, 5*time.Second, "the id is in the log", func() bool { return strings.Contains(strings.Join(g.accessLines(), "\n"), id) })
}

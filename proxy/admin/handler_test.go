package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func settings(f *fake) Settings {
	return Settings{Source: f, Version: "v1", Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "gatehouse_x 1\n") })}
}

// ask sends one request to a handler as if by a browser's or a tool's connection to localhost.
func ask(h http.Handler, method, path string, head ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:9901"+path, nil)
	for i := 0; i+1 < len(head); i += 2 {
		if head[i] == "Host" {
			r.Host = head[i+1]
		} else {
			r.Header.Set(head[i], head[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPathsAndMethods(t *testing.T) {
	f := &fake{status: incident("writable", "ok"), ready: true}
	h := NewHandler(settings(f))
	for _, c := range []struct {
		method, path string
		code         int
		allow, body  string
	}{
		{"GET", "/livez", 200, "", "ok"},
		{"HEAD", "/livez", 200, "", ""},
		{"POST", "/livez", 405, "GET, HEAD", ""},
		{"GET", "/readyz", 200, "", "ready"},
		{"GET", "/metrics", 200, "", "gatehouse_x 1"},
		{"GET", "/status", 200, "", `"degraded_now"`},
		{"DELETE", "/status", 405, "GET, HEAD", ""},
		{"GET", "/", 200, "", "<!doctype html>"},
		{"POST", "/", 405, "GET, HEAD", ""},
		{"GET", "/reload", 405, "POST", ""},
		{"HEAD", "/reload", 405, "POST", ""},
		{"OPTIONS", "/reload", 405, "POST", ""},
		{"GET", "/store/override", 405, "POST", ""},
		{"POST", "/store/override", 400, "", "state: it is missing"},
		{"POST", "/reload", 200, "", `"ok": true`},
		{"GET", "/nothing", 404, "", "/metrics"},
		{"GET", "//status", 404, "", ""},
		{"GET", "/debug/pprof/", 404, "", ""},
		{"GET", "/debug/pprof/cmdline", 404, "", ""},
	} {
		w := ask(h, c.method, c.path)
		if w.Code != c.code || w.Header().Get("Allow") != c.allow || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s %s: %d, Allow %q, %.80q; want %d, %q, %q", c.method, c.path, w.Code, w.Header().Get("Allow"), w.Body, c.code, c.allow, c.body)
		}
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none';") {
			t.Errorf("%s %s: head %v", c.method, c.path, w.Header())
		}
	}
	if f.reloads != 1 {
		t.Errorf("%d reloads, want 1", f.reloads)
	}
	f.ready = false
	if w := ask(h, "GET", "/readyz"); w.Code != 503 || !strings.Contains(w.Body.String(), "draining") {
		t.Errorf("not ready: %d %q", w.Code, w.Body)
	}
}

func TestPprofOnlyWhenAskedFor(t *testing.T) {
	s := settings(&fake{})
	s.Pprof, s.Token = true, "s3cret"
	h := NewHandler(s)
	if w := ask(h, "GET", "/debug/pprof/"); w.Code != 401 {
		t.Errorf("profiles without the token: %d", w.Code)
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=1"} {
		if w := ask(h, "GET", path, "Authorization", "Bearer s3cret"); w.Code != 200 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestToken(t *testing.T) {
	f := &fake{ready: true}
	s := settings(f)
	s.Token = "s3cret"
	h := NewHandler(s)
	basic := func(user, password string) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	for field, want := range map[string]int{
		"": 401, "Bearer": 401, "Bearer ": 401, "Bearer s3cre": 401, "Bearer s3cret1": 401, "s3cret": 401, "Basic s3cret": 401,
		"Bearer s3cret": 200, "bearer s3cret": 200, basic("me", "s3cret"): 200, basic("s3cret", ""): 401, basic("", "s3cret"): 200,
	} {
		for _, path := range []string{"/", "/status", "/metrics"} {
			w := ask(h, "GET", path, "Authorization", field)
			if w.Code != want {
				t.Errorf("%s with %q: %d, want %d", path, field, w.Code, want)
			}
			if want == 401 && len(w.Header().Values("WWW-Authenticate")) != 2 {
				t.Errorf("%s does not say how to ask: %v", path, w.Header())
			}
		}
	}
	if w := ask(h, "POST", "/reload"); w.Code != 401 || f.reloads != 0 {
		t.Errorf("reload without the token: %d, %d reloads", w.Code, f.reloads)
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if w := ask(h, "GET", path); w.Code != 200 {
			t.Errorf("%s asks for a token: %d", path, w.Code)
		}
	}
}

func TestHosts(t *testing.T) {
	s := settings(&fake{ready: true})
	s.Hosts = []string{"Gate.example", "10.1.2.3", "[2001:db8::7]"}
	h := NewHandler(s)
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:9901": 200, "localhost.": 200, "127.0.0.1:9901": 200, "127.0.0.9": 200, "[::1]:9901": 200, "[::1]": 200,
		"gate.example": 200, "GATE.example.:1": 200, "10.1.2.3:9901": 200, "[2001:db8::7]:9901": 200, "": 200,
		"evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "10.1.2.4": 421, "gate.example.evil": 421,
		"0.0.0.0": 421, "127.1": 421, "2130706433": 421, "[::ffff:10.9.9.9]": 421,
	} {
		for _, path := range []string{"/status", "/livez"} {
			if w := ask(h, "GET", path, "Host", host); w.Code != want {
				t.Errorf("Host %q at %s: %d, want %d", host, path, w.Code, want)
			}
		}
	}
	r := httptest.NewRequest("GET", "http://192.0.2.9:9901/livez", nil)
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.ParseIP("192.0.2.9"), Port: 9901})))
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 200 {
		t.Errorf("the address it was reached at: %d", w.Code)
	}
}

func TestOtherSitesChangeNothing(t *testing.T) {
	f := &fake{}
	h := NewHandler(settings(f))
	for _, head := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "http://evil.example"}, {"Origin", "null"},
	} {
		if w := ask(h, "POST", "/reload", head...); w.Code != 403 {
			t.Errorf("%v: %d, want 403", head, w.Code)
		}
	}
	if f.reloads != 0 {
		t.Fatalf("%d reloads by other sites", f.reloads)
	}
	for _, head := range [][]string{{}, {"Sec-Fetch-Site", "same-origin"}, {"Origin", "http://localhost:9901"}} {
		if w := ask(h, "POST", "/reload", head...); w.Code != 200 {
			t.Errorf("%v: %d, want 200", head, w.Code)
		}
	}
}

func TestReloadTellsEveryMistake(t *testing.T) {
	f := &fake{err: errors.New("a.yaml:1:2: one\na.yaml:3:4: two"), status: Status{Config: Config{Sum: "abc", Warnings: []string{"w"}}}}
	h := NewHandler(settings(f))
	w := ask(h, "POST", "/reload")
	var got reloaded
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 422 || got.OK || len(got.Mistakes) != 2 || got.Mistakes[1] != "a.yaml:3:4: two" {
		t.Errorf("%d %s (%v)", w.Code, w.Body, err)
	}
	w = ask(h, "POST", "/reload", "Accept", "text/html,*/*;q=0.8")
	if w.Code != 422 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") || !strings.Contains(w.Body.String(), "one\na.yaml:3:4: two\n") {
		t.Errorf("as text: %d %q", w.Code, w.Body)
	}
	f.err = nil
	if w = ask(h, "POST", "/reload"); w.Code != 200 || !strings.Contains(w.Body.String(), `"sha256": "abc"`) || !strings.Contains(w.Body.String(), `"w"`) {
		t.Errorf("loaded: %d %s", w.Code, w.Body)
	}
}

// TestOnlyStoresHaveAState holds /status to what a reader of its JSON may count on: "state" beside "cause" is a store.
func TestOnlyStoresHaveAState(t *testing.T) {
	s := incident("down", "refused")
	s.Stores[0].Changes = []Transition{{From: "writable", To: "down", Was: "ok", Why: "refused"}}
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(raw), `"state":`); n != 1 {
		t.Errorf("%d objects have a state, want the one store", n)
	}
}

func TestStatusHasListsEvenIfEmpty(t *testing.T) {
	if w := ask(NewHandler(settings(&fake{})), "GET", "/status"); strings.Contains(w.Body.String(), "null") {
		t.Errorf("null in %s", w.Body)
	}
}

func TestServer(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		address := "127.0.0.1:0"
		if network == "unix" {
			address = filepath.Join(t.TempDir(), "a.sock")
		}
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		s := NewServer(l, NewHandler(settings(&fake{ready: true})), nil)
		served := make(chan error, 1)
		go func() { served <- s.Serve() }()
		tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
		}}
		c := &http.Client{Transport: tr, Timeout: 20 * time.Second}
		want := map[string]int{"tcp": 421, "unix": 200}[network]
		for host, code := range map[string]int{"http://any.example/livez": want, "http://localhost/livez": 200} {
			resp, err := c.Get(host)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != code {
				t.Errorf("%s over %s: %d, want %d", host, network, resp.StatusCode, code)
			}
		}
		tr.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}

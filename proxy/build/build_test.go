package build

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/config"
	"gatehouse/proxy/record"
	"gatehouse/shed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a Living that a test gives files to.
type site struct {
	*Living
	t *testing.T
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteThatSays(t, record.New(record.Settings{}), slog.New(slog.DiscardHandler))
}

func newSiteThatSays(t *testing.T, rec *record.Recorder, log *slog.Logger) *site {
	t.Helper()
	s := &site{New(rec, log), t}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Drain(ctx); err != nil {
			t.Errorf("drain: %v", err)
		}
		_ = rec.Close(ctx)
	})
	return s
}

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, err := config.Parse(filepath.Join(t.TempDir(), "site.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// live plans and commits a file.
func (s *site) live(text string) {
	s.t.Helper()
	plan, err := s.Plan(parse(s.t, text))
	if err != nil {
		s.t.Fatal(err)
	}
	plan.Commit()
}

func (s *site) get(address, path string) (int, string) {
	s.t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + address + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func saying(t *testing.T, word string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, word) }))
	t.Cleanup(s.Close)
	return s.URL
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestWhatKeepsItsIdentityKeepsItsState(t *testing.T) {
	one, two, a := saying(t, "one"), saying(t, "two"), freeAddress(t)
	s := newSite(t)
	file := func(backends, limit, rate string) string {
		return fmt.Sprintf(`
listen: [{address: %q}]
session: {cookies: [sid], store: {redis: {address: "127.0.0.1:9"}}}
pools: {app: {backends: [%s], max_in_flight: %s}}
quotas: {q: {key: client_ip, rate: %s, burst: 3}}
routes: [{name: all, pool: app, needs: none, quotas: [q]}]
`, a, backends, limit, rate)
	}
	s.live(file(one, "10", "1/h"))
	before := s.Handler.Live()
	pool, monitor, quotas, server := s.pools["app"], before.Stores[0].Monitor, s.quotas[quotaIdentity{"q", "client_ip"}], s.listeners[config.Address{Network: "tcp", Address: a}]
	held, _ := pool.Gate.Acquire(t.Context(), shed.Anonymous)
	if code, body := s.get(a, "/"); code != 200 || body != "one" {
		t.Fatalf("%d %q", code, body)
	}

	s.live(file(one+", "+two, "20", "2/h"))
	after := s.Handler.Live()
	if after == before {
		t.Fatal("the runtime was not replaced")
	}
	if s.pools["app"] != pool || after.Stores[0].Monitor != monitor || s.quotas[quotaIdentity{"q", "client_ip"}] != quotas ||
		s.listeners[config.Address{Network: "tcp", Address: a}] != server {
		t.Error("a pool, the store, a quota or a listener did not survive")
	}
	in, limit := pool.Gate.Load().InFlight, pool.Gate.Load().Limit
	if in != 1 || limit != 20 {
		t.Errorf("%d permits out of %d; want the one that was out, and the new limit", in, limit)
	}
	held.Done()
	said := map[string]bool{}
	for range 2 {
		_, body := s.get(a, "/")
		said[body] = true
	}
	if code, _ := s.get(a, "/"); code != 429 {
		t.Errorf("the quota was forgotten: %d", code)
	}

	s.live(strings.Replace(file(two, "20", "2/h"), "127.0.0.1:9", "127.0.0.1:10", 1))
	if s.Handler.Live().Stores[0].Monitor == monitor {
		t.Error("another store has the old one's state")
	}
	names := slices.Collect(func(yield func(string) bool) {
		for _, b := range s.pools["app"].Backends.Status() {
			if !yield(b.URL) {
				return
			}
		}
	})
	if !slices.Equal(names, []string{two}) {
		t.Errorf("backends %v; want %v", names, two)
	}
}

func TestListenersComeAndGo(t *testing.T) {
	one, a, b := saying(t, "one"), freeAddress(t), freeAddress(t)
	socket := filepath.Join(t.TempDir(), "g.sock")
	s := newSite(t)
	file := func(addresses ...string) string {
		var l []string
		for _, a := range addresses {
			l = append(l, fmt.Sprintf("{address: %q}", a))
		}
		return fmt.Sprintf("listen: [%s]\npools: {app: {backends: [%s]}}\nroutes: [{name: all, pool: app}]\n", strings.Join(l, ", "), one)
	}
	s.live(file(a, "unix:"+socket))
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	s.live(file(a, b))
	for _, address := range []string{a, b} {
		if code, _ := s.get(address, "/"); code != 200 {
			t.Errorf("%s: %d", address, code)
		}
	}
	if code, body := s.get(b, "/.gatehouse/ready"); code != 200 || body != "ready\n" {
		t.Errorf("the new listener's health: %d %q", code, body)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("unix", socket)
		if err != nil {
			break
		}
		_ = c.Close()
		if time.Now().After(deadline) {
			t.Fatal("a listener that was dropped still accepts")
		}
	}
}

// A plan that cannot be carried out leaves nothing behind: no listener, no probe, no goroutine (which TestMain looks for).
func TestAPlanThatFailsLeavesNothing(t *testing.T) {
	one, free := saying(t, "one"), freeAddress(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := newSite(t)
	_, err = s.Plan(parse(t, fmt.Sprintf(`
listen: [{address: %q}, {address: %q}]
session: {cookies: [sid], store: {redis: {address: "127.0.0.1:9", password_env: GATEHOUSE_TEST_NOT_SET}}}
pools: {app: {backends: [%q], health: {path: /}}}
routes: [{name: all, pool: app}]
`, free, taken.Addr(), one)))
	if err == nil {
		t.Fatal("a port in use and a missing password were accepted")
	}
	for _, want := range []string{"address already in use", "GATEHOUSE_TEST_NOT_SET"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	l, err := net.Listen("tcp", free)
	if err != nil {
		t.Fatalf("the plan's other listener is still open: %v", err)
	}
	_ = l.Close()
}

func TestCheckSaysWhatOnlyBuildingCanTell(t *testing.T) {
	dir := t.TempDir()
	cfg := parse(t, `
listen: [{address: "127.0.0.1:0"}]
session: {cookies: [sid], store: {redis: {address: "127.0.0.1:9", password_file: `+filepath.Join(dir, "none")+`}}}
pools: {app: {backends: ["http://127.0.0.1:1"]}}
routes: [{name: all, pool: app}]
`)
	_, err := Check(cfg)
	if err == nil || !strings.Contains(err.Error(), "password_file") {
		t.Errorf("a missing password file: %v", err)
	}
}

func TestStatusTellsOfAll(t *testing.T) {
	one, a := saying(t, "one"), freeAddress(t)
	s := newSite(t)
	text := fmt.Sprintf(`
listen: [{address: %q}]
session: {cookies: [sid], store: {redis: {address: "127.0.0.1:9"}}}
pools: {app: {backends: [%q], max_in_flight: 7}}
routes: [{name: all, pool: app}, ]
`, a, one)
	s.live(text)
	_, _ = s.get(a, "/")
	st := s.Status(parse(t, text))
	if len(st.Stores) != 1 || st.Stores[0].State != "down" || st.Stores[0].Cause != "refused" {
		t.Errorf("stores: %+v", st.Stores)
	}
	if len(st.Pools) != 1 || st.Pools[0].Limit != 7 || len(st.Pools[0].Backends) != 1 || st.Pools[0].Asked != 1 {
		t.Errorf("pools: %+v", st.Pools)
	}
	if len(st.Routes) != 1 || st.Routes[0].Total != 1 {
		t.Errorf("routes: %+v", st.Routes)
	}
}

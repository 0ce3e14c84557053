package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/proxy/edge"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/routing"
	"gatehouse/shed"
	"gatehouse/shed/line"
	"gatehouse/shed/page"
	"gatehouse/shed/quota"
	"gatehouse/shed/session"
	"gatehouse/shed/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary is a Prober whose findings a test sets.
type canary struct {
	mu    sync.Mutex
	found store.Evidence
	hold  chan struct{} // not nil: probes do not come back before it is closed
}

func (c *canary) Probe(ctx context.Context, _ int) store.Evidence {
	c.mu.Lock()
	found, hold := c.found, c.hold
	c.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return store.Evidence{State: shed.Down, Cause: shed.CauseHung}
		}
	}
	return found
}

func (c *canary) Greet(context.Context) store.Evidence {
	return store.Evidence{State: shed.Writable, Cause: shed.OK, Reached: true}
}

func (c *canary) Close() error { return nil }

func (c *canary) set(s shed.State, cause shed.Cause) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found = store.Evidence{State: s, Cause: cause, Definite: true, Reached: true, Latency: time.Millisecond}
}

// lose has the store come back without what it held.
func (c *canary) lose() {
	c.set(shed.Writable, shed.CauseSessionLoss)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found.Lost = true
}

// lines is an access log that a test can read.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) has(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), part)
}

// with returns the line that holds a text; "" where none does.
func (l *lines) with(part string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}

// rig is the whole path with a real front end and real backends, before a store that a test breaks by hand.
type rig struct {
	t       testing.TB
	canary  *canary
	monitor *store.Monitor
	handler *Handler
	runtime *Runtime
	log     *lines
	url     string
	client  *http.Client
}

// newRig serves these routes. Pools and quotas in them must be made by the test.
func newRig(t testing.TB, rules []routing.Rule, routes []*Route) *rig {
	t.Helper()
	r := &rig{t: t, canary: &canary{}, log: &lines{}}
	r.canary.set(shed.Writable, shed.OK)
	rec := record.New(record.Settings{Access: r.log})
	r.monitor = store.New(r.canary, store.Settings{
		Interval: 20 * time.Millisecond, Timeout: 500 * time.Millisecond, Payload: 64, Rise: 2, After: 50 * time.Millisecond,
		RampOver: 2 * time.Second,
	}, func(store.Transition) {
		if rt := r.handler.Live(); rt != nil {
			rt.Stores[0].Line.Follow(r.monitor, r.monitor.Current())
		}
	})
	r.handler = &Handler{Record: rec, Log: slog.New(slog.DiscardHandler)}
	r.monitor.Start()
	r.monitor.First(t.Context())
	r.runtime = r.newRuntime(rules, routes)
	r.handler.Swap(r.runtime)

	l, err := edge.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := edge.NewServer(l, r.handler, edge.Settings{Live: edge.Live{HTTP2: true}, Refused: r.handler.Refused})
	var serving sync.WaitGroup
	serving.Go(server.Serve)
	r.url = "http://" + l.Addr().String()
	r.client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableCompression: true}}
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := server.Drain(ctx); err != nil {
			t.Errorf("drain: %v", err)
		}
		serving.Wait()
		for _, route := range routes {
			for _, p := range []*Pool{route.Pool, route.Overflow} {
				if p == nil {
					continue
				}
				if l := p.Gate.Load(); l.InFlight != 0 || l.Queued != 0 {
					t.Errorf("pool %s: %d permits are out and %d wait at the end", p.Name, l.InFlight, l.Queued)
				}
				if n := p.Backends.InFlight(); n != 0 {
					t.Errorf("pool %s: %d claims are open at the end", p.Name, n)
				}
			}
		}
		r.monitor.Close()
		_ = rec.Close(ctx)
	})
	return r
}

func (r *rig) newRuntime(rules []routing.Rule, routes []*Route) *Runtime {
	r.t.Helper()
	rt := NewRuntime()
	var err error
	if rt.Table, err = routing.New(rules, routes); err != nil {
		r.t.Fatal(err)
	}
	if rt.Page, err = page.New(page.Settings{}); err != nil {
		r.t.Fatal(err)
	}
	rt.Session = session.Marks{Cookies: []string{"sid"}, Remember: []string{"remember"}, Headers: []string{"Authorization"}}
	if rt.SignInAt, err = session.NewPlaces([]string{"/login"}); err != nil {
		r.t.Fatal(err)
	}
	rt.SignedOut, rt.MaxAge, rt.Waits = session.NewSignedOut(), time.Hour, &Waits{}
	rt.Seal = session.NewSeal()
	whole := &Store{Name: "store", Monitor: r.monitor, Line: line.New(line.Settings{From: 5, To: 10, Over: 2 * time.Second})}
	rt.Stores = []*Store{whole}
	rt.Status, rt.WaitRate = 503, 10
	rt.PerClient, rt.PerAddress = quota.New(quota.Settings{Rate: 1e6, Burst: 1e6}), quota.New(quota.Settings{Rate: 1e6, Burst: 1e6})
	for i, route := range routes {
		rt.Names = append(rt.Names, rules[i].Name)
		if route.Timeout == 0 {
			route.Timeout = 10 * time.Second
		}
		if route.ImpairedTimeout == 0 {
			route.ImpairedTimeout = 300 * time.Millisecond
		}
		route.Name = rules[i].Name
		if route.Store == nil || route.Store.Name == whole.Name { // also where a test has a second rig for its routes
			route.Store, route.OverflowStore = whole, whole
		}
		route.Convert = map[int]bool{500: true, 502: true, 503: true, 504: true}
		route.Series = r.handler.Record.Series(route.Name, route.Pool.Name)
		if route.Overflow != nil {
			route.OverflowSeries = r.handler.Record.Series(route.Name, route.Overflow.Name)
		}
	}
	return rt
}

// newPool is a pool of backends, by URL.
func newPool(t testing.TB, name string, gate shed.GateSettings, urls ...string) *Pool {
	t.Helper()
	s := upstream.Settings{Name: name, Retries: upstream.RetrySettings{Budget: 1}}
	for _, u := range urls {
		s.Backends = append(s.Backends, upstream.BackendSettings{URL: u, Address: strings.TrimPrefix(u, "http://")})
	}
	p := &Pool{Name: name, Backends: upstream.NewPool(s, slog.New(slog.DiscardHandler))}
	p.Set(gate)
	p.Backends.Start()
	t.Cleanup(p.Backends.Close)
	return p
}

// backend is a server whose answer a test decides, and which counts who came.
type backend struct {
	*httptest.Server
	asked atomic.Int64
	gone  atomic.Int64 // requests whose context ended before they were answered
}

func newBackend(t testing.TB, serve http.HandlerFunc) *backend {
	t.Helper()
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.asked.Add(1)
		serve(w, r)
		if r.Context().Err() != nil {
			b.gone.Add(1)
		}
	}))
	t.Cleanup(b.Close)
	return b
}

func say(word string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, word) }
}

// hang answers nothing until the proxy gives up.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// answer is what a visitor got.
type answer struct {
	status        int
	outcome, body string
	head          http.Header
	took          time.Duration
}

func (r *rig) ask(method, path string, fields ...string) answer {
	r.t.Helper()
	a, err := r.try(context.Background(), method, path, fields...)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func (r *rig) try(ctx context.Context, method, path string, fields ...string) (answer, error) {
	began := time.Now()
	q, err := http.NewRequestWithContext(ctx, method, r.url+path, nil)
	if err != nil {
		return answer{}, err
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		q.Header.Add(name, value)
	}
	res, err := r.client.Do(q)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header.Get("Gatehouse-Outcome"), string(b), res.Header, time.Since(began)}, err
}

// breaks sets what the store can do and waits until it is known.
func (r *rig) breaks(s shed.State, cause shed.Cause) {
	r.t.Helper()
	r.canary.set(s, cause)
	until(r.t, "the store is "+s.String(), func() bool { return r.monitor.Current().State == s })
}

func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	within(t, 10*time.Second, what, holds)
}

func within(t testing.TB, most time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(most); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not in time: %s", what)
}

// raw is a connection on which a test says its own bytes.
func (r *rig) raw(text string) (net.Conn, *bufio.Reader) {
	r.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		r.t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

// address is that from which the rig's client comes.
func (r *rig) address() netip.Addr { return netip.MustParseAddr("127.0.0.1") }

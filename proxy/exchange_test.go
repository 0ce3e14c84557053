package proxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/routing"
	"gatehouse/shed"
	"gatehouse/shed/quota"
)

const member = "Cookie: sid=1"

// one is a single route that takes everything.
func one(route *Route) ([]routing.Rule, []*Route) {
	return []routing.Rule{{Name: "all"}}, []*Route{route}
}

func TestDegradeByNeed(t *testing.T) {
	b := newBackend(t, say("hello"))
	p := newPool(t, "app", shed.GateSettings{}, b.URL)
	rules := []routing.Rule{{Name: "write", Paths: []string{"/write"}}, {Name: "none", Paths: []string{"/none"}}, {Name: "read"}}
	r := newRig(t, rules, []*Route{{Pool: p, Need: shed.NeedWrite}, {Pool: p, Need: shed.NeedNone}, {Pool: p}})
	for _, c := range []struct {
		state                            shed.State
		cause                            shed.Cause
		write, readMember, read, nothing int
	}{
		{shed.Writable, shed.OK, 200, 200, 200, 200},
		{shed.ReadOnly, shed.CauseFull, 503, 200, 200, 200},
		{shed.Down, shed.CauseRefused, 503, 503, 200, 200},
	} {
		r.breaks(c.state, c.cause)
		for _, q := range []struct {
			what   string
			want   int
			got    answer
			reason string
		}{
			{"write", c.write, r.ask("GET", "/write"), c.cause.String()},
			{"read with a session", c.readMember, r.ask("GET", "/x", member), c.cause.String()},
			{"read without", c.read, r.ask("GET", "/x"), ""},
			{"none", c.nothing, r.ask("GET", "/none", member), ""},
			{"preflight", 200, r.ask("OPTIONS", "/write", "Origin: https://a", "Access-Control-Request-Method: POST"), ""},
		} {
			if q.got.status != q.want {
				t.Errorf("%v, %s: %d; want %d", c.state, q.what, q.got.status, q.want)
			}
			if q.want == 503 && q.got.outcome != "degraded; reason="+q.reason {
				t.Errorf("%v, %s: outcome %q", c.state, q.what, q.got.outcome)
			}
		}
	}
}

// A sign-in asks for a check that began after it arrived: one that was under way already does not let it in.
func TestASignInWaitsForACheckOfItsOwn(t *testing.T) {
	b := newBackend(t, say("in"))
	r := newRig(t, []routing.Rule{{Name: "sign-in"}}, []*Route{{
		Pool: newPool(t, "login", shed.GateSettings{}, b.URL), Need: shed.NeedWrite, SignIn: true,
	}})
	hold := make(chan struct{})
	r.canary.mu.Lock()
	r.canary.hold = hold // a check that finds the store well begins now and does not end
	r.canary.mu.Unlock()
	status := r.monitor.Status().Checks
	until(t, "a check is under way", func() bool { return r.monitor.Status().Checks > status })

	got := make(chan answer, 1)
	go func() {
		a, _ := r.try(context.Background(), "POST", "/login")
		got <- a
	}()
	until(t, "the sign-in is there", func() bool { return r.runtime.pins.Load() == 2 }) // its own pin beside the owner's
	r.canary.mu.Lock()
	r.canary.hold = nil
	r.canary.mu.Unlock()
	r.canary.set(shed.ReadOnly, shed.CauseReadOnly)
	close(hold) // it says writable, from before the sign-in
	if a := <-got; a.status != 503 || a.outcome != "degraded; reason=read_only" {
		t.Errorf("%d %q; want the page: the only check that said writable began before the sign-in", a.status, a.outcome)
	}
	if n := b.asked.Load(); n != 0 {
		t.Errorf("the backend was asked %d times", n)
	}
}

func TestTheStoresErrorIsConvertedAndTheAppsOwnIsNot(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/later" {
			w.Header().Set("Retry-After", "7")
		}
		http.SetCookie(w, &http.Cookie{Name: "sid", MaxAge: -1})
		w.WriteHeader(500)
		fmt.Fprint(w, "stack trace")
	})
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), MaxAge: time.Second})
	r := newRig(t, rules, routes)

	if a := r.ask("GET", "/", member); a.status != 500 || a.body != "stack trace" || a.outcome != "" {
		t.Errorf("the store is well: %d %q %q; want the app's own error", a.status, a.body, a.outcome)
	}
	r.canary.set(shed.ReadOnly, shed.CauseFull) // not known yet: the answer must wait for a look
	a := r.ask("GET", "/", member)
	if a.status != 503 || a.outcome != "converted; reason=full" {
		t.Errorf("the store is full: %d %q; want the page", a.status, a.outcome)
	}
	if a.head.Get("Set-Cookie") != "" || strings.Contains(a.body, "stack trace") {
		t.Errorf("something of the backend's answer went with the page: %v %q", a.head, a.body)
	}
	if a := r.ask("GET", "/later", member); a.status != 500 || a.head.Get("Retry-After") != "7" {
		t.Errorf("a deliberate refusal: %d %v; want it as it is", a.status, a.head)
	}
	// Well again, but the ramp runs: apps reconnect late.
	r.breaks(shed.Writable, shed.OK)
	if a := r.ask("GET", "/", member); a.outcome != "converted; reason=recovering" {
		t.Errorf("while the ramp runs: %d %q", a.status, a.outcome)
	}
}

func TestClosingCancelsReadsInFlightAndHurriesTheRest(t *testing.T) {
	b := newBackend(t, hang)
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), Need: shed.NeedRead, MaxAge: time.Second})
	r := newRig(t, rules, routes)
	answers := make(chan answer, 2)
	for _, method := range []string{"GET", "POST"} {
		go func() {
			a, _ := r.try(context.Background(), method, "/", member)
			answers <- a
		}()
	}
	until(t, "both are in flight", func() bool { return b.asked.Load() == 2 })
	r.breaks(shed.Down, shed.CauseHung)
	for range 2 {
		if a := <-answers; a.status != 503 || a.outcome != "converted; reason=hung" {
			t.Errorf("%d %q; want the page", a.status, a.outcome)
		}
	}
	until(t, "the backend was told", func() bool { return b.gone.Load() == 2 })
}

func TestOverflow(t *testing.T) {
	release := make(chan struct{})
	own := newBackend(t, func(w http.ResponseWriter, _ *http.Request) { <-release; fmt.Fprint(w, "own") })
	other := newBackend(t, say("other"))
	login, app := newPool(t, "login", shed.GateSettings{Limit: 1}, own.URL), newPool(t, "app", shed.GateSettings{Limit: 1}, other.URL)
	rules, routes := one(&Route{Pool: login, Overflow: app, Need: shed.NeedNone})
	r := newRig(t, rules, routes)
	first := make(chan answer, 1)
	go func() {
		a, _ := r.try(context.Background(), "GET", "/")
		first <- a
	}()
	until(t, "the own pool is full", func() bool { return own.asked.Load() == 1 })
	if a := r.ask("GET", "/"); a.body != "other" {
		t.Errorf("a full pool did not borrow: %d %q", a.status, a.body)
	}
	held, _ := app.Gate.Acquire(t.Context(), shed.Anonymous)
	if a := r.ask("GET", "/"); a.status != 503 || a.outcome != "shed; reason=pool_full" {
		t.Errorf("both full: %d %q", a.status, a.outcome)
	}
	held.Done()
	close(release)
	if a := <-first; a.body != "own" {
		t.Errorf("the first: %q", a.body)
	}
	if !r.log.has(`"pool":"app"`) {
		until(t, "the log names the pool that served", func() bool { return r.log.has(`"pool":"app"`) })
	}
}

func TestADeadBackendIsPassedByAndADeadPoolBorrows(t *testing.T) {
	dead := newBackend(t, say(""))
	dead.Close()
	live := newBackend(t, say("live"))
	rules := []routing.Rule{{Name: "half", Paths: []string{"/half"}}, {Name: "borrow", Paths: []string{"/borrow"}}, {Name: "alone"}}
	half, gone := newPool(t, "half", shed.GateSettings{}, dead.URL, live.URL), newPool(t, "gone", shed.GateSettings{}, dead.URL)
	app := newPool(t, "app", shed.GateSettings{}, live.URL)
	r := newRig(t, rules, []*Route{
		{Pool: half, Need: shed.NeedNone}, {Pool: gone, Overflow: app, Need: shed.NeedNone}, {Pool: gone, Need: shed.NeedNone},
	})
	for range 20 {
		if a := r.ask("POST", "/half"); a.body != "live" {
			t.Fatalf("one of two backends is dead: %d %q", a.status, a.outcome)
		}
	}
	if a := r.ask("GET", "/borrow"); a.body != "live" {
		t.Errorf("a dead pool did not borrow: %d %q", a.status, a.outcome)
	}
	if a := r.ask("GET", "/x"); a.status != 502 || a.outcome != "error; reason=backend_unreachable" {
		t.Errorf("a dead pool: %d %q", a.status, a.outcome)
	}
}

func TestWhoQueuedIsJudgedAgain(t *testing.T) {
	release := make(chan struct{})
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			<-release
		}
	})
	p := newPool(t, "login", shed.GateSettings{Limit: 1, Length: 5, Timeout: 10 * time.Second}, b.URL)
	rules := []routing.Rule{{Name: "hold", Paths: []string{"/hold"}}, {Name: "sign-in"}}
	r := newRig(t, rules, []*Route{{Pool: p, Need: shed.NeedNone}, {Pool: p, Need: shed.NeedWrite, MaxAge: time.Second}})
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = r.try(context.Background(), "GET", "/hold") })
	until(t, "the pool is full", func() bool { return b.asked.Load() == 1 })
	var queued answer
	wg.Go(func() { queued, _ = r.try(context.Background(), "GET", "/login") })
	until(t, "one queues", func() bool { return p.Gate.Load().Queued == 1 })
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	close(release)
	wg.Wait()
	if queued.status != 503 || queued.outcome != "degraded; reason=read_only" {
		t.Errorf("who queued while the store closed got %d %q", queued.status, queued.outcome)
	}
	if n := b.asked.Load(); n != 1 {
		t.Errorf("the backend was asked %d times; want 1", n)
	}
}

func TestQuotasCostOnlyWhatWasSent(t *testing.T) {
	b := newBackend(t, say("ok"))
	p := newPool(t, "app", shed.GateSettings{Limit: 1}, b.URL)
	limiter := quota.New(quota.Settings{Rate: 1.0 / 3600, Burst: 2})
	rules, routes := one(&Route{Pool: p, Need: shed.NeedNone, Quotas: []Quota{{Kind: ByCookie, Field: "id", Limiter: limiter}}})
	r := newRig(t, rules, routes)
	held, _ := p.Gate.Acquire(t.Context(), shed.Anonymous)
	for range 5 {
		if a := r.ask("GET", "/", "Cookie: id=a"); a.outcome != "shed; reason=pool_full" {
			t.Fatalf("a full pool: %d %q", a.status, a.outcome)
		}
	}
	held.Done()
	for i, want := range []int{200, 200, 429} {
		if a := r.ask("GET", "/", "Cookie: id=a"); a.status != want {
			t.Errorf("request %d: %d %q; want %d", i+1, a.status, a.outcome, want)
		}
	}
	if a := r.ask("GET", "/", "Cookie: id=b"); a.status != 200 {
		t.Errorf("another cookie: %d", a.status)
	}
}

func TestARefusedHeadIsWrittenDown(t *testing.T) {
	b := newBackend(t, say("in"))
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), Need: shed.NeedNone})
	r := newRig(t, rules, routes)
	r.raw("POST /here HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	line := ""
	until(t, "there is a line", func() bool { line = r.log.with("/here"); return line != "" })
	for _, want := range []string{`"outcome":"rejected"`, `"status":400`, `"method":"POST"`, `127.0.0.1`} {
		if !strings.Contains(line, want) {
			t.Errorf("want %s in %s", want, line)
		}
	}
}

func TestSignInsComeBackByTheRamp(t *testing.T) {
	b := newBackend(t, say("in"))
	rules, routes := one(&Route{Pool: newPool(t, "login", shed.GateSettings{}, b.URL), Need: shed.NeedWrite, SignIn: true})
	r := newRig(t, rules, routes)
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	r.breaks(shed.Writable, shed.OK)
	in, lined := 0, 0
	for range 20 {
		switch a := r.ask("POST", "/login"); {
		case a.status == 200:
			in++
		case a.status == 503 && a.outcome == "lined_up; reason=ramp" && a.head.Get("Retry-After") != "":
			lined++
		default:
			t.Errorf("%d %q", a.status, a.outcome)
		}
	}
	if in == 0 || lined == 0 || in > 12 {
		t.Errorf("of a herd of 20 in a moment %d were let in and %d lined up", in, lined)
	}
	within(t, time.Minute, "the line has drained", func() bool { return !r.runtime.Stores[0].Line.Load(time.Now()).Active })
	for range 20 {
		if a := r.ask("POST", "/login"); a.status != 200 {
			t.Errorf("after the ramp: %d %q", a.status, a.outcome)
		}
	}
}

func TestAVisitorWhoLeavesIsForgotten(t *testing.T) {
	b := newBackend(t, hang)
	p := newPool(t, "app", shed.GateSettings{}, b.URL)
	rules, routes := one(&Route{Pool: p, Need: shed.NeedNone})
	r := newRig(t, rules, routes)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = r.try(ctx, "GET", "/")
	}()
	until(t, "the request is in flight", func() bool { return b.asked.Load() == 1 })
	cancel()
	<-done
	until(t, "the permit is back and the backend was told", func() bool {
		in := p.Gate.Load().InFlight
		return in == 0 && b.gone.Load() == 1
	})
	until(t, "the log says who left", func() bool { return r.log.has("visitor_gone") })
}

func TestARefusedBodyEndsTheConnection(t *testing.T) {
	b := newBackend(t, say("in"))
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), Need: shed.NeedWrite, MaxAge: time.Second})
	r := newRig(t, rules, routes)
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	_, in := r.raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\nbegin")
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	if res.StatusCode != 503 || !res.Close {
		t.Errorf("%d, close %v; want the page and the end of the connection", res.StatusCode, res.Close)
	}
	_, in = r.raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
	for i := range 2 {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("answer %d: %v", i+1, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
	}
}

func TestATunnelIsByteForByteAndHoldsNoPermit(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\nSec-WebSocket-Accept: x\r\n\r\n", r.Header.Get("Upgrade"))
		_, _ = io.Copy(conn, buffered)
	})
	p := newPool(t, "app", shed.GateSettings{Limit: 1}, b.URL)
	rules, routes := one(&Route{Pool: p, Need: shed.NeedNone})
	r := newRig(t, rules, routes)
	conn, in := r.raw("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\nearly")
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != 101 || res.Header.Get("Sec-WebSocket-Accept") != "x" {
		t.Fatalf("%v %v", res, err)
	}
	until(t, "the permit is back", func() bool { return p.Gate.Load().InFlight == 0 })
	text := bytes.Repeat([]byte{0, 0xff, '\r', '\n'}, 10000)
	go func() {
		_, _ = conn.Write(text)
		_ = conn.(interface{ CloseWrite() error }).CloseWrite()
	}()
	got, err := io.ReadAll(in)
	if want := "early" + string(text); err != nil || string(got) != want {
		t.Errorf("%d bytes came back, %v; want %d", len(got), err, len(want))
	}
	// Anything but websocket goes on as a plain request.
	_, in = r.raw("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
	if line, _ := in.ReadString('\n'); strings.Contains(line, "101") {
		t.Errorf("an upgrade to h2c was let through: %q", line)
	}
}

func TestARuntimeLivesAsLongAsItsExchanges(t *testing.T) {
	release := make(chan struct{})
	b := newBackend(t, func(http.ResponseWriter, *http.Request) { <-release })
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), Need: shed.NeedNone})
	r := newRig(t, rules, routes)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.ask("GET", "/")
	}()
	until(t, "the request is in flight", func() bool { return b.asked.Load() == 1 })
	old := r.handler.Swap(r.newRuntime(rules, routes))
	drained := old.Retire()
	select {
	case <-drained:
		t.Error("the runtime drained under a request")
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	<-done
	<-drained
	if old.pin() {
		t.Error("a drained runtime can be pinned")
	}
}

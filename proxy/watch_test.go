package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/proxy/edge"
	"gatehouse/proxy/upstream"
	"gatehouse/routing"
	"gatehouse/shed"
	"gatehouse/shed/quota"
	"gatehouse/shed/store"
)

func TestWorseningIsHeardToo(t *testing.T) {
	b := newBackend(t, hang)
	rules, routes := one(&Route{
		Pool: newPool(t, "app", shed.GateSettings{}, b.URL), MaxAge: time.Second, Timeout: time.Minute, ImpairedTimeout: 15 * time.Second,
	})
	r := newRig(t, rules, routes)
	got := make(chan answer, 1)
	go func() {
		a, _ := r.try(context.Background(), "GET", "/", member)
		got <- a
	}()
	until(t, "the read is in flight", func() bool { return b.asked.Load() == 1 })
	r.breaks(shed.ReadOnly, shed.CauseReadOnly) // a read may go on
	r.breaks(shed.Down, shed.CauseRefused)      // and now it may not
	select {
	case a := <-got:
		if a.outcome != "converted; reason=refused" {
			t.Errorf("%d %q", a.status, a.outcome)
		}
	case <-time.After(10 * time.Second):
		t.Error("a read in flight was not cancelled when the store went from read-only to down")
	}
	until(t, "the log says what the store was", func() bool { return r.log.has(`"store":"down"`) })
}

// newWatch is the watch of a read that was not sent yet.
func newWatch(t *testing.T, impaired time.Duration) *watch {
	t.Helper()
	w := &watch{life: new(edge.Life), alarms: new(alarms), impaired: impaired, need: shed.NeedRead, carries: true, safe: true}
	w.life.Begin(t.Context())
	return w
}

// An alarm is another exchange's afterwards: it must not end that one at the time of the first.
func TestAnAlarmIsUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := new(alarms)
		for n := range 50 {
			first, second := newWatch(t, time.Second), newWatch(t, time.Second)
			first.alarms, second.alarms = all, all
			first.begin(time.Minute)
			time.Sleep(time.Duration(n) * 2 * time.Second)
			first.stop()
			rang := n >= 30
			if over := errors.Is(first.life.Err(), upstream.ErrLate); n != 30 && over != rang {
				t.Fatalf("after %v the first is over: %v", time.Duration(n)*2*time.Second, over)
			}
			second.begin(time.Minute)
			began := time.Now()
			<-second.life.Done()
			if took := time.Since(began); took != time.Minute {
				t.Fatalf("the second ended after %v; want its own minute", took)
			}
			second.stop()
		}
	})
}

func TestClosingShortensAndNeverLengthens(t *testing.T) {
	for _, c := range []struct {
		what               string
		due, closes, wants time.Duration
	}{
		{"a long time becomes the short one", 30 * time.Second, time.Second, 4 * time.Second},
		{"what is nearly over stays", 3 * time.Second, 2500 * time.Millisecond, 3 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWatch(t, 3*time.Second)
			w.goesOn, w.from, w.first.by = true, &w.first, w
			w.begin(c.due)
			began := time.Now()
			time.AfterFunc(c.closes, func() { w.first.hear(shed.Verdict{State: shed.ReadOnly}) })
			<-w.life.Done()
			if took := time.Since(began); took != c.wants || !errors.Is(w.life.Err(), upstream.ErrLate) {
				t.Errorf("%s: ended after %v, %v; want %v", c.what, took, w.life.Err(), c.wants)
			}
			w.stop()
		})
	}
}

// A store may close in the moment in which the exchange leaves it for another, and must be left all the same.
func TestAStoreIsLeftWhileItTells(t *testing.T) {
	eu, us := newMember(t, "eu", store.ReportSettings{}), newMember(t, "us", store.ReportSettings{})
	for range 50_000 {
		w := newWatch(t, time.Minute)
		w.begin(time.Hour)
		w.attend(&w.first, eu.Monitor, false)
		w.first.watcher.Stop() // as who tells does
		var told sync.WaitGroup
		told.Go(func() {
			w.first.StoreClosed(shed.Verdict{State: shed.Down, Cause: shed.CauseRefused, Observed: shed.Down})
		})
		w.turnTo(us.Monitor, false)
		told.Wait()
		w.stop()
		w.life.End(nil)
		if w.first.watcher.Stop() {
			t.Fatal("it is still told of by the store that it left")
		}
	}
}

// What no backend has seen is called back when the store closes, whatever its method.
func TestClosingCallsBackWhatWasNotSent(t *testing.T) {
	limiter := quota.New(quota.Settings{Rate: 1.0 / 3600, Burst: 1})
	rules, routes := one(&Route{
		Pool: newPool(t, "login", shed.GateSettings{}, blackHole(t)), Need: shed.NeedWrite, SignIn: true, ImpairedTimeout: 10 * time.Second,
		Quotas: []Quota{{Kind: ByCookie, Field: "id", Limiter: limiter}},
	})
	r := newRig(t, rules, routes)
	got := make(chan answer, 1)
	go func() {
		a, _ := r.try(context.Background(), "POST", "/login", "Cookie: id=a")
		got <- a
	}()
	until(t, "a backend is being reached", func() bool { return routes[0].Pool.Backends.InFlight() == 1 })
	began := time.Now()
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	if a := <-got; a.outcome != "degraded; reason=read_only" || time.Since(began) > 1500*time.Millisecond {
		t.Errorf("%d %q after %v", a.status, a.outcome, time.Since(began))
	}
	until(t, "the quota has it back", func() bool {
		_, wait := limiter.Take(context.Background(), quota.TextKey("a"))
		return wait == 0
	})
}

// blackHole is a server whose connects hang: its backlog is full and nobody accepts.
func blackHole(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for range 4 {
		if c, err := net.DialTimeout("tcp", address, 100*time.Millisecond); err == nil {
			t.Cleanup(func() { _ = c.Close() })
		}
	}
	return "http://" + address
}

// A head that came in the moment of the deadline is either delivered whole or not at all.
func TestTheDeadlineNeverCutsAnAnswerThatBegan(t *testing.T) {
	const deadline = 60 * time.Millisecond
	var n atomic.Int64
	b := newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(deadline - 3*time.Millisecond + time.Duration(n.Add(1)%6)*time.Millisecond)
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		time.Sleep(3 * time.Millisecond)
		fmt.Fprint(w, "all of it")
	})
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), Need: shed.NeedNone, Timeout: deadline})
	r := newRig(t, rules, routes)
	var whole, page, cut atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 25 {
				switch a, err := r.try(context.Background(), "GET", "/"); {
				case err != nil:
					cut.Add(1)
				case a.outcome == "error; reason=backend_late":
					page.Add(1)
				case a.body == "all of it":
					whole.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if cut.Load() != 0 || whole.Load()+page.Load() != 400 || page.Load() == 0 {
		t.Errorf("%d whole, %d pages, %d cut", whole.Load(), page.Load(), cut.Load())
	}
}

func TestTheVisitorsFaultIsNotTheStores(t *testing.T) {
	b := newBackend(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL)})
	r := newRig(t, rules, routes)
	r.breaks(shed.Down, shed.CauseRefused)
	_, in := r.raw("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n")
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Header.Get("Gatehouse-Outcome"); res.StatusCode != 400 || got != "rejected; reason=body_broken" {
		t.Errorf("broken chunks while the store is down: %d %q", res.StatusCode, got)
	}
}

func TestAPanicIsOneAnswerAndGivesEverythingBack(t *testing.T) {
	broken := &Route{Pool: newPool(t, "app", shed.GateSettings{}), Need: shed.NeedNone, Quotas: []Quota{{}}} // no limiter
	r := newRig(t, []routing.Rule{{Name: "all"}}, []*Route{broken})
	a := r.ask("GET", "/", "Accept: text/html")
	if a.status != 500 || a.outcome != "error; reason=internal" {
		t.Errorf("%d %q; want the page of our own mistakes", a.status, a.outcome)
	}
	until(t, "the log does not call it proxied", func() bool { return r.log.has(`"outcome":"error"`) })
	if n := r.runtime.pins.Load(); n != 1 {
		t.Errorf("%d pins are left; want the owner's", n)
	}
}

// Whoever is past the page's rate must not be called back sooner than the page would.
func TestTheTersePageSpreadsTheHerdToo(t *testing.T) {
	b := newBackend(t, say(""))
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), Need: shed.NeedWrite, MaxAge: time.Second})
	r := newRig(t, rules, routes)
	r.runtime.PerAddress.Set(quota.Settings{Rate: 1, Burst: 1})
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	limited := 0
	for range 10 {
		a := r.ask("GET", "/")
		seconds, err := strconv.Atoi(a.head.Get("Retry-After"))
		if err != nil || seconds < 5 {
			t.Errorf("%d %q: Retry-After %q; want at least the least wait", a.status, a.outcome, a.head.Get("Retry-After"))
		}
		if a.status == 429 {
			limited++
		}
	}
	if limited < 5 {
		t.Errorf("%d of 10 were limited", limited)
	}
}

// An app may ask its store for visitors without a session too, and hang.
func TestAnImpairedStoreEatsNoPlacesOfStrangers(t *testing.T) {
	b := newBackend(t, hang)
	p := newPool(t, "app", shed.GateSettings{}, b.URL)
	r := newRig(t, []routing.Rule{{Name: "none", Paths: []string{"/none"}}, {Name: "app"}}, []*Route{
		{Pool: p, Need: shed.NeedNone, Timeout: time.Second}, {Pool: p, MaxAge: time.Second},
	})
	answers := make(chan answer, 1)
	go func() {
		a, _ := r.try(context.Background(), "GET", "/")
		answers <- a
	}()
	until(t, "it is in flight", func() bool { return b.asked.Load() == 1 })
	r.breaks(shed.Down, shed.CauseHung)
	if a := <-answers; a.outcome != "converted; reason=hung" {
		t.Errorf("in flight when it closed: %d %q after %v", a.status, a.outcome, a.took)
	}
	if a := r.ask("GET", "/"); a.outcome != "converted; reason=hung" || a.took > 5*time.Second {
		t.Errorf("since: %d %q after %v", a.status, a.outcome, a.took)
	}
	if a := r.ask("GET", "/none"); a.status != 504 || a.took < time.Second {
		t.Errorf("a route that needs nothing: %d after %v; want its own timeout", a.status, a.took)
	}
}

package proxy

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"gatehouse/proxy/upstream"
	"gatehouse/shed"
)

// sick is a pool of one backend that fails by status, or breaks off where that is 0, and one that is well.
func sick(t *testing.T, status int) (r *rig, bad, good *backend) {
	t.Helper()
	bad = newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, "sick")
	})
	good = newBackend(t, say("well"))
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, bad.URL, good.URL), Need: shed.NeedRead})
	return newRig(t, rules, routes), bad, good
}

func TestWhatCanBeAskedTwiceIs(t *testing.T) {
	for _, status := range []int{0, 502, 503} {
		r, bad, good := sick(t, status)
		for range 20 {
			if a := r.ask("GET", "/"); a.status != 200 || a.body != "well" {
				t.Errorf("%d: %d %q", status, a.status, a.body)
			}
		}
		if bad.asked.Load() == 0 || good.asked.Load() != 20 {
			t.Errorf("%d: the sick one was asked %d times, the other %d", status, bad.asked.Load(), good.asked.Load())
		}
	}
}

func TestWhatMayHaveHappenedIsNotDoneTwice(t *testing.T) {
	r, bad, good := sick(t, 0)
	for range 20 {
		r.ask("POST", "/")
	}
	if n := bad.asked.Load() + good.asked.Load(); n != 20 || bad.asked.Load() == 0 {
		t.Errorf("20 posts were %d, %d of them at the sick one", n, bad.asked.Load())
	}
}

func TestTheLastAnswerIsDelivered(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(502)
		fmt.Fprint(w, "the app's own words")
	})
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), Need: shed.NeedNone})
	r := newRig(t, rules, routes)
	if a := r.ask("GET", "/"); a.status != 502 || a.body != "the app's own words" || b.asked.Load() != 1 {
		t.Errorf("%d %q, asked %d times", a.status, a.body, b.asked.Load())
	}
}

func TestAStoreInDoubtIsNoReasonToAskAgain(t *testing.T) {
	var asked atomic.Int64
	var broken *rig
	serve := func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if broken.monitor.Current().State != shed.ReadOnly {
			broken.breaks(shed.ReadOnly, shed.CauseFull)
		}
		w.WriteHeader(502)
	}
	a, b := newBackend(t, serve), newBackend(t, serve)
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, a.URL, b.URL), Need: shed.NeedRead})
	broken = newRig(t, rules, routes)
	if a := broken.ask("GET", "/", member); a.outcome != "converted; reason=full" || asked.Load() != 1 {
		t.Errorf("%d %q, asked %d times", a.status, a.outcome, asked.Load())
	}
	for _, b := range broken.runtime.Pools {
		for _, s := range b.Backends.Status() {
			if s.Ejected {
				t.Errorf("%s was ejected for its store", s.URL)
			}
		}
	}
}

// The overflow pool is no way around the budget.
func TestTheOverflowPoolIsAskedWithinTheBudget(t *testing.T) {
	bad := newBackend(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) })
	other := newBackend(t, say("well"))
	p := newPool(t, "login", shed.GateSettings{}, bad.URL)
	p.Backends.Set(upstream.Settings{Name: "login", Backends: []upstream.BackendSettings{{URL: bad.URL, Address: strings.TrimPrefix(bad.URL, "http://")}}})
	rules, routes := one(&Route{Pool: p, Overflow: newPool(t, "app", shed.GateSettings{}, other.URL), Need: shed.NeedNone})
	r := newRig(t, rules, routes)
	for range 10 {
		r.ask("GET", "/")
	}
	if n := other.asked.Load(); n != 0 {
		t.Errorf("without a budget the overflow pool was asked %d times", n)
	}
	bad.Close()
	until(t, "a pool that cannot be reached is left", func() bool { return r.ask("GET", "/").status == 200 })
}

// A backend may close a connection just as it is used again: that is nobody's failure, and nobody's to see.
func TestAConnectionThatEndsJustAsItIsUsedAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var seen atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // one answer, and then it closes when the next request has come
				defer c.Close()
				in := bufio.NewReader(c)
				if _, err := http.ReadRequest(in); err != nil {
					return
				}
				seen.Add(1)
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nin")
				_, _ = http.ReadRequest(in)
			}()
		}
	}()
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, "http://"+l.Addr().String()), Need: shed.NeedNone})
	r := newRig(t, rules, routes)
	for i := range 10 {
		if a := r.ask("GET", "/"); a.status != 200 {
			t.Errorf("request %d: %d %q", i, a.status, a.outcome)
		}
	}
	if n := seen.Load(); n != 10 {
		t.Errorf("%d requests were answered", n)
	}
	broken := 0
	for range 4 {
		if a := r.ask("POST", "/"); a.status == 502 {
			broken++
		}
	}
	if broken == 0 {
		t.Error("a post was sent twice")
	}
}

package proxy

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/routing"
	"gatehouse/shed"
	"gatehouse/shed/quota"
	"gatehouse/shed/store"
)

// A one-time code is good once: the request that brings it is held until the store can be written.
func TestARequestIsHeldForTheStore(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "sid=new")
		w.Header().Set("Location", "/members")
		w.WriteHeader(303)
	})
	rules, routes := one(&Route{Pool: newPool(t, "login", shed.GateSettings{}, b.URL), Need: shed.NeedWrite, SignIn: true, Wait: 20 * time.Second})
	r := newRig(t, rules, routes)
	r.stay()
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	got := make(chan answer, 3)
	for range 3 {
		go func() { got <- r.ask("GET", "/callback?code=1") }()
	}
	until(t, "they are held", func() bool { return r.runtime.Waits.n.Load() == 3 })
	if n := b.asked.Load(); n != 0 {
		t.Fatalf("%d were let through to a read-only store", n)
	}
	r.canary.set(shed.Writable, shed.OK)
	for range 3 {
		if a := <-got; a.status != 303 || cookies(a) == "" {
			t.Errorf("%d %q: held, and then turned away", a.status, a.outcome)
		}
	}
}

func TestHoldingEndsWithThePage(t *testing.T) {
	b := newBackend(t, say("in"))
	rules, routes := one(&Route{Pool: newPool(t, "login", shed.GateSettings{}, b.URL), Need: shed.NeedWrite, SignIn: true, Wait: 2 * time.Second})
	r := newRig(t, rules, routes)
	r.breaks(shed.Down, shed.CauseHung)
	if a := r.ask("GET", "/callback"); a.outcome != "degraded; reason=hung" || a.took < 2*time.Second {
		t.Errorf("%q after %v", a.outcome, a.took)
	}
	full := &Waits{}
	for range mostWaits {
		full.enter()
	}
	r.runtime.Waits = full
	if a := r.ask("GET", "/callback"); a.outcome != "degraded; reason=hung" || a.took >= 2*time.Second {
		t.Errorf("%q after %v where too many are held", a.outcome, a.took)
	}
}

// The prober may be wrong: reads that go on all the same show it.
func TestATrialGoesOnAlthoughTheStoreIsSaidToBeDown(t *testing.T) {
	works := true
	b := newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		if !works {
			http.SetCookie(w, &http.Cookie{Name: "sid", MaxAge: -1})
			w.WriteHeader(500)
		}
	})
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), Guard: true, MaxAge: time.Minute})
	r := newRig(t, rules, routes)
	r.breaks(shed.Down, shed.CauseRefused)
	passed, turned := 0, 0
	until(t, "some have passed", func() bool {
		switch a := r.ask("GET", "/", member); a.outcome {
		case "":
			passed++
		case "degraded; reason=refused":
			turned++
		default:
			t.Fatalf("%d %q", a.status, a.outcome)
		}
		return passed == 3
	})
	if turned < 10 {
		t.Errorf("%d passed for %d turned away: trials are few", passed, turned)
	}
	if a := r.ask("POST", "/", member); a.status != 503 {
		t.Errorf("a POST was tried: %d", a.status)
	}
	works = false
	before := b.asked.Load()
	until(t, "one that fails", func() bool {
		a := r.ask("GET", "/", member)
		if a.status != 503 || a.head.Get("Set-Cookie") != "" {
			t.Fatalf("%d %q %v: a trial that fails is converted", a.status, a.outcome, a.head)
		}
		return b.asked.Load() > before
	})
}

// A visitor whose session nobody knows, and an app that cannot be reached, say nothing of the store.
func TestATrialThatSaysNothingCountsForNothing(t *testing.T) {
	var gone atomic.Bool
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("sid"); err != nil || c.Value != "1" || gone.Load() {
			w.Header().Set("Location", "/login")
			w.WriteHeader(302)
		}
	})
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), Guard: true, MaxAge: time.Minute})
	r := newRig(t, rules, routes)
	r.stay()
	r.breaks(shed.Down, shed.CauseTLS)
	n := 0
	within(t, time.Minute, "the prober is not believed", func() bool {
		cookie := member
		if n++; n%3 == 0 {
			cookie = "Cookie: sid=made-up"
		}
		r.ask("GET", "/", cookie)
		return r.monitor.Current().State == shed.Unknown
	})
	// From here on every read goes through; an app that turns them all away shows that the store is gone after all.
	gone.Store(true)
	within(t, time.Minute, "the prober is believed again", func() bool {
		r.ask("GET", "/", member)
		return r.monitor.Current().State == shed.Down
	})
}

// What hangs is called back before an app's own timeout makes it do something worse.
func TestATrialIsShort(t *testing.T) {
	b := newBackend(t, hang)
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), Guard: true, MaxAge: time.Minute, ImpairedTimeout: 9 * time.Second})
	r := newRig(t, rules, routes)
	r.breaks(shed.Down, shed.CauseHung)
	until(t, "a trial", func() bool {
		if a := r.ask("GET", "/", member); a.outcome == "converted; reason=hung" {
			if a.took > 5*time.Second {
				t.Errorf("it took %v", a.took)
			}
			return true
		}
		return false
	})
	until(t, "the backend was told", func() bool { return b.gone.Load() > 0 })
}

func TestAStrainedStoreIsGivenSignInsAtARate(t *testing.T) {
	b := newBackend(t, say("in"))
	rules, routes := one(&Route{Pool: newPool(t, "login", shed.GateSettings{}, b.URL), Need: shed.NeedWrite, SignIn: true})
	r := newRig(t, rules, routes)
	r.runtime.Strained = quota.New(quota.Settings{Rate: 1.0 / 60, Burst: 2})
	for range 5 {
		if a := r.ask("POST", "/login"); a.status != 200 {
			t.Errorf("a store that is well: %d %q", a.status, a.outcome)
		}
	}
	if err := r.monitor.Override(store.Override{State: shed.Strained, By: "test", Until: time.Now().Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	in := 0
	for range 5 {
		switch a := r.ask("POST", "/login"); a.outcome {
		case "":
			in++
		case "lined_up; reason=strained":
			if a.head.Get("Retry-After") == "" {
				t.Error("it is not said when to come back")
			}
		default:
			t.Errorf("%d %q", a.status, a.outcome)
		}
	}
	if in != 2 {
		t.Errorf("%d of 5 were let in; the rate allows 2", in)
	}
}

// A store that keeps failing holds sign-ins back, and nobody else.
func TestAHoldDownConcernsSignInsAlone(t *testing.T) {
	var slow atomic.Bool
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if slow.Load() {
			time.Sleep(600 * time.Millisecond) // twice the impaired timeout
		}
		if r.URL.Path == "/401" {
			w.WriteHeader(401)
		}
	})
	p := newPool(t, "app", shed.GateSettings{}, b.URL)
	r := newRig(t, []routing.Rule{{Name: "sign-in", Paths: []string{"/login"}}, {Name: "notes", Paths: []string{"/notes"}}, {Name: "app"}}, []*Route{
		{Pool: p, Need: shed.NeedWrite, SignIn: true, Guard: true}, {Pool: p, Need: shed.NeedWrite, Guard: true, MaxAge: time.Second},
		{Pool: p, Guard: true, MaxAge: time.Second},
	})
	set := store.Settings{
		Interval: 20 * time.Millisecond, Timeout: 500 * time.Millisecond, Payload: 64, Rise: 2, After: 50 * time.Millisecond,
		RampOver: 100 * time.Millisecond, HoldFrom: time.Minute, HoldTo: time.Minute,
	}
	r.monitor.Set(set)
	for range 2 {
		r.canary.set(shed.ReadOnly, shed.CauseReadOnly)
		until(t, "closed", func() bool { return r.monitor.Current().Observed == shed.ReadOnly })
		r.canary.set(shed.Writable, shed.OK)
		until(t, "open", func() bool { return r.monitor.Current().Observed == shed.Writable })
	}
	until(t, "it is held, and apps have had their time", func() bool {
		v := r.monitor.Current()
		return v.Cause == shed.CauseFlapping && !v.Unheld().Recovering()
	})
	if a := r.ask("POST", "/login"); a.outcome != "degraded; reason=flapping" {
		t.Errorf("a sign-in: %d %q", a.status, a.outcome)
	}
	if a := r.ask("POST", "/notes", member); a.status != 200 {
		t.Errorf("another write: %d %q", a.status, a.outcome)
	}
	if a := r.ask("GET", "/401", member); a.status != 401 {
		t.Errorf("an app's own refusal: %d %q", a.status, a.outcome)
	}
	slow.Store(true)
	if a := r.ask("GET", "/", member); a.status != 200 {
		t.Errorf("a slow page: %d %q after %v", a.status, a.outcome, a.took)
	}
}

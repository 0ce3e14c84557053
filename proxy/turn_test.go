package proxy

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/line"
	"gatehouse/shed/quota"
	"gatehouse/shed/session"
	"gatehouse/shed/store"
)

// lined is a rig with one sign-in route whose ramp lets nobody in but the first.
func lined(t *testing.T, gate shed.GateSettings) (*rig, *Pool) {
	t.Helper()
	b := newBackend(t, func(w http.ResponseWriter, q *http.Request) {
		switch {
		case q.Method == "GET":
			w.Header().Set("Content-Type", "text/html")
		case q.Header.Get("X-Password") == "right":
			w.Header().Set("Set-Cookie", "sid=33333333333333333333; Path=/")
			w.Header().Set("Location", "/")
			w.WriteHeader(303)
		default:
			w.WriteHeader(401)
		}
	})
	p := newPool(t, "login", gate, b.URL)
	rules, routes := one(&Route{Pool: p, Need: shed.NeedWrite, SignIn: true})
	r := newRig(t, rules, routes)
	r.stay()
	r.runtime.Stores[0].Line = line.New(line.Settings{From: 1.0 / 60, To: 1.0 / 60, Over: 5 * time.Minute})
	return r, p
}

// recovers breaks the store and mends it, so that a ramp runs.
func (r *rig) recovers() {
	r.t.Helper()
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	r.breaks(shed.Writable, shed.OK)
}

func TestAJourneyCountsOnce(t *testing.T) {
	r, _ := lined(t, shed.GateSettings{})
	r.recovers()
	form := r.ask("GET", "/login")
	admission := given(form, session.AdmissionCookie)
	if form.status != 200 || admission == "" {
		t.Fatalf("the first of the ramp: %d %q with %q", form.status, form.outcome, form.head.Values("Set-Cookie"))
	}
	if a := r.ask("POST", "/login"); a.outcome != "lined_up; reason=ramp" {
		t.Fatalf("another visitor: %d %q", a.status, a.outcome)
	}
	if a := r.ask("POST", "/login", "Cookie: "+admission); a.status != 401 || given(a, session.AdmissionCookie) != "" {
		t.Errorf("a wrong password: %d %q with %q", a.status, a.outcome, a.head.Values("Set-Cookie"))
	}
	a := r.ask("POST", "/login", "Cookie: "+admission, "X-Password: right")
	if a.status != 303 {
		t.Errorf("the right one: %d %q with %q", a.status, a.outcome, a.head.Values("Set-Cookie"))
	}
	if given(a, session.ProofCookie) == "" {
		t.Error("who was let in and signed in has no proof")
	}
	let := 0
	for range 40 {
		if a := r.ask("POST", "/login", "Cookie: "+admission); a.status == 401 {
			let++
		}
	}
	if let == 0 || let > 12 {
		t.Errorf("one admission let %d more requests in", let)
	}
}

func TestAnAdmissionOfBeforeTheRampIsNone(t *testing.T) {
	r, _ := lined(t, shed.GateSettings{})
	address := r.address()
	old := r.runtime.Seal.Admission(address, time.Now().Add(-time.Minute))
	r.recovers()
	r.ask("GET", "/login")
	for what, value := range map[string]string{"of before": old, "forged": session.NewSeal().Admission(address, time.Now())} {
		if a := r.ask("POST", "/login", "Cookie: "+session.AdmissionCookie+"="+value); a.outcome != "lined_up; reason=ramp" {
			t.Errorf("%s: %d %q", what, a.status, a.outcome)
		}
	}
}

func TestWhoIsTurnedAwayHasAPlace(t *testing.T) {
	r, _ := lined(t, shed.GateSettings{})
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	a := r.ask("POST", "/login", "Accept: application/json")
	place := given(a, session.PlaceCookie)
	if a.outcome != "degraded; reason=read_only" || place == "" || !strings.Contains(a.body, `"in_line":true`) {
		t.Fatalf("%d %q with %q: %s", a.status, a.outcome, a.head.Values("Set-Cookie"), a.body)
	}
	if b := r.ask("POST", "/login", "Cookie: "+place); b.status != 503 || given(b, session.PlaceCookie) != "" {
		t.Errorf("who has a place was given another: %q", b.head.Values("Set-Cookie"))
	}
	r.ask("POST", "/login") // two more without one
	r.ask("POST", "/login")
	r.breaks(shed.Writable, shed.OK)
	r.ask("POST", "/login", "Cookie: "+place, "X-Password: right") // the first of the ramp; his place is used up
	b := r.ask("POST", "/login", "Cookie: "+place, "Accept: application/json")
	if b.outcome != "lined_up; reason=ramp" || given(b, session.PlaceCookie) == "" {
		t.Errorf("a place was good twice: %d %q with %q", b.status, b.outcome, b.head.Values("Set-Cookie"))
	}
	after, err := strconv.Atoi(b.head.Get("Retry-After"))
	if err != nil || after < 1 || !strings.Contains(b.body, strconv.Itoa(after)) {
		t.Errorf("Retry-After %q and %s", b.head.Get("Retry-After"), b.body)
	}
}

// What looks like the end of a sign-in may be the way to an identity provider, or to a second factor.
func TestAJourneyGoesOnWhereverItLeads(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Set-Cookie", "sid=33333333333333333333; Path=/")
		w.Header().Set("Location", map[bool]string{true: "https://id.example/authorize", false: "/second-factor"}[q.Method == "GET"])
		w.WriteHeader(302)
	})
	rules, routes := one(&Route{Pool: newPool(t, "login", shed.GateSettings{}, b.URL), Need: shed.NeedWrite, SignIn: true})
	for _, method := range []string{"GET", "POST"} {
		r := newRig(t, rules, routes)
		r.stay()
		r.runtime.Stores[0].Line = line.New(line.Settings{From: 1.0 / 60, To: 1.0 / 60, Over: 5 * time.Minute})
		r.recovers()
		a := r.ask(method, "/login")
		admission := given(a, session.AdmissionCookie)
		if a.status != 302 || admission == "" || a.head.Get("Cache-Control") != "private, no-store" {
			t.Fatalf("%s: %d %q with %q", method, a.status, a.outcome, a.head.Values("Set-Cookie"))
		}
		if a := r.ask("GET", "/login?code=1", "Cookie: "+admission); a.status != 302 {
			t.Errorf("%s: back from there: %d %q", method, a.status, a.outcome)
		}
	}
}

// A request that the pool has no room for has used nothing.
func TestAFullPoolEatsNoAdmission(t *testing.T) {
	r, p := lined(t, shed.GateSettings{Limit: 1})
	r.recovers()
	admission := given(r.ask("GET", "/login"), session.AdmissionCookie)
	held, _ := p.Gate.Acquire(t.Context(), shed.Anonymous)
	for range 20 {
		if a := r.ask("POST", "/login", "Cookie: "+admission); a.outcome != "shed; reason=pool_full" {
			t.Fatalf("%d %q", a.status, a.outcome)
		}
	}
	held.Done()
	if a := r.ask("POST", "/login", "Cookie: "+admission); a.status != 401 {
		t.Errorf("%d %q", a.status, a.outcome)
	}
}

func TestWhoWasLetInWhenTheStoreClosedKeepsHisPlace(t *testing.T) {
	var r *rig
	b := newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		r.breaks(shed.ReadOnly, shed.CauseFull)
		w.WriteHeader(503)
	})
	rules, routes := one(&Route{Pool: newPool(t, "login", shed.GateSettings{}, b.URL), Need: shed.NeedWrite, SignIn: true})
	r = newRig(t, rules, routes)
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	place := given(r.ask("POST", "/login"), session.PlaceCookie)
	r.breaks(shed.Writable, shed.OK)
	var a answer
	until(t, "he is let in", func() bool {
		a = r.ask("POST", "/login", "Cookie: "+place)
		return !strings.HasPrefix(a.outcome, "lined_up")
	})
	again := given(a, session.PlaceCookie)
	if a.outcome != "converted; reason=full" || again == "" || again == place {
		t.Fatalf("%d %q with %q", a.status, a.outcome, a.head.Values("Set-Cookie"))
	}
	_, was, _ := strings.Cut(place, "=")
	_, is, _ := strings.Cut(again, "=")
	before, _, _ := r.runtime.Seal.Placed(was, r.address())
	if after, _, ok := r.runtime.Seal.Placed(is, r.address()); !ok || !after.Equal(before) {
		t.Errorf("he stood there since %v, and now since %v", before, after)
	}
}

func TestOneNetworkGetsSoManyPlaces(t *testing.T) {
	r, _ := lined(t, shed.GateSettings{})
	r.runtime.NewPlaces = quota.New(quota.Settings{Rate: 0.001, Burst: 3})
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	first, n := "", 0
	for range 10 {
		if place := given(r.ask("POST", "/login"), session.PlaceCookie); place != "" {
			n, first = n+1, place
		}
	}
	if n != 3 {
		t.Errorf("%d places were given", n)
	}
	if a := r.ask("POST", "/login", "Accept: application/json", "Cookie: "+first); !strings.Contains(a.body, `"in_line":true`) {
		t.Errorf("who has one lost it: %s", a.body)
	}
}

// Who comes too often for a page is still given his place.
func TestA429KeepsThePlace(t *testing.T) {
	r, _ := lined(t, shed.GateSettings{})
	r.runtime.PerClient = quota.New(quota.Settings{Rate: 0.001, Burst: 1})
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	place := given(r.ask("POST", "/login"), session.PlaceCookie)
	if a := r.ask("POST", "/login"); a.status != 429 || given(a, session.PlaceCookie) == "" || a.head.Get("Retry-After") == "" {
		t.Errorf("another one at the same address: %d %q with %q", a.status, a.outcome, a.head.Values("Set-Cookie"))
	}
	if a := r.ask("POST", "/login", "Cookie: "+place); a.status != 503 {
		t.Errorf("who has a place shares the page with those who have none: %d %q", a.status, a.outcome)
	}
}

func TestAStrainedStoreUsesNoPlaceUp(t *testing.T) {
	r, _ := lined(t, shed.GateSettings{})
	r.recovers()
	r.runtime.Strained = quota.New(quota.Settings{Rate: 0.001, Burst: 1})
	if err := r.monitor.Override(store.Override{State: shed.Strained, By: "test", Until: time.Now().Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	r.runtime.Strained.Take(t.Context(), quota.TextKey("strained"))
	if a := r.ask("POST", "/login"); a.outcome != "lined_up; reason=strained" {
		t.Errorf("%d %q", a.status, a.outcome)
	}
	if n := r.runtime.Stores[0].Line.Load(time.Now()).Admitted; n != 0 {
		t.Errorf("%d were let in by the line", n)
	}
}

func TestOneThatThePoolShedsNeedNotLineUpAgain(t *testing.T) {
	r, p := lined(t, shed.GateSettings{Limit: 1})
	r.recovers()
	held, _ := p.Gate.Acquire(t.Context(), shed.Anonymous)
	a := r.ask("GET", "/login")
	admission := given(a, session.AdmissionCookie)
	if a.outcome != "shed; reason=pool_full" || admission == "" {
		t.Fatalf("%d %q with %q", a.status, a.outcome, a.head.Values("Set-Cookie"))
	}
	held.Done()
	if a := r.ask("GET", "/login", "Cookie: "+admission); a.status != 200 {
		t.Errorf("%d %q", a.status, a.outcome)
	}
}

func TestAReadOnlyStoreHoldsNoSignInThatOnlyReads(t *testing.T) {
	b := newBackend(t, say("in"))
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), Need: shed.NeedRead, SignIn: true})
	r := newRig(t, rules, routes)
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	if a := r.ask("GET", "/login"); a.status != 200 {
		t.Errorf("%d %q", a.status, a.outcome)
	}
}

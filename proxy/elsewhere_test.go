package proxy

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

func TestElsewhere(t *testing.T) {
	const a, b = "aaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbb"
	var e elsewhere
	now := time.Now()
	if !e.empty() || e.has("us", a, now) {
		t.Error("nobody was added")
	}
	e.add("us", a, now)
	e.add("us", "1", now) // many carry it
	for _, c := range []struct {
		store, id string
		after     time.Duration
		want      bool
	}{
		{"us", a, 0, true}, {"us", a, elsewhereTime - 1, true}, {"us", a, elsewhereTime, false},
		{"ap", a, 0, false}, {"us", b, 0, false}, {"us", "1", 0, false}, {"us", "", 0, false},
	} {
		if got := e.has(c.store, c.id, now.Add(c.after)); got != c.want {
			t.Errorf("%s at %s after %v: %v", c.id, c.store, c.after, got)
		}
	}
	if e.add("us", a, now.Add(time.Minute)); !e.has("us", a, now.Add(elsewhereTime)) {
		t.Error("who comes again is known for no longer")
	}
	if e.forget(); !e.empty() || e.has("us", a, now) {
		t.Error("he is not forgotten")
	}
}

func TestElsewhereIsForEverybodyAtOnce(t *testing.T) {
	var e elsewhere
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 500 {
				id := string(rune('a'+i%26)) + "aaaaaaaaaaaaaaaaaaa"
				e.add("us", id, time.Now())
				_ = e.has("us", id, time.Now()) || e.empty()
				if i%100 == 0 {
					e.forget()
				}
			}
		})
	}
	all.Wait()
}

// Who signed in over there is served over there, with one request each time, whatever he asks for, until his home is itself again.
func TestWhoSignedInElsewhereGoesThereAtOnce(t *testing.T) {
	a := newAfar(t, shed.GateSettings{})
	a.eu.monitor.Set(store.Settings{
		Interval: 20 * time.Millisecond, Timeout: 500 * time.Millisecond, Payload: 64, Rise: 2, After: 50 * time.Millisecond, RampOver: 500 * time.Millisecond,
	})
	a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	a.asked()
	if got := a.ask("POST", "/login"); got.status != 303 || !a.known(ada) {
		t.Fatalf("a sign-in at the other: %d %q; he is known there: %v", got.status, got.outcome, a.known(ada))
	}
	a.asked()
	for _, method := range []string{"GET", "POST"} {
		got := a.ask(method, "/", ada)
		if home, there := a.asked(); got.body != "hello ada" || home != 0 || there != 1 {
			t.Errorf("%s: %d %q; home was asked %d times, the other %d", method, got.status, got.outcome, home, there)
		}
	}
	a.us.breaks(t, shed.Down, shed.CauseRefused)
	if got := a.ask("GET", "/", ada); got.outcome != "converted; reason=read_only" {
		t.Errorf("while the other is away: %d %q", got.status, got.outcome)
	}
	a.us.breaks(t, shed.Writable, shed.OK)
	a.eu.breaks(t, shed.Writable, shed.OK)
	if a.eu.monitor.Current().Recovering() { // by now it may not be
		if got := a.ask("GET", "/", ada); a.eu.monitor.Current().Recovering() && got.body != "hello ada" {
			t.Errorf("during the ramp: %d %q", got.status, got.outcome)
		}
	}
	until(t, "the ramp is over", func() bool { return !a.eu.monitor.Current().Recovering() })
	a.asked()
	a.ask("GET", "/", stranger)
	if home, there := a.asked(); home != 1 || there != 0 || !a.eu.elsewhere.empty() {
		t.Errorf("home is itself again, and was asked %d times, the other %d; all are forgotten: %v", home, there, a.eu.elsewhere.empty())
	}
}

// Gatehouse need not have seen him sign in: the first answer tells where he is.
func TestWhoWasFoundElsewhereIsNotLookedForAgain(t *testing.T) {
	a := newAfar(t, shed.GateSettings{})
	a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	a.asked()
	for i, want := range []int64{1, 0, 0} {
		got := a.ask("GET", "/", ada)
		if home, there := a.asked(); got.body != "hello ada" || home != want || there != 1 {
			t.Errorf("time %d: %d %q; home was asked %d times, the other %d", i+1, got.status, got.outcome, home, there)
		}
	}
	got := a.ask("POST", "/", ada)
	if home, there := a.asked(); got.body != "hello ada" || home != 0 || there != 1 {
		t.Errorf("a POST: %d %q; home was asked %d times, the other %d", got.status, got.outcome, home, there)
	}
}

// signsOut has ada sign out, which the other app alone must hear of; and no copy of her cookie is good afterwards.
func (a *afar) signsOut(t *testing.T) {
	t.Helper()
	a.asked()
	got := a.ask("POST", "/logout", ada)
	if home, there := a.asked(); got.body != "hello ada" || home != 0 || there != 1 {
		t.Errorf("%d %q; home was asked %d times, the other %d", got.status, got.outcome, home, there)
	}
	if got := a.ask("GET", "/", ada); got.body == "hello ada" {
		t.Error("a copy of his cookie is still good")
	}
}

// Who signs out over there is signed out at home, too, which may have kept what it had of him.
func TestWhoSignsOutElsewhereIsSignedOut(t *testing.T) {
	a := newAfar(t, shed.GateSettings{})
	a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	if got := a.ask("GET", "/", ada); got.body != "hello ada" {
		t.Fatalf("%d %q", got.status, got.outcome)
	}
	a.signsOut(t)
}

// A wish to sign out goes where it can be fulfilled: home, which cannot be written, would keep the session.
func TestWhoSignsOutWhileHomeCannotForgetIsSignedOutElsewhere(t *testing.T) {
	a := newAfar(t, shed.GateSettings{})
	a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	a.signsOut(t)
	a.us.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	a.asked()
	a.ask("POST", "/logout", bob)
	if home, there := a.asked(); home != 1 || there != 0 {
		t.Errorf("where neither can forget home was asked %d times, the other %d", home, there)
	}
}

// Who signs in at a home that came back empty has his session there, and the others have it only when it was copied.
func TestWhoSignsInAtAHomeThatCameBackEmptyStaysThere(t *testing.T) {
	eu, us := newMember(t, "eu", store.ReportSettings{}), newMember(t, "us", store.ReportSettings{})
	eu.Copies, us.Copies = true, true
	app := func(name, id string) *backend {
		return newBackend(t, func(w http.ResponseWriter, q *http.Request) {
			switch {
			case q.URL.Path == "/login":
				w.Header().Set("Set-Cookie", "sid="+id+"; Path=/")
				w.Header().Set("Location", "/home")
				w.WriteHeader(303)
			case strings.Contains(q.Header.Get("Cookie"), id):
				say(name)(w, q)
			default:
				turnsAway(w, q)
			}
		})
	}
	const new, old = "aaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbb"
	route := &Route{
		Pool:     newPool(t, "eu", shed.GateSettings{}, app("eu", new).URL),
		Overflow: newPool(t, "us", shed.GateSettings{}, app("us", old).URL),
		Store:    eu.Store, OverflowStore: us.Store, Need: shed.NeedRead, Guard: true, MaxAge: 250 * time.Millisecond,
	}
	signIn := *route
	signIn.Need, signIn.SignIn = shed.NeedWrite, true
	r := newRig(t, ruled("login", "all"), []*Route{&signIn, route})
	r.stay()
	eu.breaks(t, shed.Down, shed.CauseRefused)
	eu.canary.lose()
	until(t, "eu is back, and empty", func() bool { v := eu.monitor.Current(); return v.State == shed.Writable && v.Lost })
	if got := r.ask("POST", "/login"); got.status != 303 {
		t.Fatalf("a sign-in at eu: %d %q", got.status, got.outcome)
	}
	for cookie, want := range map[string]string{"Cookie: sid=" + new: "eu", "Cookie: sid=" + old: "us"} {
		if got := r.ask("GET", "/", cookie); got.body != want {
			t.Errorf("%s: %d %q %q; want %s", cookie, got.status, got.outcome, got.body, want)
		}
	}
}

// What is given to somebody whose home is well comes there soon enough.
func TestNobodyIsElsewhereWhileHomeIsWell(t *testing.T) {
	a := newAfar(t, shed.GateSettings{})
	a.home.Close() // so that the pool borrows
	if got := a.ask("POST", "/login"); got.status != 303 || !a.eu.elsewhere.empty() {
		t.Errorf("%d %q; nobody is noted: %v", got.status, got.outcome, a.eu.elsewhere.empty())
	}
}

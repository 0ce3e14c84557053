package proxy

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/routing"
	"gatehouse/shed"
)

// outApp signs out as it can, and shows whom it takes its visitors for.
type outApp struct{ fails, doubts, forgets atomic.Bool }

func (o *outApp) serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/logout":
		if o.fails.Load() {
			w.WriteHeader(500)
			return
		}
		if o.doubts.Load() {
			w.WriteHeader(403) // the form's proof was kept in the session
			return
		}
		if o.forgets.Load() {
			w.Header().Set("Location", "/")
			w.WriteHeader(302)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "sid", Path: "/", MaxAge: -1})
		w.Header().Set("Location", "/login")
		w.WriteHeader(303)
	default:
		_, _ = w.Write([]byte("cookie=" + r.Header.Get("Cookie") + " auth=" + r.Header.Get("Authorization")))
	}
}

const alice = "sid=alice-alice-alice"

func signingOut(t *testing.T) (*rig, *outApp) {
	t.Helper()
	o := &outApp{}
	b := newBackend(t, o.serve)
	p := newPool(t, "app", shed.GateSettings{}, b.URL)
	r := newRig(t, []routing.Rule{{Name: "sign-out", Paths: []string{"/logout"}}, {Name: "app"}}, []*Route{
		{Pool: p, SignOut: true, Guard: true, MaxAge: time.Minute, Restart: "/"}, {Pool: p, Need: shed.NeedNone, Guard: true, MaxAge: time.Minute},
	})
	r.stay()
	return r, o
}

func TestASignOutIsHonouredWhereTheAppCannot(t *testing.T) {
	for _, c := range []struct {
		name    string
		fails   bool
		state   shed.State
		cause   shed.Cause
		method  string
		outcome string
	}{
		{"the app is not asked", false, shed.Down, shed.CauseHung, "POST", "degraded; reason=signed_out"},
		{"the app fails", true, shed.ReadOnly, shed.CauseReadOnly, "POST", "converted; reason=signed_out"},
		{"by a link", true, shed.ReadOnly, shed.CauseFull, "GET", "converted; reason=signed_out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, o := signingOut(t)
			o.fails.Store(c.fails)
			r.breaks(c.state, c.cause)
			a := r.ask(c.method, "/logout", "Cookie: theme=dark; "+alice, "Accept: text/html")
			if a.status != 200 || a.outcome != c.outcome || a.head.Get("Retry-After") != "" || !strings.Contains(a.body, "signed out") {
				t.Errorf("%d %q %v", a.status, a.outcome, a.head)
			}
			if got := cookies(a); !strings.Contains(got, "sid=;") || !strings.Contains(got, "Max-Age=0") || strings.Contains(got, "theme") {
				t.Errorf("cookies %q", got)
			}
			// The session is still in the store; whoever has a copy of the cookie is a stranger here.
			if a := r.ask("GET", "/", "Cookie: theme=dark; "+alice); a.body != "cookie=theme=dark auth=" {
				t.Errorf("the app was told %q", a.body)
			}
			if a := r.ask("GET", "/", "Cookie: sid=bob-bob-bob-bob-bob"); a.body != "cookie=sid=bob-bob-bob-bob-bob auth=" {
				t.Errorf("somebody else: the app was told %q", a.body)
			}
			set(r, false)
			if a := r.ask("GET", "/", "Cookie: "+alice+"; theme=dark"); strings.Contains(a.body, "sid") {
				t.Errorf("the store is well again: the app was told %q", a.body)
			}
		})
	}
}

func TestASignOutThatWorksIsTheApps(t *testing.T) {
	r, o := signingOut(t)
	if a := r.ask("POST", "/logout", "Cookie: "+alice); a.status != 303 || !strings.Contains(cookies(a), "sid=;") {
		t.Errorf("%d %q %q", a.status, a.outcome, cookies(a))
	}
	if a := r.ask("GET", "/", "Cookie: "+alice); a.body != "cookie="+alice+" auth=" {
		t.Errorf("the app was told %q: refusing is for what the app cannot end", a.body)
	}
	o.doubts.Store(true)
	if a := r.ask("POST", "/logout", "Cookie: "+alice); a.status != 403 {
		t.Errorf("the store is well: %d %q; the refusal is the app's own", a.status, a.outcome)
	}
	o.doubts.Store(false)
	o.fails.Store(true)
	if a := r.ask("POST", "/logout", "Cookie: "+alice); a.status != 200 || a.outcome != "converted; reason=signed_out" {
		t.Errorf("the store is well and the app is not: %d %q; want the wish honoured", a.status, a.outcome)
	}
}

// A sign-out answered in the moment before the outage is known was not carried out either.
func TestASignOutBeforeTheOutageIsKnown(t *testing.T) {
	r, _ := signingOut(t)
	r.canary.set(shed.Down, shed.CauseRefused)
	r.ask("POST", "/logout", "Cookie: "+alice)
	until(t, "the store is known to be down", func() bool { return r.monitor.Current().State == shed.Down })
	until(t, "the id is refused", func() bool { return !strings.Contains(r.ask("GET", "/", "Cookie: "+alice).body, "alice") })
}

// Whoever signs out signs out nobody else, and nobody for ever.
func TestASignOutEndsOnlyWhatIsASessions(t *testing.T) {
	r, _ := signingOut(t)
	r.breaks(shed.Down, shed.CauseRefused)
	basic := "Authorization: Basic YWRhOnNlY3JldC1wYXNzd29yZA=="
	r.ask("POST", "/logout", "Cookie: sid=true; "+alice+"; remember=remember-me-alice", basic)
	if a := r.ask("GET", "/", "Cookie: sid=true", basic); !strings.Contains(a.body, "sid=true") || !strings.Contains(a.body, "Basic") {
		t.Errorf("the app was told %q", a.body)
	}
	if a := r.ask("GET", "/", "Cookie: sid=bob-bob-bob-bob-bob; remember=remember-me-alice"); a.body != "cookie=sid=bob-bob-bob-bob-bob auth=" {
		t.Errorf("the app was told %q", a.body)
	}
	made := make([]string, 500)
	for i := range made {
		made[i] = fmt.Sprintf("sid=made-up-made-up-%d", i)
	}
	r.ask("POST", "/logout", "Cookie: "+strings.Join(made, "; "))
	if n := r.runtime.SignedOut.Len(); n > 3*mostEnded {
		t.Errorf("%d ids are kept; one request cannot have others forgotten", n)
	}
}

// An app that clears the cookie and cannot delete the session says that all went well.
func TestASignOutThatOnlyClearedTheCookieIsRefusedToo(t *testing.T) {
	r, _ := signingOut(t)
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	if a := r.ask("POST", "/logout", "Cookie: "+alice); a.status != 303 || !strings.Contains(cookies(a), "sid=;") {
		t.Errorf("%d %q %q: the guard holds no sign-out", a.status, a.outcome, cookies(a))
	}
	if a := r.ask("GET", "/", "Cookie: "+alice); strings.Contains(a.body, "sid") {
		t.Errorf("the app was told %q", a.body)
	}
}

func TestASignOutThatTheAppMisunderstandsIsHonouredToo(t *testing.T) {
	r, o := signingOut(t)
	o.doubts.Store(true)
	if a := r.ask("POST", "/logout", "Cookie: "+alice); a.status != 403 {
		t.Errorf("the store is well: %d %q", a.status, a.outcome)
	}
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	if a := r.ask("POST", "/logout", "Cookie: "+alice); a.status != 200 || a.outcome != "converted; reason=signed_out" {
		t.Errorf("%d %q", a.status, a.outcome)
	}
	o.doubts.Store(false)
	o.forgets.Store(true)
	if a := r.ask("POST", "/logout", "Cookie: sid=eve-eve-eve-eve-eve"); a.status != 302 || !strings.Contains(cookies(a), "sid=;") {
		t.Errorf("%d %q %q", a.status, a.outcome, cookies(a))
	}
	if a := r.ask("GET", "/", "Cookie: sid=eve-eve-eve-eve-eve"); strings.Contains(a.body, "sid") {
		t.Errorf("the app was told %q", a.body)
	}
}

func TestASessionInAHeaderIsRefusedToo(t *testing.T) {
	r, _ := signingOut(t)
	r.breaks(shed.Down, shed.CauseRefused)
	if a := r.ask("POST", "/logout", "Authorization: Bearer 0123456789abcdef"); a.status != 200 || a.outcome != "degraded; reason=signed_out" {
		t.Errorf("%d %q", a.status, a.outcome)
	}
	if a := r.ask("GET", "/", "Authorization: Bearer 0123456789abcdef"); a.body != "cookie= auth=" {
		t.Errorf("the app was told %q", a.body)
	}
}

// What another site's page makes a browser send is no wish, and neither is a look.
func TestWhatIsNoWishSignsNobodyOut(t *testing.T) {
	r, _ := signingOut(t)
	r.breaks(shed.Down, shed.CauseRefused)
	for _, c := range [][]string{{"HEAD"}, {"GET", "Sec-Fetch-Site: cross-site"}, {"POST", "Sec-Fetch-Site: cross-site"}, {"GET", "Sec-Purpose: prefetch"}} {
		if a := r.ask(c[0], "/logout", append(c[1:], "Cookie: "+alice)...); a.status != 503 || cookies(a) != "" {
			t.Errorf("%v: %d %q %q", c, a.status, a.outcome, cookies(a))
		}
	}
	if a := r.ask("GET", "/", "Cookie: "+alice); a.body != "cookie="+alice+" auth=" {
		t.Errorf("the app was told %q", a.body)
	}
	if a := r.ask("POST", "/logout"); a.status != 303 {
		t.Errorf("who carries nothing: %d %q; there is nothing to end", a.status, a.outcome)
	}
}

// Whoever leaves before the app has answered wanted to be signed out all the same.
func TestAWishOutlivesTheVisitor(t *testing.T) {
	b := newBackend(t, hang)
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), SignOut: true, MaxAge: time.Minute})
	r := newRig(t, rules, routes)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = r.try(ctx, "POST", "/logout", "Cookie: "+alice)
	}()
	until(t, "it is in flight", func() bool { return b.asked.Load() == 1 })
	cancel()
	<-ended
	until(t, "the id is refused", func() bool { return r.runtime.SignedOut.Len() == 1 })
}

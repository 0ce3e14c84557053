package proxy

import (
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
			a := r.ask(c.method, "/logout", "Cookie: theme=dark; sid=1", "Accept: text/html")
			if a.status != 200 || a.outcome != c.outcome || a.head.Get("Retry-After") != "" || !strings.Contains(a.body, "signed out") {
				t.Errorf("%d %q %v", a.status, a.outcome, a.head)
			}
			if got := cookies(a); !strings.Contains(got, "sid=;") || !strings.Contains(got, "Max-Age=0") || strings.Contains(got, "theme") {
				t.Errorf("cookies %q", got)
			}
			// The session is still in the store; whoever has a copy of the cookie is a stranger here.
			if a := r.ask("GET", "/", "Cookie: theme=dark; sid=1"); a.body != "cookie=theme=dark auth=" {
				t.Errorf("the app was told %q", a.body)
			}
			if a := r.ask("GET", "/", "Cookie: sid=2"); a.body != "cookie=sid=2 auth=" {
				t.Errorf("somebody else: the app was told %q", a.body)
			}
			set(r, false)
			if a := r.ask("GET", "/", "Cookie: sid=1; theme=dark"); strings.Contains(a.body, "sid") {
				t.Errorf("the store is well again: the app was told %q", a.body)
			}
		})
	}
}

func TestASignOutThatWorksIsTheApps(t *testing.T) {
	r, o := signingOut(t)
	if a := r.ask("POST", "/logout", member); a.status != 303 || !strings.Contains(cookies(a), "sid=;") {
		t.Errorf("%d %q %q", a.status, a.outcome, cookies(a))
	}
	if a := r.ask("GET", "/", member); a.body != "cookie=sid=1 auth=" {
		t.Errorf("the app was told %q: refusing is for what the app cannot end", a.body)
	}
	o.fails.Store(true)
	if a := r.ask("POST", "/logout", member); a.status != 500 {
		t.Errorf("the store is well: %d %q; the error is the app's own", a.status, a.outcome)
	}
}

// An app that clears the cookie and cannot delete the session says that all went well.
func TestASignOutThatOnlyClearedTheCookieIsRefusedToo(t *testing.T) {
	r, _ := signingOut(t)
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	if a := r.ask("POST", "/logout", member); a.status != 303 || !strings.Contains(cookies(a), "sid=;") {
		t.Errorf("%d %q %q: the guard holds no sign-out", a.status, a.outcome, cookies(a))
	}
	if a := r.ask("GET", "/", member); strings.Contains(a.body, "sid") {
		t.Errorf("the app was told %q", a.body)
	}
}

func TestASignOutThatTheAppMisunderstandsIsHonouredToo(t *testing.T) {
	r, o := signingOut(t)
	o.doubts.Store(true)
	if a := r.ask("POST", "/logout", member); a.status != 403 {
		t.Errorf("the store is well: %d %q", a.status, a.outcome)
	}
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	if a := r.ask("POST", "/logout", member); a.status != 200 || a.outcome != "converted; reason=signed_out" {
		t.Errorf("%d %q", a.status, a.outcome)
	}
	o.doubts.Store(false)
	o.forgets.Store(true)
	if a := r.ask("POST", "/logout", "Cookie: sid=3"); a.status != 302 || !strings.Contains(cookies(a), "sid=;") {
		t.Errorf("%d %q %q", a.status, a.outcome, cookies(a))
	}
	if a := r.ask("GET", "/", "Cookie: sid=3"); strings.Contains(a.body, "sid") {
		t.Errorf("the app was told %q", a.body)
	}
}

func TestASessionInAHeaderIsRefusedToo(t *testing.T) {
	r, _ := signingOut(t)
	r.breaks(shed.Down, shed.CauseRefused)
	if a := r.ask("POST", "/logout", "Authorization: Bearer x"); a.status != 200 || a.outcome != "degraded; reason=signed_out" {
		t.Errorf("%d %q", a.status, a.outcome)
	}
	if a := r.ask("GET", "/", "Authorization: Bearer x"); a.body != "cookie= auth=" {
		t.Errorf("the app was told %q", a.body)
	}
}

// What another site's page makes a browser send is no wish, and neither is a look.
func TestWhatIsNoWishSignsNobodyOut(t *testing.T) {
	r, _ := signingOut(t)
	r.breaks(shed.Down, shed.CauseRefused)
	for _, c := range [][]string{{"HEAD"}, {"GET", "Sec-Fetch-Site: cross-site"}, {"POST", "Sec-Fetch-Site: cross-site"}} {
		if a := r.ask(c[0], "/logout", append(c[1:], member)...); a.status != 503 || cookies(a) != "" {
			t.Errorf("%v: %d %q %q", c, a.status, a.outcome, cookies(a))
		}
	}
	if a := r.ask("GET", "/", member); a.body != "cookie=sid=1 auth=" {
		t.Errorf("the app was told %q", a.body)
	}
	if a := r.ask("POST", "/logout"); a.status != 303 {
		t.Errorf("who carries nothing: %d %q; there is nothing to end", a.status, a.outcome)
	}
}

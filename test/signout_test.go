package test

import (
	"strings"
	"testing"
)

const signOutRoute = "- {name: sign-out, match: {path: /logout}, pool: app, sign_out: true}"

// TestSignOutIsAlwaysHonoured: whoever signs out while the store cannot forget the session is signed out on this device, and
// the id is refused from then on, also when the app would still take it.
func TestSignOutIsAlwaysHonoured(t *testing.T) {
	for name, away := range map[string]struct{ breaks, mend func(*redisServer) }{
		"read-only": {
			func(r *redisServer) { r.do("REPLICAOF", "127.0.0.1", "9") },
			func(r *redisServer) { r.do("REPLICAOF", "NO", "ONE") },
		},
		"down": {
			func(r *redisServer) { r.do("SAVE"); r.kill() },
			func(r *redisServer) { r.start() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := startRedis(t)
			a := startApp(t, store.address(), ordinary)
			s := site{backend: a.URL, store: store.address(), routes: signOutRoute}
			g := startGatehouse(t, s.text())
			leaves, stays := mustSignIn(t, g.url), mustSignIn(t, g.url)
			away.breaks(store)
			eventually(t, patience, "the store is "+name, func() bool { return g.storeState(t) == name })

			res, body := ask(t, "POST", g.url+"/logout", "Accept: text/html", "Cookie: theme=dark; sid="+leaves)
			if res.StatusCode != 200 || !strings.Contains(body, "signed out on this device") {
				t.Errorf("signing out: %d %s", res.StatusCode, body)
			}
			if got := res.Header.Get("Gatehouse-Outcome"); !strings.Contains(got, "reason=signed_out") {
				t.Errorf("Gatehouse-Outcome: %q", got)
			}
			expired := false
			for _, c := range res.Cookies() {
				expired = expired || c.Name == "sid" && c.Value == "" && c.MaxAge < 0
				if c.Name == "theme" {
					t.Error("a cookie that is no session was touched")
				}
			}
			if !expired {
				t.Errorf("the cookie was not expired: %v", res.Header.Values("Set-Cookie"))
			}
			if g.metric(t, `gatehouse_session_guard_total{action="signed_out"}`) != 1 {
				t.Error("the sign-out was not counted")
			}

			away.mend(store)
			eventually(t, patience, "the store is back", func() bool { return g.storeState(t) == "writable" })
			member := func(base, id string) int {
				res, _ := ask(t, "GET", base+"/members", "Cookie: sid="+id)
				return res.StatusCode
			}
			if got := member(a.URL, leaves); got != 200 {
				t.Fatalf("the app does not take the id any more (%d): this test proves nothing", got)
			}
			g.write("# another edit\n" + s.text())
			eventually(t, patience, "reloaded", func() bool { return g.event("reloaded") != nil })
			eventually(t, patience, "the app has reconnected", func() bool { return member(g.url, stays) == 200 })
			if got := member(g.url, leaves); got != 303 {
				t.Errorf("with the id that was signed out: %d; want 303 to the form", got)
			}
			if g.metric(t, `gatehouse_session_guard_total{action="refused"}`) == 0 {
				t.Error("the refusal was not counted")
			}
			// While the store is well, signing out is the app's business.
			res, _ = ask(t, "POST", g.url+"/logout", "Cookie: sid="+stays)
			if res.StatusCode != 303 || res.Header.Get("Gatehouse-Outcome") != "" {
				t.Errorf("signing out of a store that works: %d %s", res.StatusCode, res.Header.Get("Gatehouse-Outcome"))
			}
			if got := member(g.url, stays); got != 303 {
				t.Errorf("after it: %d", got)
			}
		})
	}
}

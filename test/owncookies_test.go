package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// gossip is an app that remembers every cookie it is shown, and sets cookies in Gatehouse's name.
type gossip struct {
	*httptest.Server
	mu   sync.Mutex
	told []string // Cookie lines
}

// The values that the app sets in Gatehouse's name.
const claimed = "claimed-by-the-app"

func startGossip(t *testing.T) *gossip {
	t.Helper()
	g := &gossip{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.told = append(g.told, r.Header.Values("Cookie")...)
		g.mu.Unlock()
		for _, name := range []string{proofCookie, admissionCookie, placeCookie, "Gatehouse_Proof", "GATEHOUSE_PLACE"} {
			w.Header().Add("Set-Cookie", name+"="+claimed+"; Path=/")
		}
		w.Header().Add("Set-Cookie", " "+proofCookie+" ="+claimed)
		if r.Method == "POST" {
			setCookie(w, "sid", "s-1")
			http.Redirect(w, r, "/members", http.StatusSeeOther)
			return
		}
		fmt.Fprint(w, "well")
	}))
	t.Cleanup(g.Close)
	return g
}

// TestOwnCookiesStayBetweenGatehouseAndTheVisitor: the app never sees them, cannot set them, and no log has them.
func TestOwnCookiesStayBetweenGatehouseAndTheVisitor(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	app := startGossip(t)
	g := startGatehouse(t, site{
		backend: app.URL, store: store.address(), ramp: oneIn, top: crowd + "\nlog: {level: debug}",
		routes: `- {name: members, match: {path: /members}, pool: app, members: true}`,
	}.text())
	v := arrive(g.url, roads(), 1)
	var own []string // every value that Gatehouse gave
	keep := func(r reply, wants ...string) {
		t.Helper()
		for _, name := range wants {
			if r.set[name] == "" {
				t.Errorf("%v gives no %s", r, name)
			}
		}
		for _, line := range r.header.Values("Set-Cookie") {
			if strings.Contains(line, claimed) {
				t.Errorf("the app set a cookie in Gatehouse's name: %s", line)
			}
		}
		for name, value := range r.set {
			if strings.HasPrefix(name, "gatehouse_") && value != "" {
				own = append(own, value)
			}
		}
	}
	closure(t, g, store, func() { keep(v.get("/login"), placeCookie) })
	keep(v.get("/login"), admissionCookie)
	admitted := v.twin(v.from)
	keep(v.post("/login", named), proofCookie)
	if v.jar["sid"] != "s-1" {
		t.Fatalf("the app's own cookie did not come through: %v", v.jar)
	}
	v.jar["theme"] = "dark"
	keep(v.get("/members"))
	// All that Gatehouse ever gave, at once, in the lines and the order of a stranger's making.
	all := admitted.jar
	all[proofCookie], all["sid"], all["theme"] = v.jar[proofCookie], "s-1", "dark"
	keep((&visitor{base: v.base, from: v.from, http: v.http, jar: all}).get("/members"))
	odd := &visitor{base: v.base, from: v.from, http: v.http, jar: map[string]string{}}
	keep(odd.get("/members", fmt.Sprintf("Cookie: a=1;%s=%s; GATEHOUSE_place=%s ;b=2;  %s = %s", proofCookie, own[0], own[1], admissionCookie, own[2])))

	app.mu.Lock()
	told := strings.Join(app.told, "\n")
	app.mu.Unlock()
	if !strings.Contains(told, "sid=s-1") || !strings.Contains(told, "theme=dark") || !strings.Contains(told, "a=1") || !strings.Contains(told, "b=2") {
		t.Errorf("the app was not shown the cookies that are its own:\n%s", told)
	}
	if strings.Contains(strings.ToLower(told), "gatehouse_") {
		t.Errorf("the app was shown Gatehouse's own cookies:\n%s", told)
	}
	g.classOf(g.requestID(t, odd)) // the log has all lines of before
	logs := g.log() + strings.Join(g.accessLines(), "\n")
	for _, value := range own {
		if strings.Contains(told, value) {
			t.Errorf("the app was shown %s", value)
		}
		if strings.Contains(logs, value) {
			t.Errorf("a log has %s", value)
		}
	}
	t.Logf("%d own cookies were given; the app was shown:\n%s", len(own), told)
}

// requestID asks once more and returns the id of that request.
func (g *gatehouse) requestID(t *testing.T, v *visitor) string {
	t.Helper()
	return v.get("/").header.Get("X-Request-Id")
}

package test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// keyFile writes a key of Gatehouse's own cookies and returns the line of session that names it.
func keyFile(t *testing.T, digit string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "session.key")
	writeFile(t, path, strings.Repeat(digit, 64)+"\n")
	return fmt.Sprintf("key_file: %q", path)
}

// classOf is the class in which the program saw the request with that id.
func (g *gatehouse) classOf(id string) (class string) {
	g.t.Helper()
	eventually(g.t, patience, "the access log has request "+id, func() bool {
		for _, line := range g.accessLines() {
			var e struct {
				ID    string `json:"id"`
				Class string `json:"class"`
			}
			if json.Unmarshal([]byte(line), &e) == nil && e.ID == id {
				class = e.Class
				return true
			}
		}
		return false
	})
	return class
}

// seen asks for the members' page and says in which class that was.
func (v *visitor) seen(t *testing.T, g *gatehouse) string {
	t.Helper()
	there := *v
	there.base = g.url
	r := there.get("/members")
	return g.classOf(r.header.Get("X-Request-Id"))
}

// twoGates are two Gatehouses before one app and one store, with the same keys, and a third with other keys.
type twoGates struct {
	store             *redisServer
	a                 *app
	text              string // of the two
	one, two, another *gatehouse
	v                 *visitor
}

func startTwo(t *testing.T, more func(*site)) *twoGates {
	t.Helper()
	w := &twoGates{store: startRedis(t)}
	w.a = startApp(t, w.store.address(), ordinary)
	file := func(keys string) string {
		s := site{backend: w.a.URL, store: w.store.address(), session: keys, top: crowd, pool: "max_in_flight: 64"}
		if more != nil {
			more(&s)
		}
		return s.text()
	}
	w.text = file(keyFile(t, "a"))
	w.one, w.two, w.another = startGatehouse(t, w.text), startGatehouse(t, w.text), startGatehouse(t, file(keyFile(t, "b")))
	w.v = arrive(w.one.url, roads(), 1)
	return w
}

// TestAProofIsGoodAtEveryGatehouseWithTheKey: a session that one saw to be good is a member's at the other and after a restart; a
// session that nobody saw is not, whatever its visitor claims.
func TestAProofIsGoodAtEveryGatehouseWithTheKey(t *testing.T) {
	t.Parallel()
	w := startTwo(t, func(s *site) {
		s.routes = `- {name: members, match: {path: /members}, pool: app, members: true}`
	})
	v := w.v
	eventually(t, patience, "somebody signs in", func() bool { return v.signIn().ok() && v.jar["sid"] != "" })
	if v.jar[proofCookie] == "" {
		t.Fatalf("signing in gave no proof: %v", v.jar)
	}
	for name, g := range map[string]*gatehouse{"the one that gave it": w.one, "the other": w.two} {
		if class := v.seen(t, g); class != "member" {
			t.Errorf("with his proof at %s he counts as %s; want member", name, class)
		}
	}
	if class := v.twin(v.from).seen(t, w.another); class != "unproved" {
		t.Errorf("with his proof at a Gatehouse with another key he counts as %s; want unproved", class)
	}

	old := w.one
	old.terminate()
	<-old.exited
	w.one = startGatehouse(t, w.text)
	if class := v.seen(t, w.one); class != "member" {
		t.Errorf("after a restart he counts as %s; want member", class)
	}

	thief := arrive(w.one.url, v.http, 2)
	thief.jar["sid"], thief.jar[proofCookie] = "made-up", v.jar[proofCookie]
	if class := thief.seen(t, w.one); class != "unproved" {
		t.Errorf("somebody else's proof with a session that is made up counts as %s; want unproved", class)
	}
	if thief.jar[proofCookie] != v.jar[proofCookie] {
		t.Errorf("a session that the app did not know was given a proof: %q", thief.jar[proofCookie])
	}
	known := arrive(w.two.url, v.http, 3)
	known.jar["sid"] = v.jar["sid"] // as after the proof's cookie was lost
	if class := known.seen(t, w.two); class != "unproved" {
		t.Errorf("without a proof he counts as %s; want unproved", class)
	}
	if class := known.seen(t, w.one); class != "member" {
		t.Errorf("after an answer of a route for members alone he counts as %s; want member", class)
	}
}

// TestAPlaceIsKept: by the Gatehouse that gave it, by another one with the key, and through a restart; by one with another key it is
// not, and a place that was made up is none.
func TestAPlaceIsKept(t *testing.T) {
	t.Parallel()
	w := startTwo(t, func(s *site) { s.ramp = "from: 1/m, to: 1/m, over: 1h" })
	w.store.do("REPLICAOF", "127.0.0.1", "9")
	for _, g := range []*gatehouse{w.one, w.two, w.another} {
		eventually(t, patience, "the store is closed", func() bool { return g.storeState(t) == "read-only" })
	}
	// place is when a Gatehouse believes that somebody was first turned away, after he asked there with what he carries.
	place := func(g *gatehouse, carries string) time.Time {
		t.Helper()
		x := &visitor{base: g.url, from: w.v.from, http: w.v.http, jar: map[string]string{placeCookie: carries}}
		if r := x.get("/login"); r.outcome != "degraded" && r.outcome != "lined_up" {
			t.Fatalf("somebody asks for the form: %v; want the page", r)
		}
		return standsSince(x.jar[placeCookie])
	}
	if r := w.v.get("/login"); r.outcome != "degraded" {
		t.Fatalf("while the store is closed: %v", r)
	}
	given := w.v.jar[placeCookie]
	since := standsSince(given)
	if time.Since(since).Abs() > patience {
		t.Fatalf("a place says %v", since)
	}
	eventually(t, patience, "a place given anew says another time", func() bool { return time.Now().UnixMilli() > since.UnixMilli() })
	if got := place(w.one, given); !got.Equal(since) {
		t.Errorf("the Gatehouse that gave it believes %v; want %v", got, since)
	}
	if got := place(w.two, given); !got.Equal(since) {
		t.Errorf("the other one believes %v; want %v", got, since)
	}
	if got := place(w.another, given); got.Equal(since) {
		t.Error("one with another key believes it")
	}
	w.one.terminate()
	<-w.one.exited
	w.one = startGatehouse(t, w.text)
	if got := place(w.one, given); !got.Equal(since) {
		t.Errorf("after a restart it believes %v; want %v", got, since)
	}
	forged := "AQAA" + given[4:] // decades ago
	if got := place(w.two, forged); time.Since(got) > patience {
		t.Errorf("a place that was changed to an earlier time is believed: %v", got)
	}
}

package test

import (
	"net/url"
	"testing"
)

// oneIn is a ramp that lets the first in at once, and nobody else while a test lasts.
const oneIn = "from: 1/m, to: 1/m, over: 1h"

// closure closes the store, has somebody call on it while it is closed, and opens it again.
func closure(t *testing.T, g *gatehouse, store *redisServer, meanwhile func()) {
	t.Helper()
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, patience, "the store is closed", func() bool { return g.storeState(t) == "read-only" })
	meanwhile()
	store.do("REPLICAOF", "NO", "ONE")
	eventually(t, patience, "the store is open again", func() bool { return g.storeState(t) == "writable" })
}

// journeys is a site with a ramp that has room for one, and that one visitor with his place at the head of the line.
func journeys(t *testing.T) (a *app, g *gatehouse, first *visitor) {
	t.Helper()
	store := startRedis(t)
	a = startApp(t, store.address(), ordinary)
	g = startGatehouse(t, site{backend: a.URL, store: store.address(), ramp: oneIn, top: crowd}.text())
	first = arrive(g.url, roads(), 1)
	closure(t, g, store, func() {
		if r := first.get("/login"); r.outcome != "degraded" || first.jar[placeCookie] == "" {
			t.Fatalf("while the store is closed: %v, with the cookies %v; want the page and a place", r, first.jar)
		}
	})
	return a, g, first
}

// TestAJourneyCountsOnce: who was given the form can send it at once, and again where he mistyped, though nobody else is let in.
func TestAJourneyCountsOnce(t *testing.T) {
	t.Parallel()
	_, _, v := journeys(t)
	if r := v.get("/login"); !r.ok() || v.jar[admissionCookie] == "" {
		t.Fatalf("the first in line asks for the form: %v, with the cookies %v; want it, and an admission", r, v.jar)
	}
	if r := v.twin("10.9.9.9").bare().get("/login"); r.outcome != "lined_up" {
		t.Fatalf("somebody else: %v; want to be lined up, or this proves nothing", r)
	}
	if r := v.bare().post("/login", named); r.outcome != "lined_up" {
		t.Errorf("his form without his cookies: %v; want to be lined up", r)
	}
	if r := v.post("/login", url.Values{"name": {"ada"}, "password": {"wrong"}}); !r.ok() || v.jar["sid"] != "" || v.jar[admissionCookie] == "" {
		t.Fatalf("a wrong password: %v, with the cookies %v; want the form again, and the admission kept", r, v.jar)
	}
	r := v.post("/login", named)
	if !r.ok() || v.jar["sid"] == "" {
		t.Fatalf("the right password: %v; want to be signed in", r)
	}
	if value, sent := r.set[placeCookie]; !sent || value != "" {
		t.Errorf("signing in leaves his place: %q; want it taken away", value)
	}
	if r := v.get("/members"); !r.ok() {
		t.Errorf("his own page: %v", r)
	}
}

// TestAnAdmissionBuysOneJourney: somewhere else, changed or made up it buys nothing, and copied no more than its bound.
func TestAnAdmissionBuysOneJourney(t *testing.T) {
	t.Parallel()
	a, _, v := journeys(t)
	if r := v.get("/login"); !r.ok() || v.jar[admissionCookie] == "" {
		t.Fatalf("the first in line asks for the form: %v, with the cookies %v", r, v.jar)
	}
	good := v.jar[admissionCookie]
	letter := func(b byte) string {
		if b == 'A' {
			return "B"
		}
		return "A"
	}
	for what, visitor := range map[string]*visitor{
		"from another network":           v.twin("10.77.0.7"),
		"with its first letter changed":  {base: v.base, from: v.from, http: v.http, jar: map[string]string{admissionCookie: letter(good[0]) + good[1:]}},
		"with its last letter changed":   {base: v.base, from: v.from, http: v.http, jar: map[string]string{admissionCookie: good[:len(good)-2] + letter(good[len(good)-2]) + good[len(good)-1:]}},
		"made of a place":                {base: v.base, from: v.from, http: v.http, jar: map[string]string{admissionCookie: v.jar[placeCookie]}},
		"as a place":                     {base: v.base, from: v.from, http: v.http, jar: map[string]string{placeCookie: good}},
		"that is empty":                  {base: v.base, from: v.from, http: v.http, jar: map[string]string{admissionCookie: ""}},
		"and the place that it used up":  {base: v.base, from: v.from, http: v.http, jar: map[string]string{placeCookie: v.jar[placeCookie]}},
		"under another spelling of name": {base: v.base, from: v.from, http: v.http, jar: map[string]string{"Gatehouse_Admission": good}},
	} {
		if r := visitor.post("/login", named); r.outcome != "lined_up" {
			t.Errorf("an admission %s: %v; want to be lined up", what, r)
		}
	}
	if came := len(a.signIns()); came != 0 {
		t.Fatalf("%d forms reached the app", came)
	}

	const replays, bound = 50, 12
	in := 0
	for range replays {
		thief := v.twin(v.from)
		if thief.post("/login", named).ok() {
			in++
		}
	}
	t.Logf("one admission sent %d times: %d forms reached the app, at most %d may", replays, len(a.signIns()), bound)
	if in == 0 || in > bound || len(a.signIns()) != in {
		t.Errorf("an admission that was copied %d times let %d in, and the app saw %d; want 1 to %d", replays, in, len(a.signIns()), bound)
	}
	if r := v.twin("10.78.0.7").post("/login", named); r.outcome != "lined_up" {
		t.Errorf("somebody else after that: %v; want to be lined up still", r)
	}
}

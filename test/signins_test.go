package test

import (
	"fmt"
	"testing"
)

// signInsTotal are the results of signing in that were counted.
func (g *gatehouse) signInsTotal(t *testing.T) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, result := range []string{"success", "unconfirmed", "refused", "error", "shed"} {
		all[result] = g.metric(t, fmt.Sprintf("gatehouse_sign_ins_total{result=%q}", result))
	}
	return all
}

// counts fails the test where one sign-in was not counted as that, or as anything else, too.
func (g *gatehouse) counts(t *testing.T, before map[string]float64, result string) {
	t.Helper()
	eventually(t, patience, "a sign-in counts as "+result, func() bool { return g.signInsTotal(t)[result] == before[result]+1 })
	for other, n := range g.signInsTotal(t) {
		if other != result && n != before[other] {
			t.Errorf("one sign-in was counted as %s and as %s", result, other)
		}
	}
}

// TestSignInsAreCountedForWhatTheyAre: a success is one of which the store can have kept something. PHP redirects with a cookie
// also when it could keep nothing.
func TestSignInsAreCountedForWhatTheyAre(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	a := startApp(t, store.address(), php)
	g := startGatehouse(t, configFor(a, store, true))
	mustSignIn(t, g.url)
	eventually(t, patience, "the first one is counted", func() bool { return g.signInsTotal(t)["success"] == 1 })

	was := g.signInsTotal(t)
	mustSignIn(t, g.url)
	g.counts(t, was, "success")

	// A person believes the store to be well; it is full.
	g.override(t, "writable", "--for", "10m")
	store.do("CONFIG", "SET", "maxmemory", "1000")
	eventually(t, patience, "the store is seen to be full", func() bool { return g.storeStatus(t).Observed == "read-only" })
	was = g.signInsTotal(t)
	status, outcome, id := signIn(t, g.url)
	if status != 303 || id == "" || outcome != "" || store.has("sess:"+id) {
		t.Fatalf("the app's false success: %d %q, kept: %v", status, outcome, store.has("sess:"+id))
	}
	g.counts(t, was, "unconfirmed")

	g.override(t, "off")
	eventually(t, patience, "the checks are believed again", func() bool { return g.storeState(t) == "read-only" })
	was = g.signInsTotal(t)
	if status, _, _ = signIn(t, g.url); status != 503 {
		t.Fatalf("a sign-in at a full store: %d", status)
	}
	g.counts(t, was, "shed")
}

// TestSignInsThatFail: the app's no, and its failure.
func TestSignInsThatFail(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	a := startApp(t, store.address(), rails)
	g := startGatehouse(t, configFor(a, store, true))
	was := g.signInsTotal(t)
	if status, _, _ := signIn(t, g.url); status != 403 {
		t.Fatalf("a form without its secret: %d", status)
	}
	g.counts(t, was, "refused")

	b := startApp(t, store.address(), ordinary)
	g = startGatehouse(t, configFor(b, store, true))
	g.override(t, "writable", "--for", "10m")
	store.do("CONFIG", "SET", "maxmemory", "1000")
	eventually(t, patience, "the store is seen to be full", func() bool { return g.storeStatus(t).Observed == "read-only" })
	was = g.signInsTotal(t)
	if status, _, _ := signIn(t, g.url); status != 503 {
		t.Fatalf("a sign-in that the app answers with 500: %d; want the page", status)
	}
	g.counts(t, was, "error")
}

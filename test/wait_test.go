package test

import (
	"net/http"
	"testing"
	"time"
)

// TestAOneTimeCodeIsHeld: a callback whose code can be used once waits for the store instead of spending it.
func TestAOneTimeCodeIsHeld(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	s := site{backend: a.URL, store: store.address(), routes: `- {name: hurry, match: {path: /callback, query: {hurry: "*"}}, pool: login, needs: write, wait: 300ms}
- {name: callback, match: {path: /callback}, pool: login, needs: write, wait: 20s}`}
	g := startGatehouse(t, s.text())
	mustSignIn(t, g.url)
	spent := func(code string) bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.used[code]
	}
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, patience, "the store is read-only", func() bool { return g.storeState(t) == "read-only" })

	type answer struct {
		status  int
		outcome string
	}
	answered := make(chan answer, 1)
	go func() {
		stay := *client
		stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		res, err := stay.Get(g.url + "/callback?code=one")
		if err != nil {
			answered <- answer{}
			return
		}
		_ = res.Body.Close()
		answered <- answer{res.StatusCode, res.Header.Get("Gatehouse-Outcome")}
	}()
	res, _ := ask(t, "GET", g.url+"/callback?code=two&hurry=1")
	if res.StatusCode != 503 || spent("two") {
		t.Errorf("a wait that was too short: %d, spent: %v; want the page, and the code kept", res.StatusCode, spent("two"))
	}
	select {
	case got := <-answered:
		t.Fatalf("the callback was not held: %+v", got)
	case <-time.After(time.Second):
	}
	if spent("one") {
		t.Fatal("the code was spent while nothing could be kept")
	}
	store.do("REPLICAOF", "NO", "ONE")
	select {
	case got := <-answered:
		if got.status != 303 || got.outcome != "" || !spent("one") {
			t.Errorf("the callback that was held: %+v", got)
		}
	case <-time.After(patience):
		t.Fatal("the callback was never answered")
	}
	eventually(t, patience, "the code that was kept can still be used", func() bool {
		res, _ := ask(t, "GET", g.url+"/callback?code=two")
		return res.StatusCode == 303
	})
}

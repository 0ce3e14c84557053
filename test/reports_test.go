package test

import (
	"context"
	"strings"
	"testing"
	"time"
)

// reported is the file's word on whom it believes.
const reported = "reports: {pools: [login, app], quorum: 2, max: 5s}"

// sayWhatItSees has an app look at its own store, and say with every answer when it takes no writes.
func (a *app) sayWhatItSees(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(25 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
			}
			if err := a.store.Set(ctx, "seen", "1", time.Minute).Err(); err != nil && strings.HasPrefix(err.Error(), "READONLY") {
				a.say("read-only; for=2s")
			} else {
				a.say("")
			}
		}
	}()
	t.Cleanup(func() { stop(); <-done })
}

func (a *app) say(word string) {
	if word == "" {
		a.says.Store(nil)
	} else {
		a.says.Store(&word)
	}
}

// reportFaults is a stale address: the apps still write to an old node, which has been demoted, while Gatehouse probes the new one, which
// is well.
func reportFaults() []*scenario {
	return []*scenario{{
		name: "reported: an old node, where no probe looks", quick: true, causes: []string{"reported"}, state: "read-only",
		first: definite, again: 3 * time.Second, reads: true, off: []harm{bareErrors}, blind: 500 * time.Millisecond, after: 2 * time.Second,
		build: func(st *stage) {
			st.store = startRedis(st.t)
			probed := startRedis(st.t)
			st.keeps = st.store.has
			at := st.store.address()
			st.app, st.bare = startApp(st.t, at, ordinary), startApp(st.t, at, ordinary)
			second, third := startApp(st.t, at, ordinary), startApp(st.t, at, ordinary)
			for _, a := range []*app{st.app, second, st.bare, third} {
				a.sayWhatItSees(st.t)
			}
			st.file = site{
				backend: st.app.URL + " " + second.URL, store: probed.address(), session: reported, ramp: "from: 4/s, to: 20/s, over: 5s",
			}.text()
			st.with, st.without = startGatehouse(st.t, st.file), startGatehouse(st.t, site{backend: st.bare.URL + " " + third.URL}.text())
		},
		breaks: set("REPLICAOF", "127.0.0.1", "9"),
		mend: func(st *stage) {
			if p := st.with.part(st.t, wholeStore); len(p.Reports) != 2 || p.Observed != "writable" {
				st.t.Errorf("/status shows the words of %d backends, and the checks say %s; want 2, and writable", len(p.Reports), p.Observed)
			}
			st.store.do("REPLICAOF", "NO", "ONE")
			st.mended = time.Now()
		},
		check: func(t *testing.T, st *stage, v seen) {
			closed := st.with.changes()
			for len(closed) > 0 && !closed[0].closes() {
				closed = closed[1:]
			}
			if len(closed) == 0 {
				return
			}
			before := st.guarded.between(st.broken, closed[0].at, signIns)
			t.Logf("a quorum said so %v after the fault; %d errors of the app before",
				closed[0].at.Sub(st.broken).Round(time.Millisecond), count(before, hit.bare))
			if n := count(st.guarded.between(closed[0].at, time.Now()), hit.bare); n > 0 {
				t.Errorf("%d bare errors after a quorum had said so", n)
			}
			all := st.guarded.between(time.Time{}, time.Now())
			if n := count(all, func(h hit) bool { return h.told != "" }); n > 0 {
				t.Errorf("%d visitors were shown Gatehouse-Store", n)
			}
			back := st.guarded.between(st.mended, time.Now(), signIns)
			t.Logf("after it was mended, sign-ins: %v", outcomes(back))
			if count(back, func(h hit) bool { return h.became("lined_up") }) == 0 {
				t.Error("nobody stood in line: no ramp")
			}
		},
	}}
}

// TestReportsNeedAQuorum: one backend alone changes nothing, however often it says so; two do, for sign-ins and nobody else, until their
// word has run out or they take it back.
func TestReportsNeedAQuorum(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	one, two := startApp(t, store.address(), ordinary), startApp(t, store.address(), ordinary)
	g := startGatehouse(t, site{
		backend: one.URL + " " + two.URL, store: store.address(), session: reported, ramp: "from: 50/s, to: 100/s, over: 1s",
	}.text())
	roads := roads()
	t.Cleanup(roads.CloseIdleConnections)
	v := arrive(g.url, roads, 1)
	v.jar["sid"] = mustSignIn(t, g.url)
	heard := func(n int) {
		t.Helper()
		eventually(t, patience, "the backends have been heard", func() bool {
			if r := v.get("/members"); !r.ok() || r.header.Get("Gatehouse-Store") != "" {
				t.Fatalf("a member: %v, with Gatehouse-Store: %q", r, r.header.Get("Gatehouse-Store"))
			}
			return len(g.part(t, wholeStore).Reports) == n
		})
	}

	one.say("read-only; for=2s")
	heard(1)
	for range 20 {
		v.get("/members")
	}
	if p := g.part(t, wholeStore); p.State != "writable" || len(p.Reports) != 1 || p.Reports[0].Backend != strings.TrimPrefix(one.URL, "http://") {
		t.Errorf("one backend alone: %+v", p)
	}
	if status, outcome, id := signIn(t, g.url); id == "" {
		t.Errorf("a sign-in while one backend alone says so: %d %s", status, outcome)
	}

	two.say("read-only; for=2s")
	heard(2)
	if p := g.part(t, wholeStore); p.State != "read-only" || p.Cause != "reported" || p.Observed != "writable" {
		t.Errorf("two backends: %+v", p)
	}
	if status, outcome, _ := signIn(t, g.url); status != 503 || outcome != "degraded; reason=reported" {
		t.Errorf("a sign-in while a quorum says so: %d %s", status, outcome)
	}
	if r := v.post("/notes", named); !r.ok() {
		t.Errorf("a member who writes while a quorum says so: %v; only sign-ins are held back", r)
	}

	one.say("")
	two.say("")
	silent := time.Now()
	eventually(t, patience, "their word has run out", func() bool { return g.storeState(t) == "writable" })
	t.Logf("open again %v after the last word, which was for 2s", time.Since(silent).Round(time.Millisecond))
	mustSignIn(t, g.url)

	one.say("down")
	two.say("read-only; for=1h") // no more than max
	heard(2)
	one.say("writable")
	taken := time.Now()
	eventually(t, patience, "one has taken its word back", func() bool { v.get("/members"); return g.storeState(t) == "writable" })
	t.Logf("open again %v after one of two took its word back", time.Since(taken).Round(time.Millisecond))
}

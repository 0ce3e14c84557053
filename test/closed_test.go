package test

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// reloaded has the file changed while the store is read-only: what is known of the store stays known.
func reloaded() *scenario {
	return &scenario{
		name: "reload while read-only", causes: []string{"read_only"}, state: "read-only", replica: true,
		first: definite, again: reopened, reads: true, off: []harm{bareErrors},
		breaks: func(st *stage) {
			st.store.demote()
			eventually(st.t, patience, "it is seen", func() bool { return st.with.storeState(st.t) == "read-only" })
			st.since = time.Now()
			was := len(st.with.changes())
			st.with.write(strings.Replace(st.file, "degrade: {", "degrade: {retry_after: {min: 7s, max: 8s}, ", 1))
			if err := st.with.cmd.Process.Signal(syscall.SIGHUP); err != nil {
				st.t.Fatal(err)
			}
			eventually(st.t, patience, "the file is live", func() bool { return st.with.event("reloaded") != nil })
			st.with.checksOn(st.t)
			if now := st.with.changes(); len(now) != was {
				st.t.Errorf("a reload changed what is known of the store: %v", now[was:])
			}
		},
		mend: set("REPLICAOF", "NO", "ONE"),
	}
}

// TestRestartWhileTheStoreIsReadOnly: a program that has just begun knows nothing, and signs nobody in before it does.
func TestRestartWhileTheStoreIsReadOnly(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	file := strings.Replace(configFor(a, store, true), "127.0.0.1:0", "127.0.0.1:"+freePort(t), 1)
	g := startGatehouse(t, file)
	id := mustSignIn(t, g.url)
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, patience, "it is seen", func() bool { return g.storeState(t) == "read-only" })
	came := len(a.signIns())
	for range 3 {
		g.stop()
		g = startGatehouse(t, file)
		began := time.Now()
		for range 20 {
			if status, outcome, _ := signIn(t, g.url); status != 503 || !strings.HasPrefix(outcome, "degraded") {
				t.Fatalf("%v after a restart a sign-in was answered %d %q", time.Since(began), status, outcome)
			}
		}
		if res, _ := ask(t, "GET", g.url+"/members", "Cookie: sid="+id); res.StatusCode != 200 {
			t.Errorf("a member after a restart: %d %s", res.StatusCode, res.Header.Get("Gatehouse-Outcome"))
		}
		if got := g.storeState(t); got != "read-only" {
			t.Errorf("after a restart the store is %s", got)
		}
	}
	if n := len(a.signIns()); n != came {
		t.Errorf("%d sign-ins reached the app while its store could not be written", n-came)
	}
}

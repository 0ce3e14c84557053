package test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func set(words ...string) func(*stage) {
	return func(st *stage) { st.store.do(words...) }
}

// refusing waits until the store itself refuses a write with that word, and counts the fault from there.
func (st *stage) refusing(word string) {
	st.t.Helper()
	eventually(st.t, 30*time.Second, "the store says "+word, func() bool {
		err := st.store.cli.Set(context.Background(), "tried", "1", time.Minute).Err()
		return err != nil && strings.HasPrefix(err.Error(), word)
	})
	st.broken = time.Now()
}

// storeFaults are the ways in which the store itself says no, or is away.
func storeFaults() []*scenario {
	return []*scenario{
		{
			name: "demoted", quick: true, replica: true, causes: []string{"read_only"}, state: "read-only",
			first: definite, again: reopened, reads: true, off: []harm{bareErrors},
			breaks: func(st *stage) { st.store.demote() },
			mend:   set("REPLICAOF", "NO", "ONE"),
		},
		{
			name: "full", quick: true, causes: []string{"full"}, state: "read-only",
			first: definite, again: reopened, reads: true, off: []harm{bareErrors},
			breaks: set("CONFIG", "SET", "maxmemory", "1000"),
			mend:   set("CONFIG", "SET", "maxmemory", "0"),
		},
		{
			name: "too few replicas", quick: true, replica: true, causes: []string{"no_replicas"}, state: "read-only",
			first: definite, again: reopened, reads: true, off: []harm{bareErrors},
			breaks: set("CONFIG", "SET", "min-replicas-to-write", "2"),
			mend:   set("CONFIG", "SET", "min-replicas-to-write", "0"),
		},
		{
			name: "replica lost", replica: true, causes: []string{"no_replicas"}, state: "read-only",
			first: definite, again: reopened, reads: true, off: []harm{bareErrors},
			options: []string{"--min-replicas-to-write", "1", "--min-replicas-max-lag", "3", "--repl-ping-replica-period", "1"},
			breaks: func(st *stage) {
				st.store.replica.signal(syscall.SIGSTOP)
				st.refusing("NOREPLICAS")
			},
			mend: func(st *stage) {
				st.store.replica.signal(syscall.SIGCONT)
				eventually(st.t, 20*time.Second, "the replica is back", func() bool {
					return st.store.cli.Set(context.Background(), "tried", "1", time.Minute).Err() == nil
				})
				st.mended = time.Now()
			},
		},
		{
			name: "snapshot fails", causes: []string{"persistence_error"}, state: "read-only",
			first: definite, again: reopened, reads: true, off: []harm{bareErrors},
			breaks: func(st *stage) {
				if err := os.Mkdir(filepath.Join(st.store.dir, "dump.rdb"), 0o700); err != nil {
					st.t.Fatal(err)
				}
				st.store.do("CONFIG", "SET", "save", "3600 1000000")
				st.store.do("BGSAVE")
				st.refusing("MISCONF")
			},
			mend: func(st *stage) {
				if err := os.Remove(filepath.Join(st.store.dir, "dump.rdb")); err != nil {
					st.t.Fatal(err)
				}
				st.store.do("BGSAVE")
				eventually(st.t, 10*time.Second, "it is saved", func() bool {
					return st.store.cli.Set(context.Background(), "tried", "1", time.Minute).Err() == nil
				})
				st.mended = time.Now()
			},
		},
		{
			// The file may not grow, which to the server is a disk that is full, and takes no disk to make.
			name: "append-only file fails", causes: []string{"persistence_error"}, state: "read-only",
			first: definite, again: reopened, reads: true, off: []harm{bareErrors},
			options: []string{"--appendonly", "yes"},
			breaks: func(st *stage) {
				st.store.limitFiles("20000")
				eventually(st.t, 10*time.Second, "the file is full", func() bool {
					return st.store.cli.Set(context.Background(), "large", strings.Repeat("x", 30000), time.Minute).Err() != nil
				})
				st.refusing("MISCONF")
			},
			mend: func(st *stage) {
				st.store.limitFiles("unlimited")
				eventually(st.t, 10*time.Second, "it is written again", func() bool {
					return st.store.cli.Set(context.Background(), "tried", "1", time.Minute).Err() == nil
				})
				st.mended = time.Now()
			},
		},
		{
			name: "killed", quick: true, causes: []string{"refused"}, state: "down",
			first: definite, member: definite, again: reconnected, off: []harm{bareErrors, signOuts},
			breaks: func(st *stage) {
				st.store.cli.ShutdownSave(context.Background())
				_ = st.store.cmd.Wait()
			},
			mend: func(st *stage) { st.store.start(); st.mended = time.Now() },
		},
		{
			name: "killed, back empty", quick: true, causes: []string{"refused"}, state: "down",
			first: definite, member: definite, again: reconnected, emptied: true, off: []harm{bareErrors, signOuts},
			// Twenty sign-ins and forms a second come, and the ramp begins far below that.
			site: func(s *site) { s.ramp = "from: 4/s, to: 20/s, over: 5s" }, after: 3 * time.Second,
			breaks: func(st *stage) { st.store.kill() },
			mend:   func(st *stage) { st.store.empty(); st.mended = time.Now() },
			check: func(t *testing.T, st *stage, _ seen) {
				eventually(t, 5*time.Second, "the loss is told of", func() bool {
					return slices.ContainsFunc(st.with.changes(), func(c change) bool { return c.cause == "session_loss" })
				})
				st.ramped(t, 4, 20, 5*time.Second)
			},
		},
		{
			name: "loading", causes: []string{"refused"}, state: "down",
			first: definite, member: definite, again: reconnected, off: []harm{bareErrors, signOuts},
			prepare: func(st *stage) { st.store.do("DEBUG", "POPULATE", "20000", "k", "100") },
			breaks: func(st *stage) {
				st.store.cli.ShutdownSave(context.Background())
				_ = st.store.cmd.Wait()
				st.store.launch("--key-load-delay", "250", "--loading-process-events-interval-bytes", "1024")
				st.refusing("LOADING")
			},
			mend: func(st *stage) { st.store.await(); st.mended = time.Now() },
			check: func(t *testing.T, st *stage, _ seen) {
				if !strings.Contains(st.with.causes(), "loading") {
					t.Errorf("the causes were %s; want loading among them", st.with.causes())
				}
				for _, h := range st.guarded.between(st.since, st.mended, signIns) {
					if h.admitted() && h.at.Add(h.took).Before(st.mended) {
						t.Errorf("somebody signed in while the store was loading: %+v", h)
					}
				}
			},
		},
		{
			name: "busy script", causes: []string{"busy", "hung"}, state: "down",
			first: silentSignIn, member: silentMember, again: reopened, off: []harm{bareErrors, signOuts},
			prepare: set("CONFIG", "SET", "busy-reply-threshold", "100"),
			breaks: func(st *stage) {
				st.app.work.Go(func() {
					c := redis.NewClient(&redis.Options{Addr: st.store.address(), ReadTimeout: time.Minute, MaxRetries: -1})
					defer c.Close()
					c.Eval(context.Background(), "while true do end", nil)
				})
			},
			mend: set("SCRIPT", "KILL"),
			check: func(t *testing.T, st *stage, _ seen) {
				if !strings.Contains(st.with.causes(), "busy") {
					t.Errorf("the causes were %s; want busy among them", st.with.causes())
				}
			},
		},
		{
			name: "writes paused", causes: []string{"paused"}, state: "read-only",
			first: silentSignIn, member: silentMember, again: reopened, reads: true, off: []harm{bareErrors},
			breaks: set("CLIENT", "PAUSE", "60000", "WRITE"),
			mend:   set("CLIENT", "UNPAUSE"),
		},
		nearlyFull(), evicting(), maxClients(), proberRotated(), flapping(), reloaded(),
	}
}

// ramped fails the test where more requests to sign in reached the app in any second since the store came back than the ramp
// lets in, with a tenth and one to spare.
func (st *stage) ramped(t *testing.T, from, to float64, over time.Duration) {
	t.Helper()
	st.rampedBy(t, st.with.changes(), from, to, over)
}

// rampedBy is ramped, of a store, or a part of one, that changed like this.
func (st *stage) rampedBy(t *testing.T, changes []change, from, to float64, over time.Duration) {
	t.Helper()
	var opened time.Time
	for _, c := range changes {
		if !c.closes() {
			opened = c.at
		}
		if c.closes() {
			opened = time.Time{}
		}
	}
	came := slices.DeleteFunc(st.app.signIns(), func(at time.Time) bool { return at.Before(st.mended) })
	if opened.IsZero() || len(came) == 0 {
		t.Fatal("nobody came by the ramp")
	}
	for i, first := range came {
		end := first.Add(time.Second)
		if end.Sub(opened) > over || end.After(came[len(came)-1]) {
			return
		}
		n := 0
		for _, at := range came[i:] {
			if at.Before(end) {
				n++
			}
		}
		most := from + (to-from)*end.Sub(opened).Seconds()/over.Seconds()
		if float64(n) > most*1.1+1 {
			t.Errorf("%d sign-ins reached the app in one second, %v after it opened; the ramp lets %.0f in", n, first.Sub(opened), most)
		}
	}
}

package test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// nearlyFull leaves room for small sessions and for no large one: only a canary as large as a session sees it.
func nearlyFull() *scenario {
	const size = 60000
	var stop chan struct{}
	var work sync.WaitGroup
	small := func(st *stage) error { return st.store.cli.Set(context.Background(), "tried", "1", time.Minute).Err() }
	large := func(st *stage) error {
		return st.store.cli.Set(context.Background(), "tried", strings.Repeat("x", size), time.Minute).Err()
	}
	return &scenario{
		name: "full for large sessions", causes: []string{"full"}, state: "read-only",
		first: time.Second, again: reopened, reads: true, off: []harm{bareErrors},
		padding: size, site: func(s *site) { s.probe = "payload: 64KiB" },
		breaks: func(st *stage) {
			most := 0
			allow := func(bytes int) {
				most = bytes
				st.store.do("CONFIG", "SET", "maxmemory", fmt.Sprint(most))
			}
			eventually(st.t, 10*time.Second, "there is room for a small value alone", func() bool {
				allow(st.store.info("used_memory") + size/2)
				st.broken = time.Now()
				return small(st) == nil && large(st) != nil
			})
			// The server's own needs grow and shrink: what is left stays about the same.
			stop = make(chan struct{})
			work.Go(func() {
				for tick := time.NewTicker(10 * time.Millisecond); ; {
					select {
					case <-stop:
						tick.Stop()
						return
					case <-tick.C:
						used := st.store.info("used_memory")
						if left := most - used; left < size/6 || left > size*2/3 || small(st) != nil {
							allow(used + size/2)
						}
					}
				}
			})
		},
		mend: func(st *stage) {
			fits := func() bool { return small(st) == nil }
			eventually(st.t, 5*time.Second, "there is still room for a small value", fits)
			if large(st) == nil {
				st.t.Error("there was room for a large value in the end")
			}
			close(stop)
			work.Wait()
			st.store.do("CONFIG", "SET", "maxmemory", "0")
			st.mended = time.Now()
		},
	}
}

// evicting has the store throw sessions away to make room: no error at all, and members honestly signed out by their app.
func evicting() *scenario {
	var stop chan struct{}
	var work sync.WaitGroup
	return &scenario{
		name: "evicting", state: "strained", forgets: true, lasts: 6 * time.Second,
		honest: "the sessions are truly gone, on either side; it fails where the store is called down, or nobody is told of the loss",
		breaks: func(st *stage) {
			st.store.do("CONFIG", "SET", "maxmemory-policy", "volatile-lru")
			st.store.do("CONFIG", "SET", "maxmemory", fmt.Sprint(st.store.info("used_memory")+3_000_000))
			stop = make(chan struct{})
			work.Go(func() {
				c := redis.NewClient(&redis.Options{Addr: st.store.address()})
				defer c.Close()
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					case <-time.After(time.Millisecond):
						c.Set(context.Background(), fmt.Sprint("other", i), strings.Repeat("x", 10_000), time.Hour)
					}
				}
			})
		},
		mend: func(st *stage) {
			close(stop)
			work.Wait()
			st.store.do("CONFIG", "SET", "maxmemory", "0")
		},
		check: func(t *testing.T, st *stage, _ seen) {
			eventually(t, 10*time.Second, "the loss or the strain is told of", func() bool {
				return slices.ContainsFunc(st.with.changes(), func(c change) bool { return c.cause == "session_loss" || c.to == "strained" })
			})
		},
	}
}

// maxClients has every slot for a client taken: those who hold one go on, and whoever comes anew is refused.
func maxClients() *scenario {
	var only *redis.Conn
	var before, after int64
	do := func(st *stage, words ...any) {
		if err := only.Do(context.Background(), words...).Err(); err != nil {
			st.t.Fatalf("%v: %v", words, err)
		}
	}
	return &scenario{
		name: "no client slots", relay: true, causes: []string{"too_many_clients"}, state: "down",
		first: definite, member: definite, again: reconnected, off: []harm{bareErrors, signOuts},
		breaks: func(st *stage) {
			only = st.store.cli.Conn()
			do(st, "CONFIG", "SET", "maxclients", "1")
			do(st, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			time.Sleep(time.Second) // the storm of those who were thrown out
			before = st.own.dials.Load()
		},
		mend: func(st *stage) {
			after = st.own.dials.Load()
			do(st, "CONFIG", "SET", "maxclients", "10000")
			_ = only.Close()
		},
		check: func(t *testing.T, _ *stage, _ seen) {
			if n, most := after-before, int64(lasts/time.Second)+2; n > most {
				t.Errorf("%d connections in %v to a store that has no room for more; want at most %d", n, lasts, most)
			}
		},
	}
}

// proberRotated has Gatehouse's own password rotated and nobody else's: the store is well, and nobody may suffer.
func proberRotated() *scenario {
	var password string
	return &scenario{
		name: "prober's password rotated", state: "writable", reads: true, again: reopened,
		honest: "the app's password is good; it fails where anybody gets a page, or nobody is told",
		prepare: func(st *stage) {
			st.store.do("ACL", "SETUSER", "gatehouse", "on", ">first", "~gatehouse:*", "+@all")
			password = filepath.Join(st.t.TempDir(), "password")
			writeFile(st.t, password, "first\n")
		},
		site: func(s *site) { s.redis = fmt.Sprintf("username: gatehouse, password_file: %q", password) },
		breaks: func(st *stage) {
			st.store.do("ACL", "SETUSER", "gatehouse", "resetpass", ">second")
			st.store.do("CLIENT", "KILL", "USER", "gatehouse")
		},
		mend: func(st *stage) {
			told := slices.ContainsFunc(st.with.changes(), func(c change) bool { return c.cause == "prober_auth" })
			if !told {
				st.t.Error("nobody was told that the prober's password is refused")
			}
			writeFile(st.t, password, "second\n")
			eventually(st.t, 10*time.Second, "the password is read again", func() bool {
				all := st.with.changes()
				return all[len(all)-1].cause == "ok"
			})
		},
	}
}

// flapping has the store refuse writes every other 700 ms for a minute.
func flapping() *scenario {
	const every, long = 700 * time.Millisecond, time.Minute
	return &scenario{
		name: "flapping", causes: []string{"read_only"}, state: "read-only", first: definite, reads: true, lasts: time.Millisecond,
		off: []harm{bareErrors},
		breaks: func(st *stage) {
			for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(every) {
				st.store.do("REPLICAOF", "127.0.0.1", "9")
				time.Sleep(every)
				st.store.do("REPLICAOF", "NO", "ONE")
			}
			st.since = time.Now()
			st.store.do("REPLICAOF", "127.0.0.1", "9")
		},
		mend: func(st *stage) {
			states := 0
			for _, c := range st.with.changes() {
				if c.from != c.to && c.from != "unknown" {
					states++
				}
			}
			if states > 3 {
				st.t.Errorf("the state changed %d times in a minute of flapping; want 3 at most: %v", states, st.with.changes())
			}
			if !strings.Contains(st.with.causes(), "flapping") {
				st.t.Errorf("the causes were %s; want flapping among them", st.with.causes())
			}
			st.store.do("REPLICAOF", "NO", "ONE")
			// The hold lasts for minutes by now: who is on duty ends it.
			code, _, problem := command(st.t, "override", "writable", "--for", "1m", "--admin", strings.TrimPrefix(st.with.admin, "http://"))
			if code != 0 {
				st.t.Errorf("gatehouse override: exit code %d: %s", code, problem)
			}
			st.mended = time.Now()
		},
	}
}

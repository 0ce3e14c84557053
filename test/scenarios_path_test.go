package test

import (
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pathFaults are those in which the store, or the way to it, gives no answer or a late one.
func pathFaults() []*scenario {
	return []*scenario{
		hung("frozen", lasts, true), hung("frozen for long", 8*time.Second, false), blackHole(), cutOff(), nameFlips(),
		{
			name: "300 ms late", relay: true, causes: []string{"slow", "hung"}, state: "down", lasts: 8 * time.Second,
			first: 2 * time.Second, again: reopened,
			honest: "everything comes 300 ms later; it fails where the store is not called slow, or is so in turns",
			breaks: func(st *stage) {
				st.own.slow(250*time.Millisecond, 100*time.Millisecond)
				st.theirs.slow(250*time.Millisecond, 100*time.Millisecond)
			},
			mend: func(st *stage) {
				st.own.slow(0, 0)
				st.theirs.slow(0, 0)
			},
			check: func(t *testing.T, st *stage, _ seen) {
				closures := 0
				for _, c := range st.with.changes() {
					if c.closes() && c.from != "down" && c.from != "read-only" {
						closures++
					}
				}
				if closures != 1 || !strings.Contains(st.with.causes(), "slow") {
					t.Errorf("the store closed %d times, for %s; want once, as slow", closures, st.with.causes())
				}
			},
		},
	}
}

// hung has the process stopped: connections are made, and nothing is answered.
func hung(name string, long time.Duration, quick bool) *scenario {
	s := &scenario{
		name: name, quick: quick, causes: []string{"hung"}, state: "down", lasts: long,
		first: silentSignIn, member: silentMember, again: reconnected, off: []harm{bareErrors, signOuts},
		breaks: func(st *stage) { st.store.signal(syscall.SIGSTOP) },
		mend:   func(st *stage) { st.store.signal(syscall.SIGCONT) },
	}
	if quick {
		return s
	}
	s.check = func(t *testing.T, st *stage, _ seen) {
		// The program has nothing to do any more: what it holds now it would hold for ever.
		fresh := startGatehouse(t, configFor(st.app, st.store, true))
		goroutines, files := fresh.metric(t, "go_goroutines"), fresh.metric(t, "process_open_fds")
		eventually(t, 40*time.Second, "nothing is left over from the hang", func() bool {
			g, f := st.with.metric(t, "go_goroutines"), st.with.metric(t, "process_open_fds")
			return g <= math.Max(goroutines*1.05, goroutines+10) && f <= math.Max(files*1.05, files+10)
		})
	}
	return s
}

// cutOff has the way from Gatehouse to the store broken and no other: the prober is wrong, and trials show it.
func cutOff() *scenario {
	return &scenario{
		name: "only the prober is cut off", relay: true, causes: []string{"hung"}, state: "unknown", lasts: 15 * time.Second,
		first: silentSignIn, member: silentMember, again: reopened,
		honest: "the app is well; it fails where the site stays shed because its prober is cut off",
		breaks: func(st *stage) { st.own.swallow() },
		mend: func(st *stage) {
			st.since = time.Now()
			time.Sleep(3 * time.Second)
			all := st.guarded.between(st.since, time.Now(), reads)
			if n := count(all, hit.ok); n < len(all)*9/10 || len(all) == 0 {
				st.t.Errorf("%d of %d members' requests were served when trials had shown that the prober is wrong", n, len(all))
			}
			st.own.pass()
			st.mended = time.Now()
		},
	}
}

// blackHole has packets go nowhere: connections that stand are silent, and none can be made.
func blackHole() *scenario {
	most := 0
	return &scenario{
		name: "black hole", relay: true, causes: []string{"hung"}, state: "down",
		first: silentSignIn, member: silentMember, again: reconnected, off: []harm{bareErrors, signOuts},
		breaks: func(st *stage) {
			st.own.swallow()
			st.theirs.swallow()
			st.app.work.Go(func() {
				for end := time.Now().Add(lasts); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
					most = max(most, dialling(st.t, st.own.address))
				}
			})
		},
		mend: func(st *stage) {
			st.own.pass()
			st.theirs.pass()
		},
		check: func(t *testing.T, _ *stage, _ seen) {
			if most > 1 {
				t.Errorf("%d connections were being made at once to a store that takes none; want one", most)
			}
		},
	}
}

// dialling counts the connections to an address of loopback that are being made (proc_pid_net(5), state SYN_SENT).
func dialling(t *testing.T, address string) int {
	b, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Error(err)
		return 0
	}
	_, text, _ := strings.Cut(address, ":")
	port, _ := strconv.Atoi(text)
	n := 0
	for _, line := range strings.Split(string(b), "\n") {
		f := strings.Fields(line)
		if len(f) < 4 || f[3] != "02" {
			continue
		}
		_, to, _ := strings.Cut(f[2], ":")
		if got, err := strconv.ParseInt(to, 16, 32); err == nil && int(got) == port {
			n++
		}
	}
	return n
}

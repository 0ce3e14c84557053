//go:build faults

package test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"text/tabwriter"
	"time"
)

// agreement is the bound that the model of several Gatehouses (shed/store) states: how long after a change of the store, which answers
// all the time, they may treat everything but sign-ins differently. What is seen here is allowed more, as all that is timed.
const agreement = 900 * time.Millisecond

// TestFaultsSeveralGatehouses puts two processes before one store that flaps, slowly and then fast, and compares what each saw. Nothing
// has them agree, and a visitor who is sent to the one and to the other is never the worse for it.
func TestFaultsSeveralGatehouses(t *testing.T) {
	store := startRedis(t)
	a, bare := startApp(t, store.address(), ordinary), startApp(t, store.address(), ordinary)
	// A hold of seconds, so that it is over within the test.
	text := site{backend: a.URL, store: store.address(), ramp: "from: 10/s, to: 100/s, over: 2s}, hold: {from: 2s, to: 4s"}.text()
	gates := []*gatehouse{startGatehouse(t, text), startGatehouse(t, text)}
	without := startGatehouse(t, site{backend: bare.URL}.text())
	loads := []*load{startLoad(t, gates[0].url, ordinary, members), startLoad(t, gates[1].url, ordinary, members)}
	for i := range members { // whoever signed in at the one goes on at the other
		loads[0].members[i], loads[1].members[i] = loads[1].members[i], loads[0].members[i]
	}
	exposed := startLoad(t, without.url, ordinary, 1)

	flap := func(every, long time.Duration) (from, last time.Time) {
		from = time.Now()
		for time.Since(from) < long {
			store.do("REPLICAOF", "127.0.0.1", "9")
			time.Sleep(every)
			last = time.Now()
			store.do("REPLICAOF", "NO", "ONE")
			time.Sleep(every)
		}
		return from, last
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	t.Cleanup(func() { _ = out.Flush() })
	fmt.Fprintln(out, "\ntwo Gatehouses, one store\tdisagreed longest about all but sign-ins (bound)\tabout sign-ins\thow often")
	for _, phase := range []struct {
		name        string
		every, long time.Duration
	}{{"changes every 2 s", 2 * time.Second, 12 * time.Second}, {"flaps every 700 ms", 700 * time.Millisecond, 20 * time.Second}} {
		from, last := flap(phase.every, phase.long)
		eventually(t, patience, "both let people sign in", func() bool {
			return gates[0].storeState(t) == "writable" && gates[1].storeState(t) == "writable"
		})
		to := time.Now()
		rest, n, ended := disagreement(gates, from, to, change.impairs)
		held, _, _ := disagreement(gates, from, to, change.closes)
		fmt.Fprintf(out, "%s\t%v (%v)\t%v\t%d\n", phase.name, rest.Round(time.Millisecond), agreement, held.Round(time.Millisecond), n)
		if phase.every > agreement && rest > busy*agreement {
			t.Errorf("%s: they disagreed for %v; the bound is %v", phase.name, rest, agreement)
		}
		if after := ended.Sub(last); after > busy*agreement {
			t.Errorf("%s: they disagreed until %v after the last change; the bound is %v", phase.name, after, agreement)
		}
	}

	for i, g := range gates {
		told := g.part(t, wholeStore).Transitions
		slices.Reverse(told)
		all := g.changes()
		all = all[len(all)-min(len(told), len(all)):]
		same := slices.EqualFunc(told[len(told)-len(all):], all, func(s transition, c change) bool { return s.To == c.to && s.Why == c.cause })
		if !same || len(told) < 5 {
			t.Errorf("/status of the %d-th does not show what it saw: %v, and it told of %v", i+1, told, all)
		}
	}
	exposed.stop()
	for i, l := range loads {
		l.stop()
		all := l.between(time.Time{}, time.Now())
		n, gone := count(all, hit.bare), count(all, func(h hit) bool { return h.signedOut })
		t.Logf("at the %d-th: %d bare errors and %d sign-outs of %d requests; sign-ins: %v", i+1, n, gone, len(all),
			outcomes(l.between(time.Time{}, time.Now(), signIns)))
		if n > 0 || gone > 0 {
			t.Errorf("at the %d-th there were %d bare errors and %d sign-outs", i+1, n, gone)
		}
	}
	if n := count(exposed.between(time.Time{}, time.Now()), hit.bare); n == 0 {
		t.Error("without the protection there were no bare errors: this proves nothing")
	} else {
		t.Logf("without the protection: %d bare errors", n)
	}
}

// impairs reports whether the change closes the store for more than sign-ins.
func (c change) impairs() bool { return c.closes() && c.cause != "flapping" && c.cause != "reported" }

// disagreement is for how long at most, how often and until when two Gatehouses held different things to be true between from and to.
func disagreement(gates []*gatehouse, from, to time.Time, is func(change) bool) (longest time.Duration, n int, ended time.Time) {
	type turn struct {
		at   time.Time
		gate int
		is   bool
	}
	var turns []turn
	now := [2]bool{}
	for i, g := range gates {
		for _, c := range g.changes() {
			if c.at.Before(from) {
				now[i] = is(c)
			} else if c.at.Before(to) {
				turns = append(turns, turn{c.at, i, is(c)})
			}
		}
	}
	slices.SortFunc(turns, func(a, b turn) int { return a.at.Compare(b.at) })
	since, ended := from, from
	for _, u := range append(turns, turn{at: to, gate: -1}) {
		was := now
		if u.gate >= 0 {
			now[u.gate] = u.is
		}
		if was[0] == was[1] {
			since = u.at
			continue
		}
		longest, ended = max(longest, u.at.Sub(since)), u.at
		if now[0] == now[1] || u.gate < 0 {
			n++
		}
	}
	return longest, n, ended
}

package quota

import (
	"context"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// guesses lets an attacker try at each of several Gatehouses, and returns how often he got through.
func guesses(gatehouses []*Limiter, each int) (through int) {
	for _, l := range gatehouses {
		for range each {
			if _, wait := l.TakeStrictly(context.Background(), TextKey("the attacker")); wait == 0 {
				through++
			}
		}
	}
	return through
}

// An outage of the quota's store does not invite a brute force: without the protection as many Gatehouses as there are would
// each let the whole quota through.
func TestAnOutageDoesNotInviteABruteForce(t *testing.T) {
	const burst = 20
	n := serve(t)
	for _, row := range []struct {
		name    string
		standIn float64
		want    int
	}{
		{"protected", 0.25, 4 * burst / 4}, {"by default", 0, 4 * burst / 2}, {"not protected", 1, 4 * burst},
		{"the least", 0.001, 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stores []*Shared
			var gatehouses []*Limiter
			for range 4 {
				s := n.sharing(patient)
				set := hourly(s, burst)
				set.Name, set.StandIn = row.name, row.standIn
				stores, gatehouses = append(stores, s), append(gatehouses, New(set))
			}
			if got := guesses(gatehouses, 3*burst); got != burst {
				t.Fatalf("%d guesses together, want %d", got, burst)
			}
			for _, l := range gatehouses {
				s := l.sharing.Load().shared
				before := take(l, TextKey("others"), 1)
				if before != 1 || s.Status().StandIns > 0 {
					t.Fatalf("%d, %+v", before, s.Status())
				}
			}
			n.do("flushall") // so that only the processes know
			n.do("replicaof", "127.0.0.1", "1")
			defer n.do("replicaof", "no", "one")
			for _, s := range stores {
				eventually(t, "away", func() bool { return !s.Status().Up })
			}
			// The first Gatehouse has seen the attacker's whole burst, and the others nothing.
			got := guesses(gatehouses, 3*burst)
			t.Logf("%d guesses more while the store is away", got)
			if want := row.want * 3 / 4; got != want {
				t.Errorf("want %d", want)
			}
			// Who does not sign in, and has not used it up, has his whole quota; of it another is 1.
			if got := take(gatehouses[3], TextKey("others"), burst); got != burst-1 {
				t.Errorf("another route: %d passed, want %d", got, burst-1)
			}
		})
	}
}

// The rate is a part, too, and the wait that is announced is that of the part.
func TestStandInIsAPartOfTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Shared{} // never up
		l := New(Settings{Name: "q", Rate: 1, Burst: 4, Shared: s, StandIn: 0.5})
		k := TextKey("a")
		through := 0
		for start := time.Now(); time.Since(start) < 100*time.Second; {
			_, wait := l.TakeStrictly(t.Context(), k)
			if wait == 0 {
				through++
				continue
			}
			if wait > 2*time.Second {
				t.Fatalf("wait %v", wait)
			}
			time.Sleep(wait)
		}
		if through != 2+49 {
			t.Errorf("%d got through in 100 s at half of 1/s with a burst of half of 4", through)
		}
		// What was refused strictly was not counted otherwise.
		time.Sleep(10 * time.Second)
		for range 50 {
			l.TakeStrictly(t.Context(), k)
		}
		if got := take(l, k, 10); got != 2 {
			t.Errorf("%d pass otherwise, want the 2 that are left of 4", got)
		}
		if s.Status().StandIns == 0 {
			t.Error("not counted as stand-ins")
		}
	})
}

// A refund gives a strict event back, too; and a Limiter without a store is as strict as ever.
func TestStrictRefund(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{Name: "q", Rate: 1.0 / 3600, Burst: 4, Shared: &Shared{}})
		k := TextKey("a")
		first, _ := l.TakeStrictly(t.Context(), k)
		l.TakeStrictly(t.Context(), k)
		if _, wait := l.TakeStrictly(t.Context(), k); wait == 0 {
			t.Fatal("half of 4 is not 2")
		}
		first.Refund()
		first.Refund()
		if strictly(l, k, 5) != 1 {
			t.Error("not given back, or twice")
		}
		l.Set(Settings{Rate: 1.0 / 3600, Burst: 4})
		if strictly(l, k, 5) != 2 {
			t.Error("without a store the quota is the quota")
		}
	})
}

func strictly(l *Limiter, k Key, n int) (passed int) {
	for range n {
		if _, wait := l.TakeStrictly(context.Background(), k); wait == 0 {
			passed++
		}
	}
	return passed
}

// The store hangs in the middle: who had asked goes by the stand-in, too.
func TestWhoIsNotAnsweredGoesByTheStandIn(t *testing.T) {
	n := serve(t)
	s := n.sharing(20 * time.Millisecond)
	l := New(hourly(s, 10))
	n.signal(syscall.SIGSTOP)
	defer n.signal(syscall.SIGCONT)
	if got := strictly(l, TextKey("a"), 20); got != 5 {
		t.Errorf("%d passed", got)
	}
}

package quota

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// A step of a sequence: time passes, then one event is taken, or the n-th that passed is given back.
type step struct {
	pass   time.Duration
	refund int // from 1 on; 0: take
}

// replay runs steps against something that counts: it says what became of each take.
func replay(steps []step, pass func(time.Duration), take func() (refund func(), wait time.Duration)) (said []time.Duration) {
	var refunds []func()
	for _, s := range steps {
		if s.pass > 0 {
			pass(s.pass)
		}
		if s.refund > 0 {
			if s.refund <= len(refunds) {
				refunds[s.refund-1]()
			}
			continue
		}
		refund, wait := take()
		if wait == 0 {
			refunds = append(refunds, refund)
		}
		said = append(said, wait)
	}
	return said
}

// alone replays in virtual time.
func alone(t *testing.T, rate float64, burst int, steps []step) (said []time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{Rate: rate, Burst: burst})
		said = replay(steps, time.Sleep, func() (func(), time.Duration) {
			c, wait := l.Take(t.Context(), TextKey("a"))
			return c.Refund, wait
		})
	})
	return said
}

// together replays against a store, in which time passes by making what is owed due earlier.
func together(n *node, s *Shared, rate float64, burst int, k Key, steps []step) []time.Duration {
	n.t.Helper()
	w := &sharing{name: "agree", allows: allow(rate, burst)}
	name := k.shared(s.set.Prefix, w.name)
	pass := func(d time.Duration) {
		// After the refunds that are queued, and in one step.
		if _, _, ok := s.take(context.Background(), &sharing{name: "barrier", allows: allow(1e6, 1e6)}, k); !ok {
			n.t.Fatal("no answer")
		}
		n.do("eval", `
			local due = redis.call('GET', KEYS[1])
			if not due then return 0 end
			local clock = redis.call('TIME')
			due = tonumber(due) - tonumber(ARGV[1])
			if due <= (clock[1] - 1767225600) * 1000000 + clock[2] then return redis.call('DEL', KEYS[1]) end
			redis.call('SET', KEYS[1], string.format('%.17g', due))
			return 0`, 1, name, d.Microseconds())
	}
	return replay(steps, pass, func() (func(), time.Duration) {
		key, wait, ok := s.take(context.Background(), w, k)
		if !ok {
			n.t.Fatal("no answer")
		}
		return func() { s.refund(key, w.allows) }, wait
	})
}

// The same sequence of takes and refunds has the same outcome alone and together.
func TestLocalAndSharedAgree(t *testing.T) {
	const h = time.Hour
	n := serve(t)
	s := n.sharing(patient)
	for name, row := range map[string]struct {
		rate  float64 // an hour
		burst int
		steps []step
	}{
		"a burst, then nothing":        {1, 3, []step{{}, {}, {}, {}, {}}},
		"a burst, then the rate":       {1, 2, []step{{}, {}, {}, {pass: h * 3 / 2}, {}, {pass: h}, {}, {pass: h / 4}}},
		"a burst of one":               {2, 1, []step{{}, {}, {pass: h / 4}, {pass: h / 2}, {}}},
		"a long pause":                 {1, 3, []step{{}, {pass: 100 * h}, {}, {}, {}}},
		"a refund":                     {1, 2, []step{{}, {}, {}, {refund: 1}, {}, {}}},
		"a refund of the last":         {1, 2, []step{{}, {}, {refund: 2}, {}, {}}},
		"all given back":               {1, 2, []step{{}, {}, {refund: 1}, {refund: 2}, {}, {}, {}}},
		"a late refund":                {1, 2, []step{{}, {}, {pass: h * 3 / 2}, {refund: 1}, {}, {}, {}}},
		"a refund to a full bucket":    {1, 2, []step{{}, {pass: 9 * h}, {refund: 1}, {}, {}, {}}},
		"a refund of part of an event": {1, 2, []step{{}, {pass: h / 2}, {refund: 1}, {}, {}, {pass: h / 4}}},
		"a refusal costs nothing":      {1, 1, []step{{}, {}, {}, {}, {pass: h * 5 / 4}, {}}},
		"a large burst":                {1, 1_000_000_000, []step{{}, {}, {refund: 1}, {}}},
		"a fast rate":                  {3600e6, 1, []step{{}, {pass: h}, {pass: h}}},
		"a very slow rate":             {1e-6, 2, []step{{}, {}, {}, {refund: 1}, {}, {}}},
	} {
		t.Run(name, func(t *testing.T) {
			agree(t, n, s, row.rate/3600, row.burst, row.steps)
		})
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range 100 {
		burst := 1 + r.IntN(6)
		var steps []step
		for j := range 40 {
			var now step
			if r.IntN(3) == 0 { // uneven, so that nothing falls due while the test itself takes a moment
				now.pass = time.Duration(r.IntN(8))*h/4 + h/8/time.Duration(j+1)
			}
			if r.IntN(4) == 0 {
				now.refund = 1 + r.IntN(j+1)
			}
			steps = append(steps, now)
		}
		t.Run(fmt.Sprintf("random %d of seed %d", i, seed), func(t *testing.T) {
			agree(t, n, s, 1.0/3600, burst, steps)
		})
	}
}

func agree(t *testing.T, n *node, s *Shared, rate float64, burst int, steps []step) {
	t.Helper()
	given := map[int]bool{} // an event is given back once: Charge sees to that
	var once []step
	for _, s := range steps {
		if s.refund > 0 && given[s.refund] {
			continue
		}
		given[s.refund] = true
		once = append(once, s)
	}
	here := alone(t, rate, burst, once)
	there := together(n, s, rate, burst, TextKey(t.Name()), once)
	for i := range here {
		// The test itself takes a moment, and by it the wait is shorter.
		if late := here[i] - there[i]; (here[i] == 0) != (there[i] == 0) || late < -2*time.Microsecond*max(1, time.Duration(1/rate/1e9)) || late > time.Minute {
			t.Fatalf("take %d of %+v at a burst of %d: alone %v, together %v", i, once, burst, here, there)
		}
	}
}

// Whoever comes when the store tells him to is let through.
func TestTheStoresAnnouncedTimeIsTrue(t *testing.T) {
	n := serve(t)
	s := n.sharing(patient)
	for _, rate := range []float64{0.3, 7.7, 40, 333, 12345.678, 1e6, 1e7} {
		w := &sharing{name: "rate " + strconv.FormatFloat(rate, 'g', -1, 64), allows: allow(rate, 1)}
		ask := func() time.Duration {
			_, wait, ok := s.take(t.Context(), w, TextKey("a"))
			if !ok {
				t.Fatal("no answer")
			}
			return wait
		}
		ask()
		for range min(5, int(rate*4)+1) {
			for wait := ask(); wait > 0; {
				if wait > time.Duration(float64(time.Second)/rate)+time.Microsecond {
					t.Fatalf("rate %v: wait %v", rate, wait)
				}
				time.Sleep(wait)
				if wait = ask(); wait > 0 {
					t.Fatalf("rate %v: came when told, and has to wait %v more", rate, wait)
				}
			}
		}
	}
}

// The server's clock was set back, or the burst is smaller now: nobody owes more than a burst.
func TestADebtIsNeverLargerThanABurst(t *testing.T) {
	n := serve(t)
	s := n.sharing(patient)
	w := &sharing{name: "q", allows: allow(1, 5)}
	k := TextKey("a")
	name := k.shared(s.set.Prefix, "q")
	for _, value := range []string{"1e15", "9007199254740993", "inf", "-inf", "-1e18", "nan", "", "rubbish", "0x10"} {
		n.do("set", name, value)
		_, wait, ok := s.take(t.Context(), w, k)
		if !ok || wait > time.Second {
			t.Errorf("%q: %v, %v", value, wait, ok)
		}
		if ttl := n.do("pttl", name).(int64); wait == 0 && (ttl < 0 || ttl > 5000) {
			t.Errorf("%q: lives for %d ms", value, ttl)
		}
	}
	if st := s.Status(); !st.Up || st.StandIns > 0 {
		t.Errorf("%+v", st)
	}
}

// A Limiter that has others beside it behaves as it did alone.
func TestALimiterBehavesAsItDidAlone(t *testing.T) {
	n := serve(t)
	s := n.sharing(patient)
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	for i := range 50 {
		burst := 1 + r.IntN(8)
		var steps []step
		for j := range 60 {
			steps = append(steps, step{refund: max(0, r.IntN(2*j+2)-j)})
		}
		var said [3][]time.Duration
		for how, l := range []*Limiter{New(hourly(nil, burst)), New(hourly(s, burst)), New(hourly(s, burst))} {
			k := TextKey(fmt.Sprint(i, how))
			ask := l.Take
			if how == 2 {
				ask = l.TakeStrictly
			}
			said[how] = replay(steps, nil, func() (func(), time.Duration) {
				c, wait := ask(context.Background(), k)
				return c.Refund, wait
			})
		}
		for j := range said[0] {
			if alone := said[0][j] == 0; alone != (said[1][j] == 0) || alone != (said[2][j] == 0) {
				t.Fatalf("burst %d, %+v: take %d: %v", burst, steps, j, said)
			}
		}
	}
	if st := s.Status(); st.StandIns+st.LostRefunds > 0 {
		t.Errorf("%+v", st)
	}
}

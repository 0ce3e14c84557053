package quota

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Two Gatehouses let through together what one would, whatever they do at once.
func TestTwoGatehousesShareOneBudget(t *testing.T) {
	const burst, callers, each = 100, 8, 100
	n := serve(t)
	a, b := n.sharing(patient), n.sharing(patient)
	limiters := []*Limiter{New(hourly(a, burst)), New(hourly(b, burst))}
	var passed, back atomic.Int64
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for j := range each {
				c, wait := limiters[i%2].Take(context.Background(), TextKey("everybody"))
				switch {
				case wait > 0:
				case j%10 == 0:
					c.Refund()
					c.Refund()
					back.Add(1)
				default:
					passed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	eventually(t, "who was refused is asked for again", func() bool { // a refusal is held for a moment
		for _, l := range limiters {
			passed.Add(int64(take(l, TextKey("everybody"), burst)))
		}
		return passed.Load() >= burst
	})
	if passed.Load() != burst {
		t.Errorf("%d passed, want %d (and %d were given back)", passed.Load(), burst, back.Load())
	}
	if a, b := a.Status(), b.Status(); a.StandIns+b.StandIns+a.LostRefunds+b.LostRefunds != 0 {
		t.Errorf("%+v, %+v", a, b)
	}
	if n := take(limiters[0], TextKey("another"), 1); n != 1 {
		t.Error("another key pays for this one")
	}
	other := hourly(a, burst)
	other.Name = "another quota"
	if take(New(other), TextKey("everybody"), 1) != 1 {
		t.Error("another quota pays for this one")
	}
}

// With the store left out the same two let through twice as much: the test above can fail.
func TestAloneTheyDoNot(t *testing.T) {
	passed := 0
	for range 2 {
		passed += take(New(hourly(nil, 100)), TextKey("everybody"), 400)
	}
	if passed != 200 {
		t.Errorf("%d passed", passed)
	}
}

func TestOneRoundTripATake(t *testing.T) {
	n := serve(t)
	l := New(hourly(n.sharing(patient), 1000))
	sent, whole, scripts := n.calls("evalsha"), n.calls("eval"), n.calls("script|load")
	if take(l, TextKey("a"), 500) != 500 {
		t.Fatal("refused")
	}
	// A check of the idle link may have come between.
	if more := n.calls("evalsha") - sent; more < 500 || more > 510 {
		t.Errorf("%d EVALSHA for 500", more)
	}
	if n.calls("eval") != whole || n.calls("script|load") != scripts {
		t.Error("the text was sent again")
	}
}

// A server that forgot the script is told it again, and nobody notices.
func TestTheScriptIsForgotten(t *testing.T) {
	n := serve(t)
	s := n.sharing(patient)
	l := New(hourly(s, 20))
	passed := 0
	for range 10 {
		passed += take(l, TextKey("a"), 1)
		n.do("script", "flush")
	}
	c, _ := l.Take(t.Context(), TextKey("a"))
	n.do("script", "flush")
	c.Refund()
	passed += take(l, TextKey("a"), 20)
	if st := s.Status(); passed != 20 || st.StandIns != 0 || st.LostRefunds != 0 || !st.Up {
		t.Errorf("%d passed, %+v", passed, st)
	}
}

func TestKeysExpireWithTheirDebtAndShowNobody(t *testing.T) {
	n := serve(t)
	s := n.sharing(patient)
	quick := New(Settings{Name: "quick", Rate: 100, Burst: 5, Shared: s})
	take(quick, TextKey("secret-cookie-value"), 5)
	eventually(t, "the key is gone", func() bool { return len(n.keys()) == 0 })

	l := New(Settings{Name: "slow", Rate: 0.01, Burst: 5, Shared: s})
	k := TextKey("secret-cookie-value")
	c, _ := l.Take(t.Context(), k)
	take(l, k, 2)
	keys := n.keys()
	if len(keys) != 1 || strings.Contains(keys[0], "secret") || !strings.HasPrefix(keys[0], "gatehouse:quota:slow:text:") {
		t.Fatalf("%q", keys)
	}
	if ttl := n.do("pttl", keys[0]).(int64); ttl > 300_000 || ttl < 250_000 {
		t.Errorf("a debt of 300 s lives for %d ms", ttl)
	}
	c.Refund()
	eventually(t, "refunded", func() bool { return n.do("pttl", keys[0]).(int64) <= 200_000 })

	one := TextKey("one")
	d, _ := l.Take(t.Context(), one)
	d.Refund()
	eventually(t, "no debt, no key", func() bool { return len(n.keys()) == 1 })
}

// The store was flushed: nobody has a new burst by the process that saw him use it up.
func TestAFlushGivesNobodyANewBurst(t *testing.T) {
	n := serve(t)
	s := n.sharing(patient)
	l := New(hourly(s, 10))
	k := TextKey("a")
	if got := take(l, k, 20); got != 10 {
		t.Fatalf("%d passed", got)
	}
	n.do("flushall")
	if got := take(l, k, 20); got != 0 {
		t.Errorf("%d more passed", got)
	}
	if st := s.Status(); !st.Up || st.StandIns != 0 {
		t.Errorf("%+v", st)
	}
}

// What the store refuses was not counted here either, so that it can pass once there is room.
func TestARefusalCostsNothingHere(t *testing.T) {
	n := serve(t)
	a, b := New(hourly(n.sharing(patient), 5)), New(hourly(n.sharing(patient), 5))
	k := TextKey("a")
	var charges []Charge
	for range 5 {
		c, _ := a.Take(t.Context(), k)
		charges = append(charges, c)
	}
	for range 20 {
		if c, wait := b.TakeStrictly(t.Context(), k); wait < 3500*time.Second || wait > time.Hour || c != (Charge{}) {
			t.Fatalf("wait %v, %+v", wait, c)
		}
	}
	for i := range charges {
		charges[i].Refund()
	}
	eventually(t, "the refunds have arrived", func() bool { return len(n.keys()) == 0 })
	got := 0
	eventually(t, "the refusal is not held any more", func() bool { got += take(b, k, 20); return got > 0 })
	if got += take(b, k, 20); got != 5 {
		t.Errorf("%d passed, want 5", got)
	}
}

// Settings change in place: from counting alone to counting together and back.
func TestSetFromLocalToSharedAndBack(t *testing.T) {
	n := serve(t)
	s, k := n.sharing(patient), TextKey("a")
	l, other := New(hourly(nil, 10)), New(hourly(s, 10))
	if take(l, k, 4) != 4 {
		t.Fatal("refused")
	}
	l.Set(hourly(s, 10))
	if got := take(other, k, 7); got != 7 { // the store has not heard of the four
		t.Fatalf("%d passed elsewhere", got)
	}
	c, wait := l.Take(t.Context(), k)
	if wait > 0 || take(l, k, 10) != 2 {
		t.Fatal("the budget is not shared")
	}
	l.Set(hourly(nil, 10))
	c.Refund() // of what was taken while it was shared: here and there
	if got := take(l, k, 10); got != 4 {
		t.Fatalf("alone again: %d passed, want the 3 that are left and the one given back", got)
	}
	eventually(t, "the refund has arrived", func() bool { return take(other, k, 1) == 1 })
	if take(other, k, 1) != 0 {
		t.Error("more was given back than was taken")
	}
	l.Set(Settings{})
	if take(l, k, 50) != 50 {
		t.Error("no limit, and refused")
	}
}

package quota

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, a, b := &holds{from: time.Now()}, TextKey("a").id, TextKey("b").id
		if h.wait(a) != 0 || h.wait(id{}) != 0 {
			t.Fatal("nobody was refused")
		}
		h.refused(a, time.Minute)
		h.refused(b, 20*time.Millisecond)
		time.Sleep(20*time.Millisecond - 1)
		if got := h.wait(a); got != time.Minute-20*time.Millisecond+1 {
			t.Errorf("wait %v", got)
		}
		if got := h.wait(b); got != 1 {
			t.Errorf("wait %v", got)
		}
		time.Sleep(time.Nanosecond)
		if h.wait(b) != 0 || h.wait(a) == 0 {
			t.Error("whose time has come is held, or who has to wait is not")
		}
		time.Sleep(holdMost)
		if h.wait(a) != 0 {
			t.Error("the store is not asked again")
		}
		h.refused(a, math.MaxInt64)
		if got := h.wait(a); got < time.Hour {
			t.Errorf("wait %v", got)
		}
		h.forget(b)
		if h.wait(a) == 0 {
			t.Error("another was forgotten")
		}
		h.forget(a)
		if h.wait(a) != 0 {
			t.Error("not forgotten")
		}
		for i := range 3 * holdPlace { // more than there are places
			k := TextKey(fmt.Sprint(i)).id
			h.refused(k, time.Second)
			if h.wait(k) != time.Second {
				t.Fatal("the last one to be refused is always known")
			}
		}
	})
}

// Who hammers where another Gatehouse let his whole budget through costs the store next to nothing.
func TestWhoHammersCostsTheStoreNothing(t *testing.T) {
	const times = 20_000
	n := serve(t)
	a, b := New(hourly(n.sharing(patient), 5)), New(hourly(n.sharing(patient), 5))
	k := TextKey("a")
	take(a, k, 5)
	before, from := n.calls("evalsha"), time.Now()
	if take(b, k, times) != 0 {
		t.Fatal("let through")
	}
	// Ten a second; and a check of an idle link may have come between.
	most := 10 + 2*int(time.Since(from)/holdMost)
	if asked := n.calls("evalsha") - before; asked > most || asked == 0 {
		t.Errorf("asked %d times for %d, at most %d", asked, times, most)
	}
}

// Who gives something back is asked for again at once, though he was refused a moment ago.
func TestARefundEndsTheHold(t *testing.T) {
	n := serve(t)
	a, b, k := New(hourly(n.sharing(patient), 2)), New(hourly(n.sharing(patient), 2)), TextKey("a")
	for range 20 {
		mine, _ := a.Take(t.Context(), k)
		other, _ := b.Take(t.Context(), k)
		if _, wait := a.Take(t.Context(), k); wait == 0 {
			t.Fatal("three of two passed")
		}
		mine.Refund()
		again, wait := a.Take(t.Context(), k)
		if wait > 0 {
			t.Fatal("still held")
		}
		again.Refund()
		other.Refund()
		eventually(t, "both are given back", func() bool { return len(n.keys()) == 0 })
	}
}

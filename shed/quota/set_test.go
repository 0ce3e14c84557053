package quota

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestSetInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, k := New(Settings{Rate: 1, Burst: 4, Size: 1600}), TextKey("a")
		for range 4 {
			passes(l, k)
		}
		l.Set(Settings{Rate: 10, Burst: 8, Size: 1600})
		if passes(l, k) {
			t.Fatal("a reload forgave what was taken")
		}
		time.Sleep(100 * time.Millisecond)
		if !passes(l, k) || passes(l, k) {
			t.Fatal("the new rate does not count for a known key")
		}
		time.Sleep(time.Minute)
		l.Set(Settings{Rate: 10, Burst: 3, Size: 16})
		if l.Len() != 0 {
			t.Fatalf("%d idle keys survived", l.Len())
		}
		if n := take(l, k, 6); n != 3 {
			t.Fatalf("the new burst is %d, not 3", n)
		}
		l.Set(Settings{})
		if !passes(l, k) {
			t.Fatal("a limit that was lifted still holds")
		}
		l.Set(Settings{Rate: 1, Burst: 1})
		for _, k := range []Key{k, TextKey("b")} {
			if n := take(l, k, 5); n != 1 {
				t.Fatalf("a limit of 1 that came back let %d pass", n)
			}
		}
	})
}

// A limit that is lifted remembers nobody, and holds when it comes back, whatever is refunded meanwhile.
func TestLimitComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{Rate: 1, Burst: 3, Size: 16})
		var charges []Charge
		for i := range 100 {
			c, _ := l.Take(t.Context(), TextKey(fmt.Sprint(i)))
			charges = append(charges, c)
		}
		l.Set(Settings{})
		if l.Len() != 0 {
			t.Errorf("%d keys remembered where there is no limit", l.Len())
		}
		l.Set(Settings{Rate: math.Inf(1), Burst: 3})
		for i := range charges {
			charges[i].Refund()
		}
		l.Set(Settings{Rate: 1, Burst: 3, Size: 16})
		for i := range 100 {
			if n := take(l, TextKey(fmt.Sprint(i)), 10); n > 3 {
				t.Fatalf("key %d: %d pass where 3 may", i, n)
			}
		}
	})
}

// A table that shrinks keeps those who hold a debt, and is small once they do not.
func TestSetShrinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{Rate: 1, Burst: 1, Size: 1600})
		for i := range 1000 {
			passes(l, TextKey(fmt.Sprint(i)))
		}
		before := l.Len()
		l.Set(Settings{Rate: 1, Burst: 1, Size: 160})
		if l.Len() != before || passes(l, TextKey("0")) {
			t.Fatalf("of %d indebted keys %d were kept", before, l.Len())
		}
		time.Sleep(time.Second)
		l.Set(Settings{Rate: 1, Burst: 1, Size: 160})
		for i := range 1000 {
			passes(l, TextKey(fmt.Sprint("new", i)))
		}
		if l.Len() > 160 {
			t.Fatalf("%d keys remembered", l.Len())
		}
	})
}

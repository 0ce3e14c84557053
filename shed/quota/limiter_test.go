package quota

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func passes(l *Limiter, k Key) bool {
	_, wait := l.Take(context.Background(), k)
	return wait == 0
}

// take takes up to n events of k and returns how many passed.
func take(l *Limiter, k Key, n int) (passed int) {
	for range n {
		if passes(l, k) {
			passed++
		}
	}
	return passed
}

func TestBurstThenRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, k := New(Settings{Rate: 2, Burst: 3}), TextKey("a")
		for i := range 3 {
			if !passes(l, k) {
				t.Fatalf("event %d of the burst was refused", i)
			}
		}
		_, wait := l.Take(t.Context(), k)
		if wait != 500*time.Millisecond {
			t.Fatalf("wait = %v, want 500ms", wait)
		}
		time.Sleep(wait - time.Microsecond)
		if passes(l, k) {
			t.Fatal("passed before the announced time")
		}
		time.Sleep(time.Microsecond)
		if !passes(l, k) {
			t.Fatal("refused at the announced time")
		}
		if passes(l, k) {
			t.Fatal("two passed where one was due")
		}
		if !passes(l, TextKey("b")) {
			t.Fatal("another key pays for this one")
		}
	})
}

// Whatever the rate, who comes when told to is let through, and over a long time exactly the rate passes.
func TestAnnouncedTimeIsTrue(t *testing.T) {
	for _, r := range []float64{0.001, 0.3, 1, 3, 7.7, 10, 333, 12345.678, 1e7} {
		synctest.Test(t, func(t *testing.T) {
			l, k := New(Settings{Rate: r, Burst: 1}), TextKey("a")
			passes(l, k)
			start := time.Now()
			for range 200 {
				_, wait := l.Take(t.Context(), k)
				if wait <= 0 {
					t.Fatalf("rate %v: passed at once", r)
				}
				time.Sleep(wait)
				if !passes(l, k) {
					t.Fatalf("rate %v: refused after %v", r, wait)
				}
			}
			got := 200 / time.Since(start).Seconds()
			if got > r*1.0001 || got < r*0.9 {
				t.Errorf("rate %v: %v passed a second", r, got)
			}
		})
	}
}

func TestNoLimit(t *testing.T) {
	var zero Limiter
	for name, l := range map[string]*Limiter{
		"zero value": &zero, "rate 0": New(Settings{}), "negative": New(Settings{Rate: -1}),
		"infinite": New(Settings{Rate: math.Inf(1)}), "not a number": New(Settings{Rate: math.NaN()}),
	} {
		for range 1000 {
			c, wait := l.Take(context.Background(), TextKey("a"))
			if wait != 0 {
				t.Fatalf("%s: refused", name)
			}
			c.Refund()
		}
		if l.Len() != 0 {
			t.Errorf("%s: %d keys remembered", name, l.Len())
		}
	}
}

func TestRefund(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, k := New(Settings{Rate: 1, Burst: 2}), TextKey("a")
		first, _ := l.Take(t.Context(), k)
		if !passes(l, k) || passes(l, k) {
			t.Fatal("a burst of 2 is not 2")
		}
		for range 5 {
			first.Refund()
		}
		if !passes(l, k) {
			t.Fatal("a refunded event was not given back")
		}
		if passes(l, k) {
			t.Fatal("a charge was refunded more than once")
		}
		var none Charge
		none.Refund()

		// Late, after others came, still one; and never more than the burst.
		time.Sleep(2 * time.Second)
		late, _ := l.Take(t.Context(), k)
		passes(l, k)
		time.Sleep(300 * time.Millisecond)
		late.Refund()
		if !passes(l, k) || passes(l, k) {
			t.Fatal("a late refund gives back exactly one event")
		}
		time.Sleep(2 * time.Second)
		full, _ := l.Take(t.Context(), k)
		time.Sleep(2 * time.Second)
		full.Refund()
		if n := take(l, k, 5); n != 2 {
			t.Fatalf("a refund to a full bucket made a burst of 2 one of %d", n)
		}
	})
}

func TestRefusalCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, k := New(Settings{Rate: 1, Burst: 1}), TextKey("a")
		passes(l, k)
		for range 100 {
			passes(l, k)
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(500 * time.Millisecond)
		if !passes(l, k) {
			t.Fatal("who asks while refused is kept out for longer")
		}
	})
}

// Whoever comes under many names neither gets rid of his own limit nor of another's, and is let through no more than the
// spill buckets allow.
func TestManyKeysResetNobody(t *testing.T) {
	for _, c := range []struct {
		name string
		key  func(i int) Key
	}{
		{"names", func(i int) Key { return TextKey(fmt.Sprint(i)) }},
		{"IPv4", func(i int) Key { return AddrKey(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})) }},
		{"one /48", func(i int) Key {
			return AddrKey(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 1, byte(i >> 8), byte(i), 15: byte(i >> 16)}))
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := New(Settings{Rate: 1.0 / 3600, Burst: 2, Size: 1024})
			own := TextKey("attacker")
			passes(l, own)
			passes(l, own)
			through := 0
			for i := range 20_000 {
				for range 2 {
					if passes(l, c.key(i)) {
						through++
					}
				}
			}
			if l.Len() > 1024 {
				t.Errorf("%s: %d keys remembered", c.name, l.Len())
			}
			if most := 2 * (1024 + shards*spills); through > most {
				t.Errorf("%s: %d passed, at most %d may", c.name, through, most)
			}
			if c.name == "one /48" && through > 2*(1024/shards+1) {
				t.Errorf("%s: %d passed, more than one shard and one spill bucket", c.name, through)
			}
			if passes(l, own) {
				t.Errorf("%s: the attacker's own bucket was reset", c.name)
			}
			if !passes(l, TextKey("bystander")) && c.name == "one /48" {
				t.Errorf("%s: a bystander pays", c.name)
			}
		})
	}
}

func TestIdleKeysMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{Rate: 10, Burst: 1, Size: 64})
		for i := range 1000 {
			k := TextKey(fmt.Sprint(i))
			if !passes(l, k) {
				t.Fatalf("newcomer %d was refused though the others are idle", i)
			}
			if passes(l, k) {
				t.Fatalf("newcomer %d has no limit", i)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := l.Len(); n > 64 {
			t.Errorf("%d keys remembered", n)
		}
	})
}

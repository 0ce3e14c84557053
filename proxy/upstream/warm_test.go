package upstream

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWarmth(t *testing.T) {
	for _, tt := range []struct {
		used, slow time.Duration
		want       int
	}{
		{0, 10 * time.Second, 100}, {-time.Second, 10 * time.Second, 100}, {time.Second, 10 * time.Second, 190},
		{5 * time.Second, 10 * time.Second, 550}, {10*time.Second - 1, 10 * time.Second, 999}, {10 * time.Second, 10 * time.Second, 1000},
		{time.Hour, 10 * time.Second, 1000}, {0, 0, 1000}, {0, -1, 1000}, {1, 2, 100}, {50 * 365 * 24 * time.Hour, 100 * 365 * 24 * time.Hour, 550},
	} {
		if got := warmth(tt.used, tt.slow); got != tt.want {
			t.Errorf("%v of %v: %d, want %d", tt.used, tt.slow, got, tt.want)
		}
	}
}

// share is the part of 10,000 claims that go to the named backend, while so many others are open.
func share(t *testing.T, p *Pool, name string, open int) float64 {
	t.Helper()
	const n = 10000
	ring := make([]Claim, open+1)
	var got int
	for i := range n {
		c := mustClaim(t, p, nil)
		if c.Backend() == "http://"+name {
			got++
		}
		k := i % len(ring)
		ring[k].End(Result{})
		ring[k] = c
	}
	for _, c := range ring {
		c.End(Result{})
	}
	return float64(got) / n
}

func within(t *testing.T, what string, got, low, high float64) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s: %.3f of the claims, want %.3f to %.3f", what, got, low, high)
	}
}

func slow(names ...string) Settings {
	s := named(names...)
	s.SlowStart, s.Eject = 10*time.Second, &EjectSettings{}
	return s
}

// climbs checks that c, of a, b and c, begins with a tenth of its part and comes to all of it.
func climbs(t *testing.T, p *Pool) {
	t.Helper()
	for _, open := range []int{0, 5, 50} {
		within(t, "cold", share(t, p, "c", open), 0.02, 0.075) // 0.1 of 2.1 is 0.048
	}
	if s := p.Status(); s[0].Warming || !s[2].Warming {
		t.Errorf("got %+v", s)
	}
	time.Sleep(5 * time.Second)
	within(t, "half way", share(t, p, "c", 0), 0.15, 0.24) // 0.55 of 2.55 is 0.216, less what comes while it has one
	within(t, "half way, busy", share(t, p, "c", 50), 0.14, 0.24)
	time.Sleep(5 * time.Second)
	within(t, "warm", share(t, p, "c", 0), 0.31, 0.36)
	within(t, "warm, busy", share(t, p, "c", 50), 0.31, 0.36)
	if s := p.Status(); s[2].Warming {
		t.Errorf("got %+v", s)
	}
}

func TestABackendThatIsAddedStartsSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(slow("a", "b"), nil)
		defer p.Close()
		p.Set(slow("a", "b", "c"))
		climbs(t, p)
	})
}

func TestABackendThatCameUpStartsSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slow("a", "b", "c")
		s.Health = &HealthSettings{}
		p := NewPool(s, nil)
		defer p.Close()
		c := p.backends[2]
		p.note(checked{c, ErrConnect})
		p.note(checked{c, ErrConnect})
		within(t, "down", share(t, p, "c", 0), 0, 0)
		p.note(checked{c, nil})
		climbs(t, p)
		p.note(checked{c, nil}) // it was up
		within(t, "still up", share(t, p, "c", 0), 0.31, 0.36)
	})
}

func TestABackendThatWasEjectedStartsSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(slow("a", "b", "c"), nil)
		defer p.Close()
		sick(t, p, "c", "a", "b")
		within(t, "ejected", share(t, p, "c", 0), 0, 0)
		time.Sleep(10 * time.Second)
		climbs(t, p)
	})
}

func TestNobodyIsSparedAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(slow("a", "b", "c"), nil)
		defer p.Close()
		p.Set(slow("a", "b", "c")) // as a first reload does
		within(t, "first start", share(t, p, "c", 0), 0.31, 0.36)
		p.Set(slow("d", "e")) // all are new
		within(t, "all new", share(t, p, "d", 0), 0.48, 0.52)
		for _, b := range p.Status() {
			if b.Warming {
				t.Errorf("got %+v", b)
			}
		}
		p.Set(named("d", "e", "f"))
		within(t, "without a slow start", share(t, p, "f", 0), 0.31, 0.36)
	})
}

// One that is cold is taken when nobody else is left.
func TestAColdOneIsBetterThanNone(t *testing.T) {
	p := NewPool(slow("a"), nil)
	defer p.Close()
	p.Set(slow("a", "b"))
	var tried Tried
	one, two := mustClaim(t, p, &tried), mustClaim(t, p, &tried)
	if one.Backend() == two.Backend() {
		t.Error("one backend twice")
	}
	on(t, p, "a").End(Result{Err: ErrConnect}) // rests
	within(t, "the only one that is rested", share(t, p, "b", 10), 1, 1)
}

package upstream

import (
	"fmt"
	"testing"
	"time"
)

// Claim and End, where all backends are alike, and where one of them warms up.
func BenchmarkClaim(b *testing.B) {
	for _, n := range []int{3, 100} {
		for _, warming := range []bool{false, true} {
			b.Run(fmt.Sprintf("backends=%d/warming=%v", n, warming), func(b *testing.B) {
				p := NewPool(busy(n-1), nil)
				defer p.Close()
				s := busy(n)
				if warming {
					s.SlowStart = time.Hour
				}
				p.Set(s)
				b.ReportAllocs()
				for b.Loop() {
					claimAndEnd(b, p)
				}
			})
		}
	}
}

// busy is n backends with everything on.
func busy(n int) Settings {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprint("b", i))
	}
	s := named(names...)
	s.Eject, s.Retries.Budget = &EjectSettings{}, 0.2
	return s
}

func claimAndEnd(t testing.TB, p *Pool) {
	var tried Tried
	c, err := p.Claim(&tried)
	if err != nil {
		t.Fatal(err)
	}
	c.End(Result{Status: 200})
}

func TestAClaimAllocatesNothing(t *testing.T) {
	p := NewPool(busy(3), nil)
	defer p.Close()
	if n := testing.AllocsPerRun(1000, func() { claimAndEnd(t, p) }); n > 0 {
		t.Errorf("%v allocations for a claim", n)
	}
	s := busy(4)
	s.SlowStart = time.Hour
	p.Set(s)
	if n := testing.AllocsPerRun(1000, func() { claimAndEnd(t, p) }); n > 0 {
		t.Errorf("%v allocations for a claim while one warms up", n)
	}
}

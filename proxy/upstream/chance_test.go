package upstream

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// Where a page of the app is broken, a part of everybody's answers is bad, and rows of them come by chance: that is no reason to do with
// fewer backends.
func TestChanceEjectsNobodyForLong(t *testing.T) {
	for _, part := range []float64{0.05, 0.10, 0.15} {
		synctest.Test(t, func(t *testing.T) {
			p := ejecting("a", "b", "c", "d")
			defer p.Close()
			chance := rand.New(rand.NewPCG(1, uint64(part*100)))
			isOut := 0
			const requests = 60_000
			for i := range requests {
				if i%100 == 0 {
					time.Sleep(200 * time.Millisecond) // 500 a second
				}
				r := Result{Status: 200}
				if chance.Float64() < part {
					r.Status = 500
				}
				mustClaim(t, p, nil).End(r)
				if out(p) != "" {
					isOut++
				}
			}
			t.Logf("%.0f %% bad everywhere: somebody is out during %.1f %% of the time", 100*part, 100*float64(isOut)/requests)
			if isOut > requests/5 {
				t.Errorf("%.0f %% bad everywhere: somebody is out during %d of %d results", 100*part, isOut, requests)
			}
			// One that is sick among them still goes.
			for range 200 {
				c := mustClaim(t, p, nil)
				if c.Backend() == "http://a" {
					c.End(Result{Err: ErrBroken})
				} else if chance.Float64() < part {
					c.End(Result{Status: 500})
				} else {
					c.End(Result{Status: 200})
				}
			}
			if out(p) == "" {
				t.Errorf("%.0f %% bad everywhere: one that always fails is not ejected", 100*part)
			}
		})
	}
}

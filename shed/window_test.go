package shed

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// kind is one of the kinds of requests that come to an adaptive gate: so many a second; the head comes after so long, the rest is
// read for so long.
type kind struct {
	rate        int
	takes, read time.Duration
}

// adapt lets kinds of requests come to a gate with an adaptive limit for so long, and returns how many of each were refused, of
// how many. The pool slows down in proportion beyond capacity; 0: it never does.
func adapt(t *testing.T, g *Gate, span time.Duration, capacity float64, kinds ...kind) (refused, came []int64) {
	t.Helper()
	no, all := make([]atomic.Int64, len(kinds)), make([]atomic.Int64, len(kinds))
	var out sync.WaitGroup
	var running atomic.Int64
	began, most := time.Now(), g.settings.Adaptive.Max
	for i, k := range kinds {
		request := func() {
			all[i].Add(1)
			p, err := g.Acquire(context.Background(), Member)
			if err != nil {
				no[i].Add(1)
				return
			}
			if l := g.Load(); l.InFlight > most || l.Limit > most {
				t.Errorf("more than the maximum of %d: %+v", most, l)
			}
			sent, slower := time.Now(), 1.0
			if n := float64(running.Add(1)); capacity > 0 {
				slower = math.Max(1, n/capacity)
			}
			time.Sleep(time.Duration(float64(k.takes) * slower))
			running.Add(-1)
			p.Sample(time.Since(sent), false)
			time.Sleep(k.read)
			p.Done()
		}
		out.Go(func() {
			for time.Since(began) < span {
				out.Go(request)
				time.Sleep(time.Second / time.Duration(k.rate))
			}
		})
	}
	time.Sleep(span)
	t.Logf("after %v the limit is %d", span, g.Load().Limit)
	out.Wait()
	for i := range kinds {
		refused, came = append(refused, no[i].Load()), append(came, all[i].Load())
		t.Logf("%+v: %d of %d refused", kinds[i], refused[i], came[i])
	}
	return refused, came
}

func adaptive() *Gate {
	g := &Gate{}
	g.Set(GateSettings{Adaptive: &AdaptiveSettings{}, Length: 128, Timeout: 2 * time.Second, Shares: usualShares})
	return g
}

// A restart in the middle of the day: 300 are in flight all the time, and the pool could take any number.
func TestAStartRefusesForAMomentOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := adaptive()
		refused, _ := adapt(t, g, 20*time.Second, 0, kind{rate: 1000, takes: 300 * ms})
		if refused[0] > 3000 {
			t.Errorf("%d were refused; want those of the first seconds", refused[0])
		}
		if l := g.Load().Limit; l > 700 {
			t.Errorf("the limit grew to %d; nobody asked for so much", l)
		}
	})
}

// A restart in front of a pool that is flooded: doubling stops where it begins to hurt.
func TestAStartUnderOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := adaptive()
		adapt(t, g, 12*time.Second, 100, kind{rate: 3000, takes: 100 * ms})
		if l := g.Load().Limit; l < 100 || l > 260 {
			t.Errorf("the limit is %d; the pool takes 100 at once", l)
		}
	})
}

// Who turns an adaptive limit on in a running Gatehouse cuts nothing off.
func TestALimitBeginsWithWhatIsInFlight(t *testing.T) {
	var g Gate
	for range 90 {
		if _, err := g.Acquire(t.Context(), Member); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ most, from, want int }{{0, 0, 90}, {0, 10, 90}, {0, 200, 200}, {70, 0, 70}} {
		g.Set(GateSettings{})
		g.Set(GateSettings{Adaptive: &AdaptiveSettings{Max: c.most}, Limit: c.from})
		if l := g.Load().Limit; l != c.want {
			t.Errorf("%+v: it begins with %d", c, l)
		}
	}
}

// One route is two hundred times as slow as the others, and always was meant to be. The pool is as quick as ever.
func TestASlowRouteCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := adaptive()
		adapt(t, g, minute, 0, kind{rate: 100, takes: 50 * ms})
		before := g.Load().Limit
		refused, _ := adapt(t, g, 4*minute, 0, kind{rate: 100, takes: 50 * ms}, kind{rate: 4, takes: 10 * time.Second})
		if refused[0]+refused[1] > 0 || g.Load().Limit < before {
			t.Errorf("the limit went from %d to %d", before, g.Load().Limit)
		}
	})
}

// That visitors take a minute to read what the pool gave in no time does not say that it can take more, nor does it keep anybody
// out, up to the maximum.
func TestSlowReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := adaptive()
		refused, _ := adapt(t, g, 5*minute, 0, kind{rate: 10, takes: 20 * ms, read: minute})
		if refused[0] != 0 || g.limit != firstLimit {
			t.Errorf("%d were refused; the limit went from %d to %d", refused[0], firstLimit, g.limit)
		}
		g.Set(GateSettings{Adaptive: &AdaptiveSettings{Max: 100}})
		if refused, came := adapt(t, g, 3*minute, 0, kind{rate: 10, takes: 20 * ms, read: minute}); came[0]-refused[0] < 280 {
			t.Errorf("%d of %d were refused; 100 at once could read", refused[0], came[0])
		}
		empty(t, g)
	})
}

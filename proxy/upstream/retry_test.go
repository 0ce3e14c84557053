package upstream

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// retries takes all that there is.
func retries(p *Pool) int {
	n := 0
	for p.Retry() {
		n++
	}
	return n
}

func requests(t *testing.T, p *Pool, n int) {
	for range n {
		mustClaim(t, p, nil).End(Result{})
	}
}

func budgeted(part float64) *Pool {
	s := named("a", "b")
	s.Retries.Budget = part
	return NewPool(s, nil)
}

func TestTheBudgetIsAPartOfTheLastTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := budgeted(0.2)
		defer p.Close()
		const floor = retryFloor * retryWindow
		if n := retries(p); n != floor {
			t.Errorf("a quiet pool: %d retries; want %d", n, floor)
		}
		requests(t, p, 100)
		if n := retries(p); n != 20 {
			t.Errorf("after 100 requests: %d retries; want 20 more", n)
		}
		requests(t, p, 4)
		if n := retries(p); n != 0 {
			t.Errorf("after 4 requests: %d retries", n)
		}
		requests(t, p, 1)
		if n := retries(p); n != 1 {
			t.Errorf("after the fifth request: %d retries; want 1", n)
		}
		time.Sleep(9 * time.Second)
		if n := retries(p); n != 0 {
			t.Errorf("9 s later: %d retries; what was taken is forgotten too soon", n)
		}
		time.Sleep(2 * time.Second)
		if n := retries(p); n != floor {
			t.Errorf("11 s later: %d retries; want %d", n, floor)
		}
		time.Sleep(1000 * time.Hour)
		if n := retries(p); n != floor {
			t.Errorf("much later: %d retries; want %d", n, floor)
		}
	})
}

func TestRequestsOfLongAgoBuyNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := budgeted(1)
		defer p.Close()
		requests(t, p, 1000)
		time.Sleep(10 * time.Second)
		if n := retries(p); n != retryFloor*retryWindow {
			t.Errorf("%d retries 10 s after the requests", n)
		}
	})
}

func TestWithoutABudgetThereIsNoRetry(t *testing.T) {
	for _, part := range []float64{0, -1} {
		p := budgeted(part)
		requests(t, p, 100)
		if p.Retry() {
			t.Errorf("budget %v: a retry", part)
		}
		p.Set(func() Settings { s := named("a", "b"); s.Retries.Budget = 0.1; return s }())
		if n := retries(p); n != 10+retryFloor*retryWindow {
			t.Errorf("a reload allows retries: %d; the requests before it count as well", n)
		}
		p.Close()
	}
}

// Only the first claim of an exchange is a request: retries would pay for retries.
func TestARetryBuysNoRetry(t *testing.T) {
	p := budgeted(1)
	defer p.Close()
	if n := retries(p); n != retryFloor*retryWindow {
		t.Fatal(n)
	}
	var tried Tried
	mustClaim(t, p, &tried).End(Result{})
	mustClaim(t, p, &tried).End(Result{})
	if n := retries(p); n != 1 {
		t.Errorf("%d retries for one request that claimed twice", n)
	}
}

// However the requests come: no ten seconds, wherever they begin, hold more retries than the part of the requests since ten
// seconds before their first, and the floor.
func TestNoTenSecondsHoldMoreThanTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const part = 0.2
		p := budgeted(part)
		defer p.Close()
		type moment struct {
			at                time.Time
			requests, retries int
		}
		var all []moment
		random := rand.New(rand.NewPCG(1, 2))
		for range 2000 {
			m := moment{at: time.Now()}
			for range random.IntN(1 + 20*random.IntN(2)) {
				requests(t, p, 1)
				m.requests++
				if p.Retry() {
					m.retries++
				}
			}
			all = append(all, m)
			time.Sleep(time.Duration(random.Int64N(int64(300 * time.Millisecond))))
		}
		var total int
		for i, last := range all {
			var asked, again int
			for j := i; j >= 0 && last.at.Sub(all[j].at) < retryWindow*time.Second; j-- {
				asked += all[j].requests
				again += all[j].retries
			}
			total += last.retries
			if last.retries > 0 && float64(again) > part*float64(asked)+retryFloor*retryWindow+1e-6 {
				t.Fatalf("%d retries for %d requests in the ten seconds to %v", again, asked, last.at)
			}
		}
		if total < 1000 {
			t.Errorf("%d retries in all: the budget is hardly used", total)
		}
	})
}

package shed

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// start is a moment to count from.
var start = time.Unix(1_000_000, 0)

func after(d time.Duration) time.Time { return start.Add(d) }

func TestTheOrderOfAQueue(t *testing.T) {
	const timeout = 4 * time.Second // so the target is a second
	var q queue
	come := func(d time.Duration) *waiter {
		w := newWaiter(Member, after(d), timeout)
		q.push(&w.own, after(d))
		return w
	}
	serve := func(d time.Duration, want *waiter, why string) {
		t.Helper()
		if got := q.serve(after(d)); got != want {
			t.Errorf("%v after the start %v was served, who came at %v; want %v: %s", d, got, got.came.Sub(start), want.came.Sub(start), why)
		}
	}
	a, b := come(0), come(500*time.Millisecond)
	serve(900*time.Millisecond, a, "first come, first served")
	b2 := come(4700 * time.Millisecond)
	serve(4800*time.Millisecond, b, "well for the last time at 0.9")
	serve(4850*time.Millisecond, b2, "the last")

	c, d := come(10*time.Second), come(10*time.Second)
	serve(13*time.Second, c, "a long wait, but it was empty 3 seconds ago")
	e := come(13900 * time.Millisecond)
	serve(14*time.Second, e, "newest first: nobody was quick since 10")
	f := come(14*time.Second + 1)
	serve(14*time.Second+2, f, "that the newest is quick says nothing")
	serve(14*time.Second+3, d, "the oldest comes last")

	d2, e2 := come(14500*time.Millisecond), come(14600*time.Millisecond)
	serve(14600*time.Millisecond, e2, "it was empty for half a second only")
	serve(14600*time.Millisecond, d2, "the last")

	g, h := come(15600*time.Millisecond), come(15600*time.Millisecond)
	if q.overloaded(after(15600 * time.Millisecond)) {
		t.Error("overloaded although it was empty for a second")
	}
	serve(16*time.Second, g, "the overload ended with the queue")
	if q.n != 1 || q.lastInTurn(after(18*time.Second)) != &h.own {
		t.Error("one should be left")
	}
	i := come(18 * time.Second)
	if got := q.lastInTurn(after(18 * time.Second)); got != &i.own {
		t.Error("in calm the newest is last in turn")
	}
	if got := q.lastInTurn(after(20 * time.Second)); got != &h.own {
		t.Error("under overload the oldest is last in turn")
	}
	if !q.remove(&h.own) || q.remove(&h.own) || !q.remove(&i.own) || q.n != 0 || q.first != nil || q.last != nil {
		t.Error("the queue should be empty")
	}
}

func TestHowLongOneMayWait(t *testing.T) {
	for _, c := range []struct {
		name       string
		well, came time.Duration
		want       time.Duration // when the wait ends
	}{
		{"alone", 10 * time.Second, 10 * time.Second, 14 * time.Second},
		{"the queue was well later than he came", 12 * time.Second, 10 * time.Second, 14 * time.Second},
		{"the queue is not well for a while", 8 * time.Second, 10 * time.Second, 12 * time.Second},
		{"it is about to be overloaded", 6500 * time.Millisecond, 10 * time.Second, 11 * time.Second},
		{"it is overloaded", time.Second, 10 * time.Second, 11 * time.Second},
	} {
		q := queue{well: after(c.well)}
		w := newWaiter(Member, after(c.came), 4*time.Second)
		if got := q.deadline(w).Sub(start); got != c.want {
			t.Errorf("%s: until %v; want %v", c.name, got, c.want)
		}
	}
}

// An old waiter is told early that it is in vain, and not only when another comes.
func TestAnOldWaiterDoesNotSitOutTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		g.Set(GateSettings{Limit: 1, Length: 9, Timeout: 4 * time.Second})
		held, _ := g.Acquire(t.Context(), Member)
		ended := make(chan time.Duration, 2)
		come := func() {
			began := time.Now()
			if _, err := g.Acquire(t.Context(), Member); !errors.Is(err, ErrLate) {
				t.Errorf("got %v; want ErrLate", err)
			}
			ended <- time.Since(began)
		}
		go come()
		time.Sleep(2500 * time.Millisecond)
		go come()
		first, second := <-ended, <-ended
		if max(first, second) != 4*time.Second || min(first, second) != 1500*time.Millisecond {
			t.Errorf("waited %v and %v; want all of the timeout, and until the queue was not well for as long", first, second)
		}
		held.Done()
	})
}

// A deadline that was near moves away when the queue turns out to be well.
func TestALateWaiterStaysWhileItGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, held := full(t, 1, GateSettings{Length: 9, Timeout: 4 * time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		go g.Acquire(ctx, Member) // the queue is not well from here on, until it is seen to be
		time.Sleep(2900 * time.Millisecond)
		quick := make(chan Permit)
		go func() { p, _ := g.Acquire(t.Context(), Member); quick <- p }()
		time.Sleep(100 * time.Millisecond)
		end := make(chan error)
		go func() {
			p, err := g.Acquire(t.Context(), Member)
			p.Done()
			end <- err
		}()
		time.Sleep(200 * time.Millisecond)
		cancel()
		time.Sleep(200 * time.Millisecond)
		held[0].Done()
		p := <-quick
		time.Sleep(2 * time.Second)
		p.Done()
		if err := <-end; err != nil {
			t.Errorf("got %v after two seconds; the queue was well while he waited", err)
		}
		empty(t, g)
	})
}

// offer lets a request come every interval to a pool of four that each take 100ms, for half a minute after a first ten seconds,
// and returns how many were answered within patience of their coming, and how many were let in.
func offer(t *testing.T, every, patience time.Duration, settings GateSettings, prepare func(*Gate)) (good, served, came int) {
	synctest.Test(t, func(t *testing.T) {
		const service = 100 * time.Millisecond
		var g Gate
		g.Set(settings)
		began := time.Now()
		type result struct{ good, served bool }
		results := make(chan result, 1<<16)
		n := 0
		for ; time.Since(began) < 40*time.Second; time.Sleep(every) {
			counts := time.Since(began) >= 10*time.Second
			if prepare != nil {
				prepare(&g)
			}
			go func() {
				came := time.Now()
				p, err := g.Acquire(context.Background(), Member)
				if err == nil {
					time.Sleep(service)
					p.Done()
				}
				if counts {
					results <- result{err == nil && time.Since(came) <= patience, err == nil}
				}
			}()
			if counts {
				n++
			}
		}
		for range n {
			r := <-results
			if r.good {
				good++
			}
			if r.served {
				served++
			}
		}
		came = n
	})
	return good, served, came
}

// Visitors give up after a second. Three times as many come as the pool can take, 40 a second.
func TestGoodputUnderOverload(t *testing.T) {
	settings := GateSettings{Limit: 4, Length: 1000, Timeout: 2 * time.Second}
	every := time.Second / 120
	good, served, came := offer(t, every, time.Second, settings, nil)
	t.Logf("newest first: %d came, %d let in, %d answered in time", came, served, good)
	if good < 1100 {
		t.Errorf("newest first: %d were answered in time; want nearly all of the 1200 that the pool can take", good)
	}
	// The same with the rule off: the queue is told that it is well.
	always := func(g *Gate) {
		g.mu.Lock()
		g.queues[Member].well = time.Now()
		g.mu.Unlock()
	}
	good, served, came = offer(t, every, time.Second, settings, always)
	t.Logf("first come, first served: %d came, %d let in, %d answered in time", came, served, good)
	if good > 200 {
		t.Errorf("first come, first served: %d were answered in time; the model should collapse without the rule", good)
	}
}

// A little more is asked for than the pool can do, now more, now less. The order must not turn round and round: who is let in has
// hardly waited.
func TestALittleTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		g.Set(GateSettings{Limit: 4, Length: 1000, Timeout: 2 * time.Second})
		var quick, served atomic.Int64
		var all sync.WaitGroup
		r := rand.New(rand.NewPCG(7, 0))
		for began := time.Now(); time.Since(began) < 70*time.Second; time.Sleep(time.Duration(r.ExpFloat64() * float64(time.Second/50))) {
			counts := time.Since(began) >= 10*time.Second
			all.Go(func() {
				came := time.Now()
				p, err := g.Acquire(context.Background(), Member)
				waited := time.Since(came)
				if err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
				p.Done()
				if counts {
					served.Add(1)
				}
				if counts && waited < 250*time.Millisecond {
					quick.Add(1)
				}
			})
		}
		all.Wait()
		t.Logf("%d of %d waited for less than a quarter of a second", quick.Load(), served.Load())
		if served.Load() < 2200 || quick.Load() < served.Load()*85/100 {
			t.Error("want nearly all, and of the 2400 that the pool can do, too")
		}
	})
}

// A pool that is nearly full, and even one with a burst now and then, keeps its order and refuses nobody.
func TestCalmRefusesNobody(t *testing.T) {
	good, served, came := offer(t, time.Second/38, time.Second, GateSettings{Limit: 4, Length: 1000, Timeout: 2 * time.Second}, nil)
	if served != came || good != came {
		t.Errorf("%d came, %d were let in, %d in time; want all", came, served, good)
	}
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		g.Set(GateSettings{Limit: 4, Length: 1000, Timeout: 2 * time.Second})
		results := make(chan error, 1000)
		for range 10 { // 60 at once take 1.5s
			for range 60 {
				go func() {
					p, err := g.Acquire(t.Context(), Member)
					if err == nil {
						time.Sleep(100 * time.Millisecond)
						p.Done()
					}
					results <- err
				}()
			}
			time.Sleep(1600 * time.Millisecond)
		}
		for range 600 {
			if err := <-results; err != nil {
				t.Fatal(err)
			}
		}
	})
}

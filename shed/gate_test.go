package shed

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestGateZeroValueOnlyCounts(t *testing.T) {
	var g Gate
	var held []Permit
	for range 1000 {
		p, err := g.Acquire(t.Context(), Member)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, p)
	}
	if l := g.Load(); l.InFlight != 1000 || l.Limit != 0 {
		t.Fatalf("in flight %d, limit %d; want 1000 and 0", l.InFlight, l.Limit)
	}
	for i := range held {
		held[i].Done()
		held[i].Done()
	}
	if in := g.Load().InFlight; in != 0 {
		t.Fatalf("%d in flight after all came back twice; want 0", in)
	}
}

func TestGateQueuesInOrderAndRefusesBeyond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		g.Set(GateSettings{Limit: 1, Length: 2, Timeout: time.Minute})
		first, err := g.Acquire(t.Context(), Member)
		if err != nil {
			t.Fatal(err)
		}
		var order []int
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				p, err := g.Acquire(t.Context(), Member)
				if err != nil {
					t.Error(err)
				}
				order = append(order, i)
				p.Done()
			})
			synctest.Wait()
		}
		if _, err := g.Acquire(t.Context(), Member); !errors.Is(err, ErrFull) {
			t.Fatalf("the third in a queue of two got %v; want ErrFull", err)
		}
		if _, ok := g.Lend(Member); ok {
			t.Fatal("a guest overtook the queue")
		}
		first.Done()
		wg.Wait()
		if len(order) != 2 || order[0] != 0 || order[1] != 1 {
			t.Fatalf("order %v; want first come, first served", order)
		}
		if l := g.Load(); l.InFlight != 0 || l.Queued != 0 {
			t.Fatalf("%+v at the end", l)
		}
	})
}

func TestGateGivesUpInTimeAndLeavesNoHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		g.Set(GateSettings{Limit: 1, Length: 8, Timeout: 2 * time.Second})
		held, _ := g.Acquire(t.Context(), Member)

		began := time.Now()
		if _, err := g.Acquire(t.Context(), Member); !errors.Is(err, ErrLate) {
			t.Fatalf("got %v; want ErrLate", err)
		}
		if waited := time.Since(began); waited != 2*time.Second {
			t.Fatalf("waited %v; want the queue's timeout", waited)
		}

		gone := errors.New("the visitor went away")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(gone) })
		if _, err := g.Acquire(ctx, Member); !errors.Is(err, gone) {
			t.Fatalf("got %v; want the context's cause", err)
		}

		held.Done()
		p, err := g.Acquire(t.Context(), Member)
		if err != nil {
			t.Fatalf("the place of one who gave up was lost: %v", err)
		}
		p.Done()
	})
}

func TestGateSetNeverRevokesAndWakesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		g.Set(GateSettings{Limit: 2, Length: 8, Timeout: time.Minute})
		a, _ := g.Acquire(t.Context(), Member)
		b, _ := g.Acquire(t.Context(), Member)
		g.Set(GateSettings{Limit: 1, Length: 8, Timeout: time.Minute})
		a.Done()
		if _, ok := g.Lend(Member); ok {
			t.Fatal("a permit was given while as many are out as the new limit allows")
		}
		got := make(chan struct{})
		go func() {
			p, err := g.Acquire(t.Context(), Member)
			if err != nil {
				t.Error(err)
			}
			p.Done()
			close(got)
		}()
		synctest.Wait()
		g.Set(GateSettings{Limit: 2, Length: 8, Timeout: time.Minute})
		<-got
		b.Done()
	})
}

func TestGateNeverExceedsItsLimit(t *testing.T) {
	var g Gate
	g.Set(GateSettings{Limit: 3, Length: 1000, Timeout: time.Minute})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 100 {
				p, err := g.Acquire(t.Context(), Member)
				if err != nil {
					t.Error(err)
					return
				}
				if in := g.Load().InFlight; in > 3 {
					t.Errorf("%d in flight; the limit is 3", in)
				}
				p.Done()
			}
		})
	}
	wg.Wait()
}

func TestGateFreePermitAllocatesNothing(t *testing.T) {
	ctx := t.Context()
	var full, elsewhere Gate
	full.Set(GateSettings{Limit: 1, Length: 4, Timeout: time.Second})
	if _, err := full.Acquire(ctx, Member); err != nil {
		t.Fatal(err)
	}
	elsewhere.Set(GateSettings{Limit: 4, Reserve: 0.1})
	var fixed, adaptive Gate
	fixed.Set(GateSettings{Limit: 4, Length: 4, Timeout: time.Second, Shares: usualShares})
	adaptive.Set(GateSettings{Adaptive: &AdaptiveSettings{}, Length: 4, Timeout: time.Second, Shares: usualShares})
	for name, own := range map[string]*Gate{"open": {}, "fixed": &fixed, "adaptive": &adaptive, "a guest": &full} {
		if n := testing.AllocsPerRun(1000, func() {
			p, err := Enter(ctx, own, &elsewhere, SignIn)
			if err != nil {
				t.Error(err)
			}
			p.Sample(time.Millisecond, false)
			p.Done()
		}); n != 0 {
			t.Errorf("%s: %v allocations for a free permit; want 0", name, n)
		}
	}
	nothing := GateSettings{Limit: 1}
	full.Set(nothing)
	if n := testing.AllocsPerRun(1000, func() { full.Acquire(ctx, Anonymous) }); n != 0 {
		t.Errorf("%v allocations to be turned away; want 0", n)
	}
}

// usualShares are the shares of the operator's file where it names none.
var usualShares = Shares{Member: 0.40, SignIn: 0.20, Unproved: 0.10, Anonymous: 0.10, Background: 0.05}

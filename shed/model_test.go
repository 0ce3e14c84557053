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

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Many goroutines at three gates that overflow into each other, visitors who go away, bounds that change: no gate lets in more
// than the most it was ever told to, everybody's wait ends, and in the end nothing is lost.
func TestManyAtManyGates(t *testing.T) {
	const most = 5
	gates := make([]*Gate, 3)
	inside := make([]atomic.Int64, len(gates))
	settings := func(limit int) GateSettings {
		return GateSettings{Limit: limit, Length: 8, Timeout: 8 * time.Millisecond, Shares: usualShares, Reserve: 0.1}
	}
	for i := range gates {
		gates[i] = &Gate{}
		gates[i].Set(settings(most))
	}
	var got, guests, full, late, displaced, gone atomic.Int64
	var wg, setter sync.WaitGroup
	stop := make(chan struct{})
	setter.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				gates[i%len(gates)].Set(settings(1 + i%most))
			}
		}
	})
	for seed := range 48 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(seed)))
			for range 150 {
				i := r.IntN(len(gates))
				over := gates[r.IntN(len(gates))] // now and then itself
				if r.IntN(3) == 0 {
					over = nil
				}
				ctx, cancel := context.WithCancel(context.Background())
				if r.IntN(3) == 0 {
					time.AfterFunc(time.Duration(r.IntN(4000))*time.Microsecond, cancel)
				}
				p, err := Enter(ctx, gates[i], over, Classes[r.IntN(NumClasses)])
				cancel()
				switch {
				case err == nil:
					got.Add(1)
					for j, g := range gates {
						if g != p.Of() {
							continue
						}
						if j != i {
							guests.Add(1)
						}
						if n := inside[j].Add(1); n > most {
							t.Errorf("%d at once", n)
						}
						time.Sleep(time.Duration(r.IntN(1500)) * time.Microsecond)
						p.Sample(time.Millisecond, r.IntN(2) == 0)
						inside[j].Add(-1)
					}
				case errors.Is(err, ErrFull):
					full.Add(1)
				case errors.Is(err, ErrLate):
					late.Add(1)
				case errors.Is(err, ErrDisplaced):
					displaced.Add(1)
				case errors.Is(err, context.Canceled):
					gone.Add(1)
				default:
					t.Error(err)
				}
				if err != nil && p.Of() != nil {
					t.Error("a permit came with an error")
				}
				p.Done()
			}
		})
	}
	wg.Wait()
	close(stop)
	setter.Wait()
	for _, g := range gates {
		empty(t, g)
	}
	t.Logf("%d let in (%d as guests), %d full, %d late, %d displaced, %d gone", got.Load(), guests.Load(), full.Load(), late.Load(), displaced.Load(), gone.Load())
	for _, n := range []*atomic.Int64{&got, &guests, &full, &displaced, &gone} {
		if n.Load() == 0 {
			t.Error("something that should happen never did")
		}
	}
}

// After each of many random steps: nobody waits for a permit that is free, no guest for a room that is there, and what is out is
// what was counted.
func TestNobodyWaitsForWhatIsFree(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(2, seed))
			var a, b Gate
			gates := [2]*Gate{&a, &b}
			change := func(g *Gate) {
				s := GateSettings{Limit: 1 + r.IntN(6), Length: r.IntN(10), Timeout: time.Duration(1+r.IntN(9)) * time.Second, Reserve: 0.3 * r.Float64()}
				if r.IntN(2) == 0 {
					s.Shares = usualShares
				}
				if r.IntN(4) == 0 {
					s.Adaptive = &AdaptiveSettings{Min: 1, Max: 6}
				}
				g.Set(s)
			}
			change(&a)
			change(&b)
			ctx, cancel := context.WithCancel(context.Background())
			var mu sync.Mutex
			var held []Permit
			take := func(p Permit) {
				mu.Lock()
				defer mu.Unlock()
				held = append(held, p)
			}
			drop := func() (p Permit) {
				mu.Lock()
				defer mu.Unlock()
				if n := len(held); n > 0 {
					i := r.IntN(n)
					p, held[i] = held[i], held[n-1]
					held = held[:n-1]
				}
				return p
			}
			for range 300 {
				own := r.IntN(2)
				switch r.IntN(10) {
				case 0, 1, 2, 3:
					over := gates[1-own]
					if r.IntN(3) == 0 {
						over = nil
					}
					c := Classes[r.IntN(NumClasses)]
					go func() {
						if p, err := Enter(ctx, gates[own], over, c); err == nil {
							take(p)
						}
					}()
				case 4, 5, 6:
					p := drop()
					p.Sample(time.Second, r.IntN(9) == 0)
					p.Done()
				case 7:
					if p, ok := gates[own].Lend(SignIn); ok {
						take(p)
					}
				case 8:
					time.Sleep(time.Duration(r.IntN(2000)) * time.Millisecond)
				default:
					if r.IntN(5) == 0 {
						change(gates[own])
					}
					if r.IntN(5) == 0 {
						cancel()
						ctx, cancel = context.WithCancel(context.Background())
					}
				}
				synctest.Wait()
				out := 0
				for _, g := range gates {
					l, room := g.Load(), g.Room()
					g.mu.Lock()
					if l.Queued > 0 && (l.Limit == 0 || l.InFlight < l.Limit) {
						t.Fatalf("somebody waits for a permit that is free: %+v", l)
					}
					for c := range g.visitors {
						if g.visitors[c].n > 0 && g.admits(Class(c)) {
							t.Fatalf("a guest waits for a permit that is free for him: %+v, room %d", l, room)
						}
					}
					if room > 0 && l.Queued > 0 {
						t.Fatalf("there is room for guests while somebody waits: %+v, room %d", l, room)
					}
					sum, queued := 0, 0
					for _, c := range l.Classes {
						sum += c.InFlight
						queued += c.Queued
					}
					if sum != l.InFlight || queued != l.Queued {
						t.Fatalf("the classes do not add up: %+v", l)
					}
					out += l.InFlight
					g.mu.Unlock()
				}
				if out != len(held) {
					t.Fatalf("%d are out, %d are held", out, len(held))
				}
			}
			cancel()
			synctest.Wait()
			for len(held) > 0 {
				p := drop()
				p.Done()
			}
			empty(t, &a)
			empty(t, &b)
		})
	}
}

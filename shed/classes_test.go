package shed

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// crowd is one kind of visitors: so many a second, at a pool where each takes this long.
type crowd struct {
	class  Class
	rate   int
	takes  time.Duration
	offset time.Duration
}

type fate struct{ came, served, displaced, full, late int }

// visit lets crowds come to a gate for some seconds of virtual time, and returns what became of each class.
func visit(t *testing.T, s GateSettings, span time.Duration, crowds ...crowd) (fates [NumClasses]fate) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		g.Set(s)
		type end struct {
			c   Class
			err error
		}
		ends := make(chan end, 1<<17)
		total := 0
		for _, k := range crowds {
			n := int(span.Seconds() * float64(k.rate))
			total += n
			go func() {
				time.Sleep(k.offset)
				for range n {
					go func() {
						p, err := g.Acquire(context.Background(), k.class)
						if err == nil {
							time.Sleep(k.takes)
							p.Done()
						}
						ends <- end{k.class, err}
					}()
					time.Sleep(time.Second / time.Duration(k.rate))
				}
			}()
		}
		for range total {
			e := <-ends
			f := &fates[e.c]
			f.came++
			switch {
			case e.err == nil:
				f.served++
			case errors.Is(e.err, ErrDisplaced):
				f.displaced++
			case errors.Is(e.err, ErrFull):
				f.full++
			case errors.Is(e.err, ErrLate):
				f.late++
			}
		}
		synctest.Wait()
		empty(t, &g)
	})
	for c, f := range fates {
		if f.came > 0 {
			t.Logf("%-10v %+v", Class(c), f)
		}
	}
	return fates
}

const (
	ms     = time.Millisecond
	minute = time.Minute
)

// A flood of made-up sessions and of strangers, quick or slow, keeps no member and no sign-in out that its share has room for.
func TestAFloodKeepsNobodyBetterOut(t *testing.T) {
	for name, takes := range map[string]time.Duration{"quick": 20 * ms, "alike": 100 * ms, "slow": 900 * ms} {
		for _, limit := range []int{4, 10, 40} {
			t.Run(name, func(t *testing.T) {
				share := func(c Class) int { return int(usualShares.of(int(c), limit) / 0.1 * 0.9) } // a second, at 100ms each
				fates := visit(t, GateSettings{Limit: limit, Length: 128, Timeout: 2 * time.Second, Shares: usualShares}, minute,
					crowd{Unproved, 300, takes, 0}, crowd{Anonymous, 300, takes, 0},
					crowd{Member, share(Member), 100 * ms, 5 * time.Second}, crowd{SignIn, share(SignIn), 100 * ms, 5*time.Second + ms})
				for _, c := range []Class{Member, SignIn} {
					if f := fates[c]; f.served < f.came*98/100 {
						t.Errorf("%d of %d: %v: %d of %d were served; want all, nearly", limit, limit, c, f.served, f.came)
					}
				}
				for _, c := range []Class{Unproved, Anonymous} {
					if fates[c].served == 0 {
						t.Errorf("%v: none was served", c)
					}
				}
			})
		}
	}
}

// Whoever floods, and be it members, every class gets about its share of what the pool can do, in a pool of one as well.
func TestNoClassStarves(t *testing.T) {
	const span = 20 * time.Second
	for _, limit := range []int{1, 4} {
		for _, length := range []int{1, 2, 16, 128} {
			for flood := range Classes {
				var crowds []crowd
				for i, c := range Classes {
					rate := 30 * limit // each alone would fill it three times over
					if i == flood {
						rate *= 5
					}
					crowds = append(crowds, crowd{c, rate, 100 * ms, time.Duration(i) * ms})
				}
				fates := visit(t, GateSettings{Limit: limit, Length: length, Timeout: 2 * time.Second, Shares: usualShares}, span, crowds...)
				for c, f := range fates {
					part := 0.9
					switch { // there is not always one of each class in a short queue
					case length < 16:
						part = 0.3
					case length < 128:
						part = 0.75
					}
					if want := int(usualShares.of(c, limit) * 200 * part); f.served < want {
						t.Errorf("limit %d, length %d, a flood of %v: %d of %v were served; want %d", limit, length, Class(flood), f.served, Class(c), want)
					}
				}
			}
		}
	}
}

// Nobody new need come for the shares to be kept: a queue that only drains keeps them, too.
func TestSharesAreKeptWhileAQueueDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, held := full(t, 1, GateSettings{Length: 1000, Timeout: time.Hour, Shares: usualShares})
		ctx, cancel := context.WithCancel(t.Context())
		turns := make(chan Class, 500)
		for range 100 {
			for _, c := range Classes {
				go func() {
					if p, err := g.Acquire(ctx, c); err == nil {
						turns <- c
						time.Sleep(100 * ms)
						p.Done()
					}
				}()
			}
		}
		synctest.Wait()
		held[0].Done()
		var got counts
		for range 100 {
			got[<-turns]++
		}
		cancel()
		for c, n := range got {
			if want := usualShares.of(c, 100); float64(n) < want-1 {
				t.Errorf("%v had %d of the first 100 turns; want %.0f", Class(c), n, want)
			}
		}
		t.Logf("the first 100 turns: %v", got)
		synctest.Wait()
		time.Sleep(time.Second)
		empty(t, g)
	})
}

// What a class does not use goes to others: the pool is never idle while somebody waits.
func TestWhatIsLeftIsBorrowed(t *testing.T) {
	s := GateSettings{Limit: 10, Length: 128, Timeout: 2 * time.Second, Shares: usualShares}
	if f := visit(t, s, minute, crowd{Background, 300, 100 * ms, 0})[Background]; f.served < 5990 {
		t.Errorf("%d of background alone were served; the pool can take 6000", f.served)
	}
	fates := visit(t, s, minute, crowd{Member, 20, 100 * ms, 0}, crowd{Anonymous, 100, 100 * ms, ms}, crowd{Background, 300, 100 * ms, 2 * ms})
	if m, a, b := fates[Member], fates[Anonymous], fates[Background]; m.served != m.came || m.served+a.served+b.served < 5950 || a.served < 4300 {
		t.Errorf("%+v; want all members, and of what they leave most for the strangers", fates)
	}
}

// Without shares it is who matters most first, and a timeout ends every wait.
func TestWithoutShares(t *testing.T) {
	fates := visit(t, GateSettings{Limit: 4, Length: 64, Timeout: 2 * time.Second}, minute,
		crowd{Member, 30, 100 * ms, 0}, crowd{SignIn, 30, 100 * ms, ms}, crowd{Background, 300, 100 * ms, 2 * ms})
	if m, b := fates[Member], fates[Background]; m.served < m.came*99/100 || b.served > 100 {
		t.Errorf("%+v; want all members and nearly none of background", fates)
	}
	if fates[SignIn].served < 500 {
		t.Errorf("%+v; want what members leave for sign-ins", fates)
	}
}

func TestAFullQueueMakesPlaceForWhoMattersMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, held := full(t, 1, GateSettings{Length: 2, Timeout: minute})
		first, second := make(chan error, 1), make(chan error, 1)
		wait := func(c Class, end chan error) {
			go func() {
				p, err := g.Acquire(t.Context(), c)
				p.Done()
				end <- err
			}()
			synctest.Wait()
		}
		wait(Anonymous, first)
		wait(Anonymous, second)
		if _, err := g.Acquire(t.Context(), Anonymous); !errors.Is(err, ErrFull) {
			t.Errorf("one's like got %v; want ErrFull", err)
		}
		member := make(chan error, 1)
		wait(Member, member)
		if err := <-second; !errors.Is(err, ErrDisplaced) || len(first) != 0 {
			t.Errorf("the newer got %v; want ErrDisplaced, and the older to stay", err)
		}
		held[0].Done()
		if a, b := <-member, <-first; a != nil || b != nil {
			t.Errorf("they got %v and %v", a, b)
		}
		empty(t, g)
	})
}

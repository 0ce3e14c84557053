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

func TestTheNextLimit(t *testing.T) {
	const ms = time.Millisecond
	bounds := AdaptiveSettings{Min: 8, Max: 200}
	known := measure{limit: 100, usual: 0.1, windows: firstWindows + 1}
	answers := func(n int, each time.Duration, peak int) window {
		return window{answers: n, logs: float64(n) * math.Log(max(each, 1).Seconds()), peak: peak}
	}
	failing := func(n, failures, peak int) window {
		w := answers(n, 100*ms, peak)
		w.failures = failures
		return w
	}
	at := func(limit float64) measure { m := known; m.limit = limit; return m }
	for _, c := range []struct {
		name string
		from measure
		w    window
		want float64
		why  change
	}{
		{"nothing was seen", known, window{}, 100, changeNone},
		{"as usual, and in use", known, answers(100, 100*ms, 100), 110, changeGrows},
		{"a little slower is usual, too", known, answers(100, 149*ms, 100), 110, changeGrows},
		{"as usual, and half in use", known, answers(100, 100*ms, 50), 110, changeGrows},
		{"as usual, and less in use", known, answers(100, 100*ms, 49), 100, changeUnused},
		{"slow, but not for being full", known, answers(100, 500*ms, 49), 100, changeUnused},
		{"twice as slow", known, answers(100, 200*ms, 100), 100 - 0.2*(25-10), changeSlow},
		{"a hundred times as slow", known, answers(100, 10*time.Second, 100), 100 - 0.2*(50-10), changeSlow},
		{"one in ten without an answer is not failing", known, failing(90, 10, 100), 110, changeGrows},
		{"more are", known, failing(89, 11, 100), 92, changeFailing},
		{"all of them cost no more", known, failing(0, 1000, 100), 92, changeFailing},
		{"failing, but not for being full", known, failing(0, 1000, 10), 100, changeUnused},
		{"as usual at the most", at(199), answers(100, 100*ms, 199), 200, changeGrows},
		{"slow at the least", at(8), answers(100, 900*ms, 8), 8, changeSlow},
		{"a small limit may grow in spite of a slow window", at(10), answers(100, 200*ms, 10), 11.5, changeSlow},
		{"what is usual is not known yet", measure{limit: 64, windows: 3, usual: 0.01, quick: 0.01}, answers(100, 900*ms, 64), 64, changeLearns},
		{"an unknown pool may double", measure{limit: 64}, answers(100, 400*ms, 64), 128, changeDoubles},
		{"and again", measure{limit: 128, windows: 2, usual: 0.1, quick: 0.1, proven: 64}, answers(100, 149*ms, 128), 200, changeDoubles},
		{"not unless nearly all is in use", measure{limit: 64, windows: 2, usual: 0.1, quick: 0.1}, answers(100, 100*ms, 47), 72, changeGrows},
		{"not while it is not in use", measure{limit: 64, windows: 2, usual: 0.1, quick: 0.1}, answers(100, 100*ms, 31), 64, changeUnused},
		{"not before the last doubling had time to show", measure{limit: 64, windows: 2, usual: 0.6, quick: 0.6}, answers(100, 600*ms, 64), 72, changeGrows},
		{"slower than at first: it takes a doubling back", measure{limit: 128, windows: 2, usual: 0.1, quick: 0.1, proven: 64}, answers(100, 160*ms, 128), 64, changeLearns},
		{"and doubles no more", measure{limit: 64, windows: 3, usual: 0.1, quick: 0.1, proven: 64, settled: true}, answers(100, 100*ms, 64), 72, changeGrows},
		{"nor takes more back", measure{limit: 72, windows: 4, usual: 0.1, quick: 0.1, proven: 64, settled: true}, answers(100, 160*ms, 72), 72, changeLearns},
		{"an unknown pool may fail", measure{limit: 64}, failing(0, 100, 64), 64 - 0.2*(32-8), changeFailing},
		{"answers in no time", known, answers(100, 0, 100), 110, changeGrows},
	} {
		got, why := c.from.next(c.w, bounds)
		if math.Abs(got.limit-c.want) > 0.2 || why != c.why {
			t.Errorf("%s: %.2f, %s; want %.2f, %s", c.name, got.limit, why, c.want, c.why)
		}
	}
}

// backend is a pool of which each request takes as long as usual up to a capacity, and longer in proportion beyond it.
type backend struct {
	base     time.Duration
	capacity float64
}

// run lets wanted requests be under way at once, or as many as the limit allows, for some seconds.
func (b backend) run(m measure, s AdaptiveSettings, wanted float64, seconds int) measure {
	for range seconds {
		inFlight := math.Min(wanted, math.Floor(m.limit))
		took := time.Duration(float64(b.base) * math.Max(1, inFlight/b.capacity))
		n := int(inFlight / took.Seconds())
		m, _ = m.next(window{answers: n, logs: float64(n) * math.Log(took.Seconds()), peak: int(inFlight)}, s)
	}
	return m
}

func TestAnAdaptiveLimitInAModelPool(t *testing.T) {
	s := AdaptiveSettings{}.withDefaults()
	b := backend{base: 100 * time.Millisecond, capacity: 100}
	calm := b.run(measure{}.bounded(s, 0, 0), s, 60, 600)

	t.Run("overload finds the capacity", func(t *testing.T) {
		m := b.run(calm, s, 1000, 60)
		t.Logf("after a minute of ten times the load the limit is %.0f; the pool takes 100 at once", m.limit)
		if m.limit < 100 || m.limit > 250 {
			t.Errorf("the limit is %.0f", m.limit)
		}
		if m = b.run(m, s, 1000, 300); m.limit > 400 {
			t.Errorf("after six minutes the limit is %.0f", m.limit)
		}
		t.Logf("after six minutes it is %.0f", m.limit)
	})
	t.Run("a lost half is found", func(t *testing.T) {
		m := b.run(calm, s, 1000, 60)
		m = backend{b.base, 50}.run(m, s, 1000, 60)
		t.Logf("a minute after half of the pool was lost the limit is %.0f", m.limit)
		if m.limit > 125 {
			t.Errorf("the limit is %.0f", m.limit)
		}
	})
	t.Run("a quiet night forgets nothing and adds nothing", func(t *testing.T) {
		if m := b.run(calm, s, 3, 8*3600); m.limit != calm.limit {
			t.Errorf("the limit went from %.0f to %.0f", calm.limit, m.limit)
		}
	})
	t.Run("a rush that the pool can take", func(t *testing.T) {
		big := backend{b.base, 10000}
		m := big.run(measure{}.bounded(s, 0, 0), s, 1000, 45)
		t.Logf("45 seconds after a rush on an idle pool the limit is %.0f", m.limit)
		if m.limit < 600 {
			t.Errorf("the limit is %.0f", m.limit)
		}
	})
	t.Run("errors made in no time", func(t *testing.T) {
		big := backend{b.base, 10000}
		before := big.run(calm, s, 1000, 120)
		m := backend{2 * time.Millisecond, 10000}.run(before, s, 1000, 20)
		m = big.run(m, s, 1000, 60)
		t.Logf("a minute after 20 seconds of them the limit went from %.0f to %.0f", before.limit, m.limit)
		if m.limit < before.limit {
			t.Error("they cost the pool a part of its limit")
		}
	})
	t.Run("a pool that hangs", func(t *testing.T) {
		m := calm
		for range 30 {
			m, _ = m.next(window{failures: 20, peak: int(m.limit)}, s)
		}
		hung := m.limit
		m = b.run(m, s, 80, 15)
		t.Logf("30 seconds without an answer take the limit from %.0f to %.0f; 15 good ones to %.0f", calm.limit, hung, m.limit)
		if hung < 8 || m.limit < 60 {
			t.Error("it has to come back soon")
		}
	})
	t.Run("a pool that is better for good", func(t *testing.T) {
		m := b.run(calm, s, 1000, 300)
		m.usual = 1
		m = b.run(m, s, 60, 120)
		t.Logf("the usual time went from a second to %.3fs in two minutes of calm", m.usual)
		if m.usual > 0.21 {
			t.Error("what was usual under overload stays usual")
		}
	})
}

// A gate in front of a pool that takes 20 at once, 200 a second: 100 come a second for half a minute, then 600.
func TestAnAdaptiveGateUnderOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		g.Set(GateSettings{Adaptive: &AdaptiveSettings{}, Length: 128, Timeout: 2 * time.Second, Shares: usualShares})
		var running, calm, good atomic.Int64
		var all sync.WaitGroup
		come := func(span, every time.Duration, in *atomic.Int64) (came int64) {
			for began := time.Now(); time.Since(began) < span; time.Sleep(every) {
				came++
				all.Go(func() {
					came := time.Now()
					p, err := g.Acquire(context.Background(), Classes[came.UnixNano()/1e6%NumClasses])
					if err != nil {
						return
					}
					sent := time.Now()
					time.Sleep(time.Duration(100e6 * math.Max(1, float64(running.Add(1))/20)))
					running.Add(-1)
					p.Sample(time.Since(sent), false)
					p.Done()
					if time.Since(came) < time.Second {
						in.Add(1)
					}
				})
			}
			return came
		}
		came := come(30*time.Second, time.Second/100, &calm)
		quiet := g.Load().Limit
		come(60*time.Second, time.Second/600, &good)
		busy := g.Load().Limit
		all.Wait()
		t.Logf("%d of %d were answered in calm with a limit of %d; %d within a second under overload, of 12000 that the pool can, with %d",
			calm.Load(), came, quiet, good.Load(), busy)
		if calm.Load() != came {
			t.Error("somebody was refused in calm")
		}
		if busy < 20 || busy > 60 || good.Load() < 10000 {
			t.Error("the pool was left idle or flooded")
		}
		empty(t, &g)
	})
}

// In a gate the limit moves by samples alone, one window a second, and lets those in who wait for it. Whose answer has begun no
// longer counts against it.
func TestAGateFindsItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		g.Set(GateSettings{Adaptive: &AdaptiveSettings{Min: 4, Max: 50}, Limit: 10, Length: 100, Timeout: time.Minute})
		in := make(chan Permit, 100)
		for range 33 {
			go func() {
				p, err := g.Acquire(t.Context(), Member)
				if err != nil {
					t.Error(err)
				}
				in <- p
			}()
		}
		check := func(why string, limit, inFlight, queued int) {
			t.Helper()
			synctest.Wait()
			want := GateLoad{InFlight: inFlight, Limit: limit, Queued: queued}
			want.Classes[Member] = ClassLoad{inFlight, queued}
			if l := g.Load(); l != want {
				t.Fatalf("%s: %+v; want %+v", why, l, want)
			}
		}
		check("the beginning", 10, 10, 23)
		var held []Permit
		for range 9 {
			p := <-in
			p.Sample(100*time.Millisecond, false)
			p.Sample(time.Hour, true) // the second time says nothing
			held = append(held, p)
		}
		time.Sleep(time.Second)
		check("nine answers have begun", 10+9, 10+9, 14)
		p := <-in
		p.Sample(100*time.Millisecond, false)
		held = append(held, p)
		check("a good window doubled what it begins with", 20+10, 20+10, 3)
		for i := range held {
			held[i].Done()
			held[i].Sample(time.Hour, true) // too late to say anything
		}
		check("answers have ended", 20, 20, 3)
		p = <-in
		p.Done()
		check("one went without an answer", 20, 20, 2)
		g.Set(GateSettings{Adaptive: &AdaptiveSettings{Min: 4, Max: 50}, Limit: 10})
		check("the same settings again: what it has learnt", 20, 20, 2)
		g.Set(GateSettings{Adaptive: &AdaptiveSettings{Min: 4, Max: 12}})
		check("other bounds", 12, 20, 2)
		p = <-in
		p.Sample(100*time.Millisecond, false)
		g.Set(GateSettings{Limit: 3})
		check("a fixed limit", 3, 20, 2)
		p.Done()
		for range 21 {
			p := <-in
			p.Sample(100*time.Millisecond, false)
			p.Done()
		}
		check("the end", 3, 0, 0)
		empty(t, &g)
	})
}

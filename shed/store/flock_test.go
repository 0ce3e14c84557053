package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

// weather is what one store does over time, as several Gatehouses see it.
type weather struct {
	from    time.Time
	changes []change // by time
}

type change struct {
	at time.Duration // since from
	e  Evidence
}

// then is what it does at a moment, and for how long it has done so.
func (w *weather) then(at time.Duration) (Evidence, time.Duration) {
	e, since := good, time.Duration(0)
	for _, c := range w.changes {
		if c.at > at {
			break
		}
		e, since = c.e, c.at
	}
	return e, at - since
}

func (w *weather) end() time.Duration { return w.changes[len(w.changes)-1].at }

// window is a Prober that looks at the weather, and sees it late.
type window struct {
	weather *weather
	late    time.Duration
	probes  atomic.Int64
}

func (p *window) Probe(ctx context.Context, _ int) Evidence {
	p.probes.Add(1)
	time.Sleep(answers)
	e, _ := p.weather.then(time.Since(p.weather.from) - p.late)
	if e.Cause == shed.CauseHung {
		<-ctx.Done()
	}
	return e
}

func (p *window) Greet(context.Context) Evidence { return good }
func (p *window) Close() error                   { return nil }

// answers is how long a probe takes that is answered.
const answers = time.Millisecond

// closesWithin, opensWithin are the bounds of the model.
func closesWithin(s Settings) time.Duration {
	return max(s.Interval, s.Timeout+gap) + max(2*answers+gap, 3*s.Timeout+2*gap)
}

func opensWithin(s Settings) time.Duration {
	return s.Timeout + farthest + max(time.Duration(s.rise()-1)*s.Interval, s.After+s.Interval) + answers
}

// agreesWithin is how long Gatehouses may disagree about all but sign-ins, after the store's last change.
func agreesWithin(s Settings) time.Duration { return max(closesWithin(s), opensWithin(s)) }

// flock is so many Gatehouses' Monitors under one weather.
type flock struct {
	*weather
	monitors []*Monitor
	windows  []*window
}

// seen is what a run showed.
type seen struct {
	longest, signIns time.Duration // they disagreed about all but sign-ins, about sign-ins
	old              time.Duration // the longest that the store had stayed the same while they disagreed about all but sign-ins
	oldSignIns       time.Duration
	disagreed        int   // how often
	perSecond        int64 // probes of the busiest instance in any second
	all              int64 // of all of them in any second
}

// watch runs the weather to its end and for another while, and looks every other millisecond.
func (f *flock) watch(t *testing.T, after time.Duration) (s seen) {
	f.from = time.Now()
	for _, m := range f.monitors {
		m.Start()
		defer m.Close()
		time.Sleep(m.set.Interval / time.Duration(len(f.monitors))) // processes do not begin together
	}
	counts := make([]int64, len(f.windows))
	var from, signFrom time.Time
	disagree := func(with func(v shed.Verdict) bool) bool {
		first := with(f.monitors[0].Current())
		for _, m := range f.monitors[1:] {
			if with(m.Current()) != first {
				return true
			}
		}
		return false
	}
	measure := func(is bool, from *time.Time, longest, old *time.Duration, same time.Duration) {
		switch {
		case !is:
			*from = time.Time{}
			return
		case from.IsZero():
			*from = time.Now()
			s.disagreed++
		}
		*longest = max(*longest, time.Since(*from))
		*old = max(*old, same)
	}
	second := time.Now()
	for time.Since(f.from) < f.end()+after {
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if time.Since(f.from) < time.Second { // the first verdicts
			second = time.Now()
			for i, w := range f.windows {
				counts[i] = w.probes.Load()
			}
			continue
		}
		_, same := f.then(time.Since(f.from))
		measure(disagree(func(v shed.Verdict) bool { return unheld(v).State.Impaired() }), &from, &s.longest, &s.old, same)
		measure(disagree(func(v shed.Verdict) bool { return v.State.Impaired() }), &signFrom, &s.signIns, &s.oldSignIns, same)
		if time.Since(second) >= time.Second {
			second = time.Now()
			total := int64(0)
			for i, w := range f.windows {
				s.perSecond = max(s.perSecond, w.probes.Load()-counts[i])
				total += w.probes.Load() - counts[i]
				counts[i] = w.probes.Load()
			}
			s.all = max(s.all, total)
		}
	}
	return s
}

// gathered makes n Gatehouses' Monitors; late says how late the i-th sees the store.
func gathered(w *weather, n int, set Settings, late func(i int) time.Duration) *flock {
	f := &flock{weather: w}
	for i := range n {
		p := &window{weather: w, late: late(i)}
		f.windows = append(f.windows, p)
		f.monitors = append(f.monitors, New(p, set, nil))
	}
	return f
}

// changing is a store that flaps between well and everything else, and stays as it is for between least and most.
func changing(seed uint64, n int, least, most time.Duration) *weather {
	luck := rand.New(rand.NewPCG(seed, 7))
	ill := []Evidence{readOnly, refused, full, hung, loading, paused}
	w := &weather{}
	at := 2 * time.Second
	for i := range n {
		e := good
		if i%2 == 0 {
			e = ill[luck.IntN(len(ill))]
		}
		w.changes = append(w.changes, change{at, e})
		at += least + time.Duration(luck.Int64N(int64(most-least)+1))
	}
	w.changes = append(w.changes, change{at, good})
	return w
}

// See the model in doc: what several Gatehouses before one store disagree about, and for how long.
func TestSeveralGatehousesBeforeOneStore(t *testing.T) {
	spread := 40 * time.Millisecond
	for _, n := range []int{2, 50} {
		for _, row := range []struct {
			name        string
			late        func(i int) time.Duration
			apart       time.Duration
			changes     int
			least, most time.Duration
			set         Settings
		}{
			{"a store that changes slowly", func(int) time.Duration { return 0 }, 0, 16, 2500 * time.Millisecond, 5 * time.Second, usual},
			{"each sees it at another time", func(i int) time.Duration { return spread * time.Duration(i) / time.Duration(n-1) }, spread,
				16, 2500 * time.Millisecond, 5 * time.Second, usual},
			{"a store that flaps", func(int) time.Duration { return 0 }, 0, 200, 5 * time.Millisecond, 600 * time.Millisecond, holdingShort()},
			{"a store that flaps, seen at different times", func(i int) time.Duration { return spread * time.Duration(i) / time.Duration(n-1) }, spread,
				200, 5 * time.Millisecond, 600 * time.Millisecond, holdingShort()},
		} {
			t.Run(fmt.Sprintf("%s, %d of them", row.name, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := changing(uint64(n), row.changes/(1+n/25), row.least, row.most)
					bound := agreesWithin(row.set) + row.apart
					slow := row.least > bound
					got := gathered(w, n, row.set, row.late).watch(t, bound+row.set.HoldTo+time.Second)
					t.Logf("disagreed %d times; for %v at most, %v after a change (bound %v); about sign-ins for %v, %v after (bound %v); "+
						"%d probes in a second by one, %d by all", got.disagreed, got.longest, got.old, bound,
						got.signIns, got.oldSignIns, bound+row.set.HoldTo, got.perSecond, got.all)
					if got.disagreed == 0 {
						t.Error("they never disagreed: this shows nothing")
					}
					if got.old > bound || slow && got.longest > bound {
						t.Errorf("they disagreed for %v, and %v after a change; want %v at most", got.longest, got.old, bound)
					}
					if got.oldSignIns > bound+row.set.HoldTo {
						t.Errorf("they disagreed about sign-ins %v after a change; want %v at most", got.oldSignIns, bound+row.set.HoldTo)
					}
					// Each check makes two probes where the store says no, and at most five where it hangs, which take their time; and nobody asked for more.
					if most := int64(2 * time.Second / row.set.Interval); got.perSecond > most {
						t.Errorf("%d probes in a second by one instance, want at most %d", got.perSecond, most)
					}
				})
			})
		}
	}
}

// holdingShort is the usual Monitor with a hold-down of a few seconds.
func holdingShort() Settings {
	s := usual
	s.HoldFrom, s.HoldTo = time.Second, 4*time.Second
	return s
}

// However many sign-ins ask for however many checks, one instance begins no two probes less than a gap apart.
func TestNoDemandMakesAnInstanceProbeMoreOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := changing(3, 100, 20*time.Millisecond, 400*time.Millisecond)
		f := gathered(w, 3, usual, func(int) time.Duration { return 0 })
		stop, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		defer all.Wait()
		defer cancel()
		for _, m := range f.monitors {
			for range 20 {
				all.Go(func() {
					for stop.Err() == nil {
						m.Verdict(stop, 0)
						time.Sleep(time.Millisecond)
					}
				})
			}
		}
		got := f.watch(t, time.Second)
		t.Logf("%d probes in a second by one, %d by three", got.perSecond, got.all)
		if most := int64(time.Second/gap) + 1; got.perSecond > most || got.perSecond < 50 {
			t.Errorf("%d probes in a second by one instance, want at most %d, and some that were asked for", got.perSecond, most)
		}
	})
}

package store

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

// hears makes a func a Hearer.
type hears func(shed.Verdict)

func (f hears) StoreClosed(v shed.Verdict) { f(v) }

// onClose calls f once when m closes.
func onClose(m interface{ Watch(*Watcher, Hearer) }, f func(shed.Verdict)) (stop func()) {
	w := new(Watcher)
	m.Watch(w, hears(f))
	return func() { w.Stop() }
}

func TestClosingsAreTold(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		var heard []shed.State
		var again func(v shed.Verdict)
		again = func(v shed.Verdict) {
			heard = append(heard, v.State)
			onClose(s, again)
		}
		onClose(s, again)
		once := 0
		stop := onClose(s, func(shed.Verdict) { once++ })
		never := onClose(s, func(shed.Verdict) { t.Error("called after stop") })
		never()
		never()

		s.p.say(tardy)
		s.become(t, shed.Strained, time.Second)
		if len(heard) != 0 {
			t.Error("strained is not a closing")
		}
		s.p.say(readOnly)
		s.become(t, shed.ReadOnly, time.Second)
		s.p.say(full) // another cause is no worse
		time.Sleep(time.Second)
		s.p.say(loading)
		s.become(t, shed.Down, time.Second)
		s.p.say(readOnly)
		s.become(t, shed.ReadOnly, 2*time.Second)
		s.p.say(good)
		s.become(t, shed.Writable, 2*time.Second)
		s.p.say(refused)
		s.become(t, shed.Down, time.Second)
		synctest.Wait()
		stop()
		s.Close()
		if len(heard) != 3 || heard[0] != shed.ReadOnly || heard[1] != shed.Down || heard[2] != shed.Down {
			t.Errorf("heard %v", heard)
		}
		if once != 1 {
			t.Errorf("called %d times", once)
		}
	})
}

func TestAnybodyInFlightIsCancelled(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		var all sync.WaitGroup
		for range 500 {
			ctx, cancel := context.WithCancel(t.Context())
			stop := onClose(s, func(shed.Verdict) { cancel() })
			all.Go(func() {
				defer stop()
				<-ctx.Done()
			})
		}
		s.p.say(readOnly)
		all.Wait()
		s.want(t, shed.ReadOnly, shed.CauseReadOnly)
	})
}

// One that is stopped while the others are told is neither told nor kept.
func TestStopWhileTelling(t *testing.T) {
	var m Monitor
	stops, told := make([]func(), 400), 0
	for i := range stops {
		stops[i] = onClose(&m, func(shed.Verdict) {
			told++
			for k := 0; k < len(stops); k += 2 {
				stops[k]()
			}
		})
	}
	m.watch.fire(shed.Verdict{})
	if told < 200 || told > 201 {
		t.Errorf("%d told, want the 200 that were not stopped, and perhaps the first", told)
	}
	for i := range m.watch.shards {
		if m.watch.shards[i].head != nil {
			t.Fatal("somebody is left behind")
		}
	}
}

// Coming, going and firing at once, for the race detector; and nobody is left behind.
func TestWatchersConcurrently(t *testing.T) {
	var m Monitor
	var all sync.WaitGroup
	end := time.Now().Add(200 * time.Millisecond)
	for range 4 {
		all.Go(func() {
			for time.Now().Before(end) {
				stops := make([]func(), 8)
				for i := range stops {
					stops[i] = onClose(&m, func(shed.Verdict) {})
				}
				for _, stop := range stops {
					stop()
					stop()
				}
			}
		})
	}
	all.Go(func() {
		for time.Now().Before(end) {
			m.watch.fire(shed.Verdict{})
		}
	})
	all.Wait()
	for i := range m.watch.shards {
		if m.watch.shards[i].head != nil {
			t.Fatal("somebody is left behind")
		}
	}
}

func TestAFreshVerdictDoesNotAllocate(t *testing.T) {
	m := fresh()
	ctx := context.Background()
	if n := testing.AllocsPerRun(1000, func() { m.Verdict(ctx, time.Hour) }); n != 0 {
		t.Errorf("Verdict: %v allocations", n)
	}
	if n := testing.AllocsPerRun(1000, func() { m.Current(); m.LastImpaired() }); n != 0 {
		t.Errorf("Current and LastImpaired: %v allocations", n)
	}
	var w Watcher
	h := new(ear)
	if n := testing.AllocsPerRun(1000, func() {
		m.Watch(&w, h)
		w.Stop()
	}); n != 0 {
		t.Errorf("Watch and Stop: %v allocations", n)
	}
}

// fresh is a Monitor that knows, and does not run.
func fresh() *Monitor {
	m := New(nil, usual, nil)
	now := time.Now()
	m.at.Store(&standing{state: shed.Writable, cause: shed.OK, since: now, begun: now, opened: now, over: time.Hour})
	return m
}

func BenchmarkVerdictFresh(b *testing.B) {
	m, ctx := fresh(), context.Background()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Verdict(ctx, time.Hour)
		}
	})
}

func BenchmarkWatchAndStop(b *testing.B) {
	m := fresh()
	for range 1000 {
		onClose(m, func(shed.Verdict) {})
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		w, h := new(Watcher), new(ear)
		for pb.Next() {
			m.Watch(w, h)
			w.Stop()
		}
	})
}

func BenchmarkCurrent(b *testing.B) {
	m := fresh()
	b.Run("ramping", func(b *testing.B) {
		for b.Loop() {
			m.Current()
		}
	})
	b.Run("settled", func(b *testing.B) {
		at := *m.at.Load()
		at.opened = time.Time{}
		at.settle(time.Now())
		m.at.Store(&at)
		for b.Loop() {
			m.Current()
		}
	})
}

package line

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

// Whatever place comes, the line keeps its promises.
func FuzzEnter(f *testing.F) {
	f.Add(int64(0), uint64(1), uint16(1), uint8(0))
	f.Add(int64(-1e18), uint64(1<<63), uint16(60000), uint8(1))
	f.Add(int64(3e9), uint64(0), uint16(9), uint8(2))
	f.Add(int64(1e12), uint64(5), uint16(9), uint8(16|32))
	f.Add(int64(9e18), uint64(1<<48), uint16(9), uint8(7))
	f.Fuzz(func(t *testing.T, seen int64, id uint64, step uint16, ops uint8) {
		l, _ := closedLine(usual, 50)
		if ops&8 != 0 {
			l = New(usual)
			l.Close(epoch)
		}
		now := epoch.Add(time.Second)
		p := Place{Seen: epoch.Add(time.Duration(seen)), ID: id}
		entered := 0
		for i := range 60 {
			now = now.Add(time.Duration(step) * time.Millisecond / 10)
			switch {
			case ops&1 != 0 && i == 20:
				l.Open(now)
			case ops&2 != 0 && i == 30:
				l.Close(now)
			case ops&4 != 0 && i == 40:
				l.Open(now)
			}
			away := l.phase == closed
			var turn Turn
			if away && ops&16 != 0 {
				turn = l.TurnedAway(now, p)
			} else {
				turn = l.Enter(now, p)
			}
			switch {
			case turn.Enter:
				if entered++; away {
					t.Fatalf("entered a closed store with %+v", p)
				}
				if turn.Kept && p.ID&identity == 0 {
					t.Fatalf("a place without an id was good: %+v", p)
				}
				continue
			case turn.Wait < time.Second || turn.Wait > time.Minute || turn.Wait%time.Second != 0:
				t.Fatalf("told to wait %v", turn.Wait)
			case turn.Ahead < -1 || turn.Ahead > 200:
				t.Fatalf("%d are said to stand before him", turn.Ahead)
			case turn.Place.ID&identity == 0 || turn.Place.Seen.After(now.Add(clocks)) || turn.Place.Seen.Before(l.zero):
				t.Fatalf("given the place %+v at %v", turn.Place, now)
			case turn.Kept && !turn.Place.Seen.Equal(p.Seen):
				t.Fatalf("a place was kept and changed: %+v from %+v", turn.Place, p)
			}
			if ops&32 != 0 {
				p = turn.Place
			}
		}
	})
}

func TestWhatAVisitorIsToldWhileClosed(t *testing.T) {
	l, _ := closedLine(usual, 0)
	first := l.TurnedAway(epoch, Place{})
	if first.Enter || first.Kept || first.Ahead != 0 || first.Place.ID == 0 || !first.Place.Seen.Equal(epoch) {
		t.Errorf("the first: %+v", first)
	}
	sum, least, latest := map[bool]time.Duration{}, time.Hour, time.Duration(0)
	for i := range 20000 {
		turn := l.TurnedAway(epoch.Add(time.Duration(i)*time.Millisecond/5), Place{}) // before any of them is due
		least, latest = min(least, turn.Wait), max(latest, turn.Wait)
		sum[i >= 10000] += turn.Wait
	}
	if least < 5*time.Second || latest > time.Minute {
		t.Errorf("told to wait from %v to %v", least, latest)
	}
	if sum[true] < sum[false]*3/2 {
		t.Errorf("the later half waits %v, the earlier %v", sum[true]/10000, sum[false]/10000)
	}
	again := l.TurnedAway(epoch.Add(20*time.Second), first.Place)
	if !again.Kept || again.Place != first.Place || again.Ahead != 0 || again.Wait > 8*time.Second {
		t.Errorf("the first again: %+v", again)
	}
}

func TestAStoreThatClosedThisMomentGivesAPlaceAllTheSame(t *testing.T) {
	l := New(usual)
	l.Enter(epoch.Add(-time.Hour), Place{})
	turn := l.TurnedAway(epoch.Add(-time.Millisecond), Place{})
	l.Close(epoch)
	if again := l.TurnedAway(epoch.Add(6*time.Second), turn.Place); !again.Kept {
		t.Errorf("a place from a millisecond before the closure is not good: %+v then %+v", turn, again)
	}
}

func TestConcurrentUse(t *testing.T) {
	l, places := closedLine(Settings{From: 50, To: 50, Over: time.Minute}, 1000)
	l.Open(opening)
	var all sync.WaitGroup
	var clock, in atomic.Int64
	for n := range 8 {
		all.Go(func() {
			for at := int64(0); at < int64(time.Second); at = clock.Add(int64(125 * time.Microsecond)) {
				now := opening.Add(time.Duration(at))
				switch {
				case n == 0:
					l.Report(now, false, time.Millisecond)
					l.Load(now)
					l.Use(now, uint64(at))
				case l.Enter(now, places[int(at/int64(time.Millisecond))]).Enter:
					in.Add(1)
				}
			}
		})
	}
	all.Wait()
	if n := in.Load(); n > 55 || n < 10 {
		t.Errorf("%d entered within a second at 50/s", n)
	}
}

func TestAMillionVisitorsTakeNoMemory(t *testing.T) {
	l, _ := closedLine(usual, 0)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	ask := func(from int, ask func(time.Time, Place) Turn) {
		for i := range 500_000 {
			now := epoch.Add(time.Duration(from+i) * time.Millisecond / 5)
			turn := ask(now, Place{})
			if i%2 == 0 {
				ask(now, turn.Place)
			}
		}
	}
	ask(0, l.TurnedAway)
	l.Open(epoch.Add(100 * time.Second))
	ask(500_000, l.Enter)
	grown := int64(heap()) - int64(before)
	t.Logf("%d bytes, and %d of used ids; %d more bytes after a million visitors; %d counted, %d admitted",
		unsafe.Sizeof(*l), unsafe.Sizeof(*l.spent), grown, int(l.order.total), l.admitted)
	if grown > 100_000 || l.order.total < 950_000 {
		t.Errorf("%d bytes more, %v counted", grown, l.order.total)
	}
	runtime.KeepAlive(l)
}

func TestNothingAllocates(t *testing.T) {
	l, places := closedLine(usual, 1000)
	now := epoch.Add(20 * time.Second)
	check := func(name string, call func()) {
		if n := testing.AllocsPerRun(1000, func() { now = now.Add(time.Millisecond); call() }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	i := 0
	check("TurnedAway", func() { i++; l.TurnedAway(now, places[i%1000]); l.TurnedAway(now, Place{}) })
	l.Open(now)
	check("Enter", func() { i++; l.Enter(now, places[i%1000]); l.Enter(now, Place{}) })
	check("Report and Load", func() { l.Report(now, false, time.Millisecond); l.Load(now) })
}

func BenchmarkEnter(b *testing.B) {
	l, places := closedLine(usual, 5000)
	l.Set(Settings{From: 10, To: 500, Over: time.Hour})
	l.Open(opening)
	b.Run("in line", func(b *testing.B) { bench(b, l, places) })
	b.Run("without a place", func(b *testing.B) { bench(b, l, make([]Place, 1)) })
	b.Run("calm", func(b *testing.B) { bench(b, New(usual), make([]Place, 1)) })
}

// bench lets sixteen ask, a million a second by the line's clock.
func bench(b *testing.B, l *Line, places []Place) {
	var at atomic.Int64
	b.SetParallelism(8)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := at.Add(1)
			l.Enter(opening.Add(time.Duration(n)*time.Microsecond), places[int(n)%len(places)])
		}
	})
}

package line

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

var epoch = time.Date(2024, 5, 1, 9, 0, 0, 0, time.UTC)

// flood asks every step for as long as the ramp runs and returns the moments of admission.
func flood(l *Line, p Place, step, long time.Duration) (in []time.Duration) {
	for at := time.Duration(0); at < long; at += step {
		if l.Enter(p.Opened.Add(at), p) == 0 {
			in = append(in, at)
		}
	}
	return in
}

func TestNoWindowAdmitsMoreThanItsRateAndATenth(t *testing.T) {
	for _, s := range []Settings{
		{From: 10, To: 500, Over: 30 * time.Second},
		{From: 1, To: 1, Over: 20 * time.Second},
		{From: 3, To: 40, Over: 10 * time.Second},
		{From: 500, To: 10, Over: 10 * time.Second},
	} {
		l, p := New(s), Place{Opened: epoch}
		in := flood(l, p, time.Millisecond, s.Over)
		for i, at := range in {
			n := 0
			for j := i; j < len(in) && in[j] < at+time.Second; j++ {
				n++
			}
			most := max(l.rate(at), l.rate(at+time.Second)) * 1.1
			if float64(n) > most+1e-9 {
				t.Fatalf("%+v: %d admitted in the second from %v, at most %.1f wanted", s, n, at, most)
			}
		}
		if total, want := float64(len(in)), l.between(0, s.Over); total < want*0.95-1 || total > want*1.05+1 {
			t.Errorf("%+v: %v admitted over the ramp, about %.0f wanted", s, total, want)
		}
	}
}

func TestBurstAfterIdlenessIsATenthOfASecond(t *testing.T) {
	l, p := New(Settings{From: 100, To: 100, Over: time.Minute}), Place{Opened: epoch}
	in := 0
	for range 1000 {
		if l.Enter(epoch.Add(20*time.Second), p) == 0 {
			in++
		}
	}
	if in != 10 {
		t.Errorf("%d entered at once at 100/s, want 10", in)
	}
}

func TestEnterWithoutARamp(t *testing.T) {
	s := Settings{From: 1, To: 1, Over: time.Minute}
	for name, enter := range map[string]func() time.Duration{
		"no ramp runs":    func() time.Duration { return New(s).Enter(epoch, Place{}) },
		"the ramp is out": func() time.Duration { return New(s).Enter(epoch.Add(time.Minute), Place{Opened: epoch}) },
		"zero settings":   func() time.Duration { return new(Line).Enter(epoch, Place{Opened: epoch}) },
	} {
		for range 3 {
			if d := enter(); d != 0 {
				t.Errorf("%s: wait %v, want to enter", name, d)
			}
		}
	}
}

func TestEstimatesGrowWithThoseTurnedAway(t *testing.T) {
	l, p := New(Settings{From: 10, To: 10, Over: time.Minute}), Place{Opened: epoch}
	if d := l.Enter(epoch, p); d != 0 {
		t.Fatalf("the first was told to wait %v", d)
	}
	last := time.Duration(0)
	for i := 1; i <= 50; i++ {
		d := l.Enter(epoch, p)
		if d <= last {
			t.Fatalf("estimate %d is %v, not later than %v", i, d, last)
		}
		if want := time.Duration(i) * 100 * time.Millisecond; d < want-time.Millisecond || d > want+time.Millisecond {
			t.Fatalf("estimate %d is %v, want about %v", i, d, want)
		}
		last = d
	}
	for range 10000 {
		if d := l.Enter(epoch, p); d > time.Minute {
			t.Fatalf("told to wait %v, past the end of the ramp", d)
		}
	}
}

func TestWhoComesWhenToldEnters(t *testing.T) {
	l, p := New(Settings{From: 5, To: 50, Over: 30 * time.Second}), Place{Opened: epoch}
	var due []time.Duration
	for range 60 {
		if d := l.Enter(epoch, p); d > 0 {
			due = append(due, d)
		}
	}
	for i, d := range due {
		if again := l.Enter(epoch.Add(d), p); again != 0 {
			t.Fatalf("number %d came after %v as told and was told to wait %v more", i, d, again)
		}
	}
}

func TestANewOpeningStartsAtTheFloor(t *testing.T) {
	l := New(Settings{From: 2, To: 200, Over: 10 * time.Second})
	flood(l, Place{Opened: epoch}, time.Millisecond, 9*time.Second)
	again, stale := Place{Opened: epoch.Add(9 * time.Second)}, Place{Opened: epoch}
	in := 0
	for at := time.Duration(0); at < 500*time.Millisecond; at += time.Millisecond {
		p := again
		if at%2 == 1 {
			p = stale
		}
		if l.Enter(again.Opened.Add(at), p) == 0 {
			in++
		}
	}
	if most := 1 + l.between(0, 500*time.Millisecond); float64(in) > most {
		t.Errorf("%d entered in the first half second of the second ramp, want at most %.1f", in, most)
	}
}

func TestSetChangesARunningRamp(t *testing.T) {
	l, p := New(Settings{From: 1, To: 1, Over: time.Minute}), Place{Opened: epoch}
	flood(l, p, 10*time.Millisecond, 5*time.Second)
	l.Set(Settings{From: 100, To: 100, Over: time.Minute})
	in := 0
	for at := 5 * time.Second; at < 6*time.Second; at += time.Millisecond {
		if l.Enter(epoch.Add(at), p) == 0 {
			in++
		}
	}
	if in < 90 || in > 110 {
		t.Errorf("%d entered in a second at 100/s", in)
	}
	l.Set(Settings{})
	if d := l.Enter(epoch.Add(6*time.Second), p); d != 0 {
		t.Errorf("wait %v without a ramp", d)
	}
}

// A thousand who were turned away and do as they are told: everybody is in by the end, evenly, and few are sent away twice.
func TestAHerdIsSpread(t *testing.T) {
	l, p := New(Settings{From: 10, To: 100, Over: 30 * time.Second}), Place{Opened: epoch}
	due := make([]time.Duration, 1000)
	for i := range due {
		due[i] = time.Duration(rand.Int64N(int64(time.Second)))
	}
	calls := 0
	for at := time.Duration(0); len(due) > 0 && at <= 31*time.Second; at += 5 * time.Millisecond {
		left := due[:0]
		for _, d := range due {
			if d > at {
				left = append(left, d)
				continue
			}
			calls++
			if wait := l.Enter(epoch.Add(at), p); wait > 0 {
				left = append(left, at+wait)
			}
		}
		due = left
	}
	if len(due) > 0 {
		t.Errorf("%d never entered", len(due))
	}
	if calls > 5000 {
		t.Errorf("%d calls for 1000 entries", calls)
	}
}

func TestConcurrentUse(t *testing.T) {
	l, p := New(Settings{From: 50, To: 50, Over: time.Minute}), Place{Opened: epoch}
	var all sync.WaitGroup
	var mu sync.Mutex
	in := 0
	for range 8 {
		all.Go(func() {
			for at := time.Duration(0); at < time.Second; at += time.Millisecond {
				if l.Enter(epoch.Add(at), p) == 0 {
					mu.Lock()
					in++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if in > 55 {
		t.Errorf("%d entered within a second at 50/s", in)
	}
}

func TestEnterDoesNotAllocate(t *testing.T) {
	l, p := New(Settings{From: 10, To: 500, Over: time.Minute}), Place{Opened: epoch}
	now := epoch
	if n := testing.AllocsPerRun(1000, func() { now = now.Add(time.Millisecond); l.Enter(now, p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEnter(b *testing.B) {
	l, p := New(Settings{From: 10, To: 500, Over: time.Hour}), Place{Opened: epoch}
	for b.Loop() {
		l.Enter(epoch.Add(time.Minute), p)
	}
}

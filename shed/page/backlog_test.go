package page

import (
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestBacklogStaysInItsBounds(t *testing.T) {
	for _, c := range []struct{ min, max, least, most time.Duration }{
		{0, 0, 5 * time.Second, time.Minute},
		{time.Second, 10 * time.Second, time.Second, 10 * time.Second},
		{3 * time.Second, 3 * time.Second, 3 * time.Second, 3 * time.Second},
		{2 * time.Minute, 0, 2 * time.Minute, 2 * time.Minute},
		{10 * time.Second, time.Second, 10 * time.Second, 10 * time.Second},
		{1, 2, 1, 2},
	} {
		for _, rate := range []float64{0, -1, 1e-9, 1, 500, 1e12} {
			b := Backlog{Min: c.min, Max: c.max}
			for i := range 2000 {
				w := b.Wait(noon.Add(time.Duration(i)*time.Millisecond), rate)
				if w < c.least || w > c.most {
					t.Fatalf("%v to %v at %v/s: %v", c.min, c.max, rate, w)
				}
			}
		}
	}
}

// widest returns the longest of n waits at one moment.
func widest(b *Backlog, n int, now time.Time, rate float64) (longest time.Duration) {
	for range n {
		longest = max(longest, b.Wait(now, rate))
	}
	return longest
}

func TestSpreadGrowsWithTheBacklog(t *testing.T) {
	var b Backlog
	if w := widest(&b, 400, noon, 100); w > 10*time.Second || w < 9*time.Second {
		t.Errorf("400 at 100/s are spread up to %v, want 5 s after the least of 5 s", w)
	}
	if w := widest(&b, 2600, noon, 100); w > 37*time.Second || w < 33*time.Second {
		t.Errorf("3000 at 100/s are spread up to %v, want 30 s after the least", w)
	}
	if w := widest(&b, 20_000, noon, 100); w > time.Minute || w < 59*time.Second {
		t.Errorf("23000 at 100/s are spread up to %v, want the most of 60 s", w)
	}
	var unknown Backlog
	if w := widest(&unknown, 400, noon, 0); w < 55*time.Second {
		t.Errorf("where nobody knows the rate they are spread up to %v, want the most of 60 s", w)
	}
}

// Also where hardly anybody waits nobody is told the very time that another is told.
func TestFewAreSpreadToo(t *testing.T) {
	least, most := time.Hour, time.Duration(0)
	for range 200 {
		var b Backlog
		w := b.Wait(noon, 1e9)
		least, most = min(least, w), max(most, w)
	}
	if least > 6*time.Second || most < 9*time.Second || most > 10*time.Second {
		t.Errorf("one visitor at a time is told %v to %v, want the least of 5 s to twice that", least, most)
	}
}

// The crowd comes back evenly, not in the spike in which it left.
func TestCrowdComesBackEvenly(t *testing.T) {
	var b Backlog
	back := map[time.Duration]int{}
	for range 30_000 {
		back[b.Wait(noon, 1000).Truncate(time.Second)]++
	}
	busiest := 0
	for second, n := range back {
		if busiest = max(busiest, n); n > 1500 {
			t.Errorf("%d come back at %v, where 1000 a second can be served", n, second)
		}
	}
	t.Logf("at most %d come back in one second", busiest)
}

func TestBacklogIsForgotten(t *testing.T) {
	var b Backlog
	widest(&b, 20_000, noon, 100)
	for _, c := range []struct {
		after time.Duration
		gone  bool
	}{{4 * time.Second, false}, {66 * time.Second, true}} {
		waiting := b.waiting
		b.Wait(noon.Add(c.after), 100)
		if gone := b.waiting == 1; gone != c.gone {
			t.Errorf("after %v %d of %d wait", c.after, b.waiting, waiting)
		}
	}
	// Bit by bit, too, and never below none.
	b = Backlog{}
	widest(&b, 1000, noon, 0)
	before := b.waiting
	for i := range 130 {
		now := noon.Add(time.Duration(i) * 500 * time.Millisecond)
		b.mu.Lock()
		_, most := b.bounds()
		b.pass(now, most)
		waiting := b.waiting
		b.mu.Unlock()
		if waiting > before || waiting < 0 {
			t.Fatalf("after %v %d wait; %d did before", now.Sub(noon), waiting, before)
		}
		before = waiting
	}
	if before != 0 {
		t.Errorf("%d wait for ever", before)
	}
}

func TestBacklogSurvivesTheClock(t *testing.T) {
	var b Backlog
	for _, now := range []time.Time{noon, noon.Add(-time.Hour), noon.Add(time.Hour), noon.AddDate(300, 0, 0), {}, noon} {
		if w := widest(&b, 100, now, 10); w < 5*time.Second || w > time.Minute {
			t.Errorf("%v: %v", now, w)
		}
		if b.waiting < 1 {
			t.Errorf("%v: %d wait", now, b.waiting)
		}
	}
}

func TestBacklogTogether(t *testing.T) {
	m := maker(t, Settings{MinWait: time.Second, MaxWait: 20 * time.Second})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 5000 {
				if w := m.Wait(noon.Add(time.Duration(i)*time.Microsecond), 1000); w < time.Second || w > 20*time.Second {
					t.Errorf("%v", w)
				}
				m.Make(Ask{Accept: "text/html"})
			}
		})
	}
	wg.Wait()
	b := &m.backlog
	due := 0
	for _, n := range b.due {
		due += n
	}
	if b.waiting != 20_000 || due != b.waiting {
		t.Errorf("%d wait and %d are due, of 20000", b.waiting, due)
	}
}

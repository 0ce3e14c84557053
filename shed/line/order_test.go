package line

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestTheHistogramCountsThoseBefore(t *testing.T) {
	for _, spread := range []time.Duration{time.Second, time.Minute, time.Hour, 10 * time.Hour} {
		var o order
		o.reset(width)
		r := rand.New(rand.NewPCG(1, 2))
		var seen []time.Duration
		for range 3000 {
			at := time.Duration(r.Int64N(int64(spread)))
			seen = append(seen, at)
			for !o.fits(at) {
				o.widen()
			}
			o.add(at)
		}
		if o.total != 3000 || o.before(20*time.Hour) != 3000 || o.before(-time.Hour) != 0 {
			t.Fatalf("over %v: %v counted, %v in all, %v before the first", spread, o.total, o.before(20*time.Hour), o.before(-time.Hour))
		}
		for range 200 {
			at := time.Duration(r.Int64N(int64(spread)))
			least, most := 0.0, 0.0 // by bins: interpolation must lie between
			for _, s := range seen {
				if s/o.width < at/o.width {
					least++
				}
				if s/o.width <= at/o.width {
					most++
				}
			}
			got := o.before(at)
			if got < least || got > most {
				t.Fatalf("over %v, bins of %v: %v before %v, want %v to %v", spread, o.width, got, at, least, most)
			}
			if bin := o.at(got); got < float64(o.sum(bin)) || got > float64(o.sum(bin+1)) {
				t.Fatalf("over %v: the one with %v before him stands in bin %d, from %d to %d", spread, got, bin, o.sum(bin), o.sum(bin+1))
			}
		}
		if o.width > max(width, 2*spread/bins) {
			t.Errorf("over %v: bins of %v are wider than needed", spread, o.width)
		}
	}
}

func TestWideningMovesNobody(t *testing.T) {
	l, _ := closedLine(usual, 0)
	for i := range 400 {
		l.TurnedAway(epoch.Add(time.Duration(i)*500*time.Millisecond), Place{})
	}
	people, before := l.crowd.people(), l.order.before(105*time.Second)
	l.order.widen()
	l.crowd.widen()
	if p := l.crowd.people(); math.Abs(p-people) > 1e-9 {
		t.Errorf("%v people became %v", people, p)
	}
	if b := l.order.before(105 * time.Second); math.Abs(b-before) > 1 {
		t.Errorf("%v before somebody became %v", before, b)
	}
}

func TestIDsAreRemembered(t *testing.T) {
	u := new(uses)
	for id := range uint64(60000) {
		if !u.take(id+1, 1) {
			t.Fatalf("id %d was taken for another", id+1)
		}
	}
	forgotten := 0
	for id := range uint64(60000) {
		if !u.has(id + 1) {
			forgotten++
		}
	}
	if forgotten > 3000 {
		t.Errorf("%d of 60000 are forgotten", forgotten)
	}
	u.take(1<<47, 1)
	for id := range uint64(1 << 18) {
		if u.take(id<<20|1, 1); id == 1000 && !u.has(1<<47) {
			t.Error("the last thousand are not remembered")
		}
	}
}

// The crowd is told apart from those who are counted but never come back.
func TestTheCrowdIsEstimated(t *testing.T) {
	for _, bots := range []int{0, 1000, 20000} {
		l, _ := closedLine(usual, 0)
		r := rand.New(rand.NewPCG(3, 4))
		type person struct {
			place Place
			next  time.Duration
		}
		var people []person
		for range 2000 {
			people = append(people, person{next: time.Duration(r.Int64N(int64(60 * time.Second)))})
		}
		asked := 0
		for at := time.Duration(0); at < 100*time.Second; at += 10 * time.Millisecond {
			for ; asked < int(int64(bots)*int64(at)/int64(100*time.Second)); asked++ {
				l.TurnedAway(epoch.Add(at), Place{})
			}
			for i := range people {
				if p := &people[i]; p.next <= at {
					turn := l.TurnedAway(epoch.Add(at), p.place)
					p.place, p.next = turn.Place, at+turn.Wait
				}
			}
		}
		if got := l.Load(epoch.Add(100 * time.Second)).Waiting; got < 1700 || got > 2300 {
			t.Errorf("2000 people and %d bots: %d waiting", bots, got)
		}
	}
}

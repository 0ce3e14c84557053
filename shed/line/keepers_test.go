package line

import (
	"slices"
	"testing"
	"time"
)

// small is a ramp for a small app.
var small = Settings{From: 2, To: 20, Over: 30 * time.Second, MinWait: 5 * time.Second, MaxWait: time.Minute}

// keen asks again and again with his place until he is in.
func keen(h *herd, every time.Duration) func(*visitor, time.Duration, Turn) (time.Duration, bool) {
	return func(_ *visitor, at time.Duration, t Turn) (time.Duration, bool) {
		return at + every/2 + time.Duration(h.rand.Int64N(int64(every))), !t.Enter
	}
}

// told is what visitors were told from the opening on.
type told struct {
	visits []int // of each visitor until he was in
	again  []int // how often each was refused after he was told that nobody stands before him
	most   int   // the largest Ahead that anybody was told, ever
}

// listen has the herd note what the visitors of whom which holds are told.
func (h *herd) listen(which func(*visitor) bool) func() told {
	visits, again, next := map[*visitor]int{}, map[*visitor]int{}, map[*visitor]bool{}
	most := 0
	for _, v := range h.visitors {
		ask := v.ask
		v.ask = func(v *visitor, at time.Duration, t Turn) (time.Duration, bool) {
			most = max(most, t.Ahead)
			if which(v) && at >= h.opens && (v.entered == 0 || v.entered == at) {
				visits[v]++
				if next[v] && !t.Enter {
					again[v]++
				}
				next[v] = next[v] || !t.Enter && t.Ahead == 0
			}
			return ask(v, at, t)
		}
	}
	return func() (d told) {
		for v, n := range visits {
			d.visits, d.again = append(d.visits, n), append(d.again, again[v])
		}
		slices.Sort(d.visits)
		slices.Sort(d.again)
		d.most = most
		return d
	}
}

func part[T any](sorted []T, q float64) (v T) {
	if len(sorted) == 0 {
		return v
	}
	return sorted[int(q*float64(len(sorted)-1))]
}

// sooner is by how much sooner those of whom which holds came in than their neighbours in the line, on average.
func (h *herd) sooner(which func(*visitor) bool) time.Duration {
	vs := slices.Clone(h.entered)
	slices.SortFunc(vs, func(a, b *visitor) int { return int(a.first - b.first) })
	var sum time.Duration
	n := 0
	for i, v := range vs {
		if !which(v) {
			continue
		}
		var near time.Duration
		others := 0
		for _, step := range []int{-1, 1} {
			for j := i + step; j >= 0 && j < len(vs); j += step {
				if !which(vs[j]) {
					near += vs[j].entered
					others++
					break
				}
			}
		}
		if others == 2 {
			sum += near/2 - v.entered
			n++
		}
	}
	return sum / time.Duration(max(1, n))
}

// nearlyAll is when all but one in fifty of those of whom which holds were in, after the opening.
func (h *herd) nearlyAll(which func(*visitor) bool) time.Duration {
	var in []time.Duration
	for _, v := range h.entered {
		if which(v) {
			in = append(in, v.entered-h.opens)
		}
	}
	slices.Sort(in)
	return part(in, 0.98)
}

// Somebody who asks twice a second with his place is one.
func TestWhoKeepsHisPlaceIsOneHoweverOftenHeComes(t *testing.T) {
	for _, step := range []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, 3 * time.Second} {
		l, _ := closedLine(small, 0)
		p, most := Place{}, 0
		for at := time.Duration(0); at < 2*time.Minute; at += step {
			p = l.TurnedAway(epoch.Add(at), p).Place
			most = max(most, l.Load(epoch.Add(at)).Waiting)
		}
		if most != 1 {
			t.Errorf("somebody who asks every %v is %d people", step, most)
		}
		l.Open(epoch.Add(2 * time.Minute))
		turn := l.Enter(epoch.Add(2*time.Minute), p)
		if n := l.Load(epoch.Add(2 * time.Minute)).Waiting; !turn.Enter || n != 0 {
			t.Errorf("the only one in line, who asks every %v: %+v, and %d people are left", step, turn, n)
		}
	}
}

// A tenth of the herd asks twice a second with their places: nobody else comes later for it, and they do not come sooner.
func TestHammeringWithAPlaceWinsNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		s      Settings
		people int
		opens  time.Duration
		soon   time.Duration // by which hammerers are in before their neighbours in the line
	}{
		{"a small app", small, 250, time.Minute, 2500 * time.Millisecond},
		{"a short closure", small, 250, 10 * time.Second, 2500 * time.Millisecond},
		{"a large one", usual, 5000, 2 * time.Minute, time.Second},
	} {
		run := func(hammers int) (h *herd, last time.Duration, d told) {
			h = newHerd(3, 1, c.s)
			h.opens = c.opens
			h.patients(c.people-hammers, 0, h.opens, -1)
			for range hammers {
				first := time.Duration(h.rand.Int64N(int64(h.opens)))
				h.visitors = append(h.visitors, &visitor{first: first, ask: keen(h, 500*time.Millisecond), line: -1, keen: true})
			}
			heard := h.listen(func(v *visitor) bool { return !v.keen })
			h.run()
			return h, h.nearlyAll(func(v *visitor) bool { return !v.keen }), heard()
		}
		_, without, _ := run(0)
		h, last, d := run(c.people / 10)
		soon := h.sooner(func(v *visitor) bool { return v.keen })
		t.Logf("%s: nearly all are in after %v, %v without hammerers; those are in by %v sooner", c.name, last, without, soon)
		if last > without*115/100 || len(h.entered) != c.people {
			t.Errorf("%s: %d are in, nearly all after %v, %v where nobody hammers", c.name, len(h.entered), last, without)
		}
		if soon > c.soon {
			t.Errorf("%s: who hammers is in by %v sooner than his neighbours in the line", c.name, soon)
		}
		if d.most > c.people {
			t.Errorf("%s: somebody was told of %d before him, where %d are", c.name, d.most, c.people)
		}
	}
}

// Where nobody else waits, somebody who has a place and comes early is no worse off than one who has none.
func TestAPlaceIsNeverWorseThanNone(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	l := New(Settings{From: 5, To: 10, Over: time.Minute})
	l.Close(now)
	p := l.TurnedAway(now.Add(time.Second), Place{}).Place
	l.Open(now.Add(2 * time.Second))
	if turn := l.Enter(now.Add(2500*time.Millisecond), p); !turn.Enter {
		t.Errorf("alone in the line, before his time: told to come in %v", turn.Wait)
	}
}

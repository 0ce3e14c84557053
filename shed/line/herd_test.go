package line

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"time"
)

// visitor is somebody of a simulated herd.
type visitor struct {
	first  time.Duration // when he first asks
	ask    func(v *visitor, at time.Duration, t Turn) (again time.Duration, stay bool)
	forget bool // carries no place
	keen   bool // does not wait as he is told
	line   int  // which Gatehouse he asks; -1: any

	place   Place
	next    time.Duration
	entered time.Duration // 0: not yet
	asked   int
}

// herd is a simulation: visitors who ask lines in virtual time.
type herd struct {
	lines    []*Line
	opens    time.Duration
	rand     *rand.Rand
	visitors []*visitor
	returns  []time.Duration // of those who carry a place
	entries  []time.Duration // of anybody
	entered  []*visitor
	until    time.Duration
	each     func(at time.Duration)
}

type agenda []*visitor

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].next < a[j].next }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(v any)        { *a = append(*a, v.(*visitor)) }
func (a *agenda) Pop() any {
	v := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return v
}

// patient does as he is told; his browser takes a moment.
func patient(h *herd) func(*visitor, time.Duration, Turn) (time.Duration, bool) {
	return func(_ *visitor, at time.Duration, t Turn) (time.Duration, bool) {
		return at + t.Wait + time.Duration(h.rand.Int64N(int64(150*time.Millisecond))), !t.Enter
	}
}

// hammer asks again and again without a place and never goes home.
func hammer(h *herd, every time.Duration) func(*visitor, time.Duration, Turn) (time.Duration, bool) {
	return func(_ *visitor, at time.Duration, _ Turn) (time.Duration, bool) {
		return at + every/2 + time.Duration(h.rand.Int64N(int64(every))), true
	}
}

// run closes the lines at 0, opens them at opens, and lets everybody ask until the agenda is empty or until has come.
func (h *herd) run() {
	var a agenda
	for _, l := range h.lines {
		l.Close(epoch)
	}
	for _, v := range h.visitors {
		v.next = v.first
		a = append(a, v)
	}
	heap.Init(&a)
	open := false
	for len(a) > 0 {
		v := heap.Pop(&a).(*visitor)
		at := v.next
		if at > h.until {
			return
		}
		if h.each != nil {
			h.each(at)
		}
		if !open && at >= h.opens {
			open = true
			for _, l := range h.lines {
				l.Open(epoch.Add(h.opens))
			}
		}
		n := v.line
		if n < 0 {
			n = h.rand.IntN(len(h.lines))
		}
		var t Turn
		if v.place.ID != 0 {
			h.returns = append(h.returns, at)
		}
		v.asked++
		if open {
			t = h.lines[n].Enter(epoch.Add(at), v.place)
		} else {
			t = h.lines[n].TurnedAway(epoch.Add(at), v.place)
		}
		if t.Enter {
			h.entries = append(h.entries, at)
			if v.entered == 0 {
				v.entered = at
				h.entered = append(h.entered, v)
			}
		} else if !v.forget {
			v.place = t.Place
		}
		next, stay := v.ask(v, at, t)
		if stay {
			v.next = next
			heap.Push(&a, v)
		}
	}
}

// displaced returns, of the visitors for whom which holds, by how much each entered later than he would have in the order of
// first asking, with the same moments of entry; sorted.
func (h *herd) displaced(which func(*visitor) bool) (late []time.Duration) {
	var vs []*visitor
	var moments []time.Duration
	for _, v := range h.visitors {
		if v.entered > 0 && which(v) {
			vs = append(vs, v)
			moments = append(moments, v.entered)
		}
	}
	slices.SortFunc(vs, func(a, b *visitor) int { return int(a.first - b.first) })
	slices.Sort(moments)
	for i, v := range vs {
		late = append(late, (v.entered - moments[i]).Abs())
	}
	slices.Sort(late)
	return late
}

// perSecond counts moments by second.
func perSecond(moments []time.Duration, from, to time.Duration) (n []int) {
	n = make([]int, int((to-from)/time.Second)+1)
	for _, m := range moments {
		if m >= from && m < to {
			n[int((m-from)/time.Second)]++
		}
	}
	return n
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))]
}

var epoch = time.Date(2024, 5, 1, 9, 0, 0, 0, time.UTC)

var usual = Settings{From: 10, To: 500, Over: 30 * time.Second, MinWait: 5 * time.Second, MaxWait: time.Minute}

func newHerd(seed uint64, lines int, s Settings) *herd {
	h := &herd{rand: rand.New(rand.NewPCG(seed, 1)), opens: 120 * time.Second, until: 5 * time.Minute}
	for range lines {
		l := New(s)
		l.Enter(epoch.Add(-time.Hour), Place{})
		h.lines = append(h.lines, l)
	}
	return h
}

// patients adds visitors who do as they are told, and first ask between two moments.
func (h *herd) patients(n int, from, to time.Duration, line int) {
	for range n {
		first := from + time.Duration(h.rand.Int64N(int64(to-from)))
		h.visitors = append(h.visitors, &visitor{first: first, ask: patient(h), line: line})
	}
}

// hammers adds visitors who carry no place and ask all the time.
func (h *herd) hammers(n int, every time.Duration) {
	for range n {
		first := time.Duration(h.rand.Int64N(int64(h.opens)))
		h.visitors = append(h.visitors, &visitor{first: first, ask: hammer(h, every), line: -1, forget: true})
	}
}

func isPatient(v *visitor) bool { return !v.forget }

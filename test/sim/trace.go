package sim

import (
	"math"
	"slices"
	"sync"
	"time"
)

// Moments are the times, counted from the simulation's start, at which one kind of thing happened. The zero value is ready.
// Safe for concurrent use while the simulation runs.
type Moments struct {
	mu sync.Mutex
	at []time.Duration
}

// Add notes one more.
func (m *Moments) Add(at time.Duration) {
	m.mu.Lock()
	m.at = append(m.at, at)
	m.mu.Unlock()
}

// Count returns how many lie in [from, to).
func (m *Moments) Count(from, to time.Duration) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, at := range m.at {
		if at >= from && at < to {
			n++
		}
	}
	return n
}

// Sorted returns those in [from, to) in their order.
func (m *Moments) Sorted(from, to time.Duration) []time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	var in []time.Duration
	for _, at := range m.at {
		if at >= from && at < to {
			in = append(in, at)
		}
	}
	slices.Sort(in)
	return in
}

// Last returns the latest, and 0 where there is none.
func (m *Moments) Last() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	var last time.Duration
	for _, at := range m.at {
		last = max(last, at)
	}
	return last
}

// PerSecond returns how many there were a second in each step of a simulation of that length.
func (m *Moments) PerSecond(length, step time.Duration) Series {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Series{Step: step, Values: make([]float64, int(length/step))}
	for _, at := range m.at {
		if i := int(at / step); i < len(s.Values) {
			s.Values[i] += 1 / step.Seconds()
		}
	}
	return s
}

// Excess returns the largest ratio of what a window of one second held to what bound allows for the second that begins there,
// and where that window began. Windows begin at each moment in [from, to): a fuller one begins nowhere else.
func (m *Moments) Excess(from, to time.Duration, bound func(at time.Duration) float64) (ratio float64, where time.Duration) {
	in := m.Sorted(from, to)
	end := 0
	for i, at := range in {
		for end < len(in) && in[end] < at+time.Second {
			end++
		}
		if r := float64(end-i) / bound(at); r > ratio {
			ratio, where = r, at
		}
	}
	return ratio, where
}

// Series is one figure for each step of simulated time; NaN where there is none.
type Series struct {
	Step   time.Duration
	Values []float64
}

// Max returns the largest figure.
func (s Series) Max() float64 {
	var most float64
	for _, v := range s.Values {
		if v > most { // NaN is not
			most = v
		}
	}
	return most
}

// Between returns the part of a series that lies in [from, to).
func (s Series) Between(from, to time.Duration) Series {
	first, last := int(from/s.Step), int(to/s.Step)
	first, last = min(first, len(s.Values)), min(last, len(s.Values))
	return Series{Step: s.Step, Values: s.Values[first:last]}
}

// Mean returns the mean figure, and 0 of none.
func (s Series) Mean() float64 {
	if len(s.Values) == 0 {
		return 0
	}
	var sum float64
	for _, v := range s.Values {
		sum += v
	}
	return sum / float64(len(s.Values))
}

// Times are durations measured at moments, such as how long sign-ins took. The zero value is ready. Safe for concurrent use.
type Times struct {
	mu   sync.Mutex
	at   []time.Duration
	took []time.Duration
}

// Add notes one that ended at that moment.
func (t *Times) Add(at, took time.Duration) {
	t.mu.Lock()
	t.at, t.took = append(t.at, at), append(t.took, took)
	t.mu.Unlock()
}

// Quantile returns the duration that a part q of those noted in [from, to) did not exceed, and 0 where there are none.
func (t *Times) Quantile(q float64, from, to time.Duration) time.Duration {
	d, _ := t.quantile(q, from, to)
	return d
}

func (t *Times) quantile(q float64, from, to time.Duration) (d time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var in []time.Duration
	for i, at := range t.at {
		if at >= from && at < to {
			in = append(in, t.took[i])
		}
	}
	if len(in) == 0 {
		return 0, false
	}
	slices.Sort(in)
	return in[min(len(in)-1, int(q*float64(len(in))))], true
}

// Quantiles returns Quantile for each step, in seconds; none where none were noted.
func (t *Times) Quantiles(q float64, length, step time.Duration) Series {
	s := Series{Step: step, Values: make([]float64, int(length/step))}
	for i := range s.Values {
		from := time.Duration(i) * step
		d, ok := t.quantile(q, from, from+step)
		s.Values[i] = d.Seconds()
		if !ok {
			s.Values[i] = math.NaN()
		}
	}
	return s
}

// gauge reads a figure at every step until the simulation has had its length. The caller runs it in a goroutine of its own.
func gauge(c clock, length, step time.Duration, read func() float64) Series {
	s := Series{Step: step}
	for at := step; at <= length; at += step {
		time.Sleep(at - c.now())
		s.Values = append(s.Values, read())
	}
	return s
}

// clock counts simulated time from the start of a simulation.
type clock struct{ start time.Time }

func (c clock) now() time.Duration { return time.Since(c.start) }

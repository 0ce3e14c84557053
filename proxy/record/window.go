package record

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Span is how far back the windows reach, in seconds.
const Span = 60

// ring is the number of cells of a window: more than Span, so that a cell is read and forgotten long before it is used again.
const ring = 64

// window counts events by the second. Each cell holds the second it belongs to in its upper half and the count in its lower
// one, so that a cell turns over by one compare-and-swap and nobody has to sweep. The zero value is empty. It is safe for
// concurrent use.
type window [ring]atomic.Uint64

// add counts one event in that second. An event a minute late is lost, which is no harm.
func (w *window) add(second uint32) {
	cell := &w[second%ring]
	for {
		old := cell.Load()
		if uint32(old>>32) == second {
			cell.Add(1)
			return
		}
		if cell.CompareAndSwap(old, uint64(second)<<32|1) {
			return
		}
	}
}

// at returns the count of one second.
func (w *window) at(second uint32) uint32 {
	v := w[second%ring].Load()
	if uint32(v>>32) != second {
		return 0
	}
	return uint32(v)
}

// sum returns the count of the n seconds that end with the given one.
func (w *window) sum(last uint32, n int) uint64 {
	var total uint64
	for i := range uint32(n) {
		if i > last {
			break
		}
		total += uint64(w.at(last - i))
	}
	return total
}

// Latency buckets: four to an octave, from 64 µs to about two minutes, so that a quantile is off by an eighth at most.
const (
	grainBits    = 6 // the smallest unit is 2^6 µs
	subBits      = 2 // 2^2 buckets an octave
	latencySlots = 80
)

// latencySlot returns the bucket of a duration.
func latencySlot(d time.Duration) int {
	v := uint64(max(d, 0).Microseconds()) >> grainBits
	if v < 1<<subBits {
		return int(v)
	}
	octave := bits.Len64(v) - subBits // 1 for the first octave that has sub-buckets
	slot := octave<<subBits + int(v>>(octave-1))&(1<<subBits-1)
	return min(slot, latencySlots-1)
}

// latencyBorder returns where a bucket begins.
func latencyBorder(slot int) time.Duration {
	v := uint64(slot)
	if octave := slot >> subBits; octave > 0 {
		v = (1<<subBits | uint64(slot)&(1<<subBits-1)) << (octave - 1)
	}
	return time.Duration(v<<grainBits) * time.Microsecond
}

// latencies is a window of durations.
type latencies [latencySlots]window

func (l *latencies) add(second uint32, d time.Duration) { l[latencySlot(d)].add(second) }

// histogram is how many durations fell into each bucket.
type histogram [latencySlots]uint64

// over returns the histogram of the n seconds that end with the given one.
func (l *latencies) over(last uint32, n int) (h histogram) {
	for i := range l {
		h[i] = l[i].sum(last, n)
	}
	return h
}

func (h *histogram) count() (total uint64) {
	for _, n := range h {
		total += n
	}
	return total
}

// quantile returns the duration below which a part q (0 to 1) of the durations lie, 0 for an empty histogram. Within a
// bucket they are taken to be spread evenly.
func (h *histogram) quantile(q float64) time.Duration {
	rank := q * float64(h.count())
	if rank == 0 {
		return 0
	}
	var below float64
	for i, n := range h {
		if n == 0 {
			continue
		}
		if below+float64(n) >= rank {
			from, to := latencyBorder(i), latencyBorder(i+1)
			return from + time.Duration(float64(to-from)*(rank-below)/float64(n))
		}
		below += float64(n)
	}
	return latencyBorder(latencySlots)
}

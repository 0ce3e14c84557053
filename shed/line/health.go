package line

import (
	"math"
	"time"
)

const (
	block     = 10 * time.Second // of calm is one sample of what is normal
	window    = time.Second      // of a ramp is judged at once
	fewest    = 5                // reports make a judgement
	hold      = 3 * time.Second  // from one halving to the next: what was admitted before must have been answered
	step      = 0.05             // what a good window gives back of the factor
	least     = 1.0 / 32         // factor
	tolerated = 0.05             // share of failures beyond what is normal
	noticed   = 50 * time.Millisecond
)

// health compares how sign-ins do during a ramp with how they did before the closure. Normal is learned from blocks of calm;
// the block in which the store closed is thrown away, and no block moves it far, so that a store that is failing slowly does
// not become normal before it closes. Where nothing is known from before, the first window of the ramp, at its lowest rate,
// says what is normal.
type health struct {
	took    time.Duration // normal, mean; zero: not known
	failing float64       // normal share of failures

	begun     time.Time // of the block or window that is being counted
	n, failed int
	sum       time.Duration // of the answered ones
	quiet     time.Time     // until then nothing is judged: after a halving
	heard     time.Time     // the last report
	silent    float64       // admissions since

	full          time.Time // when the first of the refused ones was refused for whom the pool had no room
	room, refused int       // admissions since, and how many of them were refused
}

// start begins to count anew, at the beginning or the end of a ramp.
func (h *health) start(now time.Time) {
	h.begun, h.n, h.failed, h.sum, h.quiet, h.heard, h.silent = now, 0, 0, 0, time.Time{}, time.Time{}, 0
}

func (h *health) count(now time.Time, failed bool, took time.Duration) {
	h.heard, h.silent = now, 0
	h.n++
	if failed {
		h.failed++
		return
	}
	h.sum += max(took, 0)
}

// learn takes a report from calm times.
func (h *health) learn(now time.Time, failed bool, took time.Duration) {
	if now.Sub(h.begun) >= block {
		if h.n >= fewest {
			h.normal()
		}
		h.start(now)
	}
	h.count(now, failed, took)
}

// normal takes what was counted as a sample of what is normal.
func (h *health) normal() {
	share := float64(h.failed) / float64(h.n)
	if h.took == 0 {
		h.took, h.failing = h.mean(), min(share, 0.5)
		return
	}
	h.took += (min(h.mean(), h.took*3/2) - h.took) / 8
	h.failing += (min(share, h.failing*1.5+tolerated) - h.failing) / 8
}

func (h *health) mean() time.Duration {
	if h.n == h.failed {
		return h.took
	}
	return h.sum / time.Duration(h.n-h.failed)
}

// judge takes a report from a ramp and returns the factor that follows.
func (h *health) judge(now time.Time, failed bool, took time.Duration, factor float64) float64 {
	if now.Before(h.quiet) {
		h.heard, h.silent, h.begun = now, 0, now
		return factor
	}
	if h.n == 0 {
		h.begun = now
	}
	h.count(now, failed, took)
	if h.n < fewest || now.Sub(h.begun) < window {
		return factor
	}
	share, mean := float64(h.failed)/float64(h.n), h.mean()
	bad := h.failed >= 2 && share > 2*h.failing+tolerated
	if h.took > 0 {
		bad = bad || h.slow(mean)
	} else if !bad {
		h.took, h.failing = mean, share
	}
	h.n, h.failed, h.sum = 0, 0, 0
	if bad {
		return h.halve(now, factor)
	}
	return min(1, factor+step)
}

// slow says whether a time is far above what is normal; false where nothing is known.
func (h *health) slow(took time.Duration) bool { return h.took > 0 && took > 3*h.took+noticed }

// overdue says whether so many were admitted since the last report that the app must have stopped answering. Where there never
// was a report nothing is known.
func (h *health) overdue(now time.Time, rate float64) bool {
	if h.heard.IsZero() || now.Before(h.quiet) {
		return false
	}
	return h.silent >= max(10, 2*rate) && now.Sub(h.heard) > max(2*time.Second, 4*h.took)
}

func (h *health) halve(now time.Time, factor float64) float64 {
	h.n, h.failed, h.sum, h.silent = 0, 0, 0, 0
	h.quiet = now.Add(hold)
	return math.Max(least, factor/2)
}

// crowded takes the news that the pool had no room for one who had been admitted, and returns the factor that follows: for each
// second in which that happened, less by the share that was refused. That is no sign that the app is doing badly, only that the
// ramp climbs higher than the pool: halving would lose twice as much as there is too much.
func (h *health) crowded(now time.Time, factor float64) float64 {
	if h.refused == 0 || now.Sub(h.full) > 2*window {
		h.full, h.room, h.refused = now, 1, 0
	}
	h.refused++
	if h.refused < 2 || now.Sub(h.full) < window {
		return factor
	}
	share := min(float64(h.refused)/float64(max(h.room, h.refused)), 0.5)
	h.refused = 0
	h.quiet = laterOf(h.quiet, now.Add(window)) // what was admitted before has not been answered
	return math.Max(least, factor*(1-share))
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

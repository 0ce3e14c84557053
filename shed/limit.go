package shed

import (
	"math"
	"time"
)

// AdaptiveSettings bounds an adaptive limit. Zeros mean 8 and 1000; a Max below Min means Min.
type AdaptiveSettings struct{ Min, Max int }

func (s AdaptiveSettings) withDefaults() AdaptiveSettings {
	if s.Min <= 0 {
		s.Min = 8
	}
	if s.Max <= 0 {
		s.Max = 1000
	}
	s.Max = max(s.Max, s.Min)
	return s
}

const (
	firstLimit    = 64          // where an adaptive limit begins, within its bounds
	windowTime    = time.Second // a window is at least as long
	windowSamples = 10          // and has at least as many samples
	usualWindows  = 600         // over how many windows what is usual is averaged
	firstWindows  = 10          // the first ones count alike, and nothing is cut for slowness before they are over
	tolerance     = 1.5         // as much slower than usual is still usual
	smoothing     = 0.2         // the part of a cut that is made at once
	mostCut       = 0.5         // what a gradient is at least
	failingPart   = 0.1         // a pool that leaves more of its requests without an answer is failing
	fasterWindows = 30          // in as many windows in a row answers must take less than half of the usual to be the new usual
	fasterStep    = 0.9         // and then it falls by this in each
)

// measure is an adaptive limit and what it has learnt of the pool. The zero value has learnt nothing and has no limit.
//
// It follows gradient2 of Netflix's concurrency-limits (https://github.com/Netflix/concurrency-limits, Gradient2Limit; Landau,
// Thurston and Bozarth, "Performance Under Load", 2018). In each window
//
//	gradient = usual * 1.5 / lately, at least 0.5 and at most 1
//	proposed = gradient * limit + headroom
//
// where lately is the mean time to the head of an answer, usual its average over 600 windows, and headroom the square root of
// the limit, 4 at least. A proposal to cut is followed by a fifth in each window, so that one slow window sheds little.
//
//   - It never probes: it measures the requests that come anyway, and so sheds nobody in order to measure. It begins with 64
//     and, until ten windows told what is usual, is not cut for slowness. The algorithm smooths growth, too; here it is
//     followed at once: to refuse requests because the limit has not grown yet is shedding for the sake of the measure.
//   - While less than half of the limit is in use it stays: what is not used is not known to be good, and what was learnt under
//     load is not forgotten in a quiet night. What is usual is measured on: a pool that is hardly in use shows best how quick it
//     is.
//   - Requests that got no answer in time count as a gradient of 0.5 where they are over a tenth of a window: one window costs a
//     tenth of the limit, however many they were. Their time is not averaged: it is the timeout's, not the pool's.
//   - Answers in less than half of the usual time may be errors made in no time (see Permit.Sample). The usual time follows
//     them only after half a minute: else the first good answers after a burst of errors would look slow.
//
// What it gives up: a pool that is slow from the first window on is taken for usual, overload that lasts for minutes becomes
// usual by and by (in a model pool ten times overloaded the limit is at 1.8 times the capacity after a minute, at 3.3 times
// after six), and requests that get slower for another reason cost the pool a part of its limit for some minutes. Max and Min
// are what bounds that, and where the capacity is known a fixed limit is better.
type measure struct {
	limit   float64
	usual   float64 // seconds
	windows int     // how many told of it
	faster  int     // windows in a row with answers in less than half of the usual time
}

// change says why a limit is what it is.
type change string

const (
	changeNone    change = "nothing to go by"
	changeUnused  change = "less than half is in use"
	changeLearns  change = "what is usual is not known yet"
	changeGrows   change = "the pool is as quick as usual"
	changeSlow    change = "the pool is slower than usual"
	changeFailing change = "the pool leaves requests without an answer"
)

// bounded is m within the bounds. One that has no limit yet begins at from, 0 for its own choice.
func (m measure) bounded(s AdaptiveSettings, from int) measure {
	if m.limit == 0 {
		m.limit = firstLimit
		if from > 0 {
			m.limit = float64(from)
		}
	}
	m.limit = s.clamp(m.limit)
	return m
}

func (s AdaptiveSettings) clamp(limit float64) float64 {
	return max(float64(s.Min), min(float64(s.Max), limit))
}

// next is what m becomes by a window, and why. It is pure. The settings' defaults must be filled in.
func (m measure) next(w window, s AdaptiveSettings) (measure, change) {
	if w.answers+w.failures == 0 {
		return m, changeNone
	}
	failing := float64(w.failures) > failingPart*float64(w.answers+w.failures)
	gradient := mostCut
	if !failing {
		lately := max(w.took.Seconds()/float64(w.answers), 1e-6)
		m = m.learn(lately)
		gradient = max(mostCut, min(1, tolerance*m.usual/lately))
	}
	why := changeGrows
	switch {
	case float64(w.peak) < m.limit/2:
		return m, changeUnused
	case failing:
		why = changeFailing
	case gradient < 1 && m.windows <= firstWindows:
		return m, changeLearns
	case gradient < 1:
		why = changeSlow
	}
	proposed := gradient*m.limit + max(4, math.Sqrt(m.limit))
	if proposed < m.limit {
		proposed = m.limit + smoothing*(proposed-m.limit)
	}
	m.limit = s.clamp(proposed)
	return m, why
}

// learn takes a window's mean into what is usual.
func (m measure) learn(lately float64) measure {
	if m.windows < firstWindows {
		m.windows++
		m.usual += (lately - m.usual) / float64(m.windows)
		return m
	}
	m.windows = firstWindows + 1
	if lately*2 >= m.usual {
		m.faster = 0
		m.usual += (lately - m.usual) * 2 / (usualWindows + 1)
		return m
	}
	m.faster = min(m.faster+1, fasterWindows)
	if m.faster == fasterWindows {
		m.usual *= fasterStep
	}
	return m
}

// window is what was seen of a pool since the last change of its limit.
type window struct {
	began    time.Time
	answers  int
	failures int
	took     time.Duration // all answers together
	peak     int           // the most permits that were out
}

func (w *window) add(now time.Time, took time.Duration, failed bool, inFlight int) {
	if w.began.IsZero() {
		w.began = now
	}
	w.peak = max(w.peak, inFlight)
	if failed {
		w.failures++
		return
	}
	w.answers++
	w.took += max(took, 0)
}

func (w *window) complete(now time.Time) bool {
	return w.answers+w.failures >= windowSamples && now.Sub(w.began) >= windowTime
}

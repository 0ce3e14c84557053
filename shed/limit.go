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
	firstWindows  = 10          // the first ones count alike, nothing is cut for slowness before they are over, and growth is quick
	nearly        = 0.9         // doubled is only a limit of which so much is in use
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
// the limit, 4 at least. A proposal to cut is followed by a fifth in each window, so that one slow window sheds little. The mean
// is the geometric one: a pool that gets slower for everybody moves it as much as it does the arithmetic one, a few requests
// that take a thousand times as long as the others hardly do.
//
//   - It never probes: it measures the requests that come anyway, and so sheds nobody in order to measure. It begins with 64, or
//     with what is in flight if that is more. Until ten windows told what is usual it is not cut for slowness, and doubles in
//     each window in which nine tenths of it were in use: else a pool that has room would refuse its visitors after every
//     start. The first window that is slow, beside the quickest one so far, takes the last doubling back, and no more follows;
//     nor does one once requests get no answer. And one must have had time to show, twice as long as an answer takes, before the
//     next. The algorithm smooths growth, too; here it is followed at once: to refuse requests because the limit has not grown
//     yet is shedding for the sake of the measure.
//   - While less than half of the limit is in use it stays: what is not used is not known to be good, and what was learnt under
//     load is not forgotten in a quiet night. What is usual is measured on: a pool that is hardly in use shows best how quick it
//     is.
//   - It bounds what it measures: requests whose answer has not begun. How many are being read, and how slowly, says nothing of
//     what the pool can do: counted, they would raise the limit to its maximum or, if they were no reason to raise it, keep
//     everybody else out of an idle pool. So with the head of the answer a request leaves the limit, its share and the
//     guests' part, and from then on counts only against the maximum, which bounds them all together.
//   - Requests that got no answer in time count as a gradient of 0.5 where they are over a tenth of a window: one window costs a
//     tenth of the limit, however many they were. Their time is not averaged: it is the timeout's, not the pool's.
//   - Answers in less than half of the usual time may be errors made in no time (see Permit.Sample). The usual time follows
//     them only after half a minute: else the first good answers after a burst of errors would look slow.
//
// What it gives up: a pool that is slow from the first window on is taken for usual, overload that lasts for minutes becomes
// usual by and by (in a model pool ten times overloaded the limit is at 1.8 times the capacity after a minute, at 3.3 times
// after six), and requests that get slower for another reason, such as another mix of them, cost the pool a part of its limit for
// some minutes. And work that a pool does after the head of its answer is bounded by Max only. Max and Min are what bounds all that,
// and where the capacity is known a fixed limit is better.
type measure struct {
	limit   float64
	usual   float64 // seconds
	windows int     // how many told of it

	// While the first windows are measured:

	quick   float64 // seconds: the quickest of them
	settled bool    // it no longer doubles
	proven  float64 // the limit before it was doubled last
	since   float64 // seconds since then
	faster  int     // windows in a row with answers in less than half of the usual time
}

// change says why a limit is what it is.
type change string

const (
	changeNone    change = "nothing to go by"
	changeUnused  change = "less than half is in use"
	changeLearns  change = "what is usual is not known yet"
	changeDoubles change = "nothing was slower yet than at first"
	changeGrows   change = "the pool is as quick as usual"
	changeSlow    change = "the pool is slower than usual"
	changeFailing change = "the pool leaves requests without an answer"
)

// bounded is m within the bounds. One that has no limit yet begins at from, 0 for its own choice, or at what is in flight if that
// is more: that the pool takes already.
func (m measure) bounded(s AdaptiveSettings, from, inFlight int) measure {
	if m.limit == 0 {
		if from <= 0 {
			from = firstLimit
		}
		m.limit = float64(max(from, inFlight))
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
	gradient, lately := mostCut, 0.0
	m.since += max(w.span, windowTime).Seconds()
	if !failing {
		lately = w.lately()
		m = m.learn(lately)
		gradient = max(mostCut, min(1, tolerance*m.usual/lately))
	}
	learns := m.windows <= firstWindows
	why := changeGrows
	switch {
	case float64(w.peak) < m.limit/2:
		return m, changeUnused
	case failing:
		m.settled = true
		why = changeFailing
	case learns && lately > tolerance*m.quick:
		if !m.settled && m.proven > 0 {
			m.limit = s.clamp(min(m.limit, m.proven))
		}
		m.settled = true
		return m, changeLearns
	case learns && !m.settled && m.since >= 2*lately && float64(w.peak) >= nearly*m.limit:
		m.proven, m.since = m.limit, 0
		m.limit = s.clamp(2 * m.limit)
		return m, changeDoubles
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
		if m.windows == 0 || lately < m.quick {
			m.quick = lately
		}
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
	span     time.Duration // how long it was, once it is over; less than windowTime means that
	answers  int
	failures int
	logs     float64 // of the seconds that each answer took, all together
	peak     int     // the most permits at once whose answer had not begun
}

func (w *window) add(now time.Time, took time.Duration, failed bool, awaited int) {
	if w.began.IsZero() {
		w.began = now
	}
	w.peak = max(w.peak, awaited)
	if failed {
		w.failures++
		return
	}
	w.answers++
	w.logs += math.Log(max(took, time.Microsecond).Seconds())
}

// lately is the geometric mean of the answers' times in seconds. There must have been an answer.
func (w *window) lately() float64 { return math.Exp(w.logs / float64(w.answers)) }

// complete reports whether the window is over.
func (w *window) complete(now time.Time) bool {
	w.span = now.Sub(w.began)
	return w.answers+w.failures >= windowSamples && w.span >= windowTime
}

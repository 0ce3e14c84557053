package line

import (
	"math"
	"time"
)

// frontier is the moving threshold: how many of those first turned away have been called. Whoever stands before it may enter.
//
// It advances with the credit that is earned, faster where only part of those counted are people who come back, so that on average as
// many come as may enter. Two things keep it true. Each of the called who comes and finds no credit is one too many: it goes back by one,
// so that those who waited longest have what there is. And credit that lies unused though it is offered goes to others from further back,
// the longer it lies the further (lead), so that capacity is never idle while people wait; lead shrinks as soon as more come than may
// enter. A newcomer is the last whom lead reaches.
type frontier struct {
	called float64 // people by the histogram
	lead   float64
	ratio  float64 // people who come for each one counted
}

// open begins a ramp. Those who were called in an earlier ramp of the closure stay called.
func (f *frontier) open(total float64) {
	f.lead = 0
	f.called = min(f.called+1, total)
}

// advance moves the threshold by what was earned.
func (f *frontier) advance(earned, unused float64, idle time.Duration, rate, total, people float64) {
	f.ratio = 1
	if left := total - f.called; left >= 1 {
		f.ratio = min(1, max(floor, people/left))
	}
	f.called = min(total, f.called+(earned+unused)/f.ratio)
	if unused > 0 {
		doubles := idle.Seconds() / (0.05 + 0.5/rate)
		f.lead = min(max(f.lead, 1, rate/10)*math.Exp2(min(doubles, 60)), total-f.called+1)
	}
}

// reaches says whether somebody with so many before him may enter.
func (f *frontier) reaches(before float64) bool { return before <= f.called+f.lead }

// miss notes that somebody with a place may enter and there was no credit.
func (f *frontier) miss(before float64) {
	f.lead /= 2
	if before <= f.called && f.ratio > 0 {
		f.called = max(before, f.called-1/f.ratio)
	}
}

// need is how much must be earned until it is the turn of somebody with so many before him.
func (f *frontier) need(before float64) float64 {
	return max(0, before-f.called) * max(f.ratio, floor)
}

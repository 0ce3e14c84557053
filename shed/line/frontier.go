package line

import (
	"math"
	"time"
)

// frontier is the moving threshold: how many of those first turned away have been called. Whoever stands before it may enter.
//
// It advances with the credit that is earned, faster where only part of those counted are people who come back, so that on
// average as many come as may enter. Two things keep it true. Each of the called who comes and finds no credit is one too many:
// it goes back by one, so that those who waited longest have what there is. And credit that lies unused though it is offered
// goes to others from further back, the longer it lies the further (lead), so that capacity is never idle while people wait;
// lead shrinks as soon as more come than may enter. A newcomer is the last whom lead reaches, and the first whom it does not
// reach any more; a flood of those who carry no place takes what nobody else wants.
type frontier struct {
	called float64 // people by the histogram
	lead   float64
	ratio  float64 // people who come for each one counted, near the threshold
}

// open begins a ramp. Those who were called in an earlier ramp of the closure stay called.
func (f *frontier) open(total float64) {
	f.lead = 0
	f.called = min(f.called+1, total)
	f.ratio = 1
}

// advance moves the threshold by what was earned.
func (f *frontier) advance(earned, unused float64, idle time.Duration, rate, total float64) {
	f.called = min(total, f.called+(earned+unused)/f.ratio)
	if unused > 0 {
		doubles := idle.Seconds() / (0.05 + 0.5/rate)
		f.lead = min(max(f.lead, 1, rate/10)*math.Exp2(min(doubles, 60)), total-f.called+1)
	}
}

// look finds how many people come for each one counted in the group at the threshold and the one after it.
func (f *frontier) look(o *order, c *crowd) {
	if o.total-f.called < 1 {
		f.ratio = 1
		return
	}
	g := o.at(f.called) / each
	people, end := c.in(g), 0.0
	for g = g + 1; ; g++ {
		end = float64(o.sum(min(g+1, groups) * each))
		if g < groups {
			people += c.in(g)
		}
		if g >= groups-1 || end-f.called >= 1 {
			break
		}
	}
	f.ratio = min(1, max(floor, people/max(1, end-f.called)))
}

// reaches says whether somebody with so many before him may enter.
func (f *frontier) reaches(before float64) bool { return before <= f.called+f.lead }

// miss notes that somebody may enter and there was no credit.
func (f *frontier) miss(before float64, kept bool) {
	if !kept {
		f.lead *= 0.9
		return
	}
	f.lead /= 2
	if before <= f.called {
		f.called = max(before, f.called-1/f.ratio)
	}
}

// ahead is about how many people will enter before somebody who stands in that bin and has so many before him: those who were
// called and have not entered, and those who stand between the threshold and him.
func (f *frontier) ahead(before float64, bin int, o *order, c *crowd) float64 {
	to := bin / each
	begin, end := float64(o.sum(to*each)), float64(o.sum((to+1)*each))
	if before > f.called {
		begin = max(f.called, begin)
	}
	return c.before(to) + c.in(to)*min(1, (before-begin)/max(1, end-begin))
}

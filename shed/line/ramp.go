package line

import (
	"math"
	"time"
)

// slowest is the least rate that counts, so that an estimate is always finite.
const slowest = 1.0 / 60

// slack forgives what nanoseconds cannot express: who comes exactly when told to must find the place free.
const slack = 1e-6

// ramp is how many may enter: the hard bound that holds whatever the order is. Its rate is a factor times a straight line from
// From to To, and To from then on. Credit is what may enter now. It is earned evenly and kept up to a tenth of a second's worth
// (never less than one), so that no second admits more than its rate and a tenth, or its rate rounded up to a whole person.
//
// A line that does not drain would stay for ever where more come than To lets in. From the moment stretch on, the rate doubles
// with every Over, so that it meets any demand in the end without letting it in at once.
type ramp struct {
	into    time.Duration // how far into the ramp credit was earned
	credit  float64
	factor  float64       // 1, and less after sign-ins regressed
	stretch time.Duration // when the rate begins to double; zero: not yet known
}

func startRamp() ramp { return ramp{credit: 1, factor: 1} }

// earn counts credit until that far into the ramp. It returns how much was earned, how much of that was left unused because
// nobody came for it, and for how long.
func (r *ramp) earn(s *Settings, into time.Duration) (earned, unused float64, idle time.Duration) {
	if into <= r.into {
		return 0, 0, 0
	}
	earned = r.factor * r.area(s, r.into, into)
	r.credit += earned
	r.into = into
	rate := r.rate(s)
	if most := max(1, rate/10); r.credit > most {
		unused = min(r.credit-most, earned)
		r.credit = most
		idle = seconds(unused / rate)
	}
	return earned, unused, idle
}

// take takes one credit if there is one.
func (r *ramp) take() bool {
	if r.credit < 1-slack {
		return false
	}
	r.credit = max(0, r.credit-1)
	return true
}

// rate is what is earned each second now.
func (r *ramp) rate(s *Settings) float64 { return r.factor * r.full(s, r.into) }

// full is the rate that far into the ramp where sign-ins do well.
func (r *ramp) full(s *Settings, into time.Duration) float64 {
	from, to := max(slowest, s.From), max(slowest, s.To)
	switch {
	case into <= 0:
		return from
	case into < s.Over:
		return from + (to-from)*float64(into)/float64(s.Over)
	case r.stretch > 0 && into > r.stretch:
		return to * math.Exp2(min(20, float64(into-r.stretch)/float64(max(s.Over, time.Second))))
	}
	return to
}

// area is how much is earned between two moments of the ramp at full rate: the area under the line, which has one bend.
func (r *ramp) area(s *Settings, from, to time.Duration) float64 {
	if from < s.Over && to > s.Over {
		return r.area(s, from, s.Over) + r.area(s, s.Over, to)
	}
	return (r.full(s, from) + r.full(s, to)) / 2 * (to - from).Seconds()
}

// until is how long it takes from now to earn that much at the present factor.
func (r *ramp) until(s *Settings, much float64) time.Duration {
	much = max(0, much) / r.factor
	now := r.full(s, r.into)
	left := s.Over - r.into
	if left <= 0 {
		return seconds(much / now)
	}
	to := max(slowest, s.To)
	if climb := (now + to) / 2 * left.Seconds(); much > climb {
		return left + seconds((much-climb)/to)
	}
	slope := (to - now) / left.Seconds()
	return seconds(2 * much / (now + math.Sqrt(max(0, now*now+2*slope*much))))
}

// seconds rounds up, so that what is waited for has been earned by then. It is bounded where a duration ends.
func seconds(s float64) time.Duration {
	return time.Duration(math.Ceil(min(s, 1e9) * float64(time.Second)))
}

// pace is which part of the credit that was earned lately was used. Where few enter a second much of it is not: visitors come at
// whole seconds, and hardly any credit is kept. The threshold then moves slower than the ramp.
type pace struct{ earned, took float64 }

func (p *pace) earn(credit float64) {
	if p.earned += credit; p.earned > 50 {
		p.earned, p.took = p.earned/2, p.took/2
	}
}

// part is that part at a rate. It is bounded: the later people come for it, the more credit lies unused.
func (p *pace) part(rate float64) float64 {
	if p.earned < 10 {
		return 1
	}
	return min(1, max(1-0.4/max(1, rate/10), p.took/p.earned))
}

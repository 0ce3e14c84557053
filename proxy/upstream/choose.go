package upstream

import (
	"math/rand/v2"
	"time"
)

// choose is the choice of Claim: two are drawn, each as likely as it is warm, and the less loaded is taken, but never one that
// is colder than the one drawn first. It is called under the pool's lock. Where it is calm, now is not looked at.
func (p *Pool) choose(t *Tried, now time.Time) *backend {
	if n := len(p.backends); n > 0 && (p.calm(t) || p.even(t, now)) {
		if n == 1 {
			return p.backends[0]
		}
		i, j := rand.IntN(n), rand.IntN(n-1)
		if j >= i {
			j++
		}
		if one, two := p.backends[i], p.backends[j]; two.inFlight < one.inFlight {
			i = j
		}
		return p.backends[i]
	}
	var fit, fitWeight, rested, restedWeight int
	for _, b := range p.backends {
		if !p.fits(b, t) {
			continue
		}
		w := b.weight(now)
		fit++
		fitWeight += w
		if !now.Before(b.rest) {
			rested++
			restedWeight += w
		}
	}
	n, weight, tired := rested, restedWeight, false
	if rested == 0 {
		n, weight, tired = fit, fitWeight, true
	}
	if n == 0 {
		return nil
	}
	one := p.draw(t, now, rand.IntN(weight), tired, nil)
	if n == 1 {
		return one
	}
	w := one.weight(now)
	two := p.draw(t, now, rand.IntN(weight-w), tired, one)
	if v := two.weight(now); v >= w && two.inFlight*w < one.inFlight*v {
		return two
	}
	return one
}

// even reports whether all backends are alike but for their load: so it is nearly always, and then nobody needs counting.
func (p *Pool) even(t *Tried, now time.Time) bool {
	if !t.none() || p.inUse != len(p.backends) && p.inUse != 0 || now.Before(p.evenFrom) {
		return false
	}
	p.evenFrom = time.Time{}
	return true
}

// calm reports the same where it does not depend on the time, nor does who is ejected.
func (p *Pool) calm(t *Tried) bool {
	return t.none() && p.ejected == 0 && (p.inUse == len(p.backends) || p.inUse == 0) && p.evenFrom.IsZero()
}

// fits reports whether b may be chosen at all.
func (p *Pool) fits(b *backend, t *Tried) bool {
	return (b.up && !b.out || p.inUse == 0) && !t.has(b)
}

// draw returns the one in whose part of all weights at lies, leaving out those that rest, unless tired ones do as well, and
// except.
func (p *Pool) draw(t *Tried, now time.Time, at int, tired bool, except *backend) *backend {
	for _, b := range p.backends {
		if b == except || !p.fits(b, t) || !tired && now.Before(b.rest) {
			continue
		}
		if at -= b.weight(now); at < 0 {
			return b
		}
	}
	return nil
}

func (p *Pool) unevenUntil(t time.Time) {
	if t.After(p.evenFrom) {
		p.evenFrom = t
	}
}

package shed

import "time"

// Shares is the part of a pool's limit that each class is guaranteed, 0..1 and 1 at most together. The zero value guarantees
// nothing: then whoever matters most goes first, and the others wait for what is left until their time is up.
type Shares [NumClasses]float64

// rounding forgives what binary fractions lose: 0.29 of 100 is 29.
const rounding = 1e-9

// longestLag bounds how long a class is remembered to have had too much or too little.
const longestLag = time.Minute

// turns decides whose turn it is when a permit comes free. It has no clock and no lock of its own.
type turns struct {
	held [NumClasses]int     // permits of the gate's own requests; guests are not in it
	lag  [NumClasses]float64 // seconds that a class is behind its share; less than 0: ahead
	at   time.Time           // when lag was right
}

// of is what class c is guaranteed of a limit, in permits: seldom a whole number.
func (s *Shares) of(c int, limit int) float64 { return s[c]*float64(limit) + rounding }

// account brings lag up to date.
func (t *turns) account(now time.Time, limit int, shares *Shares) {
	passed := now.Sub(t.at).Seconds()
	t.at = now
	if passed <= 0 {
		return
	}
	_ = limit
	_ = shares
}

// next returns whose turn it is of those who wait.
func (t *turns) next(limit int, shares *Shares, waiting [NumClasses]bool) Class {
	for c := range waiting {
		if waiting[c] && float64(t.held[c]+1) <= shares.of(c, limit) {
			return Class(c)
		}
	}
	for c := range waiting {
		if waiting[c] {
			return Class(c)
		}
	}
	return Background
}

// displaced returns the class that loses a place in a full queue to a newcomer of class c.
func (t *turns) displaced(c Class, limit, length int, shares *Shares, queued *[NumClasses]int) (Class, bool) {
	for v := NumClasses - 1; v > int(c); v-- {
		if queued[v] > 0 && float64(queued[v]) > shares.of(v, length) {
			return Class(v), true
		}
	}
	return 0, false
}

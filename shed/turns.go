package shed

import (
	"math"
	"time"
)

// Shares is the part of a pool's limit that each class is guaranteed, 0..1 and 1 at most together. The zero value guarantees
// nothing: then whoever matters most goes first, and the others wait for what is left until their time is up.
type Shares [NumClasses]float64

// rounding forgives what binary fractions lose: 0.29 of 100 is 29.
const rounding = 1e-9

// longestLag bounds for how long a class pays for having had too much, or is paid for having had too little.
const longestLag = time.Minute

// of is what class c is guaranteed of n permits or places: seldom a whole number.
func (s *Shares) of(c, n int) float64 { return s[c] * float64(n) }

// turns decides whose turn it is when a permit comes free and several classes wait. It has no clock and no lock of its own.
//
// A share is seldom a whole number of permits, and to round it would give a small class nothing, or a small pool away five
// times over. So a share is kept over time. What is whole in it is kept by the count of permits that the class holds. For the
// fraction there is lag: for how many seconds the class has been behind its share while it waited. Holding one permit where the
// share is a fifth of one puts it four seconds ahead for each second that it holds it, however long its requests take: counting
// grants instead would give a class of slow requests more than its share. Time counts only while somebody waits: nobody
// is the worse for what is taken of a pool that has room, and what is borrowed beyond the share rounded up is not charged, since
// nobody is to be punished for taking what others left.
//
// Whose turn it is:
//
//   - A class is due if it waits, holds less than its share, and either a whole permit more is within the share or it is not
//     ahead. Of the classes that are due the one furthest behind goes first; of equals the one that matters more.
//   - As no permit is ever taken back, lesser classes could each round up their fraction, and with slow requests keep better
//     ones out for long. So while a better class waits, a class is due only if with it all that matter less than the better one
//     hold, together, no more than the shares down to the better one, rounded down, leave of the limit.
//   - Where none is due, the class that matters most of those who wait goes: it borrows.
//
// None starves: the shares are 1 at most together, so those who are due before a class use at most what its share leaves. It
// takes a queue in which a class can have a place: one with fewer places than there are classes keeps the shares only roughly,
// because often nobody of the class that is due is there, and who comes just as a permit is free takes it. And a share of a
// fraction is no more than that, however seldom the class asks: 0.05 of one permit is 0.15 seconds of work every three seconds,
// so of requests of 0.3 seconds that come so often half are served.
type turns struct {
	held [NumClasses]int     // permits of the gate's own requests; guests are not in it
	lag  [NumClasses]float64 // seconds that a class is behind its share; less than 0: ahead
	at   time.Time           // when lag was right
}

// rest brings lag up to date after nobody waited: who was ahead is so by less, and nobody is behind.
func (t *turns) rest(now time.Time) {
	passed := now.Sub(t.at).Seconds()
	t.at = now
	for c := range t.lag {
		t.lag[c] = min(t.lag[c]+passed, 0)
	}
}

// account brings lag up to date after somebody waited, and held was the same all the time. A class that does not wait is not
// behind.
func (t *turns) account(now time.Time, limit int, shares *Shares, waiting [NumClasses]bool) {
	passed := now.Sub(t.at).Seconds()
	t.at = now
	for c := range t.lag {
		share := shares.of(c, limit)
		if share <= rounding {
			t.lag[c] = 0
			continue
		}
		charged := min(float64(t.held[c]), math.Ceil(share-rounding))
		lag := t.lag[c] + passed*(1-charged/share)
		most := longestLag.Seconds()
		if !waiting[c] {
			most = 0
		}
		t.lag[c] = max(min(lag, most), -longestLag.Seconds())
	}
}

// due says whether class c is due for a permit by the rule above, if it waits.
func (t *turns) due(c, limit int, shares *Shares, waiting *[NumClasses]bool) bool {
	share, held := shares.of(c, limit), float64(t.held[c])
	if held >= share-rounding || held+1 > share+rounding && t.lag[c] < 0 {
		return false
	}
	lesser := 0
	for _, n := range t.held {
		lesser += n
	}
	better, waits := 0.0, false
	for i := range c {
		lesser -= t.held[i]
		better += shares.of(i, limit)
		waits = waits || waiting[i]
		if waits && lesser+1 > limit-int(better+rounding) {
			return false
		}
	}
	return true
}

// next returns whose turn it is of those who wait, and whether that is by its share. Somebody must wait.
func (t *turns) next(limit int, shares *Shares, waiting [NumClasses]bool) (c Class, due bool) {
	best := -1
	for c, waits := range waiting {
		if waits && t.due(c, limit, shares, &waiting) && (best < 0 || t.lag[c] > t.lag[best]) {
			best = c
		}
	}
	if best >= 0 {
		return Class(best), true
	}
	for c, waits := range waiting {
		if waits {
			return Class(c), false
		}
	}
	return Background, false
}

// displaced returns the class that loses a place in a full queue to a newcomer of class c, if one does.
//
// A class is beyond its share of the queue if it has more places than its share of the length, and more than one if it is due
// for a permit. The least of those that matter less than c loses a place. Where c itself is not beyond its share if it gets a
// place, that may be one that matters more, too: else a flood of a better class would keep it out for good.
func (t *turns) displaced(c Class, limit, length int, shares *Shares, queued *[NumClasses]int) (Class, bool) {
	var waiting [NumClasses]bool
	for v, n := range queued {
		waiting[v] = n > 0
	}
	within := func(v, places int) bool {
		return float64(places) <= shares.of(v, length)+rounding || places == 1 && t.due(v, limit, shares, &waiting)
	}
	least := int(c) + 1
	if within(int(c), queued[c]+1) {
		least = 0
	}
	for v := NumClasses - 1; v >= least; v-- {
		if v != int(c) && queued[v] > 0 && !within(v, queued[v]) {
			return Class(v), true
		}
	}
	return 0, false
}

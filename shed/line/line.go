// Package line lets sign-ins back in after the session store was closed, at a climbing rate instead of all at once.
//
// A store that comes back is met by everybody who was turned away. Reads it can take; sign-ins are the dear ones, and the
// herd of them knocks it over again. So they pass a ramp: from the moment the store opened, the rate of admissions climbs in
// a straight line from From to To, and when Over has passed the ramp is gone and everybody enters.
//
// Admissions are spread evenly within each second: at most a tenth of a second's worth at once (and never less than one), so
// that any second admits no more than its rate and a tenth. Whoever is turned away hears an estimate of when a place will be
// free. Estimates are handed out one behind the other, so they grow with the number of those turned away recently, and
// nobody is told to come later than the end of the ramp. They promise nothing: places go to those who come.
package line

import (
	"math"
	"sync"
	"time"
)

// Settings is the shape of a ramp. With Over zero or less there is no ramp, and everybody enters.
type Settings struct {
	From, To float64       // admissions per second when the ramp begins and when it ends; the least that counts is one a minute
	Over     time.Duration // how long it climbs
}

// Place is what decides where somebody stands.
type Place struct {
	Opened time.Time // when the ramp began, as the verdict says; zero when none runs
}

// Line is one store's ramp. The zero value lets everybody enter. It is safe for concurrent use and does not allocate.
type Line struct {
	mu       sync.Mutex
	set      Settings
	opened   time.Time
	at       time.Duration // how far into the ramp credit was last counted
	credit   float64       // admissions that are free now
	promised time.Duration // the last place told to somebody turned away, into the ramp
}

// slowest is the least rate that counts, so that an estimate is always finite.
const slowest = 1.0 / 60

// New returns a line with these settings.
func New(s Settings) *Line { return &Line{set: s} }

// Set changes the settings in place. A ramp that runs goes on from where it is in time.
func (l *Line) Set(s Settings) {
	l.mu.Lock()
	l.set = s
	l.mu.Unlock()
}

// Enter returns 0 if the caller may enter at now, and otherwise the estimated wait until there is a place. A place whose
// Opened is older than a ramp already seen stands in the newer one: it comes from a verdict that has been overtaken.
func (l *Line) Enter(now time.Time, p Place) time.Duration {
	if p.Opened.IsZero() {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.Opened.After(l.opened) {
		l.opened, l.at, l.credit, l.promised = p.Opened, 0, 1, 0
	}
	into := max(now.Sub(l.opened), l.at)
	if into >= l.set.Over {
		return 0
	}
	rate := l.rate(into)
	l.credit = min(l.credit+l.between(l.at, into), max(1, rate/10))
	l.at = into
	if l.credit >= 1-slack {
		l.credit--
		return 0
	}
	next := into + seconds((1-l.credit)/rate)
	l.promised = max(next, l.promised+seconds(1/l.rate(l.promised)))
	l.promised = min(l.promised, l.set.Over)
	return max(l.promised-into, time.Millisecond)
}

// slack forgives what nanoseconds cannot express: a caller who comes exactly when told to must find the place free.
const slack = 1e-6

// rate is the rate of admissions that far into the ramp.
func (l *Line) rate(into time.Duration) float64 {
	share := min(1, max(0, float64(into)/float64(l.set.Over)))
	return max(slowest, l.set.From+(l.set.To-l.set.From)*share)
}

// between is how many admissions fall free between two moments of the ramp: the area under a straight line.
func (l *Line) between(from, to time.Duration) float64 {
	return (l.rate(from) + l.rate(to)) / 2 * (to - from).Seconds()
}

func seconds(s float64) time.Duration {
	return time.Duration(math.Ceil(s * float64(time.Second)))
}

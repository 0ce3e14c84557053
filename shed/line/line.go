package line

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	clocks   = 5 * time.Second  // by how much the clocks of two Gatehouses, and their noticing a closure, may differ
	blind    = time.Hour        // how old a place may be where nobody knows when the closure began
	young    = 10 * time.Second // who hears of a closure this soon after he began does not know when it began
	width    = 125 * time.Millisecond
	look     = 10 * time.Millisecond // how often the crowd is looked at
	requests = 12                    // that one admission is good for
	journey  = 10 * time.Minute      // after which every admission has ended
)

type phase uint8

const (
	calm phase = iota
	closed
	ramping // and after the ramp its tail, until the line has drained
)

// Line is one store's waiting line and ramp. The zero value lets everybody enter. It is safe for concurrent use, and takes the
// same memory whoever comes: 45 kB, a megabyte and a half more while a closure and its ramp last, and half of one for admissions in use.
// Enter, TurnedAway, Report and Load do not allocate.
//
// Close and Open must be told in the order in which they happened; until it is told Open, a closed line lets nobody enter.
// Moments should come from time.Now or a clock like it; of two that come in the wrong order the earlier counts as the later.
type Line struct {
	calm   atomic.Bool  // nothing is to be done but let in; the rest needs not be looked at
	admits atomic.Int64 // until when in calm times everybody should have an admission, in nanoseconds since 1970

	mu       sync.Mutex
	set      Settings
	phase    phase
	heard    time.Time // of anything, first: since when it would know of a closure
	began    time.Time // the closure, as far as is known
	opened   time.Time
	store    any // whose line it is, where it is owned
	owned    bool
	followed time.Time // when what was followed last began
	zero     time.Time // from which on a place is good; moments of this closure are counted from here
	guessing bool      // when the closure began is not known, so places of unknown Gatehouses are believed and counted
	mark     uint16

	ramp     ramp
	health   health
	order    order
	crowd    crowd
	frontier frontier
	looked   time.Duration // into the ramp, when the frontier last looked at the crowd
	spent    *uses         // ids of places that were admitted in this closure
	promises *promises
	pace     pace
	admitted uint64
	halved   int
	cuts     int     // of these, those that nobody was told of
	leftover float64 // how many were counted when the ramp had climbed to its end; -1 before
	spell    spell

	ended   time.Time // the last closure with its ramp and tail
	resumed bool      // a ramp was begun because of a place that was shown in calm times

	journeys *uses
	travel   time.Time // the last of them
}

// New returns a line with these settings. A closure that begins long after it is one whose beginning is known.
func New(s Settings) *Line {
	l := new(Line)
	l.Set(s)
	return l
}

// Set changes the settings in place. A ramp that runs goes on from where it is in time.
func (l *Line) Set(s Settings) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set = s
	l.starts()
	l.remember()
}

// Close says that the store closed for sign-ins at now. During a ramp or its tail the same closure goes on: places stay good.
// While closed it does nothing.
func (l *Line) Close(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.close(now)
}

func (l *Line) close(now time.Time) {
	l.settle(now)
	if l.phase == calm {
		l.begin(now)
	}
	l.phase = closed
}

// Open says that the store opened at that moment: the ramp begins, anew where one was running. Where nothing was closed a ramp
// begins all the same, as after the loss of every session. A moment that is not after the last opening does nothing while the
// store is open.
func (l *Line) Open(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open(at)
}

func (l *Line) open(at time.Time) {
	l.settle(at)
	if l.phase != closed && !at.After(l.opened) {
		return
	}
	if l.phase == calm {
		l.begin(at)
	}
	l.phase, l.opened, l.leftover = ramping, at, -1
	l.ramp, l.spell, l.looked = startRamp(), spell{}, 0
	l.pace = pace{}
	l.health.start(at)
	l.frontier.open(l.order.total)
	l.settle(at)
}

// begin starts a new closure.
func (l *Line) begin(now time.Time) {
	l.calm.Store(false)
	l.hears(now)
	l.guessing = l.resumed && l.began.IsZero() || now.Sub(l.heard) < young
	l.began, l.halved = now, 0
	l.zero = now.Add(-clocks)
	if l.guessing {
		l.zero = l.zero.Add(-blind)
	}
	l.order.reset(width)
	for l.guessing && l.order.width < 32*width { // an hour and more fits
		l.order.widen()
	}
	_, latest := l.set.waits()
	l.crowd.reset(now.Sub(l.zero), latest)
	l.frontier = frontier{}
	l.spent, l.promises = new(uses), new(promises)
	if l.mark == 0 {
		l.mark = uint16(1 + rand.IntN(math.MaxUint16))
	}
}

// end forgets the closure: everybody enters.
func (l *Line) end(now time.Time) {
	l.phase, l.spent, l.promises, l.ended = calm, nil, nil, now
	l.remember()
	l.health.start(now)
	l.calm.Store(true)
}

// settle lets the time go by until now.
func (l *Line) settle(now time.Time) {
	l.hears(now)
	if l.phase == calm {
		l.calm.Store(true)
	}
	if l.phase != calm {
		l.crowd.pass(now.Sub(l.zero))
	}
	if l.phase != ramping {
		return
	}
	into := now.Sub(l.opened)
	if l.set.Over <= 0 {
		l.end(now)
		return
	}
	if into <= l.ramp.into {
		return
	}
	earned, unused, idle := l.ramp.earn(&l.set, into)
	rate := l.ramp.rate(&l.set)
	l.pace.earn(earned)
	if into-l.looked >= look || l.looked == 0 {
		l.looked = into
		l.frontier.look(&l.order, &l.crowd)
	}
	l.frontier.advance(earned, unused, idle, rate, l.order.total)
	if l.health.overdue(now, rate) {
		l.judged(l.health.halve(now, l.ramp.factor))
	}
	if into >= l.set.Over {
		l.tail(now, earned)
	}
}

// tail ends the line when it has drained. It lets the rate double from two ramps after everybody was called who was there when
// the ramp had climbed to its end: what comes then is more than To for good.
func (l *Line) tail(now time.Time, earned float64) {
	if l.leftover < 0 {
		l.leftover = l.order.total
	}
	if l.ramp.stretch == 0 && l.frontier.called >= l.leftover {
		l.ramp.stretch = l.ramp.into + max(2*l.set.Over, time.Minute)
	}
	if l.spell.idle(l.ramp.into, earned) && l.crowd.people() <= max(1, l.ramp.rate(&l.set)) {
		l.end(now)
	}
}

const spellTime = 2 * time.Second

// spell tells whether fewer come than may enter: in its time not half as many.
type spell struct {
	begun         time.Duration
	earned, asked float64
}

func (s *spell) idle(into time.Duration, earned float64) bool {
	if s.begun == 0 {
		*s = spell{begun: into}
		return false
	}
	s.earned += earned
	if into-s.begun < spellTime {
		return false
	}
	is := s.asked <= s.earned/2
	*s = spell{begun: into}
	return is
}

// Load says what the line is doing at now.
func (l *Line) Load(now time.Time) Load {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := l.spell.begun == 0
	l.settle(now)
	if first && l.phase == ramping && now.Sub(l.opened)-l.set.Over >= spellTime && l.crowd.people() < 1 {
		// Nobody has come since the ramp was over, or the spell would have begun. The line ends with the next who looks or comes.
		return Load{Rate: math.Inf(1), Admitted: l.admitted}
	}
	d := Load{Active: l.phase != calm, Closed: l.phase == closed, Rate: math.Inf(1), Admitted: l.admitted}
	if !d.Active {
		return d
	}
	d.Halved, d.Since, d.Waiting, d.Rate = l.halved, l.began, int(l.crowd.people()), 0
	if l.phase == ramping {
		d.Rate, d.Ends = l.ramp.rate(&l.set), l.opened.Add(l.set.Over)
	}
	return d
}

package line

import (
	"math/rand/v2"
	"time"
)

// identity is the part of a place's id that tells it apart. The rest says which Line counted it.
const identity = 1<<48 - 1

const (
	patience = 3 * time.Second     // by how much later it is the turn of somebody who comes before he was told to
	sooner   = 5 * time.Second     // his turn must have become for him to be told something else then
	slower   = 3 * time.Second / 2 // is the most by which the ramp is reckoned to be where credit lies unused
	probed   = 8                   // one in so many newcomers is told to come soon, so that it is soon known how many of them come
)

// Enter says whether a sign-in may go on while the store is open. Outside a ramp and its tail it may. During them it may when
// it is its turn and there is credit; a place is used up then. Otherwise the visitor is told when to come again. While the
// store is closed nobody enters, as by TurnedAway.
func (l *Line) Enter(now time.Time, p Place) Turn {
	if l.calm.Load() {
		return Turn{Enter: true}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(now)
	switch l.phase {
	case calm:
		return Turn{Enter: true}
	case closed:
		return l.turnAway(now, p)
	}
	l.spell.asked++
	kept, before := l.stands(now, p)
	if !l.may(now, p, kept, before) {
		return l.tell(now, p, kept, before)
	}
	if !l.ramp.take() {
		l.frontier.miss(before, kept)
		return l.tell(now, p, kept, before)
	}
	l.admitted++
	l.pace.took++
	l.health.silent++
	l.health.room++
	if kept {
		l.spent.take(p.ID&identity, 1)
		l.meet(p)
	}
	return Turn{Enter: true, Kept: kept, Counted: true}
}

// may says whether it is somebody's turn. Whoever comes before he was told to is at the door whenever a place comes free, and would
// be in before those who stand beside him and wait as they are told; so his turn is a little later.
func (l *Line) may(now time.Time, p Place, kept bool, before float64) bool {
	if kept && l.early(now.Sub(l.zero), p.ID) {
		before += patience.Seconds() * l.ramp.rate(&l.set)
	}
	return l.frontier.reaches(before)
}

// early says whether somebody comes before he was told to.
func (l *Line) early(at time.Duration, id uint64) bool {
	e := l.promises.find(id & identity)
	return e != nil && e.at() > at+tick
}

// TurnedAway says when somebody should come again who is turned away because the store is closed, and gives him a place in the
// line where he has none. Nobody enters by it.
func (l *Line) TurnedAway(now time.Time, p Place) Turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(now)
	return l.turnAway(now, p)
}

func (l *Line) turnAway(now time.Time, p Place) Turn {
	if l.phase == calm {
		// The store closed or opened this moment, and the line was not told yet or no more.
		if p.ID == 0 || p.Seen.After(now.Add(clocks)) {
			p = Place{Seen: now, ID: newID(l.mark)}
		}
		least, latest := l.set.waits()
		return Turn{Wait: whole(spread(least, least, latest), least, latest), Ahead: -1, Place: p}
	}
	kept, before := l.stands(now, p)
	return l.tell(now, p, kept, before)
}

// stands says whether a place is good and how many stand before it. A place is good from when the closure began, and only once.
func (l *Line) stands(now time.Time, p Place) (kept bool, before float64) {
	seen := p.Seen.Sub(l.zero)
	kept = p.ID&identity != 0 && seen >= 0 && seen <= now.Sub(l.zero)+clocks && !l.spent.has(p.ID&identity)
	if !kept {
		return false, l.order.total
	}
	return true, l.order.before(seen)
}

// tell gives somebody who may not enter now his place and the time of his return.
func (l *Line) tell(now time.Time, p Place, kept bool, before float64) Turn {
	t := Turn{Place: p, Kept: kept}
	counted := kept
	switch {
	case !kept:
		t.Place = Place{Seen: now, ID: newID(l.mark)}
	case l.guessing && uint16(p.ID>>48) != l.mark:
		// He was counted by another process or in an earlier life of this one, and is counted here now.
		t.Place.ID = uint64(l.mark)<<48 | p.ID&identity
		counted = false
	}
	seen := t.Place.Seen.Sub(l.zero)
	for !l.order.fits(seen) {
		l.order.widen()
		l.crowd.widen()
	}
	if !counted {
		l.order.add(seen)
	}
	bin := l.order.bin(seen)
	ahead := l.frontier.ahead(before, bin, &l.order, &l.crowd)
	t.Wait = l.wait(ahead)
	if least, _ := l.set.waits(); !kept && t.Wait > least && rand.N(probed) == 0 {
		t.Wait = whole(least, time.Second, least+time.Second)
	}
	l.promise(now.Sub(l.zero), &t, bin)
	t.Ahead = int(ahead + 0.5)
	// A process that does not know when the closure began has heard of everybody after the time in which everybody comes again.
	if _, latest := l.set.waits(); l.guessing && now.Sub(l.began) < latest {
		t.Ahead = -1
	}
	return t
}

// promise notes when somebody is to come again. One who is early is told the same as before, unless his turn has become much sooner.
func (l *Line) promise(at time.Duration, t *Turn, bin int) {
	id, then := t.Place.ID&identity, (at + t.Wait).Truncate(tick)
	if t.Kept && l.early(at, id) {
		if due := l.promises.find(id).at(); due <= then+sooner {
			t.Wait = (due - at + time.Second - 1).Truncate(time.Second)
			return
		}
	}
	if t.Kept {
		l.meet(t.Place)
	}
	l.crowd.tell(then, bin, t.Kept)
	l.promises.put(id, then, !t.Kept)
}

// meet counts somebody who came back with a good place.
func (l *Line) meet(p Place) {
	l.crowd.meet(l.promises.find(p.ID&identity), l.order.bin(p.Seen.Sub(l.zero)))
}

// wait is when somebody should come again who has so many people before him.
//
// While the store is open that is when it is his turn. While it is closed it is when it would be his turn if the store opened
// now: the first in line ask often, the last seldom, and whenever it opens everybody is back for his turn and not before. So
// those who wait come back in the shape of the ramp instead of the spike in which they left.
func (l *Line) wait(ahead float64) time.Duration {
	least, latest := l.set.waits()
	switch {
	case l.phase == ramping:
		turn := l.ramp.until(&l.set, ahead+1-l.ramp.credit)
		turn += min(slower, time.Duration(float64(turn)*(1/l.pace.part(l.ramp.rate(&l.set))-1)))
		if turn >= latest {
			turn = spread(turn, time.Second, latest)
		}
		return whole(turn, time.Second, latest)
	case l.set.Over <= 0:
		return whole(least+rand.N(latest-least+1), least, latest)
	}
	start := startRamp()
	return whole(spread(start.until(&l.set, ahead), least, latest), least, latest)
}

// waits is the bounds of what somebody is told while the store is closed.
func (s *Settings) waits() (least, latest time.Duration) {
	least, latest = s.MinWait, s.MaxWait
	if least <= 0 {
		least = 5 * time.Second
	}
	if latest <= 0 {
		latest = time.Minute
	}
	return least, max(least, latest)
}

// spread keeps a wait within its bounds and those who are told the same apart: the longer, the wider.
func spread(d, least, latest time.Duration) time.Duration {
	switch {
	case d >= latest:
		return max(least, latest/2) + rand.N(latest-max(least, latest/2)+1)
	case d <= least:
		return least + rand.N(min(least/4, latest-least)+1)
	}
	from := max(least, d*3/4)
	return from + rand.N(d-from+1)
}

// whole makes a wait whole seconds, which is what visitors can be told, up or down by chance so that nobody is moved on
// average; at least one, and within bounds where a whole second lies between them.
func whole(d, least, latest time.Duration) time.Duration {
	d = (d + rand.N(time.Second)).Truncate(time.Second)
	d = min(d, latest.Truncate(time.Second))
	return max(d, (least + time.Second - 1).Truncate(time.Second), time.Second)
}

func newID(mark uint16) uint64 {
	return uint64(mark)<<48 | (rand.Uint64()&identity | 1)
}

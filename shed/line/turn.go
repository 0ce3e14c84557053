package line

import (
	"math/rand/v2"
	"time"
)

// identity is the part of a place's id that tells it apart. The rest says which Line counted it.
const identity = 1<<48 - 1

// patience is by how much later it is the turn of somebody who comes before he was told to.
const patience = 3 * time.Second

// Enter says whether a sign-in may go on while the store is open. Outside a ramp and its tail it may. A process that was started
// less than five minutes ago and never heard of a closure may have missed one: a place of the last ten minutes tells it so, and
// begins a ramp, once. A stranger who kept a place from a closure that was over can make a Gatehouse that was just started let
// people in by one ramp, and no more. During them it may when
// it is its turn and there is credit; a place is used up then. Otherwise the visitor is told when to come again. While the
// store is closed nobody enters, as by TurnedAway.
func (l *Line) Enter(now time.Time, p Place) Turn {
	if p.ID&identity == 0 && l.calm.Load() {
		return l.admit(now)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(now)
	l.resume(now, p)
	switch l.phase {
	case calm:
		return l.admit(now)
	case closed:
		return l.turnAway(now, p, 0)
	}
	l.spell.asked++
	kept, before := l.stands(now, p)
	if !l.may(now, p, kept, before) {
		return l.tell(now, p, kept, before, 0)
	}
	if !l.ramp.take() {
		l.frontier.miss(before, kept)
		return l.tell(now, p, kept, before, 0)
	}
	l.admitted++
	l.pace.took++
	l.health.silent++
	l.health.room++
	if kept {
		l.spent.take(p.ID&identity, 1)
		l.meet(p)
	}
	return Turn{Enter: true, Kept: kept, Counted: true, Admit: true}
}

// may says whether it is somebody's turn. Whoever comes before he was told to is at the door whenever a place comes free, and would
// be in before those who stand beside him and wait as they are told; so his turn is a little later, where there are others.
func (l *Line) may(now time.Time, p Place, kept bool, before float64) bool {
	if kept && l.promises.find(p.ID&identity).early(now.Sub(l.zero)) {
		others := max(0, l.crowd.people()-1)
		before += min(others, patience.Seconds()*l.ramp.rate(&l.set))
	}
	return l.frontier.reaches(before)
}

// TurnedAway says when somebody should come again who is turned away because the store is closed, and gives him a place in the
// line where he has none. Nobody enters by it.
func (l *Line) TurnedAway(now time.Time, p Place) Turn { return l.TurnedAwayUntil(now, p, time.Time{}) }

// TurnedAwayUntil is TurnedAway where the store surely stays closed until it opens then; zero: that is not known. Nobody is told to
// come before that, and everybody for when it will be his turn in the ramp that begins then, however late that is.
func (l *Line) TurnedAwayUntil(now time.Time, p Place, opens time.Time) Turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(now)
	shut := time.Duration(0)
	if !opens.IsZero() && l.phase != ramping {
		shut = max(0, opens.Sub(now))
	}
	return l.turnAway(now, p, shut)
}

func (l *Line) turnAway(now time.Time, p Place, shut time.Duration) Turn {
	if l.phase == calm {
		// The store closed or opened this moment, and the line was not told yet or no more.
		if p.ID == 0 || p.Seen.After(now.Add(clocks)) {
			p = Place{Seen: now, ID: newID(l.mark)}
		}
		least, latest := l.set.waits()
		if shut > 0 {
			return Turn{Wait: after(shut, rand.N(least), least), Ahead: -1, Place: p}
		}
		return Turn{Wait: whole(spread(least, least, latest), least, latest), Ahead: -1, Place: p}
	}
	kept, before := l.stands(now, p)
	return l.tell(now, p, kept, before, shut)
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

func newID(mark uint16) uint64 {
	return uint64(mark)<<48 | (rand.Uint64()&identity | 1)
}

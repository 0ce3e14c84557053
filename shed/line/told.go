package line

import (
	"math/rand/v2"
	"time"
)

const (
	sooner = 5 * time.Second     // his turn must have become for him to be told something else than before
	slower = 3 * time.Second / 2 // is the most by which the ramp is reckoned to be where credit lies unused
	probed = 8                   // one in so many newcomers is told to come soon, so that it is soon known how many of them come
)

// tell gives somebody who may not enter now his place and the time of his return.
func (l *Line) tell(now time.Time, p Place, kept bool, before float64, shut time.Duration) Turn {
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
	t.Wait = l.wait(ahead, shut)
	if least, _ := l.set.waits(); !kept && shut == 0 && t.Wait > least && rand.N(probed) == 0 {
		t.Wait = whole(least, time.Second, least+time.Second)
	}
	l.promise(now.Sub(l.zero), &t, bin, shut)
	t.Ahead = int(ahead + 0.5)
	// A process that does not know when the closure began has heard of everybody after the time in which everybody comes again.
	if _, latest := l.set.waits(); l.guessing && now.Sub(l.began) < latest {
		t.Ahead = -1
	}
	return t
}

// promise notes when somebody is to come again. One who is early is told the same as before, unless his turn has become much sooner.
func (l *Line) promise(at time.Duration, t *Turn, bin int, shut time.Duration) {
	id, then := t.Place.ID&identity, (at + t.Wait).Truncate(tick)
	if !t.Kept {
		l.crowd.tell(then, bin, false)
		l.promises.put(id, then, true)
		return
	}
	e := l.promises.find(id)
	if e.early(at) && e.at() <= then+sooner && e.at() >= at+shut {
		t.Wait = (e.at() - at + time.Second - 1).Truncate(time.Second)
		return
	}
	l.crowd.meet(e, bin)
	l.crowd.tell(then, bin, true)
	if e == nil {
		l.promises.put(id, then, false)
		return
	}
	e.set(then, false)
}

// meet counts somebody who came back with a good place.
func (l *Line) meet(p Place) {
	l.crowd.meet(l.promises.find(p.ID&identity), l.order.bin(p.Seen.Sub(l.zero)))
}

// wait is when somebody should come again who has so many people before him.
//
// While the store is open that is when it is his turn. While it is closed it is when it would be his turn if the store opened
// now: the first in line ask often, the last seldom, and whenever it opens everybody is back for his turn and not before. So
// those who wait come back in the shape of the ramp instead of the spike in which they left. Where it stays shut for a time that is
// known, all of that lies after it.
func (l *Line) wait(ahead float64, shut time.Duration) time.Duration {
	least, latest := l.set.waits()
	switch {
	case l.phase == ramping:
		turn := l.ramp.until(&l.set, ahead+1-l.ramp.credit)
		turn += min(slower, time.Duration(float64(turn)*(1/l.pace.part(l.ramp.rate(&l.set))-1)))
		if turn >= latest {
			turn = spread(turn, time.Second, latest)
		}
		return whole(turn, time.Second, latest)
	case l.set.Over <= 0 && shut > 0:
		return after(shut, rand.N(latest-least+1), least)
	case l.set.Over <= 0:
		return whole(least+rand.N(latest-least+1), least, latest)
	}
	start := startRamp()
	turn := start.until(&l.set, ahead)
	if shut > 0 {
		return after(shut, spread(turn, 0, latest), least)
	}
	return whole(spread(turn, least, latest), least, latest)
}

// after is a wait in whole seconds for a turn after the store opened, and never for a time before that.
func after(shut, turn, least time.Duration) time.Duration {
	d := max(least, shut+turn)
	w := (d + rand.N(time.Second)).Truncate(time.Second)
	if w < max(least, shut) {
		w += time.Second
	}
	return w
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

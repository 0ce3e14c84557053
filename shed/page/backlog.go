package page

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Backlog says how long those who are turned away should stay away, so that they do not all come back at once.
//
// It knows how many have been told to come again and whose time has not come. Each new one is given a random time in
// [Min, Min+W], where W is how long serving those who wait will take, at least Min and never so that Max is passed; and where
// as many as can be served come back then already, the next time where they do not. So the more wait, the wider they are
// spread, and an outage's visitors do not come back as the spike in which they left.
//
// Min and Max are 5 s and 60 s where they are zero, and must not change once Wait was called. The zero value is ready. It is
// safe for concurrent use and takes the same memory whoever comes.
type Backlog struct {
	Min, Max time.Duration

	mu      sync.Mutex
	waiting int
	due     [cells]int // of waiting, by when they come back
	first   int        // the cell of at
	at      time.Time  // when the first cell began
}

// cells is how many pieces the time up to Max is told apart in.
const cells = 64

// Wait counts one more who is turned away at now, and returns when he should come again. perSecond is how many a second can
// be served when they come; where it is not positive nobody knows, and the spread is the widest.
func (b *Backlog) Wait(now time.Time, perSecond float64) time.Duration {
	least, most := b.bounds()
	b.mu.Lock()
	defer b.mu.Unlock()
	cell := b.pass(now, most)
	spread := most - least
	if perSecond > 0 {
		if w := float64(b.waiting) / perSecond; w < spread.Seconds() {
			spread = min(spread, max(least, time.Duration(w*float64(time.Second))))
		}
	}
	wait := least
	if spread > 0 {
		wait += rand.N(spread + 1)
	}
	b.waiting++
	offset := max(now.Sub(b.at), 0)
	until := min(int((offset+wait)/cell), cells-1)
	if later := b.room(until, min(int((offset+most)/cell), cells-1), perSecond*cell.Seconds()); later > until {
		wait = min(wait+time.Duration(later-until)*cell, most)
		until = later
	}
	b.due[(b.first+until)%cells]++
	return wait
}

// room returns the first cell from the one at from to the one at last in which fewer than many come back, and from if there is
// none.
func (b *Backlog) room(from, last int, many float64) int {
	if many <= 0 {
		return from
	}
	for i := from; i <= last; i++ {
		if float64(b.due[(b.first+i)%cells]) < many {
			return i
		}
	}
	return from
}

func (b *Backlog) bounds() (least, most time.Duration) {
	least, most = b.Min, b.Max
	if least <= 0 {
		least = 5 * time.Second
	}
	if most <= 0 {
		most = max(time.Minute, least)
	}
	return least, max(least, most)
}

// pass forgets those whose time has come, and returns how long a cell is.
func (b *Backlog) pass(now time.Time, most time.Duration) time.Duration {
	cell := most/(cells-1) + 1
	if b.at.IsZero() || now.Sub(b.at) >= cells*cell {
		b.waiting, b.due, b.first, b.at = 0, [cells]int{}, 0, now
		return cell
	}
	for now.Sub(b.at) >= cell {
		b.waiting -= b.due[b.first]
		b.due[b.first] = 0
		b.first = (b.first + 1) % cells
		b.at = b.at.Add(cell)
	}
	return cell
}

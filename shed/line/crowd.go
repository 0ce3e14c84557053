package line

import "time"

const (
	cells  = 64            // pieces of the time up to the latest return
	groups = 64            // pieces of the line, oldest first: so many bins of order's in each
	each   = bins / groups // bins
	floor  = 1.0 / 1000    // the least part of those turned away that is taken to be people who come back
)

// crowd estimates how many people are really out there, and where in the line. The histogram cannot say: whoever throws his
// place away, and every bot without cookies, is counted anew each time he asks. But those who are told to come again do come,
// at about that time, if they are there. Who came back before is there until he fails to come; of those turned away for the
// first time, as large a part is there as came of those before them. Everybody is expected once, when he was told to come last.
type crowd struct {
	cell  time.Duration
	at    time.Duration // when the first cell began
	first int
	fresh [cells][groups]uint32 // turned away for the first time, by when they were told to come again and where they stand
	again [cells][groups]uint32 // the same, of those who had come back before

	newcomers, known [groups]uint32 // sums of the cells after the first
	came             float64        // how many came back within the first cell
	rest             float64        // which part of the first cell is still to come: bots that do not come are not told apart before its end
	due, back        float64        // of newcomers lately: how many were to come, how many came
}

func (c *crowd) reset(now, latest time.Duration) {
	*c = crowd{at: now, cell: max(time.Second, latest/(cells-2)+1)}
}

// tell notes that somebody who stands in that bin of the line was told to come again then. The time must have gone by until now.
func (c *crowd) tell(then time.Duration, bin int, before bool) {
	for then-c.at >= cells*c.cell && c.cell < time.Minute {
		c.coarsen()
	}
	n := min(max(int((then-c.at)/c.cell), 0), cells-1)
	rows, sums := &c.fresh, &c.newcomers
	if before {
		rows, sums = &c.again, &c.known
	}
	rows[(c.first+n)%cells][bin/each]++
	if n > 0 {
		sums[bin/each]++
	}
}

// meet notes that somebody came back who stands in that bin of the line. Where it is known when he was told to come, he is not
// expected then any more, however early he came: who comes ten times before his time is one all the same.
func (c *crowd) meet(p *promise, bin int) {
	if p == nil || p.at() < c.at {
		c.came++
		return
	}
	rows, sums := &c.again, &c.known
	if p.fresh() {
		rows, sums = &c.fresh, &c.newcomers
		c.due++
		c.back++
	}
	n := min(int((p.at()-c.at)/c.cell), cells-1)
	if one := &rows[(c.first+n)%cells][bin/each]; *one > 0 {
		*one--
		if n > 0 {
			sums[bin/each]--
		}
	}
}

// pass lets the time go by. What came in a cell beyond those who are known to be there came of the newcomers.
func (c *crowd) pass(now time.Duration) {
	const keep = 0.9 // of what earlier cells said
	if (now - c.at) >= 2*cells*c.cell {
		*c = crowd{at: now, cell: c.cell, rest: 1}
		return
	}
	for (now - c.at) >= c.cell {
		fresh, again := &c.fresh[c.first], &c.again[c.first]
		c.due = c.due*keep + sum(fresh)
		c.back = c.back*keep + c.came - sum(again)
		c.came = 0
		clear(fresh[:])
		clear(again[:])
		c.first = (c.first + 1) % cells
		c.at += c.cell
		for g := range groups {
			c.newcomers[g] -= c.fresh[c.first][g]
			c.known[g] -= c.again[c.first][g]
		}
	}
	c.rest = min(1, 1-float64((now-c.at))/float64(c.cell))
}

// widen follows order.widen: groups join in pairs.
func (c *crowd) widen() {
	join := func(row *[groups]uint32) {
		for g := range groups / 2 {
			row[g] = row[2*g] + row[2*g+1]
		}
		clear(row[groups/2:])
	}
	for i := range cells {
		join(&c.fresh[i])
		join(&c.again[i])
	}
	join(&c.newcomers)
	join(&c.known)
}

// coarsen makes every cell twice as long, where somebody is told to come later than the last one ends.
func (c *crowd) coarsen() {
	for _, rows := range []*[cells][groups]uint32{&c.fresh, &c.again} {
		was := *rows
		for i := range cells {
			rows[i] = [groups]uint32{}
			for _, from := range []int{2 * i, 2*i + 1} {
				for g := 0; g < groups && from < cells; g++ {
					rows[i][g] += was[(c.first+from)%cells][g]
				}
			}
		}
	}
	c.first, c.cell = 0, 2*c.cell
	for g := range groups {
		c.newcomers[g], c.known[g] = 0, 0
		for i := 1; i < cells; i++ {
			c.newcomers[g] += c.fresh[i][g]
			c.known[g] += c.again[i][g]
		}
	}
}

// part is which part of the newcomers are people who come back.
func (c *crowd) part() float64 {
	if c.due < 10 {
		return 1
	}
	return min(1, max(floor, c.back/c.due))
}

// in is about how many people stand in a group and will come.
func (c *crowd) in(group int) float64 {
	known := float64(c.known[group] + c.again[c.first][group])
	return known + c.part()*(float64(c.newcomers[group])+c.rest*float64(c.fresh[c.first][group]))
}

// before is about how many people stand in the groups before one, and will come.
func (c *crowd) before(group int) float64 {
	known, newcomers, first := uint32(0), uint32(0), uint32(0)
	for g := range group {
		known += c.known[g] + c.again[c.first][g]
		newcomers += c.newcomers[g]
		first += c.fresh[c.first][g]
	}
	return float64(known) + c.part()*(float64(newcomers)+c.rest*float64(first))
}

// people is about how many will come.
func (c *crowd) people() float64 {
	return c.before(groups)
}

func sum(row *[groups]uint32) float64 {
	s := uint32(0)
	for _, n := range row {
		s += n
	}
	return float64(s)
}

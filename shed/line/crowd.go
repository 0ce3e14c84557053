package line

import "time"

// cells is how many pieces the time up to the latest return is told apart in.
const cells = 64

// floor is the least part of those turned away that is taken to be people who come back.
const floor = 1.0 / 1000

// crowd estimates how many people are really out there. The histogram cannot say: whoever throws his place away, and every
// bot without cookies, is counted anew each time he asks. But those who are told to come again do come, at about that time, if
// they are there. Who came back before is there until he fails to come; of those turned away for the first time, as large a part
// is there as came of those before them.
type crowd struct {
	cell  time.Duration
	at    time.Time // when the first cell began
	first int
	fresh [cells]uint32 // turned away for the first time, by when they were told to come again
	again [cells]uint32 // the same, of those who had come back before

	newcomers, known float64 // sums of the cells after the first
	came             float64 // how many came back within the first cell
	due, back        float64 // of newcomers lately: how many were to come, how many came
}

func (c *crowd) reset(now time.Time, latest time.Duration) {
	*c = crowd{at: now, cell: max(time.Second, latest/(cells-2)+1)}
}

// tell notes that somebody was told to come again.
func (c *crowd) tell(now time.Time, wait time.Duration, before bool) {
	c.pass(now)
	n := min(max(int((now.Sub(c.at)+wait)/c.cell), 0), cells-1)
	row, sum := &c.fresh, &c.newcomers
	if before {
		row, sum = &c.again, &c.known
	}
	row[(c.first+n)%cells]++
	if n > 0 {
		*sum++
	}
}

// pass lets the time go by. What came in a cell beyond those who are known to be there came of the newcomers.
func (c *crowd) pass(now time.Time) {
	const keep = 0.9 // of what earlier cells said
	if now.Sub(c.at) >= 2*cells*c.cell {
		c.reset(now, c.cell*(cells-2)-1)
		return
	}
	for now.Sub(c.at) >= c.cell {
		c.due = c.due*keep + float64(c.fresh[c.first])
		c.back = c.back*keep + c.came - float64(c.again[c.first])
		c.fresh[c.first], c.again[c.first], c.came = 0, 0, 0
		c.first = (c.first + 1) % cells
		c.at = c.at.Add(c.cell)
		c.newcomers -= float64(c.fresh[c.first])
		c.known -= float64(c.again[c.first])
	}
}

// people is about how many will come.
func (c *crowd) people() float64 {
	part := 1.0
	if c.due >= 10 {
		part = min(1, max(floor, c.back/c.due))
	}
	return c.known + part*c.newcomers
}

package page

import (
	"strconv"
	"time"
)

// placed reports whether the visitor is told of his place in the line. Who is turned away for another reason has none.
func (a *Ask) placed() bool { return a.InLine && (a.Kind == LinedUp || a.Kind == Degraded) }

// ahead returns about how many stand before the visitor, and -1 where that is not said: while the store is closed nobody is let
// in, so it would promise what nobody knows.
func (a *Ask) ahead() int {
	if !a.placed() || a.Kind != LinedUp || a.Ahead < 0 {
		return -1
	}
	return rounded(a.Ahead)
}

// waited returns for how many whole seconds the visitor has been waiting.
func (a *Ask) waited() int {
	if !a.placed() {
		return 0
	}
	return int(max(a.Waited, 0) / time.Second)
}

// rounded returns a number to two digits, up to 20 as it is: it is known about so well.
func rounded(n int) int {
	const most = 1_000_000_000 // more people than that are not waiting
	n = min(n, most)
	unit := 1
	for n/unit >= 100 {
		unit *= 10
	}
	return (n + unit/2) / unit * unit
}

// grouped writes a number as the language does. Four digits are read at a glance.
func (w *words) grouped(n int) string {
	var digits, out [32]byte
	d, b := strconv.AppendInt(digits[:0], int64(n), 10), out[:0]
	for i := range d {
		if i > 0 && len(d) > 4 && (len(d)-i)%3 == 0 {
			b = append(b, w.thousands...)
		}
		b = append(b, d[i])
	}
	return string(b)
}

// standing returns what the visitor is told of his place, in sentences.
func (w *words) standing(a *Ask) []string {
	if !a.placed() {
		return nil
	}
	said := []string{w.kept}
	if n := a.ahead(); n >= 0 {
		said = append(said, w.before(n))
	}
	return said
}

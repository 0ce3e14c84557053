package admin

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

func sortByRate(rows []Degraded) {
	slices.SortStableFunc(rows, func(a, b Degraded) int { return cmp.Compare(b.PerSecond, a.PerSecond) })
}

// span is a duration as a person says it: its two largest units.
func span(seconds float64) string {
	s := int64(max(seconds, 0))
	unit := func(n int64, u string) string { return strconv.FormatInt(n, 10) + "\u00a0" + u }
	switch {
	case s < 60:
		return unit(s, "s")
	case s < 3600:
		return unit(s/60, "min") + " " + unit(s%60, "s")
	case s < 86400:
		return unit(s/3600, "h") + " " + unit(s%3600/60, "min")
	default:
		return unit(s/86400, "d") + " " + unit(s%86400/3600, "h")
	}
}

// clock is a moment's time of day in UTC; with its day, if that is not the day of now.
func clock(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	if t.YearDay() != now.YearDay() || t.Year() != now.Year() {
		return t.Format("2006-01-02 15:04:05")
	}
	return t.Format("15:04:05")
}

// millis is a latency; a dash where nothing was measured.
func millis(ms float64) string {
	switch {
	case ms <= 0:
		return "–"
	case ms < 0.995:
		return strconv.FormatFloat(ms, 'f', 2, 64) + "\u00a0ms"
	case ms < 9.95:
		return strconv.FormatFloat(ms, 'f', 1, 64) + "\u00a0ms"
	case ms < 999.5:
		return strconv.FormatFloat(ms, 'f', 0, 64) + "\u00a0ms"
	default:
		return strconv.FormatFloat(ms/1000, 'f', 1, 64) + "\u00a0s"
	}
}

// rate is how many a second.
func rate(n float64) string {
	if n > 0 && n < 9.95 {
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	return count(uint64(math.Round(max(n, 0))))
}

// count is a number in groups of three.
func count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// A sparkline is drawn in a box of this size.
const (
	sparkWidth  = 120
	sparkHeight = 28
)

// spark returns the path of a line through the values, from the left edge to the right one, and to the box's top at their
// largest. Fewer than two values make no line.
func spark(values []float64) string {
	if len(values) < 2 {
		return ""
	}
	top := slices.Max(values)
	var b strings.Builder
	for i, v := range values {
		y := float64(sparkHeight - 1)
		if top > 0 {
			y -= max(v, 0) / top * (sparkHeight - 3)
		}
		b.WriteByte("LM"[one(i == 0)])
		b.WriteString(decimal(float64(i) * sparkWidth / float64(len(values)-1)))
		b.WriteByte(' ')
		b.WriteString(decimal(y))
	}
	return b.String()
}

// hill is a sparkline closed along the bottom, to be filled.
func hill(line string) string {
	if line == "" {
		return ""
	}
	return line + "L" + strconv.Itoa(sparkWidth) + " " + strconv.Itoa(sparkHeight) + "L0 " + strconv.Itoa(sparkHeight) + "Z"
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// part is one stretch of a bar that is 100 wide.
type part struct {
	Class string
	X, W  string
}

// bar lays a route's outcomes beside each other by their share. Equal outcomes of different reasons become one part, and the
// smallest part can still be seen.
func bar(outcomes []Outcome) []part {
	const least = 1.5
	var order []string
	sums := map[string]float64{}
	var total float64
	for _, o := range outcomes {
		if sums[o.Outcome] == 0 {
			order = append(order, o.Outcome)
		}
		sums[o.Outcome] += float64(o.Count)
		total += float64(o.Count)
	}
	if total == 0 {
		return nil
	}
	var wide float64
	for k := range sums {
		sums[k] = max(sums[k]/total*100, least)
		wide += sums[k]
	}
	var parts []part
	x := 0.0
	for _, k := range order {
		w := sums[k] / wide * 100
		parts = append(parts, part{Class: k, X: decimal(x), W: decimal(w)})
		x += w
	}
	return parts
}

// fill is how full something is, from 0 to 100; nothing is full that has no limit.
func fill(n, limit int) int {
	if limit <= 0 {
		return 0
	}
	return min(max(n, 0)*100/limit, 100)
}

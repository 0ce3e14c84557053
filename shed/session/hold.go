package session

import (
	"strings"
	"time"
)

// Hold says what of an Effect is kept from the visitor. The zero value holds nothing.
type Hold struct{ Deletions, Changes bool }

// Held returns which lines of answer must be left out for h: it reports that of each field line. Once they are, Effect tells of
// no deletion (or no change) any more, and the browser goes on with the session that request carries. Every other line stays
// as it is.
//
// What Effect calls one change is held as one: the lines for new cookies of a mark go with those for carried ones, since a
// session that is half old and half new is none. A Clear-Site-Data line that names the cookies is held whole, and so what else
// it names is not cleared.
//
// The function may be called while answer changes, as long as request does not.
func (m *Marks) Held(request, answer Fields, now time.Time, h Hold) func(name, value string) bool {
	lines := m.turns(request, answer, now)
	clear := h.Deletions && clears(answer) && m.keeps(request)
	if !clear && (len(lines) == 0 || h == Hold{}) {
		return nothing
	}
	changed := make([]bool, len(m.Cookies)) // by mark; told once, since telling takes a look at every pair of lines
	for mark := range changed {
		changed[mark] = lines.changes(mark)
	}
	return func(name, value string) bool {
		switch {
		case strings.EqualFold(name, "Set-Cookie"):
			t, ok := m.turn(request, value, now)
			return ok && h.holds(lines, &t, !m.remembers(t.mark) && changed[t.mark])
		case strings.EqualFold(name, "Clear-Site-Data"):
			return clear && clearsCookies(value)
		}
		return false
	}
}

func nothing(_, _ string) bool { return false }

// holds reports whether a line is left out, where changed says that its mark's session changes. A line that an earlier or
// later one makes void is judged like that one: it must not come into force in its place.
func (h Hold) holds(all turns, t *turn, changed bool) bool {
	switch {
	case t.same && !t.gone:
		return false // what stays
	case changed:
		return h.Changes
	default:
		return h.Deletions && all.lost(t) && !all.gives(t.mark)
	}
}

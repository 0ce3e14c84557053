package session

import "time"

// Given returns the session id that an answer gives a visitor who does not carry it, and whether it gives one: the value of the
// first line whose cookie Effect would count as given. The id is part of the header: it is valid as long as that is.
func (m *Marks) Given(request, answer Fields, now time.Time) (id string, ok bool) {
	for _, t := range m.turns(request, answer, now) {
		if t.last && !t.gone && !t.same && !m.remembers(t.mark) {
			return t.value, true
		}
	}
	return "", false
}

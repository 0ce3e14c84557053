package session

import (
	"strings"
	"time"
)

// Effect is what an answer does to the session that its request carries.
type Effect struct {
	// Deletes: a session or remember-me cookie that the request carries is taken away.
	Deletes bool
	// Changes: a session cookie that the request carries gets another value. A remember-me cookie may: it is made to.
	Changes bool
	// Gives: a session cookie gets a value that the request did not carry, as a sign-in that succeeds does.
	Gives bool
}

// Effect returns what answer does to the session that request carries. now is what an Expires is held against.
//
// A value that the request carries already, quotes ignored, is no change. Where an answer gives a cookie of a mark a new value,
// what it takes away under the same mark is a part of that: frameworks delete the old cookie and set the new one, and a
// session that is spread over several cookies shrinks. Such a deletion Changes a session, and does nothing to remember-me.
// So two cookies that have nothing in common should not share a mark.
//
// Of several lines for one cookie the last counts. Where lines of one name differ in Domain or Path a browser keeps them apart,
// and which of them it sends is not known here: a cookie counts as taken away only where no line gives it a value. A missing
// Path is taken as different from any that is given, though for some requests it is the same. Clear-Site-Data deletes,
// whatever else the answer gives.
func (m *Marks) Effect(request, answer Fields, now time.Time) Effect {
	e := Effect{Deletes: clears(answer) && m.keeps(request)}
	lines := m.turns(request, answer, now)
	for i := range lines {
		switch t := &lines[i]; {
		case !t.last:
		case !t.gone:
			if !t.same && !m.remembers(t.mark) {
				e.Gives = true
				e.Changes = e.Changes || t.carried
			}
		case lines.lost(t):
			if lines.gives(t.mark) {
				e.Changes = e.Changes || !m.remembers(t.mark)
			} else {
				e.Deletes = true
			}
		}
	}
	return e
}

// turn is one line that concerns a marked cookie.
type turn struct {
	setCookie
	mark    int
	carried bool // the request carries a cookie of that name
	same    bool // with that value
	last    bool // no later line is for the same cookie
}

// turns are the lines of one answer that concern marked cookies.
type turns []turn

// turns reads an answer's lines.
func (m *Marks) turns(request, answer Fields, now time.Time) turns {
	var all turns
	for i := 0; ; i++ {
		line, ok := answer.Field("Set-Cookie", i)
		if !ok {
			return all
		}
		t, ok := m.turn(request, line, now)
		if !ok {
			continue
		}
		for k := range all {
			if t.replaces(&all[k].setCookie) {
				all[k].last = false
			}
		}
		all = append(all, t)
	}
}

// turn reads one line, and returns false if it concerns no marked cookie.
func (m *Marks) turn(request Fields, line string, now time.Time) (turn, bool) {
	c, ok := readSetCookie(line, now)
	if !ok {
		return turn{}, false
	}
	t := turn{setCookie: c, mark: m.mark(c.name), last: true}
	if t.mark < 0 {
		return turn{}, false
	}
	for name, value := range cookies(request) {
		if name == c.name {
			t.carried = true
			t.same = t.same || unquoted(value) == unquoted(c.value)
		}
	}
	return t, true
}

// lost reports whether the cookie of a line is carried and, in the end, taken away.
func (all turns) lost(of *turn) bool {
	gone := false
	for i := range all {
		if t := &all[i]; t.last && t.name == of.name {
			if !t.gone {
				return false
			}
			gone = true
		}
	}
	return gone && of.carried
}

// gives reports whether a mark's cookie gets a value that the request did not carry.
func (all turns) gives(mark int) bool {
	for i := range all {
		if t := &all[i]; t.last && t.mark == mark && !t.gone && !t.same {
			return true
		}
	}
	return false
}

// changes reports whether what a request carries under a mark gets another value.
func (all turns) changes(mark int) bool {
	if !all.gives(mark) {
		return false
	}
	for i := range all {
		if t := &all[i]; t.last && t.mark == mark && (t.carried && !t.gone && !t.same || all.lost(t)) {
			return true
		}
	}
	return false
}

// keeps reports whether a request carries a marked cookie.
func (m *Marks) keeps(request Fields) bool {
	for name := range cookies(request) {
		if m.mark(name) >= 0 {
			return true
		}
	}
	return false
}

// clears reports whether an answer makes the browser forget all cookies of the site.
func clears(answer Fields) bool {
	for i := 0; ; i++ {
		line, ok := answer.Field("Clear-Site-Data", i)
		if !ok {
			return false
		}
		if clearsCookies(line) {
			return true
		}
	}
}

// clearsCookies reports whether a Clear-Site-Data line names the cookies. Browsers want quotes; a line without is taken as
// meant.
func clearsCookies(line string) bool {
	for line != "" {
		var name string
		name, line, _ = strings.Cut(line, ",")
		if name = unquoted(trim(name)); name == "*" || strings.EqualFold(name, "cookies") {
			return true
		}
	}
	return false
}

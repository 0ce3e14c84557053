package page

import "strings"

// hole is a place in a sheet that each answer fills in.
type hole uint8

const (
	holeNone     hole = iota
	holeSeconds       // until the visitor should come again
	holeUnit          // the word for them
	holeTime          // the same as people say it, in seconds or minutes
	holeTimeUnit      // the word for those
	holeRestart
	holeID
	holeStatus
	holePhrase
	holeOutcome
	holeReason
	holeAhead  // as people write it
	holeQueue  // the same in digits alone
	holeWaited // in seconds
	holes
)

// facts are what is true of one answer; a part that needs some is left out where they are not true.
type facts uint16

const (
	waits     facts = 1 << iota // there is a time to come again
	reloads                     // the page does that by itself
	manual                      // the visitor has to
	stands                      // the visitor was not signed out
	uncertain                   // what was sent may not have arrived
	named                       // there is a request id
	reasoned                    // there is a reason
	placed                      // the visitor has a place in the line
	counted                     // about how many stand before him can be told
	first                       // none
	second                      // one
	later                       // more
)

// part is a text, then what fills a hole, if the facts are there.
type part struct {
	text string
	hole hole
	need facts
}

// sheet is an answer's body, prepared.
type sheet []part

// values fill the holes of a sheet. They are escaped already: none of them holds a byte that needs it.
type values struct {
	text  [holes]string
	facts facts
}

// render returns the body, in one piece of memory.
func (s sheet) render(v *values) []byte {
	b := make([]byte, 0, s.size(v))
	for i := range s {
		if p := &s[i]; p.need&^v.facts == 0 {
			b = append(b, p.text...)
			b = append(b, v.text[p.hole]...)
		}
	}
	return b
}

func (s sheet) size(v *values) int {
	n := 0
	for i := range s {
		if p := &s[i]; p.need&^v.facts == 0 {
			n += len(p.text) + len(v.text[p.hole])
		}
	}
	return n
}

// writer puts a sheet together. Its words are escaped, its markup is not.
type writer struct {
	sheet  sheet
	escape func(string) string
	exact  bool // times are in seconds however long they are
}

func (w *writer) markup(s string) { w.markupIf(0, s) }

func (w *writer) markupIf(need facts, s string) {
	w.sheet = append(w.sheet, part{s, holeNone, need})
}

func (w *writer) fill(h hole) { w.fillIf(0, "", h, "") }

func (w *writer) fillIf(need facts, before string, h hole, after string) {
	w.sheet = append(w.sheet, part{before, h, need}, part{after, holeNone, need})
}

func (w *writer) words(s string) { w.sentence(0, "", s, "") }

// sentence writes before and after as they are, and s with the time in the place of "{n}".
func (w *writer) sentence(need facts, before, s, after string) {
	if s == "" {
		return
	}
	head, tail, timed := strings.Cut(s, "{n}")
	if !timed {
		w.markupIf(need, before+w.escape(s)+after)
		return
	}
	number, unit := holeTime, holeTimeUnit
	if w.exact {
		number, unit = holeSeconds, holeUnit
	}
	w.sheet = append(w.sheet,
		part{before + w.escape(head), number, need},
		part{"", unit, need},
		part{w.escape(tail) + after, holeNone, need})
}

// people writes s with the number of those who stand before the visitor in the place of "{n}".
func (w *writer) people(need facts, before, s string) {
	head, tail, _ := strings.Cut(s, "{n}")
	w.fillIf(need, before+w.escape(head), holeAhead, w.escape(tail))
}

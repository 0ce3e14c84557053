package page

import (
	"slices"
	"strings"
	"sync/atomic"
)

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

// sheet is an answer's body, prepared. It is safe for concurrent use once it is composed.
type sheet struct {
	parts   []part
	needs   facts // of any part
	pressed atomic.Pointer[[]pressing]
}

// pressing is a sheet for one set of facts: the parts that these leave out are gone, and texts that follow each other are one.
type pressing struct {
	facts facts
	parts []part
	texts int // bytes of all texts
}

// maxPressings bounds how many sets of facts a sheet is pressed for. For any further one it is pressed each time.
const maxPressings = 32

// values fill the holes of a sheet. They are escaped already: none of them holds a byte that needs it.
type values struct {
	text  [holes]string
	facts facts
}

func (s *sheet) compose(parts []part) {
	s.parts = parts
	for i := range parts {
		s.needs |= parts[i].need
	}
}

// press returns the sheet for these facts.
func (s *sheet) press(of facts) *pressing {
	of &= s.needs
	known := s.pressed.Load()
	if known != nil {
		for i := range *known {
			if p := &(*known)[i]; p.facts == of {
				return p
			}
		}
	}
	p := pressing{facts: of}
	text := ""
	for _, from := range s.parts {
		if from.need&^of != 0 {
			continue
		}
		text += from.text
		p.texts += len(from.text)
		if from.hole != holeNone {
			p.parts = append(p.parts, part{text: text, hole: from.hole})
			text = ""
		}
	}
	p.parts = append(p.parts, part{text: text})
	var next []pressing
	if known != nil {
		next = *known
	}
	if len(next) < maxPressings {
		// Who comes at the same time may lose his, and presses it again the next time.
		next = append(next[:len(next):len(next)], p)
		s.pressed.CompareAndSwap(known, &next)
	}
	return &p
}

// appendTo appends the body.
func (p *pressing) appendTo(b []byte, v *values) []byte {
	b = slices.Grow(b, p.size(v))
	for i := range p.parts {
		part := &p.parts[i]
		b = append(b, part.text...)
		b = append(b, v.text[part.hole]...)
	}
	return b
}

// size returns how many bytes appendTo appends.
func (p *pressing) size(v *values) int {
	n := p.texts
	for i := range p.parts {
		n += len(v.text[p.parts[i].hole])
	}
	return n
}

// writer puts a sheet together. Its words are escaped, its markup is not.
type writer struct {
	parts  []part
	escape func(string) string
	exact  bool // times are in seconds however long they are
}

func (w *writer) markup(s string) { w.markupIf(0, s) }

func (w *writer) markupIf(need facts, s string) {
	w.parts = append(w.parts, part{s, holeNone, need})
}

func (w *writer) fill(h hole) { w.fillIf(0, "", h, "") }

func (w *writer) fillIf(need facts, before string, h hole, after string) {
	w.parts = append(w.parts, part{before, h, need}, part{after, holeNone, need})
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
	w.parts = append(w.parts,
		part{before + w.escape(head), number, need},
		part{"", unit, need},
		part{w.escape(tail) + after, holeNone, need})
}

// people writes s with the number of those who stand before the visitor in the place of "{n}".
func (w *writer) people(need facts, before, s string) {
	head, tail, _ := strings.Cut(s, "{n}")
	w.fillIf(need, before+w.escape(head), holeAhead, w.escape(tail))
}

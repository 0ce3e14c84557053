package routing

import "bytes"

// The bounds of a survey. They are far above what honest paths need (a handful of readings) and keep the work that a path
// of any length can cause within that of reading it a few dozen times.
const (
	maxReadings    = 160
	maxSurveyBytes = 64 << 10
)

// variant is one reading of a path, as a part of survey.buf.
type variant struct {
	from, to int
	how      Reading
}

// survey is every reading of one path that is not ruled out, each text once for each number of decodings, those with the
// fewest steps first. Letter case is left to the comparison with patterns. It refers to itself, so it must not be copied.
type survey struct {
	buf  []byte
	all  []variant
	full bool // the bounds were reached: there are more

	// Room for what honest paths need, so that a survey is one allocation.
	room  [768]byte
	seats [16]variant
}

// explore fills the survey from a path that check accepts: what servers in a row may make of it, which decode it not at all,
// once or twice between them.
func (s *survey) explore(raw string) {
	s.buf = appendUnescaped(s.room[:0], raw, keepPlain)
	s.all = append(s.seats[:0], variant{0, len(s.buf), 0})
	start := 0
	for level := Reading(0); ; {
		if s.serve(start) {
			// A second server finds new work in what the first left: "..;" gone with a later "..", for one.
			s.serve(start)
		}
		next := len(s.all)
		switch level {
		case 0:
			level = DecodedOnce
		case DecodedOnce:
			level = DecodedTwice
		default:
			return
		}
		s.step(level, next, start, next)
		if len(s.all) == next || s.full {
			return
		}
		start = next
	}
}

// serve adds what one server may make of the variants from start on, in the order in which servers do such things, without
// decoding. Parameters come twice, since some servers drop them before they turn backslashes and some after; slashes
// too, since some merge them before resolving dots and some after. It reports whether another server may find more.
func (s *survey) serve(start int) bool {
	n := len(s.all)
	for _, step := range [...]Reading{CutAtControl, ParamsDropped, BackslashesTurn, ParamsDropped, TrailDropped} {
		s.step(step, start, start, len(s.all))
	}
	more := len(s.all) > n
	for _, step := range [...]Reading{SlashesMerged, DotsResolved, SlashesMerged} {
		s.step(step, start, start, len(s.all))
	}
	return more
}

// step adds what the step makes of the variants from i to end, unless it changes nothing or one since the given
// index has the same text.
func (s *survey) step(step Reading, since, i, end int) {
	for ; i < end && !s.full; i++ {
		v := s.all[i]
		src := s.buf[v.from:v.to]
		if !step.touches(src) {
			continue
		}
		if len(s.all) == maxReadings || len(s.buf)+len(src) > maxSurveyBytes {
			// There may be no more; but to find out is the work that is being saved.
			s.full = true
			return
		}
		from := len(s.buf)
		s.buf = step.step(s.buf, src)
		made := s.buf[from:]
		if bytes.Equal(made, src) || s.has(made, since) {
			s.buf = s.buf[:from]
			continue
		}
		how := v.how
		if step&decodings != 0 {
			how &^= decodings
		}
		s.all = append(s.all, variant{from, len(s.buf), how | step})
	}
}

func (s *survey) has(text []byte, since int) bool {
	for _, v := range s.all[since:] {
		if bytes.Equal(s.buf[v.from:v.to], text) {
			return true
		}
	}
	return false
}

// touches is a cheap look that spares most steps: false means that the step would change nothing.
func (r Reading) touches(text []byte) bool {
	switch r {
	case DecodedOnce, DecodedTwice:
		return bytes.IndexByte(text, '%') >= 0
	case CutAtControl:
		return indexControl(text) >= 0
	case BackslashesTurn:
		return bytes.IndexByte(text, '\\') >= 0
	case ParamsDropped:
		return bytes.IndexByte(text, ';') >= 0
	}
	return true
}

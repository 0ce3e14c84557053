package routing

// step does the one thing that r names to src; dst may be src[:0].
func (r Reading) step(dst, src []byte) []byte {
	switch r {
	case DecodedOnce, DecodedTwice:
		return appendUnescaped(dst, src, keepNothing)
	case CutAtControl:
		return appendCut(dst, src)
	case BackslashesTurn:
		return appendSlashed(dst, src)
	case ParamsDropped:
		return appendWithoutParams(dst, src)
	case TrailDropped:
		return appendTrimmed(dst, src)
	case SlashesMerged:
		return appendMerged(dst, src)
	case DotsResolved:
		return appendResolved(dst, src)
	}
	return append(dst, src...)
}

// decodings are the steps between levels.
const decodings = DecodedOnce | DecodedTwice

// level is how many times the path was decoded.
func (r Reading) level() int {
	switch {
	case r&DecodedOnce != 0:
		return 1
	case r&DecodedTwice != 0:
		return 2
	}
	return 0
}

// append appends the reading of text in which everything is done that r names, in the usual order.
func (r Reading) append(dst []byte, text string) []byte {
	base := len(dst)
	dst = append(dst, text...)
	made := dst[base:]
	if r&DecodedTwice != 0 {
		made = appendUnescaped(made[:0], made, keepNothing)
	}
	for bit := Reading(1); bit < CaseIgnored; bit <<= 1 {
		if r&bit != 0 {
			made = bit.step(made[:0], made)
		}
	}
	return dst[:base+len(made)]
}

// readings is a set of ways to read a path. Letter case is not among them.
type readings [CaseIgnored / 64]uint64

// everyReading is never changed.
var everyReading = readingsAt(0).union(readingsAt(1)).union(readingsAt(2))

// readingsAt returns the ways in which a path is decoded that many times.
func readingsAt(level int) readings {
	var s readings
	for how := range CaseIgnored {
		if how.level() == level {
			s = s.with(how)
		}
	}
	return s
}

// has reports whether r is in the set, with or without letter case.
func (s readings) has(r Reading) bool {
	r &= CaseIgnored - 1
	return s[r/64]&(1<<(r%64)) != 0
}

// with returns the set with r.
func (s readings) with(r Reading) readings {
	s[r/64] |= 1 << (r % 64)
	return s
}

func (s readings) union(o readings) readings {
	for i := range s {
		s[i] |= o[i]
	}
	return s
}

func (s readings) without(o readings) readings {
	for i := range s {
		s[i] &^= o[i]
	}
	return s
}

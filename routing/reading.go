package routing

import "strings"

// Reading is one way to read a path: the set of what was done to it. The zero value is the path as it came. Values are only
// compared and printed; the numbers may change.
type Reading uint16

const (
	DecodedOnce     Reading = 1 << iota // percent escapes, all of them
	DecodedTwice                        // and once more
	CutAtControl                        // a character which the second decoding brought in
	BackslashesTurn                     // they are slashes
	ParamsDropped                       // ;… up to the end of each segment
	TrailDropped                        // dots and spaces at the end of each segment
	SlashesMerged                       // several are one
	DotsResolved                        // dot segments, RFC 3986 section 5.2.4
	CaseIgnored                         // of the path and of the patterns
	ReadingsTooMany                     // the readings were not all followed
	ReadingsNone                        // the path cannot be read at all, see Canonical
	readingsEnd
)

// String says what was done, in plain words: "decoded once, case ignored".
func (r Reading) String() string {
	if r == 0 {
		return "as it came"
	}
	var words []string
	for bit := Reading(1); bit < readingsEnd; bit <<= 1 {
		if r&bit != 0 {
			words = append(words, bit.word())
		}
	}
	return strings.Join(words, ", ")
}

func (r Reading) word() string {
	switch r {
	case DecodedOnce:
		return "decoded once"
	case DecodedTwice:
		return "decoded twice"
	case CutAtControl:
		return "cut at a control character"
	case BackslashesTurn:
		return "backslashes as slashes"
	case ParamsDropped:
		return ";parameters dropped"
	case TrailDropped:
		return "trailing dots and spaces dropped"
	case SlashesMerged:
		return "slashes merged"
	case DotsResolved:
		return "dot segments resolved"
	case CaseIgnored:
		return "case ignored"
	case ReadingsTooMany:
		return "too many readings to follow"
	case ReadingsNone:
		return "no reading at all"
	}
	return "unknown"
}

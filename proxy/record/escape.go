package record

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

const (
	hex     = "0123456789abcdef"
	cutMark = "…" // ends a string that was longer than its limit
)

// appendString appends s as a JSON string of at most limit bytes before escaping. Invalid UTF-8 becomes U+FFFD; whatever a
// terminal, a line splitter or a reader's eye would obey is escaped, not dropped.
func appendString(b []byte, s string, limit int) []byte {
	s, cut := shorten(s, limit)
	b = append(b, '"')
	start := len(b)
	if b = append(b, s...); !asItIs(b[start:]) {
		b = appendEscaped(b[:start], s)
	}
	if cut {
		b = append(b, cutMark...)
	}
	return append(b, '"')
}

// asItIs reports whether a text stands in a JSON string as it is: it is of ASCII without controls, quotes and backslashes.
// Nearly every text is, so eight bytes are looked at in one step.
func asItIs(s []byte) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for len(s) >= 8 {
		x := binary.LittleEndian.Uint64(s)
		quote, backslash := x^'"'*ones, x^'\\'*ones
		// In turn: a byte below ' '; one that is 0 once the quote, or the backslash, is taken away; one above '~'.
		if ((x-' '*ones)&^x|(quote-ones)&^quote|(backslash-ones)&^backslash|(x+ones)|x)&tops != 0 {
			return false
		}
		s = s[8:]
	}
	for _, c := range s {
		if c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func appendEscaped(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = append(b, s[from:i]...)
			if c == '"' || c == '\\' {
				b = append(b, '\\', c)
			} else {
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			from = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b = append(b, s[from:i]...)
			b = append(b, "\uFFFD"...)
			from = i + n
		case obeyed(r):
			b = append(b, s[from:i]...)
			b = append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
			from = i + n
		}
		i += n
	}
	return append(b, s[from:]...)
}

// shorten cuts s to at most limit bytes, before a rune rather than inside one.
func shorten(s string, limit int) (string, bool) {
	if len(s) <= limit {
		return s, false
	}
	end := limit
	for back := 0; back < utf8.UTFMax && end > 0 && !utf8.RuneStart(s[end]); back++ {
		end--
	}
	return s[:end], true
}

// obeyed reports whether a rune beyond ASCII acts instead of showing: C1 controls (U+009B starts a terminal's commands),
// line and paragraph separators, invisible ones, and those that turn the direction of the text around. All are below
// U+10000.
func obeyed(r rune) bool {
	switch {
	case r >= 0x80 && r <= 0x9f, r == 0xad, r == 0x61c, r == 0xfeff:
		return true
	case r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f:
		return true
	}
	return false
}

// plain returns s as one harmless line: for texts that others will encode or show. What acts becomes
// U+FFFD, and a line's end a space.
func plain(s string, limit int) string {
	s, cut := shorten(s, limit)
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if r < ' ' || r == 0x7f || obeyed(r) {
			return utf8.RuneError
		}
		return r
	}, s)
	if cut {
		s += cutMark
	}
	return s
}

package routing

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// foldRune returns the rune that stands for all that differ from r in letter case only. The dotted and the dotless i are
// among them: some languages' comparisons take both for i, and what some server takes for the same must be looked at.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		return rune(foldByte(byte(r)))
	}
	if r == 'İ' || r == 'ı' {
		return 'i'
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if least < utf8.RuneSelf {
		return rune(foldByte(byte(least)))
	}
	return least
}

func foldByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func foldString(s string) string { return strings.Map(foldRune, s) }

// appendFolded appends what foldString makes of the beginning of s: at least the given number of bytes, as far as there are
// any.
func appendFolded(dst []byte, s string, enough int) []byte {
	for i := 0; i < len(s) && len(dst) < enough; {
		if c := s[i]; c < utf8.RuneSelf {
			dst = append(dst, foldByte(c))
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		dst = utf8.AppendRune(dst, foldRune(r))
		i += size
	}
	return dst
}

// foldPrefix reports whether s starts with the folded prefix when letter case is ignored, and how many bytes of s that is.
func foldPrefix(s, folded string) (n int, ok bool) {
	for i := 0; i < len(folded); {
		if n == len(s) {
			return 0, false
		}
		if c := s[n]; c < utf8.RuneSelf {
			if foldByte(c) != folded[i] {
				return 0, false
			}
			n, i = n+1, i+1
			continue
		}
		r, size := utf8.DecodeRuneInString(s[n:])
		want, width := utf8.DecodeRuneInString(folded[i:])
		if r == utf8.RuneError && size == 1 || foldRune(r) != want {
			return 0, false
		}
		n, i = n+size, i+width
	}
	return n, true
}

// equalASCIIFold compares names that are ASCII: hosts.
func equalASCIIFold(s, lower string) bool {
	if len(s) != len(lower) || s == lower {
		return len(s) == len(lower)
	}
	for i := 0; i < len(s); i++ {
		if foldByte(s[i]) != lower[i] {
			return false
		}
	}
	return true
}

package h1

import (
	"encoding/binary"
	"unsafe"
)

// ValidName reports whether s may be a field name or a method: one or more token characters (RFC 9110 section 5.6.2).
func ValidName(s string) bool {
	if len(s) < 8 {
		return s != "" && all(s, nameByte)
	}
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if !plain(word(s, i)) {
			return all(s[i:], nameByte)
		}
	}
	return plain(word(s, len(s)-8)) || all(s[i:], nameByte) // the last eight, some of them once more
}

// plain reports whether all bytes of x are letters or dashes, as in nearly every name.
func plain(x uint64) bool {
	low := x | 0x20*ones
	letters := (low + (0x80-'a')*ones) &^ (low + (0x7f-'z')*ones)
	others := (x ^ '-'*ones) + 0x7f*ones // no high bit: a dash
	return x&highs == 0 && (letters|^others)&highs == highs
}

// ValidValue reports whether s may be a field value: no control characters but the tab, so that it can neither end its line
// nor hide what follows. Bytes above 0x7f are allowed, as they came.
func ValidValue(s string) bool {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if below(word(s, i), ' ') != 0 { // or a tab
			return all(s[i:], valueByte)
		}
	}
	if i == len(s) || i > 0 && below(word(s, len(s)-8), ' ') == 0 { // the last eight, some of them once more
		return true
	}
	return all(s[i:], valueByte)
}

// word is the eight bytes at s[i].
func word(s string, i int) uint64 {
	b := unsafe.Slice(unsafe.StringData(s), len(s)) // only read
	return binary.LittleEndian.Uint64(b[i:])
}

// ValidTarget reports whether s may stand as a request target in a request line: not empty, no space, no control character.
// Which of its forms it has, and what it means, is not looked at; AppendRequest does, and knows no fragments.
func ValidTarget(s string) bool {
	b := unsafe.Slice(unsafe.StringData(s), len(s)) // only read
	return len(b) > 0 && skipText(b, 0, ' '+1) == len(b)
}

package h1

import "unsafe"

// ValidName reports whether s may be a field name or a method: one or more token characters (RFC 9110 section 5.6.2).
func ValidName(s string) bool { return s != "" && all(s, nameByte) }

// ValidValue reports whether s may be a field value: no control characters but the tab, so that it can neither end its line
// nor hide what follows. Bytes above 0x7f are allowed, as they came.
func ValidValue(s string) bool {
	b := unsafe.Slice(unsafe.StringData(s), len(s)) // only read
	i := skipText(b, 0, ' ')
	for i < len(b) && b[i] == '\t' {
		i = skipText(b, i+1, ' ')
	}
	return i == len(b)
}

// ValidTarget reports whether s may stand as a request target in a request line: not empty, no space, no control character.
// Which of its forms it has, and what it means, is not looked at; AppendRequest does, and knows no fragments.
func ValidTarget(s string) bool {
	b := unsafe.Slice(unsafe.StringData(s), len(s)) // only read
	return len(b) > 0 && skipText(b, 0, ' '+1) == len(b)
}

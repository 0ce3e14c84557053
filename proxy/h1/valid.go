package h1

// ValidName reports whether s may be a field name or a method: one or more token characters (RFC 9110 section 5.6.2).
func ValidName(s string) bool {
	for i := range len(s) {
		if !isToken(s[i]) {
			return false
		}
	}
	return s != ""
}

// ValidValue reports whether s may be a field value: no control characters but the tab, so that it can neither end its line
// nor hide what follows. Bytes above 0x7f are allowed, as they came.
func ValidValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// ValidTarget reports whether s may stand as a request target in a request line: not empty, no space, no control character.
// Which of its forms it has, and what it means, is not looked at.
func ValidTarget(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f {
			return false
		}
	}
	return s != ""
}

func isToken(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~':
		return true
	}
	return false
}

package session

import "strings"

// Strip returns the value of a Cookie field without the marked cookies that drop is true of, for a backend that must not see
// them. Every other cookie stays byte for byte, in its place. "" means that nothing is left, and that the field should go.
// Fields named in Headers are the caller's to leave out.
func (m *Marks) Strip(value string, drop func(name, value string) bool) string {
	return strip(value, func(pair string) bool { return m.drops(pair, drop) })
}

// strip returns the value of a Cookie field without the pieces, between two semicolons, that drops is true of.
func strip(value string, drops func(pair string) bool) string {
	kept, strips := 0, false
	for pair := range strings.SplitSeq(value, ";") {
		if drops(pair) {
			strips = true
		} else {
			kept += len(pair) + 1
		}
	}
	if !strips {
		return value
	}
	var b strings.Builder
	b.Grow(kept)
	for pair := range strings.SplitSeq(value, ";") {
		switch {
		case drops(pair):
			continue
		case b.Len() == 0:
			pair = strings.TrimLeft(pair, " \t")
		default:
			b.WriteByte(';')
		}
		b.WriteString(pair)
	}
	return b.String()
}

// drops reports whether a piece of a Cookie field, between two semicolons, is a marked cookie that drop is true of.
func (m *Marks) drops(pair string, drop func(name, value string) bool) bool {
	name, value, _ := strings.Cut(pair, "=")
	name, value = trim(name), trim(value)
	return m.mark(name) >= 0 && drop(name, value)
}

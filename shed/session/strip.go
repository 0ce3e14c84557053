package session

import "strings"

// Strip returns the value of a Cookie field without the marked cookies, for a backend that must not see the session. Every
// other cookie stays byte for byte, in its place. "" means that nothing is left, and that the field should go. Fields named in
// Headers are the caller's to leave out.
func (m *Marks) Strip(value string) string {
	kept, strips := 0, false
	for pair := range strings.SplitSeq(value, ";") {
		if m.marks(pair) {
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
		case m.marks(pair):
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

// marks reports whether a piece of a Cookie field, between two semicolons, is a marked cookie.
func (m *Marks) marks(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	return m.mark(trim(name)) >= 0
}

package h1

import "strings"

// Line is one field line of a head: its name as it was written, and its value without surrounding space.
type Line struct{ Name, Value string }

// Head is the field lines of a message in their order. Unlike a map it forgets neither order nor repetition, which the
// session guard and byte-for-byte forwarding need. Looking a name up is linear: heads are short.
//
// The zero value is an empty head. A Head is not safe for concurrent use.
type Head []Line

// Field returns the i-th value of the named field, counted from 0, and false past the last. Names compare without case
// (RFC 9110 section 5.1). It makes Head a routing.Fields.
func (h Head) Field(name string, i int) (string, bool) {
	for k := range h {
		if sameName(h[k].Name, name) {
			if i == 0 {
				return h[k].Value, true
			}
			i--
		}
	}
	return "", false
}

// Get returns the first value of the named field, or "".
func (h Head) Get(name string) string {
	v, _ := h.Field(name, 0)
	return v
}

// Has reports whether the named field is there at all.
func (h Head) Has(name string) bool {
	_, ok := h.Field(name, 0)
	return ok
}

// Add appends a line.
func (h *Head) Add(name, value string) { *h = append(*h, Line{name, value}) }

// Set replaces every line of that name by one, at the end.
func (h *Head) Set(name, value string) {
	h.Del(name)
	h.Add(name, value)
}

// Del removes every line of that name, in place, and keeps the order of the rest.
func (h *Head) Del(name string) {
	h.DelFunc(func(l Line) bool { return sameName(l.Name, name) })
}

// DelFunc removes the lines for which drop is true, in place, and keeps the order of the rest.
func (h *Head) DelFunc(drop func(Line) bool) {
	kept := (*h)[:0]
	for _, l := range *h {
		if !drop(l) {
			kept = append(kept, l)
		}
	}
	clear((*h)[len(kept):])
	*h = kept
}

func sameName(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

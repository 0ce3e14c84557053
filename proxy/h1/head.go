package h1

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
	for i := range *h {
		if sameName((*h)[i].Name, name) {
			h.cut(i, func(l Line) bool { return sameName(l.Name, name) })
			return
		}
	}
}

// DelFunc removes the lines for which drop is true, in place, and keeps the order of the rest. It is called once for each line,
// in their order.
func (h *Head) DelFunc(drop func(Line) bool) {
	for i := range *h {
		if drop((*h)[i]) {
			h.cut(i, drop)
			return
		}
	}
}

// cut removes the line at, and of those behind it the ones for which drop is true. Most heads have none to remove, and then no
// line is moved.
func (h *Head) cut(at int, drop func(Line) bool) {
	all := *h
	kept := all[:at]
	for i := at + 1; i < len(all); i++ {
		if l := all[i]; !drop(l) {
			kept = append(kept, l)
		}
	}
	clear(all[len(kept):])
	*h = kept
}

// sameName compares without the case of letters. Names have no others than those of ASCII.
func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if x := a[i] ^ b[i]; x != 0 && (x != 0x20 || a[i]|x < 'a' || a[i]|x > 'z') {
			return false
		}
	}
	return true
}

package h1

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// What a byte may be part of.
const (
	nameByte  = 1 << iota // a field name or a method
	hostByte              // host[:port], as wide as RFC 3986 section 3.2.2 allows
	valueByte             // a field value
)

// classes says what each byte may be part of. It is only read.
var classes = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			t[c] = nameByte | hostByte
		}
		if c >= ' ' && c != 0x7f || c == '\t' {
			t[c] |= valueByte
		}
	}
	for _, c := range []byte("!#$%&'*+-.^_`|~") {
		t[c] |= nameByte
	}
	for _, c := range []byte("-._~%!$&'()*+,;=:[]") {
		t[c] |= hostByte
	}
	return t
}()

// all reports whether every byte of s is of the class, one of the above. It looks at them all: nearly always they are.
func all(s string, class uint8) bool {
	for ; len(s) >= 4; s = s[4:] {
		class &= classes[s[0]] & classes[s[1]] & classes[s[2]] & classes[s[3]]
	}
	for i := range len(s) {
		class &= classes[s[i]]
	}
	return class != 0
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// below marks, with its high bit, the first byte of x that is less than limit (at most 0x80) or DEL. Marks above the first may
// be wrong.
func below(x uint64, limit uint64) uint64 {
	del := x ^ 0x7f*ones
	return ((x-limit*ones)&^x | (del-ones)&^del) & highs
}

// skipText returns the place of the first byte at or after i that is less than limit or DEL; len(buf) if there is none.
func skipText(buf []byte, i int, limit byte) int {
	for i+8 <= len(buf) {
		if m := below(binary.LittleEndian.Uint64(buf[i:]), uint64(limit)); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for i < len(buf) && buf[i] >= limit && buf[i] != 0x7f {
		i++
	}
	return i
}

// skipName returns the place of the first byte at or after i that cannot be part of a name; len(buf) if there is none.
func skipName(buf []byte, i int) int {
	for k, c := range buf[i:] {
		if classes[c]&nameByte == 0 {
			return i + k
		}
	}
	return len(buf)
}

// view is b as a string, without a copy.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// sameWord compares without case; lower is in lower case and has letters and dashes only.
func sameWord(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// lineEnd expects the end of a line at buf[i], where its text ended, and returns the place behind it.
func lineEnd(buf []byte, i int, other error) (int, error) {
	switch {
	case i == len(buf):
		return i, ErrMore
	case buf[i] == '\n':
		return i, ErrBareLF
	case buf[i] != '\r':
		return i, other
	case i+1 == len(buf):
		return i, ErrMore
	case buf[i+1] != '\n':
		return i, ErrBareCR
	}
	return i + 2, nil
}

// fieldLine reads the field line that begins at buf[i] and returns the place behind it. The empty line that ends the section
// has no name. What it says of a part of a line it says of every longer part, too.
func fieldLine(buf []byte, i int) (Line, int, error) {
	begin := i
	i = skipName(buf, i)
	if i == len(buf) {
		return Line{}, i, ErrMore
	}
	if buf[i] != ':' || i == begin {
		switch {
		case i > begin || buf[i] == ':':
			return Line{}, i, ErrName
		case isBlank(buf[i]):
			return Line{}, i, ErrFold
		}
		next, err := lineEnd(buf, i, ErrName)
		return Line{}, next, err
	}
	name := view(buf[begin:i])
	i++
	for i < len(buf) && isBlank(buf[i]) {
		i++
	}
	begin = i
	i = skipText(buf, i, ' ')
	for i < len(buf) && buf[i] == '\t' {
		i = skipText(buf, i+1, ' ')
	}
	next, err := lineEnd(buf, i, ErrValue)
	if err != nil {
		return Line{}, next, err
	}
	for i > begin && isBlank(buf[i-1]) {
		i--
	}
	return Line{name, view(buf[begin:i])}, next, nil
}

// watch remembers how far bytes that come piece by piece were looked at, so that a head is read when it is there and not again
// with every byte. The zero value has seen nothing.
type watch struct{ seen int }

// due reports whether reading is worth while: nothing was read yet, or since then came the end, a bare LF, or too much.
func (w *watch) due(buf []byte, most int) bool {
	if w.seen == 0 || w.seen > len(buf) || len(buf) >= most {
		return true
	}
	for i := w.seen; ; i++ {
		j := bytes.IndexByte(buf[i:], '\n')
		if j < 0 {
			w.seen = len(buf)
			return false
		}
		i += j
		if buf[i-1] != '\r' || i >= 2 && buf[i-2] == '\n' {
			return true
		}
	}
}

// done takes the outcome of reading buf.
func (w *watch) done(buf []byte, most int, err error) error {
	w.seen = 0
	if err != ErrMore {
		return err
	}
	if len(buf) >= most {
		return ErrTooLarge
	}
	w.seen = len(buf)
	return ErrMore
}

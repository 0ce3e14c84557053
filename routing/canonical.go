package routing

import "errors"

// MaxPath is the longest path that is read, in bytes.
const MaxPath = 8 << 10

// Why a path cannot be read in one way at all. Canonical returns these as they are.
var (
	ErrRelative = errors.New("routing: the path does not start with a slash")
	ErrTooLong  = errors.New("routing: the path is longer than 8 KiB")
	ErrControl  = errors.New("routing: the path contains a control character")
	ErrEscape   = errors.New("routing: the path contains a percent sign without two hexadecimal digits")
	ErrOverlong = errors.New("routing: the path contains an overlong UTF-8 sequence")
)

// Canonical returns the reading of a raw path that routes match on; see the package comment. The raw path is without the
// query. Canonical(Canonical(raw)) is Canonical(raw). A path that is its own canonical reading costs no allocation.
//
// It refuses what has no safe reading: ErrRelative, ErrTooLong, ErrControl (raw or escaped, C0 and DEL), ErrEscape, and
// ErrOverlong (C0 AF is a slash to some decoders and to no others).
func Canonical(raw string) (path string, err error) {
	if err := check(raw); err != nil {
		return "", err
	}
	if !shapeOf(raw).crooked {
		return raw, nil
	}
	var room [512]byte
	buf := appendUnescaped(room[:0], raw, keepSlashAndPercent)
	buf = appendMerged(buf[:0], buf)
	buf = appendResolved(buf[:0], buf)
	if string(buf) == raw {
		return raw, nil
	}
	return string(buf), nil
}

func check(raw string) error {
	if raw == "" || raw[0] != '/' {
		return ErrRelative
	}
	if len(raw) > MaxPath {
		return ErrTooLong
	}
	var last byte
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '%' {
			var ok bool
			if c, ok = unhex(raw, i); !ok {
				return ErrEscape
			}
			i += 2
		}
		switch {
		case c < ' ' || c == 0x7f:
			return ErrControl
		case c >= 0x80 && c < 0xc0 && (last == 0xc0 || last == 0xc1), c >= 0x80 && c < 0xa0 && last == 0xe0:
			return ErrOverlong
		}
		last = c
	}
	return nil
}

// shape is what one look at a raw path tells about its readings.
type shape struct {
	crooked bool // readings may differ in more than letter case, or there may be none
	cased   bool // it has letters that case folding changes, or may change
}

func shapeOf(raw string) shape {
	s := shape{crooked: raw == "" || raw[0] != '/' || len(raw) > MaxPath}
	var last byte
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '/':
			if last == '/' || last == '.' || last == ' ' {
				s.crooked = true
			}
		case c == '%' || c == ';' || c == '\\' || c < ' ' || c == 0x7f:
			s.crooked = true
		case c >= 'A' && c <= 'Z':
			s.cased = true
		case c >= 0x80:
			s.cased = true
			s.crooked = s.crooked || c == 0xc0 || c == 0xc1 || c == 0xe0
		}
		last = c
	}
	if last == '.' || last == ' ' {
		s.crooked = true
	}
	return s
}

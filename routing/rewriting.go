package routing

import "bytes"

// The steps of which readings are made. Each appends its result to dst and returns that; dst may be src[:0], for no result
// is longer than what it was made of (a path starts with a slash, so it is never empty).

// keep says which escapes appendUnescaped leaves alone.
type keep uint8

const (
	keepNothing         keep = iota
	keepSlashAndPercent      // for the canonical reading
	keepPlain                // for the reading that does not decode: what nobody who means well would have escaped
)

// keeps reports whether an escape for c stays.
func (k keep) keeps(c byte) bool {
	switch k {
	case keepSlashAndPercent:
		return c == '/' || c == '%'
	case keepPlain:
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			return true
		}
		switch c {
		case '-', '_', '.', '/', '%', '\\', ';':
			return true
		}
	}
	return false
}

// appendUnescaped decodes percent escapes once. Those that stay are written in upper case; what is no escape stays as it is.
func appendUnescaped[S string | []byte](dst []byte, src S, k keep) []byte {
	const digits = "0123456789ABCDEF"
	for i := 0; i < len(src); i++ {
		c := src[i]
		if c == '%' {
			if v, ok := unhex(src, i); ok {
				i += 2
				if k.keeps(v) {
					dst = append(dst, '%', digits[v>>4], digits[v&15])
					continue
				}
				c = v
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// unhex returns the byte that the escape at s[i] stands for, and false if there is none.
func unhex[S string | []byte](s S, i int) (byte, bool) {
	if i+2 >= len(s) {
		return 0, false
	}
	hi, ok1 := hexDigit(s[i+1])
	lo, ok2 := hexDigit(s[i+2])
	return hi<<4 | lo, ok1 && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// appendMerged makes one slash of several.
func appendMerged(dst, src []byte) []byte {
	var last byte
	for _, c := range src {
		if c != '/' || last != '/' {
			dst = append(dst, c)
		}
		last = c
	}
	return dst
}

// appendResolved removes dot segments as RFC 3986 section 5.2.4 does: an empty segment is one that ".." takes back.
func appendResolved(dst, src []byte) []byte {
	base := len(dst)
	for i := 0; i < len(src); {
		j := segmentEnd(src, i+1)
		last := j == len(src)
		switch string(src[i+1 : j]) {
		case ".":
		case "..":
			if k := bytes.LastIndexByte(dst[base:], '/'); k >= 0 {
				dst = dst[:base+k]
			}
		default:
			dst, last = append(dst, src[i:j]...), false
		}
		if last {
			dst = append(dst, '/')
		}
		i = j
	}
	return dst
}

// appendWithoutParams drops what follows a semicolon, segment by segment.
func appendWithoutParams(dst, src []byte) []byte {
	for i := 0; i < len(src); {
		j := segmentEnd(src, i+1)
		seg := src[i:j]
		if k := bytes.IndexByte(seg, ';'); k >= 0 {
			seg = seg[:k]
		}
		dst, i = append(dst, seg...), j
	}
	return dst
}

// appendTrimmed drops the dots and spaces at the end of each segment, as Windows does with file names.
// What remains a dot segment without its spaces stays one.
func appendTrimmed(dst, src []byte) []byte {
	for i := 0; i < len(src); {
		j := segmentEnd(src, i+1)
		seg := src[i+1 : j]
		for len(seg) > 0 && seg[len(seg)-1] == ' ' {
			seg = seg[:len(seg)-1]
		}
		if s := string(seg); s != "." && s != ".." {
			for len(seg) > 0 && (seg[len(seg)-1] == ' ' || seg[len(seg)-1] == '.') {
				seg = seg[:len(seg)-1]
			}
		}
		dst = append(append(dst, '/'), seg...)
		i = j
	}
	return dst
}

// appendSlashed takes backslashes for slashes.
func appendSlashed(dst, src []byte) []byte {
	for _, c := range src {
		if c == '\\' {
			c = '/'
		}
		dst = append(dst, c)
	}
	return dst
}

// appendCut ends the path at the first control character, as C does at NUL and whoever reads lines at their end. Only a
// second decoding can bring one in.
func appendCut(dst, src []byte) []byte {
	if k := indexControl(src); k > 0 {
		src = src[:k]
	}
	return append(dst, src...)
}

func indexControl(text []byte) int {
	for i, c := range text {
		if c < ' ' {
			return i
		}
	}
	return -1
}

func segmentEnd(src []byte, from int) int {
	if k := bytes.IndexByte(src[from:], '/'); k >= 0 {
		return from + k
	}
	return len(src)
}

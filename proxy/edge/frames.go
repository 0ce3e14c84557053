package edge

import "encoding/binary"

// Frame types and flags of HTTP/2 that are looked at (RFC 9113 sections 6 and 4.1).
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameContinuation = 0x9

	flagEndStream  = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8

	frameHead  = 9 // bytes before the payload
	frameFirst = 4 // bytes of a payload that are kept
)

// frames follows HTTP/2's frames as they go by in pieces, and knows of each its head and the first bytes of its payload. It checks
// nothing. The zero value is before the first frame.
type frames struct {
	seen        [frameHead + frameFirst]byte
	have        int // bytes of seen that belong to the frame that begins
	left        int // bytes of the payload that are still to come
	kind, flags byte
	length      int
}

// next takes from p what belongs to one frame, and returns the rest. It reports whether kind, flags and length are those of another
// frame from now on.
func (f *frames) next(p []byte) (rest []byte, another bool) {
	if f.left > 0 {
		n := min(f.left, len(p))
		f.left -= n
		return p[n:], false
	}
	if f.have < frameHead {
		n := copy(f.seen[f.have:frameHead], p)
		if f.have, p = f.have+n, p[n:]; f.have < frameHead {
			return p, false
		}
	}
	length := int(f.seen[0])<<16 | int(f.seen[1])<<8 | int(f.seen[2])
	whole := frameHead + min(length, frameFirst)
	n := copy(f.seen[f.have:whole], p)
	if f.have, p = f.have+n, p[n:]; f.have < whole {
		return p, false
	}
	f.kind, f.flags, f.length, f.left, f.have = f.seen[3], f.seen[4], length, length-(whole-frameHead), 0
	return p, true
}

// code is the error code of a frameReset.
func (f *frames) code() uint32 { return binary.BigEndian.Uint32(f.seen[frameHead:]) }

// data is how many bytes of a frameData are no padding.
func (f *frames) data() int {
	if f.flags&flagPadded == 0 || f.length == 0 {
		return f.length
	}
	return f.length - 1 - int(f.seen[frameHead])
}

// inHead reports whether a request's head, or a trailer, has begun and not ended.
func (f *frames) inHead() bool {
	if f.have > 3 {
		return ofHead(f.seen[3])
	}
	return ofHead(f.kind) && (f.left > 0 || f.flags&flagEndHeaders == 0)
}

func ofHead(kind byte) bool { return kind == frameHeaders || kind == frameContinuation }

// whole reports whether no frame has begun and not ended.
func (f *frames) whole() bool { return f.have == 0 && f.left == 0 }

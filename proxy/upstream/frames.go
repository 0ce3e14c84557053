package upstream

import "errors"

// frames follows the frames of HTTP/2 as they come, by their heads (RFC 9113 section 4.1), for what the transport does not look at.
type frames struct {
	head  [9]byte
	got   int  // bytes of head
	left  int  // bytes of the payload that are to come
	first bool // the head of the first frame was seen
	whole bool // and all of it
	row   int  // frames in a row that go on with a head

	windows *windows // hears of what came; nil: nobody does
	payload []byte   // of a frame that windows wants to see
}

const (
	settingsFrame     = 4
	continuationFrame = 9
	maxContinuations  = 128 // a head is bounded in bytes, by the transport, and empty frames have none
)

var (
	errNotHTTP2 = errors.New("the backend does not speak HTTP/2")
	errEndless  = errors.New("a head in too many frames")
)

// pass looks at what came.
func (f *frames) pass(p []byte) error {
	for len(p) > 0 {
		if f.left > 0 {
			n := min(f.left, len(p))
			f.left -= n
			if f.wanted() {
				f.payload = append(f.payload, p[:n]...)
			}
			p = p[n:]
		} else {
			n := copy(f.head[f.got:], p)
			f.got += n
			if p = p[n:]; f.got < len(f.head) {
				return nil
			}
			if err := f.begin(); err != nil {
				return err
			}
		}
		f.whole = f.whole || f.left == 0
		if f.windows != nil && f.got == 0 && f.left == 0 {
			if err := f.windows.came(f.head, f.payload); err != nil {
				return err
			}
		}
	}
	return nil
}

// wanted reports whether the payload under way is looked at.
func (f *frames) wanted() bool {
	return f.windows != nil && (f.head[3] == windowFrame || f.head[3] == settingsFrame) && len(f.payload) < maxPayload
}

// begin is the end of a frame's head.
func (f *frames) begin() error {
	f.payload = f.payload[:0]
	f.got, f.left = 0, lengthOf(f.head)
	kind := f.head[3]
	if !f.first && kind != settingsFrame {
		return errNotHTTP2
	}
	f.first = true
	if kind != continuationFrame {
		f.row = 0
		return nil
	}
	if f.row++; f.row > maxContinuations {
		return errEndless
	}
	return nil
}

package upstream

import (
	"encoding/binary"
	"errors"
	"math"
	"sync"
)

const (
	dataFrame    = 0
	headersFrame = 1
	resetFrame   = 3
	windowFrame  = 8

	endStream  = 1 // a flag of the first two
	ackFlag    = 1 // of settings
	prefaceLen = 24
	maxPayload = 16 << 10 // bytes of a frame that are looked at: no frame has more

	initialWindowSetting = 4
	firstWindow          = 65535
)

var errWindow = errors.New("a window that is too large")

// windows follows how much each stream may still send (RFC 9113 section 6.9). The transport of Go 1.26 locks itself up where a backend
// makes a stream's window larger than there can be, and every exchange with that backend with it; so such a frame is refused before the
// transport sees it. It is safe for concurrent use: one goroutine reads, others write.
type windows struct {
	mu      sync.Mutex
	initial int64
	open    map[uint32]*window

	// What is written, by frames; under mu.
	preface int // bytes that were written of it
	head    [9]byte
	got     int // bytes of head
	left    int // bytes of the payload that are to come
}

type window struct {
	left         int64
	ours, theirs bool // that side has ended
}

func newWindows() *windows { return &windows{initial: firstWindow, open: map[uint32]*window{}} }

// sent looks at what is written.
func (w *windows) sent(p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(prefaceLen-w.preface, len(p))
	w.preface += n
	for p = p[n:]; len(p) > 0; {
		if w.left > 0 {
			n := min(w.left, len(p))
			w.left -= n
			p = p[n:]
			continue
		}
		n := copy(w.head[w.got:], p)
		w.got += n
		if p = p[n:]; w.got == len(w.head) {
			w.begin()
		}
	}
}

// begin is the end of a frame's head that is written.
func (w *windows) begin() {
	w.got, w.left = 0, lengthOf(w.head)
	id, flags := streamOf(w.head), w.head[4]
	switch w.head[3] {
	case headersFrame:
		if w.open[id] == nil {
			w.open[id] = &window{left: w.initial}
		}
	case dataFrame:
		if s := w.open[id]; s != nil {
			s.left -= int64(w.left)
		}
	case resetFrame:
		delete(w.open, id)
		return
	default:
		return
	}
	if s := w.open[id]; s != nil && flags&endStream != 0 {
		s.ours = true
		w.forget(id, s)
	}
}

// came takes in a frame that the backend sent as a whole.
func (w *windows) came(head [9]byte, payload []byte) error {
	kind, flags, id := head[3], head[4], streamOf(head)
	switch kind {
	case settingsFrame, windowFrame, headersFrame, dataFrame, resetFrame:
	default:
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch kind {
	case settingsFrame:
		if flags&ackFlag == 0 {
			return w.settings(payload)
		}
	case windowFrame:
		if s := w.open[id]; s != nil && len(payload) == 4 {
			s.left += int64(binary.BigEndian.Uint32(payload) & math.MaxInt32)
			if s.left > math.MaxInt32 {
				return errWindow
			}
		}
	case resetFrame:
		delete(w.open, id)
	default:
		if s := w.open[id]; s != nil && flags&endStream != 0 {
			s.theirs = true
			w.forget(id, s)
		}
	}
	return nil
}

// settings takes in what the backend begins streams with; it holds for those that are open, too.
func (w *windows) settings(payload []byte) error {
	for ; len(payload) >= 6; payload = payload[6:] {
		if binary.BigEndian.Uint16(payload) != initialWindowSetting {
			continue
		}
		to := int64(binary.BigEndian.Uint32(payload[2:]))
		for _, s := range w.open {
			if s.left += to - w.initial; s.left > math.MaxInt32 {
				return errWindow
			}
		}
		w.initial = to
	}
	return nil
}

// forget drops a stream that both sides have ended.
func (w *windows) forget(id uint32, s *window) {
	if s.ours && s.theirs {
		delete(w.open, id)
	}
}

func lengthOf(head [9]byte) int { return int(head[0])<<16 | int(head[1])<<8 | int(head[2]) }

func streamOf(head [9]byte) uint32 { return binary.BigEndian.Uint32(head[5:]) & math.MaxInt32 }

package edge

import (
	"sync"
	"time"
)

// What a visitor of HTTP/2 may have us do for nothing: so many frames at once, and so many a second. What he is answered earns
// more, since he has something to say to it. The library that serves HTTP/2 bounds the memory that such frames cost, and not
// the time.
const (
	idleFrames    = 2000 // PING, SETTINGS, WINDOW_UPDATE, PRIORITY, empty DATA, CONTINUATION and whatever is unknown
	idleFrameRate = 200
	idleResets    = 500 // streams that he resets (CVE-2023-44487), or has us reset (CVE-2025-8671)
	idleResetRate = 20

	answerEarns = 4   // frames, and one reset, for each request that is answered to its end
	writeEarns  = 2   // frames for each write that he took,
	bytesEarn   = 512 // and another for so many bytes of it

	mostPieces = 16 // CONTINUATION frames of one head (CVE-2023-45288)
)

// credit is what one visitor has left. It is safe for concurrent use.
type credit struct {
	mu     sync.Mutex
	at     time.Time // when time was last counted
	frames float64
	resets float64
	pieces int // CONTINUATION frames of the head under way
	over   bool
}

func (c *credit) begin(now time.Time) { c.at, c.frames, c.resets = now, idleFrames, idleResets }

// came counts a frame that came.
func (c *credit) came(f *frames, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch f.kind {
	case frameData:
		if f.data() > 0 || f.flags&flagEndStream != 0 { // bodies have a pace of their own
			return
		}
	case frameHeaders: // what becomes of it counts
		c.pieces = 0
		return
	case frameContinuation:
		c.pieces++
		c.over = c.over || c.pieces > mostPieces
	case frameReset:
		c.take(&c.resets, now)
		return
	}
	c.take(&c.frames, now)
}

// provoked counts a stream that we had to reset.
func (c *credit) provoked(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.take(&c.resets, now)
}

// take is called under the lock. Time is only counted when it is needed.
func (c *credit) take(from *float64, now time.Time) {
	if *from--; *from >= 0 {
		return
	}
	passed := now.Sub(c.at).Seconds()
	c.at = now
	c.frames = min(c.frames+passed*idleFrameRate, idleFrames)
	c.resets = min(c.resets+passed*idleResetRate, idleResets)
	c.over = c.over || *from < 0
}

// wrote notes that a write of n bytes was taken.
func (c *credit) wrote(n int) { c.earn(writeEarns+float64(n)/bytesEarn, 0) }

// answered notes that a request was answered to its end.
func (c *credit) answered() { c.earn(answerEarns, 1) }

func (c *credit) earn(frames, resets float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frames, c.resets = min(c.frames+frames, idleFrames), min(c.resets+resets, idleResets)
}

// gone reports whether it was used up. It stays so.
func (c *credit) gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over
}

package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"sync/atomic"
)

// keyed is one key, with hashes under it that are ready for use. A sync.Pool would do, but for one thing: it may forget at any
// time what was put into it, and a new hash costs more than the check that it is for.
type keyed struct {
	key   []byte
	spare [spares]struct {
		atomic.Pointer[hasher]
		_ [56]byte // each on a cache line of its own
	}
}

// spares is how many hashes are kept, about 700 bytes each. Where more are in use at once, those beyond are made anew.
const spares = 16

func newKeyed(key []byte) *keyed { return &keyed{key: key} }

// take returns a hash that is ready for a message. It is the caller's until give.
func (k *keyed) take() *hasher {
	first := rand.Uint32()
	for i := range uint32(spares) {
		slot := &k.spare[(first+i)%spares]
		if slot.Load() == nil {
			continue
		}
		if h := slot.Swap(nil); h != nil {
			h.mac.Reset()
			return h
		}
	}
	h := &hasher{mac: hmac.New(sha256.New, k.key)}
	h.mac.Reset() // the first Reset prepares the key's blocks for all later ones
	return h
}

func (k *keyed) give(h *hasher) {
	first := rand.Uint32()
	for i := range uint32(spares) {
		slot := &k.spare[(first+i)%spares]
		if slot.Load() == nil && slot.CompareAndSwap(nil, h) {
			return
		}
	}
}

// hasher is an HMAC with the memory that a message needs on its way into it: what is handed to an interface would be allocated
// otherwise.
type hasher struct {
	mac interface {
		io.Writer
		Sum([]byte) []byte
		Reset()
	}
	part [512]byte
	sum  [sha256.Size]byte
}

func (h *hasher) write(s string) {
	for s != "" {
		n := copy(h.part[:], s)
		_, _ = h.mac.Write(h.part[:n]) // a hash takes everything
		s = s[n:]
	}
}

func (h *hasher) writeBytes(b []byte) {
	for len(b) > 0 {
		n := copy(h.part[:], b)
		_, _ = h.mac.Write(h.part[:n])
		b = b[n:]
	}
}

// writeID writes a session id as backends read it, so that it is the same in all its spellings.
func (h *hasher) writeID(id string) {
	id = unquoted(id)
	for id != "" {
		n := 0
		for n < len(h.part) && id != "" {
			h.part[n], id = decodedByte(id)
			n++
		}
		_, _ = h.mac.Write(h.part[:n])
	}
}

// tag returns the signature of what was written. It is valid until the next message.
func (h *hasher) tag() []byte { return h.mac.Sum(h.sum[:0])[:tagSize] }

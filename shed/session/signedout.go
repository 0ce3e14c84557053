package session

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxSignedOut bounds how many ids SignedOut keeps, about 6 MB of them.
const maxSignedOut = 65536

// SignedOut is a set of session ids that Gatehouse signed out by itself, each until a time. It is made by NewSignedOut; the
// zero value is empty, and nothing may be added to it. It is safe for concurrent use.
//
// The ids themselves are never kept, only hashes of 128 bits, with the name of the cookie or field, under a key of this set's own:
// nobody who reads the memory finds a session, and nobody outside can aim at another's id. An id is the same with and without
// quotes around it and with its percent escapes decoded once, as backends read it. What is too short to be an id is not kept:
// other visitors may carry the same (a cookie that says how many pieces follow, a flag), and would be signed out with this one.
//
// At most 65536 ids are kept. One more makes the oldest go, and that session is accepted again if its app never ended it: an
// outage in which more visitors sign out, or in which somebody signs out with that many made-up ids, gives up the first of
// them. It knows of nothing that other instances signed out, and a restart forgets all.
type SignedOut struct {
	n         atomic.Int64 // how many; so that asking an empty set costs nothing
	high, low maphash.Seed

	mu    sync.RWMutex
	until map[hash]time.Time
	ring  []hash // in the order in which they came, from first on
	first int
}

// hash is what is kept of an id.
type hash struct{ high, low uint64 }

// NewSignedOut returns an empty set with a random key.
func NewSignedOut() *SignedOut {
	return &SignedOut{high: maphash.MakeSeed(), low: maphash.MakeSeed(), until: make(map[hash]time.Time)}
}

// leastID is how long an id is at least: sixteen hexadecimal digits would be 64 bits, the least that a session id should have.
const leastID = 16

// Add keeps an id until a time. An id that is kept already keeps its place, until the later of both times.
func (s *SignedOut) Add(name, id string, until time.Time) {
	if len(unquoted(id)) < leastID {
		return
	}
	h := s.hash(name, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, there := s.until[h]; there {
		if until.After(old) {
			s.until[h] = until
		}
		return
	}
	s.until[h] = until
	if len(s.ring) < maxSignedOut {
		s.ring = append(s.ring, h)
	} else {
		delete(s.until, s.ring[s.first])
		s.ring[s.first] = h
		s.first = (s.first + 1) % maxSignedOut
	}
	s.n.Store(int64(len(s.ring)))
}

// Has reports whether an id is kept and its time has not come.
func (s *SignedOut) Has(name, id string, now time.Time) bool {
	if s.n.Load() == 0 {
		return false
	}
	h := s.hash(name, id)
	s.mu.RLock()
	until, there := s.until[h]
	s.mu.RUnlock()
	return there && now.Before(until)
}

// Len returns how many ids are kept, with those whose time has come.
func (s *SignedOut) Len() int { return int(s.n.Load()) }

// hash returns what is kept of an id.
func (s *SignedOut) hash(name, id string) hash {
	id = unquoted(id)
	var high, low maphash.Hash
	high.SetSeed(s.high)
	low.SetSeed(s.low)
	for _, h := range [...]*maphash.Hash{&high, &low} {
		_, _ = h.WriteString(name)
		_ = h.WriteByte('=')
	}
	if strings.IndexByte(id, '%') < 0 {
		_, _ = high.WriteString(id)
		_, _ = low.WriteString(id)
		return hash{high.Sum64(), low.Sum64()}
	}
	for id != "" {
		var c byte
		c, id = decodedByte(id)
		_, _ = high.WriteByte(c), low.WriteByte(c)
	}
	return hash{high.Sum64(), low.Sum64()}
}

// decodedByte returns the first byte of an id, a percent escape decoded, and what follows. s must not be empty.
func decodedByte(s string) (c byte, rest string) {
	if s[0] == '%' && len(s) > 2 {
		if a, b := nibble(s[1]), nibble(s[2]); a >= 0 && b >= 0 {
			return byte(a<<4 | b), s[3:]
		}
	}
	return s[0], s[1:]
}

// nibble returns what a hexadecimal digit stands for, or -1.
func nibble(c byte) int {
	switch {
	case digit(c):
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

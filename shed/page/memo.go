package page

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

const (
	memoCells = 128
	maxMemo   = 256 // bytes of a field that is remembered; a longer one is read each time
)

// memo remembers what was made of fields that come again and again, as those of browsers do: reading one costs much more than the
// answer. A field is remembered once nothing else that was unknown came to its cell between two of it, so what a stranger sends costs
// no more than reading it, and no memory beyond the cells, which is all there ever are.
//
// Make one with newMemo. It is safe for concurrent use.
type memo[T any] struct {
	read  func(field string) T // of the field alone
	seed  maphash.Seed
	cells [memoCells]memoCell[T]
}

type memoCell[T any] struct {
	known   atomic.Pointer[memoized[T]] // replaced as a whole
	unknown atomic.Uint64               // the hash of the latest field that was not known
}

type memoized[T any] struct {
	field string
	is    T
}

func newMemo[T any](read func(string) T) *memo[T] {
	return &memo[T]{read: read, seed: maphash.MakeSeed()}
}

// of returns what the field is read as.
func (m *memo[T]) of(field string) T {
	if field == "" || len(field) > maxMemo {
		return m.read(field)
	}
	hash := maphash.String(m.seed, field)
	cell := &m.cells[hash%memoCells]
	if known := cell.known.Load(); known != nil && known.field == field {
		return known.is
	}
	is := m.read(field)
	if cell.unknown.Swap(hash) == hash {
		// The field may be a view of a buffer that is used again.
		cell.known.Store(&memoized[T]{strings.Clone(field), is})
	}
	return is
}

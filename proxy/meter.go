package proxy

import (
	"io"
	"sync/atomic"
	"time"
)

// meter counts what is read of a body, and notes when it was. Who reads it may still be at it when an attempt that failed is
// looked at.
type meter struct {
	from io.Reader
	n    atomic.Int64
	last atomic.Int64 // when a Read ended last, in Unix nanoseconds; 0: none has
	end  atomic.Bool  // the body was read to its end
}

// Interrupt ends a Read that is under way, where the front end can.
func (m *meter) Interrupt() {
	if in, ok := m.from.(interface{ Interrupt() }); ok {
		in.Interrupt()
	}
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	m.n.Add(int64(n))
	m.last.Store(time.Now().UnixNano())
	if err == io.EOF {
		m.end.Store(true)
	}
	return n, err
}

// since returns how long a backend has had what it needs for its answer, which began with a claim at that moment: the visitor's own
// time for sending a body is not the backend's. It reports false where the backend still waits for some of it.
func (m *meter) since(claimed time.Time, length int64) (time.Duration, bool) {
	if length == 0 {
		return time.Since(claimed), true
	}
	if last := time.Unix(0, m.last.Load()); last.After(claimed) {
		claimed = last
	}
	return time.Since(claimed), m.end.Load() || length > 0 && m.n.Load() >= length
}

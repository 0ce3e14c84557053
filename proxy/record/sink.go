package record

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	sinkBuffer = 1 << 20  // bytes of lines that may wait for the writer
	sinkEnough = 32 << 10 // bytes that are worth a write of their own, however short the last one is ago
)

// Sink writes lines behind everybody's back. What is written goes into a bounded buffer; one goroutine hands whatever is there
// to the writer. A writer that is too slow or stuck, such as a pipe that nobody reads, loses lines, which are counted, and
// stalls nobody.
//
// Make one with NewSink; its owner must Close it. It is safe for concurrent use.
type Sink struct {
	to      io.Writer
	gather  time.Duration // how far apart writes are, unless there is enough; a line that comes alone is written at once
	dropped atomic.Uint64

	mu     sync.Mutex
	lines  []byte
	count  int // writes in it
	closed bool

	wake  chan struct{} // holds one: there is something to write, or the end has come
	hurry chan struct{} // holds one: there is enough to write, or the end has come
	ended chan struct{}
}

// NewSink returns a Sink that alone writes to that writer.
func NewSink(to io.Writer) *Sink { return newSink(to, 0) }

// newSink returns one that gathers what comes close together: a write for each line would cost more than the line.
func newSink(to io.Writer, gather time.Duration) *Sink {
	s := &Sink{to: to, gather: gather, wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), ended: make(chan struct{})}
	go s.run()
	return s
}

// Write takes one or more whole lines, or drops all of them. It never waits, and never fails.
func (s *Sink) Write(lines []byte) (int, error) {
	s.mu.Lock()
	was := len(s.lines)
	if s.closed || was+len(lines) > sinkBuffer {
		s.mu.Unlock()
		s.dropped.Add(1)
		return len(lines), nil
	}
	s.lines = append(s.lines, lines...)
	s.count++
	// Whoever wrote before has told the goroutine, which has not taken what is there yet.
	first, enough := s.count == 1, was < sinkEnough && len(s.lines) >= sinkEnough
	s.mu.Unlock()
	if first {
		signal(s.wake)
	}
	if enough {
		signal(s.hurry)
	}
	return len(lines), nil
}

// Dropped returns how many writes were lost.
func (s *Sink) Dropped() uint64 { return s.dropped.Load() }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run is the one goroutine that owns the writer. It ends when the Sink is closed and everything is written.
func (s *Sink) run() {
	defer close(s.ended)
	var batch []byte
	pause := time.NewTimer(0)
	defer pause.Stop()
	for range s.wake {
		s.mu.Lock()
		batch, s.lines = s.lines, batch[:0]
		count, closed := s.count, s.closed
		s.count = 0
		s.mu.Unlock()
		if len(batch) > 0 {
			if _, err := s.to.Write(batch); err != nil {
				s.dropped.Add(uint64(count))
			}
		}
		if closed {
			return
		}
		if s.gather > 0 {
			pause.Reset(s.gather)
			select {
			case <-pause.C:
			case <-s.hurry:
			}
		}
	}
}

// Close writes what is left and waits for the end, or for ctx: a writer that is stuck cannot be stopped from here.
// It may be called again.
func (s *Sink) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	signal(s.wake)
	signal(s.hurry)
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package record

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
)

const (
	accessBuffer = 1 << 20 // bytes of lines that may wait for the writer
	spareLine    = 1 << 12 // a longer line's buffer is not kept for the next
)

// accessLog writes lines behind the requests' backs. A line goes into a bounded buffer; one goroutine writes whatever is
// there, always whole lines. A writer that is too slow or stuck loses lines, which are counted, and stalls nobody.
type accessLog struct {
	to      io.Writer
	dropped atomic.Uint64

	mu     sync.Mutex
	lines  []byte
	count  int // lines in it
	closed bool

	wake  chan struct{} // holds one: there is something to write, or the end has come
	ended chan struct{}
	spare sync.Pool // *[]byte
}

func newAccessLog(to io.Writer) *accessLog {
	l := &accessLog{to: to, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	l.spare.New = func() any { b := make([]byte, 0, 1024); return &b }
	go l.write()
	return l
}

// add logs one exchange.
func (l *accessLog) add(s *Series, e *Entry) {
	line := l.spare.Get().(*[]byte)
	*line = appendLine((*line)[:0], s, e)
	l.mu.Lock()
	fits := !l.closed && len(l.lines)+len(*line) <= accessBuffer
	if fits {
		l.lines = append(l.lines, *line...)
		l.count++
	}
	l.mu.Unlock()
	if fits {
		l.signal()
	} else {
		l.dropped.Add(1)
	}
	if cap(*line) <= spareLine {
		l.spare.Put(line)
	}
}

func (l *accessLog) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// write is the one goroutine that owns the writer. It ends when the log is closed and everything is written.
func (l *accessLog) write() {
	defer close(l.ended)
	var batch []byte
	for range l.wake {
		l.mu.Lock()
		batch, l.lines = l.lines, batch[:0]
		count, closed := l.count, l.closed
		l.count = 0
		l.mu.Unlock()
		if len(batch) > 0 {
			if _, err := l.to.Write(batch); err != nil {
				l.dropped.Add(uint64(count))
			}
		}
		if closed {
			return
		}
	}
}

// close writes what is left and waits for the end, or for ctx: a writer that is stuck cannot be stopped from here.
// It may be called again.
func (l *accessLog) close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.signal()
	select {
	case <-l.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

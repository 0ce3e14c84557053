package upstream

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// wire is a connection as HTTP/2 uses it. It sees whether the backend begins as HTTP/2 does, with its settings (RFC 9113 section
// 3.4), and whether anything came since.
type wire struct {
	net.Conn
	reads atomic.Int64 // that brought something

	frames frames // the reader's
	begun  bool   // the backend's settings were taken

	settled chan struct{} // closed when the backend's settings were taken
	ended   chan struct{} // closed when the connection has ended
	once    sync.Once
	fault   error // why; once ended
}

func newWire(c net.Conn) *wire {
	w := &wire{Conn: c, settled: make(chan struct{}), ended: make(chan struct{})}
	w.frames.windows = newWindows()
	return w
}

// Write is called by one goroutine at a time.
func (w *wire) Write(p []byte) (int, error) {
	w.frames.windows.sent(p) // before it can be answered
	return w.Conn.Write(p)
}

// Read belongs to one goroutine, which asks for more only when it is done with what it has.
func (w *wire) Read(p []byte) (int, error) {
	if !w.begun && w.frames.whole {
		w.begun = true
		close(w.settled)
	}
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.reads.Add(1)
	}
	if wrong := w.frames.pass(p[:n]); wrong != nil {
		n, err = 0, wrong
	}
	if err != nil {
		w.end(err)
	}
	return n, err
}

func (w *wire) Close() error {
	w.end(net.ErrClosed)
	return w.Conn.Close()
}

func (w *wire) end(err error) {
	w.once.Do(func() {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		w.fault = err
		close(w.ended)
	})
}

// settle waits for the backend's settings: before them it is not known how many exchanges it takes at once, nor that it speaks
// HTTP/2 at all, and nothing of a request has left.
func (w *wire) settle(ctx context.Context) error {
	select {
	case <-w.settled:
		return nil
	case <-w.ended:
		return fmt.Errorf("http/2: the connection ended before it began: %w", w.fault)
	case <-ctx.Done():
		return fmt.Errorf("http/2: no settings came: %w", ctx.Err())
	}
}

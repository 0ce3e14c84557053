package upstream

import (
	"errors"
	"io"
	"sync"

	"gatehouse/proxy/h1"
)

// body is a request's body on its way to a backend. It keeps what went wrong on the visitor's side apart, and can be stopped.
type body struct {
	from   io.Reader
	length int64          // -1: not known
	lines  func() h1.Head // nil: no trailer is wanted
	// trailer is there from the end of the body on, for who reads it.
	trailer h1.Head

	reading sync.Mutex // held during a Read of from

	mu      sync.Mutex
	stopped bool
	touched bool // from was read
	held    bool // a Read was under way when the body was stopped
	n       int64
	ended   bool // from returned its end
	err     error
}

var (
	errStopped = errors.New("the body is not wanted any more")
	errLong    = errors.New("the body is longer than it was said to be")
)

func (b *body) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	b.mu.Lock()
	stopped := b.stopped
	b.touched = true
	b.mu.Unlock()
	if stopped {
		return 0, errStopped
	}
	n, err := b.from.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n += int64(n)
	switch {
	case b.stopped:
		return 0, errStopped
	case b.length >= 0 && b.n > b.length:
		n, err = 0, errLong
		b.err = err
	case err == io.EOF && b.length >= 0 && b.n < b.length:
		err = io.ErrUnexpectedEOF
		b.err = err
	case err == io.EOF:
		if !b.ended && b.lines != nil {
			b.trailer = b.lines()
		}
		b.ended = true
	case err != nil:
		b.err = err
	}
	return n, err
}

// halt lets no further Read begin, and interrupts one that is under way, if that can be. It does not wait.
func (b *body) halt() {
	b.mu.Lock()
	first := !b.stopped
	b.stopped = true
	if first {
		if b.held = !b.reading.TryLock(); !b.held {
			b.reading.Unlock()
		}
	}
	held := b.held
	b.mu.Unlock()
	if !first || !held {
		return
	}
	if in, ok := b.from.(interrupter); ok {
		in.Interrupt()
	}
}

// stop is halt, and waits for the end of a Read under way where it was interrupted.
func (b *body) stop() {
	if b == nil {
		return
	}
	b.halt()
	if b.interruptible() {
		b.reading.Lock()
		defer b.reading.Unlock()
	}
}

// awaited stops the body, and reports whether that cut a Read: the sender had not sent it yet, and whoever takes it waited.
func (b *body) awaited() bool {
	if b == nil {
		return false
	}
	b.halt()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

// interruptible reports whether a Read of the body can be ended.
func (b *body) interruptible() bool {
	_, ok := b.from.(interrupter)
	return ok
}

type interrupter interface{ Interrupt() }

// fault returns what went wrong on the visitor's side, or nil.
func (b *body) fault() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// over reports whether all of the body was read; its end, as such, may still be to come.
func (b *body) over() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended || b.n == b.length
}

func (b *body) untouched() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.touched
}

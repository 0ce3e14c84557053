package edge

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Listen opens a listener; network is "tcp" or "unix". A socket file that nobody answers at is what a crash left behind and is
// replaced; one that somebody answers at, or a file that is no socket, is an error.
func Listen(network, address string) (net.Listener, error) {
	if network != "unix" {
		return net.Listen(network, address)
	}
	if info, err := os.Lstat(address); err == nil {
		if info.Mode()&os.ModeSocket == 0 {
			return nil, fmt.Errorf("listen unix %s: the file is there and is no socket", address)
		}
		c, err := net.DialTimeout("unix", address, time.Second)
		if err == nil {
			_ = c.Close()
			return nil, fmt.Errorf("listen unix %s: %w", address, syscall.EADDRINUSE)
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return nil, fmt.Errorf("listen unix %s: %w", address, err)
		}
		if err := os.Remove(address); err != nil {
			return nil, fmt.Errorf("listen unix %s: %w", address, err)
		}
	}
	l, err := net.Listen("unix", address)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(address, 0o660); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("listen unix %s: %w", address, err)
	}
	return l, nil
}

// bounded is a listener that has at most so many connections open, and knows them. Whoever comes then waits in the kernel's
// backlog. It is safe for concurrent use.
type bounded struct {
	net.Listener
	free   chan struct{} // one element for each connection that may still be opened
	closed chan struct{}
	once   sync.Once
	err    error // of closing

	mu    sync.Mutex
	open  map[*conn]struct{}
	empty chan struct{} // closed when open becomes empty; nil: nobody waits
}

func newBounded(l net.Listener, n int) *bounded {
	b := &bounded{Listener: l, free: make(chan struct{}, n), closed: make(chan struct{}), open: map[*conn]struct{}{}}
	for range n {
		b.free <- struct{}{}
	}
	return b
}

// accept waits for the next connection, and for a place for it. The caller owes it add, and then forget.
func (b *bounded) accept() (net.Conn, error) {
	select {
	case <-b.free:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	from, err := b.Listener.Accept()
	if err != nil {
		b.free <- struct{}{}
		return nil, err
	}
	keepWritesHonest(from)
	return from, nil
}

// add makes c known to whoever drains.
func (b *bounded) add(c *conn) {
	b.mu.Lock()
	b.open[c] = struct{}{}
	b.mu.Unlock()
}

// passing reports whether accepting may work again in a while: it failed for one connection, or for want of something.
func passing(err error) bool {
	for _, e := range [...]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// forget gives a connection's place back.
func (b *bounded) forget(c *conn) {
	b.mu.Lock()
	delete(b.open, c)
	if len(b.open) == 0 && b.empty != nil {
		close(b.empty)
		b.empty = nil
	}
	b.mu.Unlock()
	b.free <- struct{}{}
}

// all returns the connections that are open.
func (b *bounded) all() []*conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Keys(b.open))
}

func (b *bounded) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.open)
}

// quiet returns a channel that is closed when no connection is open.
func (b *bounded) quiet() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.empty == nil {
		b.empty = make(chan struct{})
	}
	c := b.empty
	if len(b.open) == 0 {
		close(b.empty)
		b.empty = nil
	}
	return c
}

// Close is idempotent.
func (b *bounded) Close() error {
	b.once.Do(func() {
		close(b.closed)
		b.err = b.Listener.Close()
	})
	return b.err
}

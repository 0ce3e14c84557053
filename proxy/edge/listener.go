package edge

import (
	"errors"
	"fmt"
	"net"
	"os"
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

// bounded is a listener that has at most so many connections open. Whoever comes then waits in the kernel's backlog.
type bounded struct {
	net.Listener
	free   chan struct{} // one element for each connection that may still be opened
	closed chan struct{}
	once   sync.Once
}

func newBounded(l net.Listener, n int) *bounded {
	b := &bounded{Listener: l, free: make(chan struct{}, n), closed: make(chan struct{})}
	for range n {
		b.free <- struct{}{}
	}
	return b
}

func (b *bounded) Accept() (net.Conn, error) {
	select {
	case <-b.free:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		b.free <- struct{}{}
		return nil, err
	}
	held := &heldConn{Conn: c, free: b.free}
	if tcp, ok := c.(*net.TCPConn); ok {
		return &heldTCP{held, tcp}, nil
	}
	return held, nil
}

func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

// heldConn gives its place back when it is closed.
type heldConn struct {
	net.Conn
	free chan<- struct{}
	once sync.Once
}

func (c *heldConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.free <- struct{}{} })
	return err
}

// heldTCP keeps what a tunnel needs of a TCP connection.
type heldTCP struct {
	*heldConn
	tcp *net.TCPConn
}

// CloseWrite ends our way and leaves the other open.
func (c *heldTCP) CloseWrite() error { return c.tcp.CloseWrite() }

package sockets

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	handshakes = 500 * time.Millisecond // for a handshake that has begun to end, before the backlog is emptied
	look       = 10 * time.Millisecond  // for the backlog to give what it has
	patience   = 5 * time.Second        // for the owner to take it: he may have as many connections as he can
)

// socket is what the standard library's listeners are.
type socket interface {
	net.Listener
	syscall.Conn
	SetDeadline(time.Time) error
}

// listener is a socket that can be left: from then on Accept waits, without an error, until Close.
type listener struct {
	socket
	network, address string  // as it was asked for
	from             *handed // nil: it was opened here
	forget           func()

	leaving atomic.Bool   // only who is in the backlog is accepted
	stopped atomic.Bool   // nobody is
	mu      sync.Mutex    // while the socket is closed
	left    chan struct{} // closed when it is
	leaves  sync.Once
	closed  chan struct{}
	closes  sync.Once
	err     error // of closing
}

func newListener(from socket, network, address string, h *handed) *listener {
	return &listener{
		socket: from, network: network, address: address, from: h, left: make(chan struct{}), closed: make(chan struct{}),
	}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for again := false; ; again = true {
		c, err := l.socket.Accept()
		if err == nil {
			return c, nil
		}
		if l.leaving.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
			if !again { // time is up, and nothing said of who is in the backlog yet
				_ = l.SetDeadline(time.Now().Add(look))
				continue
			}
			l.stop()
		}
		if !l.stopped.Load() {
			return nil, err
		}
		<-l.closed
		return nil, net.ErrClosed
	}
}

// leave returns when the backlog is empty and nobody new gets into it.
func (l *listener) leave() {
	wait := look
	switch {
	case l.from != nil && l.from.manager: // the backlog stays with the manager
	case l.network == "unix":
		_ = os.Remove(l.address) // nobody finds it any more
	default:
		if raw, err := l.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) {
				if turnAway(fd) {
					wait = handshakes
				}
			})
		}
	}
	l.leaving.Store(true)
	_ = l.SetDeadline(time.Now().Add(wait))
	select {
	case <-l.left:
	case <-l.closed:
	case <-time.After(wait + patience):
	}
}

// stop ends accepting at once. The socket stays open as long as somebody else has it; its file stays.
func (l *listener) stop() {
	l.leaves.Do(func() {
		l.stopped.Store(true)
		l.unlink(false)
		_ = l.end() // an Accept that has somebody returns him
		close(l.left)
	})
}

func (l *listener) end() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.socket.Close()
}

// unlink says whether a Unix socket's file goes with it.
func (l *listener) unlink(yes bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if u, ok := l.socket.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(yes)
	}
}

// Close is idempotent.
func (l *listener) Close() error {
	l.closes.Do(func() {
		if err := l.end(); !errors.Is(err, net.ErrClosed) { // it was left
			l.err = err
		}
		close(l.closed)
		l.forget()
	})
	return l.err
}

package upstream

import (
	"crypto/tls"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// socket is a TCP or a Unix socket that can be looked at without waiting. It belongs to one goroutine at a time; only Write and
// Close may be called by others.
type socket struct {
	net.Conn
	raw  syscall.RawConn
	look func(fd uintptr) bool // made once: one for each look would be an allocation
	into []byte
	n    int
	err  error

	now     bool        // TLS above reads what is there, and does not wait
	closing atomic.Bool // TLS above says goodbye
}

func (s *socket) open(c net.Conn) error {
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	s.Conn, s.raw = c, raw
	s.look = func(fd uintptr) bool {
		s.n, s.err = readNow(fd, s.into)
		return true
	}
	return nil
}

// readNow reads what is there already; no bytes and no error where there is nothing yet.
func (s *socket) readNow(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.into = p
	if err := s.raw.Read(s.look); err != nil {
		s.n, s.err = 0, err
	}
	s.into = nil
	return s.n, s.err
}

// nothing is what TLS is told where it would have to wait. Being temporary, it does no harm to what was read so far.
type nothing struct{}

func (nothing) Error() string   { return "there is nothing yet" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

// Read is for TLS above.
func (s *socket) Read(p []byte) (int, error) {
	if !s.now {
		return s.Conn.Read(p)
	}
	n, err := s.readNow(p)
	if n == 0 && err == nil {
		err = nothing{}
	}
	return n, err
}

// SetWriteDeadline lets no goodbye take longer than lastWrite: TLS would wait seconds for a backend that does not read.
func (s *socket) SetWriteDeadline(t time.Time) error {
	if soon := time.Now().Add(lastWrite); s.closing.Load() && t.After(soon) {
		t = soon
	}
	return s.Conn.SetWriteDeadline(t)
}

// secure is TLS over a socket.
type secure struct {
	*tls.Conn
	s *socket
}

// readNow takes in what has come: it is the only way to tell the tickets that servers of TLS 1.3 send at any time from an end. An end
// that a Read has met before comes again.
func (c *secure) readNow(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.s.now = true
	n, err := c.Conn.Read(p)
	c.s.now = false
	if _, ok := err.(nothing); ok {
		return n, nil
	}
	return n, err
}

func (c *secure) Close() error {
	c.s.closing.Store(true)
	return c.Conn.Close()
}

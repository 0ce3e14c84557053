package edge

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	lingering = 500 * time.Millisecond // see conn.Close
	lingered  = 8 << 20                // bytes, likewise
	piece     = 16 << 10               // bytes of an answer that WriteTimeout is for
)

// The states of a connection, as far as Drain cares.
const (
	reading int32 = iota // idle, or in a head
	busy
	closed // Drain closed it
)

// conn is a visitor's connection. It belongs to the goroutine that serves it; Drain may close or reset it, and look at state.
type conn struct {
	net.Conn
	owner  *bounded
	server *Server
	peer   netip.AddrPort
	ctx    context.Context // ends when the visitor has gone, or the Server is closed for good
	leave  context.CancelFunc

	raw syscall.RawConn       // nil: none, and one byte is waited for
	try func(fd uintptr) bool // tryRead
	n   int                   // what it read
	err error                 // and what went wrong
	one [1]byte

	v *visit // nil while nothing has come

	state    atomic.Int32
	closing  atomic.Bool
	upgraded atomic.Bool // the handler's now
	spent    bool        // something may still be coming that nobody reads

	readBy, writeBy time.Time // the deadlines that are set; zero where that is not known
}

// open makes c ready to be served by s.
func (c *conn) open(s *Server) {
	c.server = s
	c.ctx, c.leave = context.WithCancel(s.base)
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		addr := a.AddrPort()
		c.peer = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	}
	if c.raw = rawOf(c.Conn); c.raw != nil {
		c.try = c.tryRead
	}
}

// waitAtMost sets the deadline for reading. It may be a quarter later than asked: a busy connection would set one for each
// request otherwise.
func (c *conn) waitAtMost(d time.Duration) {
	now := time.Now()
	if ahead := c.readBy.Sub(now); ahead < d || ahead > d+d/4 {
		c.readBy = now.Add(d + d/4)
		_ = c.SetReadDeadline(c.readBy)
	}
}

// send writes p. Each 16 KiB have WriteTimeout, or a quarter more, to be taken, so that a steady reader is not cut, however slow
// his line. A failure means that the visitor has gone.
func (c *conn) send(p []byte) error {
	for {
		c.takeAtMost()
		n, err := c.Conn.Write(p)
		if p = p[n:]; err == nil {
			return nil
		}
		if n < piece || !errors.Is(err, os.ErrDeadlineExceeded) {
			c.leave()
			return err
		}
	}
}

// sendAll is send for several pieces, which go in one write.
func (c *conn) sendAll(pieces *net.Buffers) error {
	for {
		c.takeAtMost()
		n, err := pieces.WriteTo(c.Conn)
		if err == nil {
			return nil
		}
		if n < piece || !errors.Is(err, os.ErrDeadlineExceeded) {
			c.leave()
			return err
		}
	}
}

func (c *conn) takeAtMost() {
	now, d := time.Now(), c.server.limits.WriteTimeout
	if ahead := c.writeBy.Sub(now); ahead < d {
		c.writeBy = now.Add(d + d/4)
		_ = c.SetWriteDeadline(c.writeBy)
	}
}

// Close closes the connection. A spent one first gets the time for what was sent to arrive: the kernel answers bytes that
// nobody reads with a reset, which makes the visitor lose what he has not read yet. A second Close cuts that short.
func (c *conn) Close() error {
	if !c.closing.Swap(true) && c.spent {
		if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			_ = c.SetReadDeadline(time.Now().Add(lingering))
			_, _ = io.CopyN(io.Discard, c.Conn, lingered)
		}
	}
	return c.Conn.Close()
}

// cut ends whatever goes on.
func (c *conn) cut() {
	if c.upgraded.Load() {
		_ = c.Conn.Close()
	} else {
		c.reset()
	}
}

// reset closes the connection so that its end cannot be taken for the end of a message.
func (c *conn) reset() {
	c.closing.Store(true)
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Conn.Close()
}

package edge

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	lingering = 500 * time.Millisecond // see conn.Close
	lingered  = 8 << 20                // bytes, likewise
)

// The states of a connection, as far as Drain cares.
const (
	reading int32 = iota // idle, or in a head or a handshake
	busy
	closed // Drain closed it
)

// conn is a visitor's connection. It belongs to the goroutine that serves it; Drain may close or reset it, tell it to end, and
// look at state.
type conn struct {
	net.Conn          // what requests are read from: below, or the TLS over it
	below    net.Conn // what was accepted
	tls      *tls.Conn
	server   *Server
	live     *live // when it began
	peer     netip.AddrPort
	local    netip.AddrPort // where the visitor came to: as the socket says or, if there is one, a PROXY header
	facts    *TLSFacts      // nil: plain
	ctx      *Life          // ends when the visitor has gone, or the Server is closed for good

	raw syscall.RawConn       // nil: none, as for TLS, and one byte is waited for
	try func(fd uintptr) bool // tryRead
	n   int                   // what it read
	err error                 // and what went wrong
	one [1]byte

	v *visit // nil while nothing has come

	state    atomic.Int32
	closing  atomic.Bool
	upgraded atomic.Bool // the handler's now
	preface  bool        // what came is HTTP/2's
	spent    atomic.Bool // something may still be coming that nobody reads

	readBy, writeBy time.Time // the deadlines that are set; zero where that is not known
}

// newConn makes what was accepted ready to be served by s.
func newConn(s *Server, from net.Conn) *conn {
	c := &conn{Conn: from, below: from, server: s, live: s.live.Load()}
	c.ctx = new(Life)
	c.ctx.Begin(s.base)
	if a, ok := from.RemoteAddr().(*net.TCPAddr); ok {
		c.peer = addrPort(a)
	}
	if a, ok := from.LocalAddr().(*net.TCPAddr); ok {
		c.local = addrPort(a)
	}
	if c.live.tls != nil {
		c.tls = tls.Server(from, c.live.tls)
		c.Conn = c.tls
	} else if c.raw = rawOf(from); c.raw != nil {
		c.try = c.tryRead
	}
	return c
}

// leave notes that the visitor has gone.
func (c *conn) leave() { c.ctx.End(nil) }

func addrPort(a *net.TCPAddr) netip.AddrPort {
	addr := a.AddrPort()
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
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

// Close closes the connection. A spent one first gets the time for what was sent to arrive: the kernel answers bytes that
// nobody reads with a reset, which makes the visitor lose what he has not read yet. A second Close cuts that short.
func (c *conn) Close() error {
	if !c.closing.Swap(true) && c.spent.Load() {
		if c.tls != nil {
			_ = c.tls.CloseWrite() // says goodbye, where hands were shaken
		}
		if half, ok := c.below.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			_ = c.below.SetReadDeadline(time.Now().Add(lingering))
			_, _ = io.CopyN(io.Discard, c.below, lingered)
		}
	}
	return c.Conn.Close()
}

// cut ends whatever goes on.
func (c *conn) cut() {
	if c.upgraded.Load() {
		_ = c.below.Close()
	} else {
		c.reset()
	}
}

// reset closes the connection so that its end cannot be taken for the end of a message.
func (c *conn) reset() {
	c.closing.Store(true)
	if tcp, ok := c.below.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.below.Close()
}

// came returns the address that the visitor came to.
func (c *conn) came() netip.AddrPort { return c.local }

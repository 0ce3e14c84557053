package edge

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

const (
	lingering = 500 * time.Millisecond // see conn.Close
	piece     = 16 << 10               // bytes of an answer that one write deadline is for
)

// conn is a visitor's connection as net/http's server sees it. It adds what that server lacks: every write has its deadline,
// the server's own included; a Read that timed out can be told from a visitor who left; and a connection on which part of a
// body is left can be spent, so that nothing on it is ever taken for another request.
type conn struct {
	net.Conn
	owner   *bounded
	timeout time.Duration // for each piece written

	late     atomic.Bool // a Read ended by its deadline
	spent    atomic.Bool // nothing is read any more
	upgraded atomic.Bool // no deadlines any more
	used     atomic.Bool // a request's head was read
	closing  atomic.Bool
}

func (c *conn) Read(p []byte) (int, error) {
	if c.spent.Load() {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(p)
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		c.late.Store(true)
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	if c.upgraded.Load() {
		return c.Conn.Write(p)
	}
	for n := 0; ; {
		_ = c.SetWriteDeadline(time.Now().Add(c.timeout))
		m, err := c.Conn.Write(p[n:min(len(p), n+piece)])
		if n += m; err != nil || n == len(p) {
			return n, err
		}
	}
}

// CloseWrite ends our way and leaves the other open.
func (c *conn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// Close closes the connection. A spent one first gets the time for what was sent to arrive: the kernel answers bytes that
// nobody reads with a reset, which makes the visitor lose what he has not read yet. A second Close cuts that short.
func (c *conn) Close() error {
	if !c.closing.Swap(true) && c.spent.Load() && c.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingering))
		_, _ = io.Copy(io.Discard, c.Conn)
	}
	err := c.Conn.Close()
	c.owner.forget(c)
	return err
}

// reset closes the connection so that its end cannot be taken for the end of a message.
func (c *conn) reset() {
	c.closing.Store(true)
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

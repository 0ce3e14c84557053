package upstream

import (
	"errors"
	"net"
	"strings"
	"sync/atomic"
)

// conn is a connection to a backend as net/http's Transport sees it. It does three things that the Transport cannot:
//
// It writes request targets that begin with several slashes as they came.
//
// It keeps a failed write from hiding an answer. A backend may answer before it has read the request, and close; whoever
// writes on then gets an error, while the answer is there to be read. So once something of a request was written, a write that
// fails is kept quiet, and what becomes of the exchange is the reader's to say: it sees the answer, or the end.
//
// And when it is closed under an exchange, it stops the reading of that request's body, which would otherwise be waited for.
type conn struct {
	net.Conn
	exchange atomic.Pointer[exchange] // nil while idle
	closed   atomic.Bool

	// These belong to whoever writes; join and leave happen before and after that.
	slashes int // to be put in at
	at      int
	deaf    bool
}

// join gives the connection to an exchange, before anything of it is written.
func (c *conn) join(x *exchange) {
	c.exchange.Store(x)
	c.slashes, c.at, c.deaf = x.slashes, x.slashesAt, false
}

// leave ends it, if it is still that exchange's.
func (c *conn) leave(x *exchange) { c.exchange.CompareAndSwap(x, nil) }

func (c *conn) Write(p []byte) (int, error) {
	if c.deaf {
		if c.closed.Load() {
			return 0, net.ErrClosed
		}
		return len(p), nil
	}
	x := c.exchange.Load()
	if x == nil {
		return c.write(p)
	}
	if x.twice.Load() {
		return 0, errTwice
	}
	if x.wrote.Load() == 0 {
		// The last moment in which the request can be called back: net/http itself does not look any more.
		if x.sending != nil {
			x.sending()
		}
		if err := x.ctx.Err(); err != nil {
			return 0, err
		}
	}
	// Counted before it is done: the backend's end may be noticed by the reader while this write is still on its way back.
	x.wrote.Add(1)
	n, err := c.write(p)
	if n == 0 && err != nil {
		x.wrote.Add(-1)
	}
	if err != nil && x.wrote.Load() > 0 && !c.closed.Load() && !errors.Is(err, net.ErrClosed) {
		c.deaf = true
		return len(p), nil
	}
	return n, err
}

// write puts the slashes back. The Transport's first write of a request holds more than its method: it buffers 4 KiB, or the
// whole.
func (c *conn) write(p []byte) (int, error) {
	if c.slashes == 0 {
		return c.Conn.Write(p)
	}
	if len(p) < c.at {
		return 0, errShort
	}
	q := make([]byte, 0, len(p)+c.slashes)
	q = append(q, p[:c.at]...)
	q = append(q, strings.Repeat("/", c.slashes)...)
	q = append(q, p[c.at:]...)
	c.slashes = 0
	n, err := c.Conn.Write(q)
	return min(n, len(p)), err
}

var errShort = errors.New("the method is longer than the write buffer")

// CloseWrite ends what is sent, and leaves the other way open.
func (c *conn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

func (c *conn) Close() error {
	c.closed.Store(true)
	err := c.Conn.Close()
	if x := c.exchange.Load(); x != nil && x.body != nil {
		x.body.halt()
	}
	return err
}

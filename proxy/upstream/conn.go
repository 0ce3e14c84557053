package upstream

import (
	"context"
	"fmt"
	"net"
	"time"
)

// conn is a connection to a backend, over TCP or a Unix socket, with or without TLS. It belongs to one exchange, or to the idle
// ones; nobody reads it while it is idle. Only Write and Close may be called by others.
type conn struct {
	socket
	tls   *secure       // over the socket; nil: plain
	way   *way          // that it was made
	until time.Duration // of an idle one, by clock: it is not used after that
	one   [1]byte
}

// connect makes a new connection, within ctx and the time that connecting may take. It begins with what first holds, before TLS.
func (b *backend) connect(ctx context.Context, w *way, first []byte) (*conn, error) {
	if w.trust != nil {
		w = b.renewed(w)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.timeout)
		defer cancel()
	}
	d := net.Dialer{Timeout: w.timeout}
	n, err := d.DialContext(ctx, w.network, w.address)
	if err != nil {
		return nil, err
	}
	c := &conn{way: w}
	err = c.open(n)
	if err == nil && len(first) > 0 {
		_, err = n.Write(first)
	}
	if err == nil && w.trust != nil {
		c.tls, err = w.trust.join(ctx, &c.socket)
	}
	if err != nil {
		_ = n.Close()
		return nil, err
	}
	return c, nil
}

func (c *conn) Read(p []byte) (int, error) {
	if c.tls != nil {
		return c.tls.Read(p)
	}
	return c.Conn.Read(p)
}

func (c *conn) Write(p []byte) (int, error) {
	if c.tls != nil {
		return c.tls.Write(p)
	}
	return c.Conn.Write(p)
}

func (c *conn) Close() error {
	if c.tls != nil {
		return c.tls.Close()
	}
	return c.Conn.Close()
}

// CloseWrite tells the backend that nothing more comes.
func (c *conn) CloseWrite() error {
	if c.tls != nil {
		return c.tls.CloseWrite()
	}
	w, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return fmt.Errorf("no end of writing on %T", c.Conn)
	}
	return w.CloseWrite()
}

// readNow reads what is there already; no bytes and no error where there is nothing yet.
func (c *conn) readNow(p []byte) (int, error) {
	if c.tls != nil {
		return c.tls.readNow(p)
	}
	return c.socket.readNow(p)
}

// fit reports whether an idle connection may be used: its time is not over, and the backend has neither closed it nor said what
// nobody asked for. What it may have said is lost, so one that is not fit is to be closed. now is by clock, of this moment.
func (c *conn) fit(now time.Duration) bool { return now <= c.until && c.quiet() }

// quiet reports whether the backend has neither closed the connection nor said anything. What TLS says for itself is taken in,
// and counts for nothing.
func (c *conn) quiet() bool {
	n, err := c.readNow(c.one[:])
	return n == 0 && err == nil
}

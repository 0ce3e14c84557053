package upstream

import (
	"context"
	"net"
	"syscall"
	"time"
)

// conn is a connection to a backend. It belongs to one exchange, or to the idle ones; nobody reads it while it is idle. Only
// Close may be called by others.
type conn struct {
	*net.TCPConn
	until time.Time // of an idle one: it is not used after that

	// A look at what has come without waiting for it. The function is made once: one for each look would be an allocation.
	raw  syscall.RawConn
	look func(fd uintptr) bool
	into []byte
	one  [1]byte
	n    int
	err  error
}

// connect makes a new connection, within ctx and the time that connecting may take.
func (b *backend) connect(ctx context.Context) (*conn, error) {
	w := b.way.Load()
	d := net.Dialer{Timeout: w.timeout}
	c, err := d.DialContext(ctx, "tcp", w.address)
	if err != nil {
		return nil, err
	}
	tcp := c.(*net.TCPConn)
	raw, err := tcp.SyscallConn()
	if err != nil {
		_ = tcp.Close()
		return nil, err
	}
	k := &conn{TCPConn: tcp, raw: raw}
	k.look = func(fd uintptr) bool {
		k.n, k.err = readNow(fd, k.into)
		return true
	}
	return k, nil
}

// readNow reads what is there already; no bytes and no error where there is nothing yet.
func (c *conn) readNow(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.into = p
	if err := c.raw.Read(c.look); err != nil {
		c.n, c.err = 0, err
	}
	c.into = nil
	return c.n, c.err
}

// fit reports whether an idle connection may be used: its time is not over, and the backend has neither closed it nor said what
// nobody asked for. What it may have said is lost, so one that is not fit is to be closed.
func (c *conn) fit() bool {
	return !time.Now().After(c.until) && c.quiet()
}

// quiet reports whether the backend has neither closed the connection nor said anything.
func (c *conn) quiet() bool {
	n, err := c.readNow(c.one[:])
	return n == 0 && err == nil
}

package upstream

import (
	"bytes"
	"io"
	"sync"

	"gatehouse/proxy/h1"
)

// tunnel is a backend's connection after an upgrade. The exchange is its own and is not used again: who reads may still be at it
// when somebody closes.
type tunnel struct {
	*conn
	x     *exchange
	early []byte // the reader's: what came together with the head
	once  sync.Once
	err   error
}

func (x *exchange) tunnel() *tunnel {
	t := &tunnel{conn: x.conn, x: x, early: bytes.Clone(x.buf[x.r:x.w])}
	x.buf, x.chunks = nil, h1.Chunks{} // a tunnel may live for hours
	return t
}

func (t *tunnel) Read(p []byte) (int, error) {
	if len(t.early) > 0 {
		n := copy(p, t.early)
		t.early = t.early[n:]
		return n, nil
	}
	return t.conn.Read(p)
}

// WriteTo lets the kernel pass the bytes on where w is a TCP connection.
func (t *tunnel) WriteTo(w io.Writer) (int64, error) {
	var before int64
	if len(t.early) > 0 {
		n, err := w.Write(t.early)
		if t.early, before = t.early[n:], int64(n); err != nil {
			return before, err
		}
	}
	from := io.Reader(t.conn)
	if t.conn.tls == nil {
		from = t.conn.Conn
	}
	n, err := io.Copy(w, from)
	return before + n, err
}

// Close is idempotent.
func (t *tunnel) Close() error {
	t.once.Do(func() {
		t.err = t.conn.Close()
		t.x.leave()
		if t.x.upload != nil {
			t.x.upload.end()
		}
	})
	return t.err
}

package edge

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// piece is how many bytes of an answer WriteTimeout is for, and as much as a record of TLS holds.
const piece = 16 << 10

// records are what the pieces of an answer over TLS are put together in: each write becomes a record and a packet of its own.
var records = sync.Pool{New: func() any { return new([piece]byte) }}

// send writes p. Each 16 KiB have WriteTimeout, or a quarter more, to be taken, so that a steady reader is not cut, however slow
// his line. A failure means that the visitor has gone.
func (c *conn) send(p []byte) error {
	for {
		c.takeAtMost()
		part := p
		if c.tls != nil { // which cannot go on behind a write that ended in the middle
			part = p[:min(len(p), piece)]
		}
		n, err := c.Conn.Write(part)
		p = p[n:]
		switch {
		case err == nil && len(p) == 0:
			return nil
		case err != nil && (c.tls != nil || n < piece || !errors.Is(err, os.ErrDeadlineExceeded)):
			c.leave()
			return err
		}
	}
}

// sendAll is send for several pieces, which go in one write.
func (c *conn) sendAll(pieces *net.Buffers) error {
	if c.tls != nil {
		return c.sendRecords(*pieces)
	}
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

// sendRecords writes the pieces in as few records as there can be.
func (c *conn) sendRecords(pieces net.Buffers) error {
	record := records.Get().(*[piece]byte)
	defer records.Put(record)
	n := 0
	for _, p := range pieces {
		for len(p) > 0 {
			k := copy(record[n:], p)
			n, p = n+k, p[k:]
			if n == piece {
				if err := c.send(record[:]); err != nil {
					return err
				}
				n = 0
			}
		}
	}
	if n == 0 {
		return nil
	}
	return c.send(record[:n])
}

func (c *conn) takeAtMost() {
	now, d := time.Now(), c.server.limits.WriteTimeout
	if ahead := c.writeBy.Sub(now); ahead < d {
		c.writeBy = now.Add(d + d/4)
		_ = c.SetWriteDeadline(c.writeBy)
	}
}

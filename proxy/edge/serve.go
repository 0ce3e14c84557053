package edge

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"time"

	"gatehouse/proxy/h1"
)

// serve is a connection's goroutine.
func (c *conn) serve() {
	defer c.end()
	if !c.begin() {
		return
	}
	if c.facts != nil && c.facts.Protocol == protoHTTP2 {
		c.serveStreams(nil)
		return
	}
	for first := true; c.await(first) && c.readHead(first) && c.exchange(); first = false {
	}
	if c.preface {
		c.serveStreams(c.early())
	}
}

// early gives back the visit of what turned out to be HTTP/2, and returns what was read.
func (c *conn) early() []byte {
	v := c.v
	read := bytes.Clone(v.in[v.r:v.w])
	v.forget()
	v.r, v.w = v.base, v.base
	c.rest()
	return read
}

// end closes the connection and gives back what it held.
func (c *conn) end() {
	c.leave()
	_ = c.Close()
	if v := c.v; v != nil {
		v.forget() // also a head that was read in part
		v.r, v.w = v.base, v.base
		c.rest()
	}
	c.server.l.forget(c)
}

// rest gives the visit back while nothing comes.
func (c *conn) rest() {
	v := c.v
	c.v, v.conn = nil, nil
	visits.Put(v)
}

// take gets a visit for what is coming, with room for it.
func (c *conn) take() *visit {
	if c.v == nil {
		c.v = visits.Get().(*visit)
		c.v.conn = c
	}
	c.v.make(inRoom)
	return c.v
}

// await waits for the first bytes of a request. It reports false where there will be none.
func (c *conn) await(first bool) bool {
	if v := c.v; v != nil && v.r < v.w {
		return true
	}
	if c.server.draining.Load() {
		return false
	}
	if first {
		_ = c.SetReadDeadline(time.Now().Add(c.server.limits.HeadTimeout))
	} else {
		c.waitAtMost(c.server.limits.IdleTimeout)
	}
	if c.raw == nil { // no way to wait for bytes without a place for them; one is enough
		if c.v != nil {
			c.rest()
		}
		if n, err := c.Conn.Read(c.one[:]); n == 0 || err != nil {
			return false
		}
		v := c.take()
		v.in[v.w] = c.one[0]
		v.w++
		return true
	}
	if err := c.raw.Read(c.try); err != nil || c.err != nil || c.n <= 0 {
		return false
	}
	c.v.w += c.n
	return true
}

// readHead reads a request's head. It reports false where there is none; then the visitor has been told why, if that can be.
func (c *conn) readHead(first bool) bool {
	v := c.v
	limits := h1.Limits{Head: c.server.limits.MaxHead}
	for timed := first; ; {
		n, err := v.req.Parse(v.in[v.r:v.w], limits)
		if err == nil {
			v.r += n
			v.base = v.r
			return true
		}
		if err == h1.ErrPreface && first && c.tls == nil && c.live.HTTP2 {
			c.preface = true
			return false
		}
		if err != h1.ErrMore {
			c.refuse(err)
			return false
		}
		if !timed { // the whole head has this time, in how many pieces it may come
			timed = true
			c.readBy = time.Now().Add(c.server.limits.HeadTimeout)
			_ = c.SetReadDeadline(c.readBy)
		}
		if v.w == len(v.in) {
			v.make(v.w - v.r)
		}
		n, err = c.Conn.Read(v.in[v.w:])
		if v.w += n; n == 0 && err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				c.refuse(errHeadTimeout)
			}
			return false
		}
	}
}

// exchange takes one visit through, and reports whether another may follow on the connection.
func (c *conn) exchange() bool {
	v := c.v
	if !c.state.CompareAndSwap(reading, busy) {
		return false
	}
	v.begin(time.Now())
	c.handle(v)
	keep := v.end()
	v.forget()
	if keep { // whoever drains now looks again, or has been seen
		c.state.Store(reading)
	}
	return keep && !c.server.draining.Load()
}

// handle hands the visit to whom it is for.
func (c *conn) handle(v Visitor) {
	defer func() {
		if p := recover(); p != nil {
			stack := debug.Stack()
			c.server.log.Error("a panic ended an exchange", "panic", p, "stack", string(stack[:min(len(stack), 4<<10)]))
			v.Abort()
		}
	}()
	if !c.answerOwn(v) {
		c.server.handler.Serve(v)
	}
}

// end ends the message after the handler has, and reports whether the connection can be used again. A message that was aborted,
// or never answered, or is short of its length, ends in a reset.
func (v *visit) end() bool {
	c := v.conn
	if v.body != nil {
		v.body.take()
		defer v.body.drop()
	}
	if v.watch.stop(c) || v.body != nil {
		c.readBy = time.Time{}
	}
	switch {
	case v.upgraded:
		return false
	case v.aborted || !v.answered || v.failed != nil || v.finish() != nil:
		c.reset()
		return false
	case c.ctx.Err() != nil:
		return false
	case !v.body.whole() && (v.closeAfter || v.body.hopeless() || !v.body.finish()):
		c.spent.Store(true)
		return false
	case v.closeAfter:
		c.spent.Store(v.r < v.w) // he sent another request, and may be sending on
		return false
	}
	return true
}

// finish sends what is left of the answer.
func (v *visit) finish() error {
	switch {
	case v.bodiless:
	case v.framing == h1.Chunked && !v.trailed:
		v.out = h1.AppendLastChunk(v.out, nil)
	case v.framing == h1.ByLength && v.left > 0:
		return io.ErrUnexpectedEOF
	}
	return v.Flush()
}

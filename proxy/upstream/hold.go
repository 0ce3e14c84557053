package upstream

import (
	"context"
)

// connect gets a connection, one that was used before if there is one in order, and has it closed when ctx ends.
func (x *exchange) connect() error {
	for !x.anew {
		c := x.b.idle.take()
		if c == nil {
			break
		}
		if c.way == x.b.way.Load() && c.fit() {
			x.fresh = false
			return x.join(c)
		}
		_ = c.Close()
	}
	c, err := x.b.connect(x.ctx, x.way, x.first)
	if err != nil {
		return err
	}
	x.fresh = true
	return x.join(c)
}

// join has the exchange go on with c.
func (x *exchange) join(c *conn) error {
	x.mu.Lock()
	x.conn = c
	x.mu.Unlock()
	if x.unwatch == nil {
		x.cutting.Add(1)
		x.unwatch = context.AfterFunc(x.ctx, x.cut)
	}
	return x.ctx.Err()
}

// cutNow ends what is under way, since ctx has ended: the backend is told by the end of its connection.
func (x *exchange) cutNow() {
	defer x.cutting.Done()
	x.mu.Lock()
	if x.conn != nil {
		_ = x.conn.Close()
	}
	x.mu.Unlock()
	if x.body != nil {
		x.body.halt()
	}
}

// leave ends the watch on ctx, and reports whether the connection is still whole.
func (x *exchange) leave() bool {
	if x.unwatch == nil {
		return true
	}
	whole := x.unwatch()
	x.unwatch = nil
	if whole {
		x.cutting.Done()
	} else {
		x.cutting.Wait()
	}
	return whole
}

// drop closes the connection, if there is one. It may be followed by another one.
func (x *exchange) drop() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.conn != nil {
		_ = x.conn.Close()
		x.conn = nil
	}
}

// keep is the end of an answer, of which n bytes are still in x.buf: its connection is there for the next one, or closed where it
// cannot be. Bytes behind the end are nobody's, and the connection goes with them: the answer is whole, and there are apps that
// send a line too many, or answer HEAD with a body.
func (x *exchange) keep(n int64) {
	if x.conn == nil {
		return
	}
	extra := int64(x.w-x.r) > n
	keep := x.head.Persistent && !x.last && !x.failed && !extra && x.conn.way == x.b.way.Load() && (x.upload == nil || x.upload.sent())
	if !x.leave() || !keep {
		x.drop()
	} else {
		c := x.conn
		x.conn = nil
		x.b.idle.put(c, x.idleTime)
	}
	if x.upload != nil {
		x.upload.end()
		x.upload = nil
	}
}

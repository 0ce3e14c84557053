package upstream

import "time"

// connect gets a connection, one that was used before if there is one in order, and has it closed when ctx ends. now is by clock.
func (x *exchange) connect(now time.Duration) error {
	for !x.anew {
		c := x.b.idle.take()
		if c == nil {
			break
		}
		if c.way == x.b.way.Load() && c.fit(now) {
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
	if x.unwatch == nil {
		x.conn = c // nobody else is there yet
		x.unwatch = afterFunc(x.ctx, x.cut)
	} else {
		x.mu.Lock()
		x.conn = c
		x.mu.Unlock()
	}
	return x.ctx.Err()
}

// cutNow ends what is under way, since ctx has ended: the backend is told by the end of its connection. leave waits for it, so that
// nothing of it is left when x is used for another exchange.
func (x *exchange) cutNow() {
	x.mu.Lock()
	if x.conn != nil {
		_ = x.conn.Close()
	}
	x.mu.Unlock()
	if x.body != nil {
		x.body.halt()
	}
	x.mu.Lock()
	x.isCut = true
	x.over.Signal()
	x.mu.Unlock()
}

// leave ends the watch on ctx, and reports whether the connection is still whole.
func (x *exchange) leave() bool {
	if x.unwatch == nil {
		return true
	}
	whole := x.unwatch()
	x.unwatch = nil
	if !whole {
		x.mu.Lock()
		for !x.isCut {
			x.over.Wait()
		}
		x.isCut = false
		x.mu.Unlock()
	}
	return whole
}

// drop closes the connection, if there is one. It may be followed by another one.
func (x *exchange) drop() {
	if x.conn == nil { // which only the one who calls this changes
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	_ = x.conn.Close()
	x.conn = nil
}

// keep is the end of an answer, of which n bytes are still in x.buf: its connection is there for the next one, or closed where it
// cannot be. Bytes behind the end are nobody's, and the connection goes with them: the answer is whole, and there are apps that
// send a line too many, or answer HEAD with a body. now is by clock.
func (x *exchange) keep(n int64, now time.Duration) {
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
		x.b.idle.put(c, now+x.idleTime)
	}
	if x.upload != nil {
		x.upload.end()
		x.upload = nil
	}
}

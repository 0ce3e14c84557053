package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gatehouse/proxy/h1"
)

// exchange is one request under way. It is made by begin, and given back with its room by end: once only, by whoever holds it.
type exchange struct {
	b      *backend
	way    *way
	ctx    context.Context // the caller's
	first  []byte          // what a new connection begins with
	method string
	began  time.Duration // by clock
	body   *body         // nil: none
	upload *upload       // nil: the body was written with the head, or not begun
	ours   body          // what body points to where it can be interrupted, so that nobody has it any more at the end
	anew   bool          // only a new connection will do
	last   bool          // the connection is not used after this exchange
	fresh  bool          // it was not used before
	wrote  bool          // something was written, or may have been
	failed bool          // but not all of it

	// What is read. The request's head is written from there before.
	buf  []byte
	r, w int // buf[r:w] was read and not used
	head h1.AnswerHead
	// idleTime is how long the connection may be idle afterwards.
	idleTime time.Duration
	chunks   h1.Chunks
	pending  []byte // data of a chunk in buf

	// The watch on ctx.
	cut     func() // x.cutNow, made once
	unwatch func() bool
	mu      sync.Mutex
	conn    *conn // under mu while ctx is watched: it changes in the hands of Send only
	isCut   bool  // under mu: cutNow has run
	over    sync.Cond
}

const (
	readSize  = 4 << 10  // what is read at once: a head, and a small body with it
	keptSize  = 16 << 10 // what is kept for the next exchange
	keptLines = 32
)

var exchanges = sync.Pool{New: func() any {
	x := &exchange{buf: make([]byte, readSize)}
	x.head.Head = make(h1.Head, 0, keptLines)
	x.cut, x.over.L = x.cutNow, &x.mu
	return x
}}

// begin returns an exchange that Send, or the answer it makes, ends.
func (b *backend) begin(ctx context.Context, r *Request) *exchange {
	x := exchanges.Get().(*exchange)
	x.b, x.way, x.ctx, x.method, x.began = b, b.way.Load(), ctx, r.Method, clock()
	if r.hasBody() {
		x.body = &x.ours
		if _, ok := r.Body.(interrupter); !ok {
			x.body = &body{}
		}
		x.body.from, x.body.length = r.Body, r.Length
		if r.Length < 0 {
			x.body.lines = r.Trailer
		}
		x.last = bodiless(r.Method)
	}
	if x.way.proxy > 0 {
		x.anew, x.last = true, true
	}
	return x
}

// send carries r to the backend. The exchange is ended where that fails, and the answer's otherwise.
func (x *exchange) send(r *Request) (*Answer, error) {
	err := r.checkStart()
	if err == nil {
		err = x.ask(r, x.began)
	}
	if err == nil {
		err = x.receive(r)
	}
	if errors.Is(err, ErrStale) && x.body == nil && idempotent(x.method) && x.ctx.Err() == nil {
		// The backend closed a kept connection just as it was used again. On a new one it can be asked without any doubt of that kind.
		x.drop()
		x.anew, x.r, x.w = true, 0, 0
		if err = x.ask(r, clock()); err == nil {
			err = x.receive(r)
		}
	}
	now := clock()
	if err == nil && x.head.Status != 101 {
		if n, all := x.rest(); all { // the backend's part is over
			x.keep(n, now)
		}
	}
	if err != nil {
		if !errors.Is(err, ErrRequest) {
			err = x.classify(err)
		}
		x.drop()
		x.end()
		return nil, err
	}
	return x.answer(now - x.began), nil
}

// ask writes the request: all of it, where its body is small. Otherwise the upload goes on. now is by clock, of this moment.
func (x *exchange) ask(r *Request, now time.Duration) error {
	host := r.Host
	if host == "" {
		host = x.way.host
	}
	small := x.body != nil && x.body.length >= 0 && x.body.length <= maxWhole && x.body.interruptible()
	out, err := r.appendHead(x.buf[:0], host, x.last && r.Upgrade == "")
	if err != nil {
		return err
	}
	if x.way.proxy > 0 {
		if x.first, err = introduction(x.way.proxy, r.Peer, r.Local); err != nil {
			return err
		}
	}
	if cap(out) > cap(x.buf) {
		x.buf = out[:cap(out)]
	}
	if small && len(out) < roomSize-maxWhole {
		room := rooms.Get().(*[roomSize]byte)
		defer rooms.Put(room)
		out = append(room[:0], out...)
	} else {
		small = false
	}
	whole := false
	for {
		if err := x.connect(now); err != nil {
			return err
		}
		if small && !whole {
			if out, err = x.body.gather(out); err != nil {
				return err
			}
			whole, now = true, clock()
			if x.fresh && !x.conn.quiet() || !x.fresh && !x.conn.fit(now) { // time went by, and a backend may have had enough of it
				x.drop()
				continue
			}
		}
		// The last moment in which the request can be called back.
		if r.Sending != nil {
			r.Sending()
		}
		if err := x.ctx.Err(); err != nil {
			return err
		}
		n, err := x.conn.Write(out)
		x.wrote = n > 0 || err == nil
		if err != nil && !x.wrote {
			if !x.fresh && x.ctx.Err() == nil {
				x.drop()
				continue
			}
			return err
		}
		// A backend may answer before it has read the request, and close: the answer says what became of it.
		x.failed = err != nil
		break
	}
	if x.body != nil && !small && !x.failed {
		x.upload = x.body.upload(x.conn)
	}
	return nil
}

// rest returns how many bytes follow the head, and whether they are here already.
func (x *exchange) rest() (int64, bool) {
	switch f := x.head.Framing; f.Kind {
	case h1.NoBody:
		return 0, true
	case h1.ByLength:
		return f.Length, f.Length <= int64(x.w-x.r)
	}
	return 0, false
}

// end lets go of everything. x must not be used any more.
func (x *exchange) end() {
	x.leave()
	x.drop()
	if x.upload != nil {
		x.upload.end()
	} else {
		x.body.stop()
	}
	if x.body == &x.ours {
		x.ours = body{}
	}
	if cap(x.buf) > keptSize {
		x.buf = make([]byte, readSize)
	}
	x.head.Reset()
	if cap(x.head.Head) > 4*keptLines {
		x.head.Head = make(h1.Head, 0, keptLines)
	}
	x.b, x.way, x.ctx, x.first, x.method, x.body, x.upload, x.pending = nil, nil, nil, nil, "", nil, nil, nil
	x.anew, x.last, x.fresh, x.wrote, x.failed = false, false, false, false, false
	x.r, x.w = 0, 0
	exchanges.Put(x)
}

// classify says whose fault it was. What the caller's context says comes first, then the visitor, who is the reason when both
// sides broke.
func (x *exchange) classify(err error) error {
	switch over := ended(x.ctx); {
	case x.body.fault() != nil:
		return fmt.Errorf("%w: %w", ErrVisitor, x.body.fault())
	case errors.Is(over, ErrLate) && x.body.awaited():
		return fmt.Errorf("%w: %w", over, errUpload)
	case over != nil:
		return over
	case !x.wrote && x.body.untouched():
		return fmt.Errorf("%w: %w", ErrConnect, err)
	default:
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
}

// ended is how the caller's context ended; nil: it did not.
func ended(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, ErrLate):
		return cause
	case err == context.DeadlineExceeded: // as such: a cause may wrap one that was somebody else's
		return fmt.Errorf("%w: %w", ErrLate, cause)
	default:
		return fmt.Errorf("%w: %w", ErrCancelled, cause)
	}
}

package upstream

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"gatehouse/proxy/h1"
)

// answerBody is an answer and its body as it comes: one allocation.
type answerBody struct {
	Answer
	x    *exchange // nil: closed
	kind h1.FramingKind
	left int64 // bytes that are still to come, where that is known
	err  error // of every Read to come; io.EOF at a good end
}

var errClosed = errors.New("the body was closed")

func (b *answerBody) Read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	switch b.kind {
	case h1.Chunked:
		return b.readChunks(p)
	case h1.ByLength:
		return b.readLength(p)
	}
	n, err := b.x.read(p)
	if err == io.EOF {
		err = b.finish()
	}
	return n, b.broke(err)
}

// readLength gives what is here already together with what can be had at once: a body that is read in few pieces is written in
// few.
func (b *answerBody) readLength(p []byte) (int, error) {
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.x.read(p)
	if b.left -= int64(n); b.left == 0 {
		return n, b.finish()
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, b.broke(err)
}

// read takes from what was read before, and goes on with what is there without waiting; or else waits, and reads straight into
// p.
func (x *exchange) read(p []byte) (int, error) {
	if x.r == x.w {
		return x.conn.Read(p)
	}
	full := x.w == len(x.buf)
	n := copy(p, x.buf[x.r:x.w])
	x.r += n
	if !full || len(p)-n < readSize {
		return n, nil
	}
	k, err := x.conn.readNow(p[n:])
	return n + k, err
}

// readChunks decodes from x.buf while there is something. Then large rooms are read into and decoded in place: data never lies
// before the place it belongs to.
func (b *answerBody) readChunks(p []byte) (n int, err error) {
	x := b.x
	for {
		if len(x.pending) > 0 {
			k := copy(p[n:], x.pending)
			x.pending = x.pending[k:]
			if n += k; n == len(p) && (len(x.pending) > 0 || x.r == x.w) {
				return n, nil
			}
		}
		if x.r < x.w {
			var used int
			x.pending, used, err = x.chunks.Next(x.buf[x.r:x.w])
			x.r += used
			switch {
			case err == io.EOF:
				return n, b.finish()
			case err != nil && err != h1.ErrMore:
				return n, b.broke(err)
			}
			continue
		}
		if n > 0 {
			return n, nil
		}
		if len(p) < readSize {
			_, err = x.fill()
		} else if n, err = b.readInPlace(p); n > 0 || b.err != nil {
			return n, b.err
		}
		if err != nil {
			return n, b.broke(err)
		}
	}
}

func (b *answerBody) readInPlace(p []byte) (int, error) {
	x := b.x
	got, err := x.conn.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	n := 0
	for in := p[:got]; len(in) > 0; {
		data, used, err := x.chunks.Next(in)
		n += copy(p[n:], data)
		in = in[used:]
		switch {
		case err == io.EOF:
			x.last = x.last || len(in) > 0 // see keep
			b.finish()
			return n, nil
		case err != nil && err != h1.ErrMore:
			b.broke(err)
			return n, nil
		}
	}
	return n, err
}

// finish is the good end. It returns what Read returns from now on.
func (b *answerBody) finish() error {
	b.err = io.EOF
	b.x.keep(0, clock())
	return b.err
}

// broke notes what Read returns from now on, if something is wrong.
func (b *answerBody) broke(err error) error {
	if err != nil && b.err == nil {
		fault := b.x.body.fault()
		switch b.err = ended(b.x.ctx); {
		case b.err != nil:
		case fault != nil: // the visitor broke off, and the backend did so for want of the rest
			b.err = fmt.Errorf("%w: %w", ErrVisitor, fault)
		default:
			b.err = fmt.Errorf("%w: %w", ErrBroken, err)
		}
		b.x.drop()
	}
	return b.err
}

// trailer copies the lines, as they outlast the exchange.
func (b *answerBody) trailer() h1.Head {
	if b.x == nil || b.err != io.EOF {
		return nil
	}
	var lines h1.Head
	for _, l := range b.x.chunks.Trailer() {
		lines = append(lines, h1.Line{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)})
	}
	return lines
}

// Close cuts what is left. It is idempotent.
func (b *answerBody) Close() error {
	if b.x == nil {
		return nil
	}
	if b.err == nil {
		b.err = errClosed
	}
	x := b.x
	b.x, b.Head = nil, nil
	x.end()
	return nil
}

// closed is an empty body whose Close closes something else.
type closed struct{ c io.Closer }

func (closed) Read([]byte) (int, error) { return 0, io.EOF }
func (c closed) Close() error           { return c.c.Close() }

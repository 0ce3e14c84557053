package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"gatehouse/proxy/h1"
)

// Answer is a backend's final answer: its head, and the means to read the rest. The caller owes it a Body.Close, or where
// Tunnel is set a Tunnel.Close.
type Answer struct {
	Status int // 200 to 999, or 101 where Tunnel is set
	// Head holds the field lines but those that frame the message (Content-Length, Transfer-Encoding, Trailer). Connection and
	// what it names are still there: they are the caller's to drop.
	Head h1.Head
	// Length is the body's length, -1 when it is not known; of an answer to HEAD what the body's would have been.
	Length int64
	// Body is never nil. It returns io.EOF only where the body is whole; otherwise an ErrBroken, or what the context said.
	// Reading and closing belong to one goroutine, or to two that take turns.
	Body io.ReadCloser
	// Trailer returns the trailer lines; only after Body returned io.EOF. It is never nil, and there can be lines only where
	// Length is -1.
	Trailer func() h1.Head
	// Tunnel is the connection after an upgrade, nil otherwise. Bytes that came early are read first. It has a CloseWrite, and
	// is closed when Send's context ends.
	Tunnel io.ReadWriteCloser
	// TTFB is how long it took to this head, connecting included.
	TTFB time.Duration
}

func (x *exchange) answer(r *Request, res *http.Response, ttfb time.Duration) *Answer {
	res.Header.Del("Content-Length")
	a := &Answer{
		Status: res.StatusCode, Head: lines(res.Header), Length: res.ContentLength, TTFB: ttfb,
		Trailer: func() h1.Head { return trailer(res.Trailer) },
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		t := x.tunnel(res.Body.(io.ReadWriteCloser))
		a.Length, a.Tunnel, a.Body = 0, t, closed{t}
		return a
	}
	b := &answerBody{x: x, from: res.Body}
	if r.Method == http.MethodHead || res.Body == http.NoBody {
		b.finish()
	}
	a.Body = b
	return a
}

// trailer drops what would frame a message, what is malformed, and what was announced and did not come.
func trailer(h http.Header) h1.Head {
	head := lines(h)
	head.DelFunc(func(l h1.Line) bool { return framing(l.Name) || !h1.ValidName(l.Name) || !h1.ValidValue(l.Value) })
	return head
}

// answerBody is the body of an answer as it comes.
type answerBody struct {
	x    *exchange
	from io.ReadCloser
	err  error // of every Read to come; io.EOF at a good end
}

func (b *answerBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.from.Read(p)
	switch err {
	case nil:
	case io.EOF:
		b.finish()
	default:
		if b.err = ended(b.x.ctx); b.err == nil {
			b.err = fmt.Errorf("%w: %w", ErrBroken, err)
		}
	}
	return n, b.err
}

// finish is the good end: the connection is the Transport's again.
func (b *answerBody) finish() {
	b.err = io.EOF
	b.x.end()
}

// Close cuts what is left. It is idempotent.
func (b *answerBody) Close() error {
	err := b.from.Close()
	b.x.end()
	if b.err == nil {
		b.err = errClosed
	}
	return err
}

var errClosed = errors.New("the body was closed")

// tunnel is a backend's connection after an upgrade.
type tunnel struct {
	io.ReadWriteCloser
	x    *exchange
	stop func() bool
}

func (x *exchange) tunnel(rwc io.ReadWriteCloser) *tunnel {
	x.conn.Load().leave(x) // its writes fail as they do from here on
	return &tunnel{rwc, x, context.AfterFunc(x.ctx, func() { rwc.Close() })}
}

// CloseWrite ends what is sent, and leaves the other way open.
func (t *tunnel) CloseWrite() error { return t.x.conn.Load().CloseWrite() }

// Close is idempotent.
func (t *tunnel) Close() error {
	t.stop()
	err := t.ReadWriteCloser.Close()
	t.x.end()
	return err
}

// closed is an empty body whose Close closes something else.
type closed struct{ c io.Closer }

func (closed) Read([]byte) (int, error) { return 0, io.EOF }
func (c closed) Close() error           { return c.c.Close() }

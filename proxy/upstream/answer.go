package upstream

import (
	"io"
	"time"

	"gatehouse/proxy/h1"
)

// Answer is a backend's final answer: its head, and the means to read the rest. The caller owes it a Body.Close, or where
// Tunnel is set a Tunnel.Close.
type Answer struct {
	Status int // 200 to 999, or 101 where Tunnel is set
	// Head holds the field lines as they came, but those that frame the message (Content-Length, Transfer-Encoding, Trailer).
	// Connection and what it names are still there: they are the caller's to drop. Head is the caller's until the answer is
	// closed, its strings for ever.
	Head h1.Head
	// Length is the body's length, -1 when it is not known; of an answer to HEAD what the body's would have been.
	Length int64
	// Body is never nil. It returns io.EOF only where the body is whole, and may do so together with its last bytes; otherwise an
	// ErrBroken, or what the context said. What comes is read into the caller's own room, so that a large one costs few calls;
	// all of the room may be written to. Reading and closing belong to one goroutine, or to two that take turns.
	Body io.ReadCloser
	// Trailer returns the trailer lines; only after Body returned io.EOF, and before it is closed. It is never nil. By HTTP/1 there can
	// be lines only where Length is -1; HTTP/2 has them behind a length, too.
	Trailer func() h1.Head
	// Tunnel is the connection after an upgrade, nil otherwise. Bytes that came early are read first. It has a CloseWrite, is
	// closed when Send's context ends, and may be used by several goroutines.
	Tunnel io.ReadWriteCloser
	// TTFB is how long it took to this head, connecting included.
	TTFB time.Duration
}

// answer hands the exchange over to its answer.
func (x *exchange) answer(ttfb time.Duration) *Answer {
	h := &x.head
	if h.Status == 101 {
		t := x.tunnel()
		return &Answer{Status: h.Status, Head: h.Head, Body: closed{t}, Trailer: noTrailer, Tunnel: t, TTFB: ttfb}
	}
	b := &answerBody{x: x, kind: h.Framing.Kind, left: h.Framing.Length}
	b.Answer = Answer{Status: h.Status, Head: h.Head, Length: h.Length, Body: b, Trailer: noTrailer, TTFB: ttfb}
	switch b.kind {
	case h1.NoBody:
		b.err = io.EOF
		if x.method != "HEAD" {
			b.Length = 0
		}
	case h1.ByLength:
		if b.left == 0 {
			b.err = io.EOF
		}
	case h1.Chunked:
		x.chunks.Reset(h1.Limits{})
		b.Trailer = b.trailer
	}
	return &b.Answer
}

func noTrailer() h1.Head { return nil }

package upstream

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"gatehouse/proxy/h1"
)

// answer hands the stream over to its answer. With an error it is not ended.
func (s *stream) answer(res *http.Response, ttfb time.Duration) (*Answer, error) {
	code, err := finalStatus(res)
	if err != nil {
		return nil, err
	}
	head, err := lines(res.Header)
	if err != nil {
		return nil, err
	}
	b := &streamBody{s: s, res: res}
	length := res.ContentLength
	if res.Trailer != nil && s.method != "HEAD" { // lines are announced, and behind a known length nobody looks for them
		length = -1
	}
	b.Answer = Answer{Status: code, Head: head, Length: length, Body: b, Trailer: b.trailer, TTFB: ttfb}
	switch {
	case s.method == "HEAD":
		b.err = io.EOF
	case code == 204 || code == 304:
		b.err, b.Length = io.EOF, 0
	}
	return &b.Answer, nil
}

// streamBody is an answer by HTTP/2 and its body as it comes.
type streamBody struct {
	Answer
	s     *stream // nil: closed
	res   *http.Response
	late  h1.Head
	err   error // of every Read to come; io.EOF at a good end
	whole bool  // the end came, and not only for what kind of answer it is
}

func (b *streamBody) Read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	n, err := b.res.Body.Read(p)
	if err == nil {
		return n, nil
	}
	if err == io.EOF {
		b.whole = true
		b.late, err = lateLines(b.res.Trailer)
	}
	if err == nil {
		b.err = io.EOF
		b.s.halt()
		b.s.body.stop()
		return n, b.err
	}
	switch over := ended(b.s.caller); {
	case over != nil:
		b.err = over
	case b.s.body.fault() != nil:
		b.err = fmt.Errorf("%w: %w", ErrVisitor, b.s.body.fault())
	case b.s.overdue(err):
		b.err = fmt.Errorf("%w: %w: %w", ErrLate, ErrDeadline, err)
	default:
		b.err = fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return n, b.err
}

func (b *streamBody) trailer() h1.Head {
	if b.s == nil || b.err != io.EOF {
		return nil
	}
	return b.late
}

// Close cuts what is left. It is idempotent.
func (b *streamBody) Close() error {
	if b.s == nil {
		return nil
	}
	if b.err == nil {
		b.err = errClosed
	}
	s := b.s
	b.s, b.Head = nil, nil
	if b.whole && (s.body == nil || s.body.over()) {
		_ = b.res.Body.Close() // waits until the place is free
	}
	s.end()
	return nil
}

// bodyReader is a request's body for one attempt. The transport reads it, and closes it when it wants no more.
type bodyReader struct {
	s       *stream
	from    io.Reader
	trailer http.Header // nil: none

	mu     sync.Mutex
	begun  bool
	closed bool
}

func (s *stream) reader(out *http.Request) *bodyReader {
	r := &bodyReader{s: s, trailer: out.Trailer}
	switch {
	case s.whole != nil:
		r.from = bytes.NewReader(s.whole)
	case s.pump != nil:
		r.from = s.pump
	default:
		r.from = s.body
	}
	return r
}

func (r *bodyReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	closed := r.closed
	r.begun = r.begun || !closed
	r.mu.Unlock()
	if closed {
		return 0, errStopped
	}
	n, err := r.from.Read(p)
	if err == io.EOF && r.trailer != nil {
		give(r.trailer, r.s.body.trailer)
	}
	return n, err
}

// Close leaves a body that was not touched to the next attempt.
func (r *bodyReader) Close() error {
	r.mu.Lock()
	begun := r.begun
	r.closed = true
	r.mu.Unlock()
	if begun {
		r.s.halt()
	}
	return nil
}

// pump reads a body that cannot be interrupted, so that the stream does not hang where the body does: a goroutine of its own lasts
// on with a Read that does.
type pump struct {
	body *body
	once sync.Once
	out  *io.PipeReader
	in   *io.PipeWriter
}

func (p *pump) Read(into []byte) (int, error) {
	p.once.Do(func() {
		p.out, p.in = io.Pipe()
		go p.run()
	})
	if p.out == nil {
		return 0, errStopped
	}
	return p.out.Read(into)
}

func (p *pump) run() {
	room := rooms.Get().(*[roomSize]byte)
	defer rooms.Put(room)
	for {
		n, err := p.body.Read(room[:])
		if n > 0 {
			if _, err := p.in.Write(room[:n]); err != nil {
				return
			}
		}
		if err != nil {
			_ = p.in.CloseWithError(err)
			return
		}
	}
}

// stop ends a Read of the pump, and lets no other begin. It does not wait.
func (p *pump) stop() {
	p.once.Do(func() {})
	if p.out != nil {
		_ = p.out.CloseWithError(errStopped)
	}
}

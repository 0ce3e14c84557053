package edge

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"gatehouse/proxy/h1"
)

const (
	worth    = 4 << 10     // bytes of a body that nobody wanted which are read to keep the connection
	restTime = time.Second // for them to come
	maxWait  = 6           // times BodyGrace: the longest wait for one byte, however many have come before
)

// bodyWait is how long a body of which n bytes have come, in so much time, may still keep one waiting: the grace, and what the bytes
// have earned.
func (l *Limits) bodyWait(n int64, spent time.Duration) time.Duration {
	earned := time.Duration(float64(n) / float64(l.BodyRate) * float64(time.Second))
	return min(l.BodyGrace+earned-spent, maxWait*l.BodyGrace)
}

func slow(n int64, spent time.Duration) error {
	return fmt.Errorf("%w: %d bytes in %v", errSlow, n, spent.Round(time.Millisecond))
}

var (
	errUnwanted = errors.New("the rest of the body is not wanted")
	errSlow     = errors.New("the body came too slowly")
)

// body is a request's body that must keep a pace: what comes too slowly ends in an error, so that nobody can hold a permit by
// sending one byte a minute. Reading belongs to one goroutine; Interrupt may come from another, and also when it is too late.
// So a body is never used for a second request.
type body struct {
	v      *visit
	length int64 // -1: chunked
	limits *Limits

	reading sync.Mutex // held during a Read, and from take to drop
	by      time.Time  // when finish gives up; zero: it did not begin

	mu     sync.Mutex
	begun  bool
	invite bool // somebody waits for 100 Continue
	n      int64
	spent  time.Duration // waiting for the visitor, and for nobody else
	free   bool          // the answer has begun, and the body may come as it likes: both may be quiet for hours
	done   error         // what every further Read returns: the end came, or an error, or nobody wants the rest
}

func newBody(v *visit, f h1.Framing) *body {
	b := &body{v: v, length: f.Length, limits: &v.conn.server.limits, invite: v.req.Continue}
	if f.Kind == h1.Chunked {
		b.length = -1
		v.chunks.Reset(h1.Limits{})
		v.make(inRoom)
	}
	return b
}

func (b *body) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	b.mu.Lock()
	first, err := !b.begun, b.done
	b.begun = true
	b.mu.Unlock()
	if err != nil || len(p) == 0 {
		return 0, err
	}
	if first && b.invite {
		b.v.invite()
	}
	n, err := b.next(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n += int64(n)
	switch {
	case err == nil:
	case b.done != nil:
		err = b.done // it was interrupted
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = slow(b.n, b.spent)
		b.done = err
	default:
		b.done = err
		if err == io.EOF {
			b.v.watch.arm(b.v)
		}
	}
	return n, err
}

// next reads some of the body, and its end with the last of it where that is known. Nothing behind the end is touched.
func (b *body) next(p []byte) (int, error) {
	if b.length < 0 {
		return b.nextChunked(p)
	}
	left := b.length - b.n // n is only written by who reads
	p = p[:min(int64(len(p)), left)]
	v := b.v
	n := copy(p, v.in[v.r:v.w])
	v.r += n
	if n == 0 {
		var err error
		if n, err = b.pull(p); n == 0 && err != nil {
			return 0, err
		}
	}
	if int64(n) == left {
		return n, io.EOF
	}
	return n, nil
}

func (b *body) nextChunked(p []byte) (int, error) {
	v, got := b.v, 0
	for {
		for v.r < v.w && got < len(p) {
			data, n, err := v.chunks.Next(v.in[v.r:min(v.w, v.r+len(p)-got)])
			v.r += n
			got += copy(p[got:], data)
			if err != nil && err != h1.ErrMore {
				return got, err
			}
		}
		if got > 0 {
			return got, nil
		}
		v.r, v.w = v.base, v.base
		n, err := b.pull(v.in[v.w:])
		if v.w += n; n == 0 && err != nil {
			return 0, err
		}
	}
}

// pull reads from the connection in the time that is left.
func (b *body) pull(p []byte) (int, error) {
	c := b.v.conn
	began := time.Now()
	b.mu.Lock()
	if err := b.done; err != nil {
		b.mu.Unlock()
		return 0, err
	}
	by := began.Add(b.limits.bodyWait(b.n, b.spent))
	switch {
	case !b.by.IsZero():
		by = b.by
	case b.free:
		by = time.Time{}
	}
	_ = c.SetReadDeadline(by)
	b.mu.Unlock()
	n, err := c.Conn.Read(p)
	b.mu.Lock()
	b.spent += time.Since(began)
	b.mu.Unlock()
	if n == 0 && err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		c.leave() // before whoever reads sees it, so that he who sees the one sees the other
	}
	return n, err
}

// release lets the body come at any pace from now on, also for a Read that is under way.
func (b *body) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.free = true; b.done == nil {
		_ = b.v.conn.SetReadDeadline(time.Time{})
	}
}

// Interrupt ends a Read that is under way. The rest of the body is lost, and the connection with it once it is answered.
func (b *body) Interrupt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done == nil {
		b.done = errUnwanted
		_ = b.v.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// hopeless reports whether it is known already that the connection cannot be kept: more is left than is worth reading, it
// broke off, or the visitor waits for a word that nobody will give.
func (b *body) hopeless() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done != nil {
		return b.done != io.EOF
	}
	return b.length-b.n > worth || b.invite && !b.begun
}

// whole reports whether the body was read to its end.
func (b *body) whole() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.done == io.EOF
}

// take takes the body from its reader, and waits for a Read that is under way. drop must follow.
func (b *body) take() {
	if b.reading.TryLock() {
		return
	}
	b.Interrupt()
	b.reading.Lock()
}

// drop lets go of a body that was taken. Whoever still has it gets nothing more.
func (b *body) drop() {
	b.mu.Lock()
	if b.done == nil {
		b.done = errUnwanted
	}
	b.mu.Unlock()
	b.reading.Unlock()
}

// finish reads the little that may be left of a body that was taken, and reports whether that was all of it.
func (b *body) finish() bool {
	b.by = time.Now().Add(restTime)
	buf := make([]byte, worth+1)
	for rest := buf; len(rest) > 0; {
		n, err := b.next(rest)
		b.n += int64(n)
		if rest = rest[n:]; err != nil {
			return err == io.EOF
		}
	}
	return false
}

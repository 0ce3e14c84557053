package edge

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

var errBrokenBody = errors.New("the body broke off")

// streamBody is the body of a request on HTTP/2. It must keep the same pace as body, and is used alike.
type streamBody struct {
	v      *stream
	from   io.ReadCloser // which may be closed by another than its reader
	limits *Limits

	reading sync.Mutex // held during a Read

	mu    sync.Mutex
	timer *time.Timer
	by    time.Time // when the Read under way must have come back; zero: none is
	n     int64
	spent time.Duration // waiting for the visitor, and for nobody else
	done  error         // what every further Read returns
	free  bool          // the body may come as it likes: the answer has begun, or it is a call
}

func newStreamBody(v *stream) *streamBody {
	// A call may be quiet before its head, too: how long that takes is the route's affair.
	call := strings.HasPrefix(v.r.Header.Get("Content-Type"), "application/grpc")
	return &streamBody{v: v, from: v.r.Body, limits: &v.s.server.limits, free: call}
}

func (b *streamBody) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	b.mu.Lock()
	if b.done != nil || len(p) == 0 {
		defer b.mu.Unlock()
		return 0, b.done
	}
	began, wait := time.Now(), b.limits.bodyWait(b.n, b.spent)
	b.by = began.Add(wait)
	if b.free {
		b.by = time.Time{}
	} else if b.timer == nil {
		b.timer = time.AfterFunc(wait, b.late)
	} else {
		b.timer.Reset(wait)
	}
	b.mu.Unlock()

	n, err := b.from.Read(p)

	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
	}
	b.by = time.Time{}
	b.n += int64(n)
	b.spent += time.Since(began)
	switch {
	case err == nil:
		return n, nil
	case b.done != nil: // it was interrupted, or late
	case err == io.EOF:
		b.done = io.EOF
	default: // the stream or the connection has ended, or the length was not that
		b.done = fmt.Errorf("%w: %w", errBrokenBody, err)
		b.v.leave() // before whoever reads sees it, so that he who sees the one sees the other
	}
	return n, b.done
}

// late ends a Read that waits for too long. It may be late itself.
func (b *streamBody) late() {
	b.mu.Lock()
	if b.done != nil || b.by.IsZero() || time.Now().Before(b.by) {
		b.mu.Unlock()
		return
	}
	b.done = slow(b.n, b.spent+b.limits.bodyWait(b.n, b.spent))
	b.mu.Unlock()
	_ = b.from.Close()
}

// Interrupt ends a Read that is under way. The rest of the body is lost.
func (b *streamBody) Interrupt() {
	b.mu.Lock()
	before := b.done
	if before == nil {
		b.done = errUnwanted
	}
	b.mu.Unlock()
	if before == nil {
		_ = b.from.Close()
	}
}

// ended reports whether the body was read to its end.
func (b *streamBody) ended() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.done == io.EOF
}

// drop takes the body from its reader, and waits for a Read that is under way. Whoever still has it gets nothing more.
func (b *streamBody) drop() {
	b.Interrupt()
	b.reading.Lock()
	defer b.reading.Unlock()
}

// release lets the body come at any pace from now on, also for a Read that is under way.
func (b *streamBody) release() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free, b.by = true, time.Time{}
	if b.timer != nil {
		b.timer.Stop()
	}
}

package edge

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

var errUnwanted = errors.New("the rest of the body is not wanted")

// body is a request's body that must keep a pace: what comes too slowly ends in an error, so that nobody can hold a permit by
// sending one byte a minute. Reading belongs to one goroutine; Interrupt may come from another.
type body struct {
	from    io.Reader
	control *http.ResponseController
	limits  Limits
	empty   bool

	mu    sync.Mutex
	n     int64
	spent time.Duration // waiting for the visitor, and for nobody else
	done  error         // what every further Read returns: the end came, or an error, or nobody wants the rest
}

func (b *body) Read(p []byte) (int, error) {
	if b.empty {
		return 0, io.EOF
	}
	if err := b.pace(); err != nil {
		return 0, err
	}
	began := time.Now()
	n, err := b.from.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n += int64(n)
	b.spent += time.Since(began)
	if err != nil && b.done == nil {
		b.done = err
		if err == io.EOF {
			// net/http now watches the connection for the visitor's leaving, which must not run into the body's deadline.
			_ = b.control.SetReadDeadline(time.Time{})
		}
	}
	return n, err
}

// pace gives the next Read its time: the grace, and what the bytes so far have earned.
func (b *body) pace() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done != nil {
		return b.done
	}
	earned := time.Duration(float64(b.n) / float64(b.limits.BodyRate) * float64(time.Second))
	return b.control.SetReadDeadline(time.Now().Add(b.limits.BodyGrace + earned - b.spent))
}

// Interrupt ends a Read that is under way. The rest of the body is lost, and the connection with it.
func (b *body) Interrupt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done == nil {
		b.done = errUnwanted
		_ = b.control.SetReadDeadline(time.Unix(1, 0))
	}
}

// end leaves what was not read to net/http, which reads a little of it to keep the connection, at its own pace.
func (b *body) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.empty && b.done == nil && b.spent > 0 {
		_ = b.control.SetReadDeadline(time.Now().Add(time.Second))
	}
	if b.done == nil {
		b.done = errUnwanted
	}
}

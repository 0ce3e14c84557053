package edge

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	worth    = 4 << 10     // bytes of a body that nobody wanted which are read to keep the connection
	restTime = time.Second // for them to come
	maxWait  = 6           // times BodyGrace: the longest wait for one byte, however many have come before
)

var (
	errUnwanted = errors.New("the rest of the body is not wanted")
	errSlow     = errors.New("the body came too slowly")
)

// body is a request's body that must keep a pace: what comes too slowly ends in an error, so that nobody can hold a permit by
// sending one byte a minute. Reading belongs to one goroutine; Interrupt may come from another.
type body struct {
	from    io.Reader
	length  int64
	control *http.ResponseController
	limits  Limits
	invite  func() // sends 100 Continue before the first Read; nil: nobody waits for it
	broke   func() // is told of a Read that failed, for whatever reason, before it returns

	mu    sync.Mutex
	begun bool
	n     int64
	spent time.Duration // waiting for the visitor, and for nobody else
	done  error         // what every further Read returns: the end came, or an error, or nobody wants the rest
}

func (b *body) Read(p []byte) (int, error) {
	first, err := b.pace()
	if err != nil {
		return 0, err
	}
	if first && b.invite != nil {
		b.invite()
	}
	began := time.Now()
	n, err := b.from.Read(p)
	if err != nil && err != io.EOF {
		b.broke()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n += int64(n)
	b.spent += time.Since(began)
	switch {
	case err == nil:
	case b.done != nil:
		err = b.done // it was interrupted
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("%w: %d bytes in %v", errSlow, b.n, b.spent.Round(time.Millisecond))
		b.done = err
	default:
		b.done = err
	}
	return n, err
}

// pace gives the next Read its time: the grace, and what the bytes so far have earned. At the body's end net/http takes the
// deadline away again.
func (b *body) pace() (first bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done != nil {
		return false, b.done
	}
	first, b.begun = !b.begun, true
	earned := time.Duration(float64(b.n) / float64(b.limits.BodyRate) * float64(time.Second))
	wait := min(b.limits.BodyGrace+earned-b.spent, maxWait*b.limits.BodyGrace)
	return first, b.control.SetReadDeadline(time.Now().Add(wait))
}

// Interrupt ends a Read that is under way. The rest of the body is lost, and the connection with it once it is answered.
func (b *body) Interrupt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done == nil {
		b.done = errUnwanted
		_ = b.control.SetReadDeadline(time.Unix(1, 0))
	}
}

// hopeless reports whether it is known already that the connection cannot be kept: more is left than is worth reading, it
// broke off, or the visitor waits for a word that nobody will give.
func (b *body) hopeless() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done != nil {
		return b.done != io.EOF
	}
	return b.length-b.n > worth || b.invite != nil && !b.begun
}

// whole reports whether the body was read to its end.
func (b *body) whole() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.done == io.EOF
}

// finish reads the little that may be left and reports whether that was all of it. Nobody may be reading.
func (b *body) finish() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done == nil {
		_ = b.control.SetReadDeadline(time.Now().Add(restTime))
		if _, b.done = io.CopyN(io.Discard, b.from, worth+1); b.done == nil {
			b.done = errUnwanted
		}
	}
	return b.done == io.EOF
}

package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/proxy/h1"
)

const maxInterim = 32 // interim answers to one request

// exchange is one request under way. Send makes it; the end of the answer's body, its Close, or a failure ends it.
type exchange struct {
	ctx    context.Context // the caller's
	cancel context.CancelFunc
	body   *body // nil: none

	sending func() // see Request; nil: nobody wants to know

	slashes, slashesAt int // see conn

	conn  atomic.Pointer[conn] // the last one got; the Transport may go through several
	wrote atomic.Int64         // writes of the request that wrote something, or may be doing so; 0: nothing was sent
	twice atomic.Bool          // it was about to be sent once more, and may not

	mu      sync.Mutex // held while inform runs
	inform  func(int, h1.Head)
	interim int
}

func (b *backend) send(ctx context.Context, r *Request) (*Answer, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	x := &exchange{ctx: ctx, sending: r.Sending, inform: r.Inform, slashes: slashes(r.Target), slashesAt: len(r.Method) + 1}
	if r.Body != nil && r.Length != 0 {
		x.body = &body{from: r.Body, length: r.Length, lines: r.Trailer}
	}
	inner, cancel := context.WithCancel(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			// The Transport sends again by itself what broke on a connection that was used before, also a POST that has an
			// Idempotency-Key. That is a retry like any other.
			if x.wrote.Load() > 0 && !(idempotent(r.Method) && b.pool.Retry()) {
				x.twice.Store(true)
				x.cancel()
			}
			c := got.Conn.(*conn)
			x.conn.Store(c)
			c.join(x)
		},
		Got1xxResponse: x.interimAnswer,
	}))
	x.cancel = cancel
	began := time.Now()
	res, err := b.transport.RoundTrip(r.outgoing(inner, b, x.body))
	ttfb := time.Since(began)
	x.hush()
	if err == nil {
		err = x.acceptable(r, res)
	}
	if err != nil {
		err = x.classify(err)
		x.end()
		return nil, err
	}
	return x.answer(r, res, ttfb), nil
}

// interimAnswer is called by the Transport's goroutine, which may outlast RoundTrip.
func (x *exchange) interimAnswer(status int, header textproto.MIMEHeader) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := wellFormed(http.Header(header)); err != nil {
		return err
	}
	if x.interim++; x.interim > maxInterim {
		return errors.New("too many interim answers")
	}
	if x.inform != nil && status != http.StatusContinue {
		x.inform(status, lines(http.Header(header)))
	}
	return nil
}

// hush lets no interim answer through any more.
func (x *exchange) hush() {
	x.mu.Lock()
	x.inform = nil
	x.mu.Unlock()
}

// acceptable closes and refuses an answer that cannot be passed on.
func (x *exchange) acceptable(r *Request, res *http.Response) error {
	var err error
	switch {
	case res.StatusCode == http.StatusSwitchingProtocols:
		if r.Upgrade == "" || !strings.EqualFold(res.Header.Get("Upgrade"), r.Upgrade) {
			err = errors.New("a switch to a protocol that was not asked for")
		} else {
			err = wellFormed(res.Header)
		}
	case res.StatusCode < 200:
		err = fmt.Errorf("status %d", res.StatusCode)
	default:
		err = wellFormed(res.Header)
	}
	if err != nil {
		res.Body.Close()
	}
	return err
}

// wellFormed refuses what net/http lets through: a name with a space in it, and control characters in a value.
func wellFormed(header http.Header) error {
	for name, values := range header {
		if !h1.ValidName(name) {
			return fmt.Errorf("malformed field name %q", name)
		}
		for _, v := range values {
			if !h1.ValidValue(v) {
				return fmt.Errorf("malformed value of field %q", name)
			}
		}
	}
	return nil
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
	case x.wrote.Load() == 0 && x.body.untouched():
		return fmt.Errorf("%w: %w", ErrConnect, err)
	case x.twice.Load():
		return fmt.Errorf("%w: %w", ErrBroken, errTwice)
	default:
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
}

// ended is how the caller's context ended; nil: it did not.
func ended(ctx context.Context) error {
	cause := context.Cause(ctx)
	switch {
	case cause == nil:
		return nil
	case errors.Is(cause, ErrLate):
		return cause
	case ctx.Err() == context.DeadlineExceeded:
		return fmt.Errorf("%w: %w", ErrLate, cause)
	default:
		return fmt.Errorf("%w: %w", ErrCancelled, cause)
	}
}

var errTwice = errors.New("the connection broke before a head came, and the request may not be sent twice")

// end lets go of the connection and of the request's body. It is idempotent.
func (x *exchange) end() {
	if c := x.conn.Load(); c != nil {
		c.leave(x)
	}
	x.body.stop()
	x.cancel()
}

// lines turns net/http's header into a head: names sorted, so that what is done twice looks the same twice.
func lines(h http.Header) h1.Head {
	names := make([]string, 0, len(h))
	n := 0
	for name, values := range h {
		names = append(names, name)
		n += len(values)
	}
	slices.Sort(names)
	head := make(h1.Head, 0, n)
	for _, name := range names {
		for _, v := range h[name] {
			head = append(head, h1.Line{Name: name, Value: v})
		}
	}
	return head
}

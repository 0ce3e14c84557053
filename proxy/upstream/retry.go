package upstream

import (
	"errors"
	"time"
)

// RetrySettings is how much may be asked twice. The zero value: nothing.
type RetrySettings struct {
	// Budget is the part of the requests of the last ten seconds that may be retried, 0.2 being one in five; at most 0: none.
	// One a second more is allowed, so that a quiet pool can retry at all.
	Budget float64
}

// Attempt is what became of one request at one backend.
type Attempt struct {
	Err        error // what Send returned; nil: a head came
	Status     int   // of the head; 0: none came
	RetryAfter bool  // the head has a Retry-After
	HasBody    bool  // the request has a body, even an empty one of unknown length
	BodyRead   bool  // something of it was read
	// Sent: a byte of the request may have left, in this attempt or in one before. ErrConnect says that in its own attempt none
	// did; where both are set, Sent is believed.
	Sent bool
}

// Again reports whether a request may be sent to another backend after o. It is pure, and knows nothing of the budget.
//
// Whatever was not sent may be sent: after ErrConnect, as long as the body is whole. So may what a backend says it did not look at,
// after ErrRefused. What may have been received is sent again
// only if receiving it twice is the same as once (RFC 9110 section 9.2.2) and there is no body to lose, and only for a
// connection that broke before a head came, or for a gateway's 502, 503 or 504. Such an answer with a Retry-After is deliberate:
// who asks for patience is not to be asked again elsewhere. After ErrLate the time is over, after ErrCancelled and ErrVisitor
// nobody waits any more, and ErrRequest is the same everywhere.
func Again(method string, o Attempt) bool {
	switch {
	case o.BodyRead:
		return false
	case isAny(o.Err, ErrLate, ErrCancelled, ErrVisitor, ErrRequest, ErrNoBackend):
		return false
	case errors.Is(o.Err, ErrRefused), errors.Is(o.Err, ErrConnect) && !o.Sent:
		return true
	case o.HasBody || !idempotent(method):
		return false
	case o.Err != nil:
		return o.Status == 0 && isAny(o.Err, ErrConnect, ErrBroken)
	}
	return (o.Status == 502 || o.Status == 503 || o.Status == 504) && !o.RetryAfter
}

func isAny(err error, sentinels ...error) bool {
	if err == nil {
		return false
	}
	for _, s := range sentinels {
		if errors.Is(err, s) {
			return true
		}
	}
	return false
}

// idempotent knows the methods of RFC 9110 section 9.2.2. A method is case-sensitive, and an unknown one is not believed.
func idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

const (
	retryWindow = 10 // seconds
	retryFloor  = 1  // retries a second that are there without any request
)

// budget counts requests and retries by the second. It is the RetryBudget of Finagle and linkerd
// (finagle.github.io/blog/2016/02/08/retry-budgets) with one difference: retries count for a second longer than requests, so
// that no ten seconds, wherever they begin, hold more than they may. It is used under the pool's lock.
type budget struct {
	used    bool
	began   time.Duration // of second 0, by clock; where used
	second  int64         // the newest
	seconds [retryWindow + 1]struct{ requests, retries int }
}

// turn goes on to the second of now. A clock read a moment ago, by who waited for the lock, is no reason to go back.
func (b *budget) turn(now time.Duration) {
	if !b.used {
		b.used, b.began = true, now
	}
	to := int64((now - b.began) / time.Second)
	if to-b.second > int64(len(b.seconds)) {
		b.second = to - int64(len(b.seconds))
	}
	for b.second < to {
		b.second++
		*b.at(b.second) = struct{ requests, retries int }{}
	}
}

func (b *budget) at(second int64) *struct{ requests, retries int } {
	return &b.seconds[second%int64(len(b.seconds))]
}

func (b *budget) request(now time.Duration) {
	b.turn(now)
	b.at(b.second).requests++
}

// take takes one retry, if there is one.
func (b *budget) take(now time.Duration, part float64) bool {
	if part <= 0 {
		return false
	}
	b.turn(now)
	var requests, retries int
	for i := range b.seconds {
		retries += b.seconds[i].retries
		requests += b.seconds[i].requests
	}
	if oldest := b.second - retryWindow; oldest >= 0 {
		requests -= b.at(oldest).requests
	}
	const rounding = 1e-9
	if float64(retries+1) > part*float64(requests)+retryFloor*retryWindow+rounding {
		return false
	}
	b.at(b.second).retries++
	return true
}

// Retry takes one retry out of the budget, and returns false if there is none left. A request counts for the budget with its
// first Claim: one whose Tried is nil or empty. The caller asks Again first: a retry that is taken is not given back.
func (p *Pool) Retry() bool {
	now := clock()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.budget.take(now, p.settings.Retries.Budget)
}

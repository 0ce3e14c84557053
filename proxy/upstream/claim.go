package upstream

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Tried is the backends that one exchange has tried already. The zero value is ready: none. It is not safe for concurrent use.
type Tried struct {
	first [4]*backend
	n     int
	rest  []*backend
}

func (t *Tried) has(b *backend) bool {
	if t == nil {
		return false
	}
	for i := range min(t.n, len(t.first)) {
		if t.first[i] == b {
			return true
		}
	}
	for _, r := range t.rest {
		if r == b {
			return true
		}
	}
	return false
}

func (t *Tried) add(b *backend) {
	if t == nil {
		return
	}
	if t.n < len(t.first) {
		t.first[t.n] = b
	} else {
		t.rest = append(t.rest, b)
	}
	t.n++
}

// Claim is one backend, busy with one exchange until End. The zero value claims nothing. Copies are the same claim.
type Claim struct{ c *claimed }

type claimed struct {
	b     *backend
	ended bool // under the pool's lock
}

// Claim chooses a backend that is not in t, and adds it to t; a nil t means that none was tried. Of two that chance picks it
// takes the one with fewer open claims. Backends that are down are left out, unless all of the pool are: a health check may be
// wrong, and refusing everybody for it is worse than trying. One whose connect failed within the last second is taken only
// when nothing better is left, since failing fast makes it look idle. It returns ErrNoBackend when none is left.
//
// The caller owes the claim an End.
func (p *Pool) Claim(t *Tried) (Claim, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.choose(t)
	if b == nil {
		return Claim{}, ErrNoBackend
	}
	b.inFlight++
	b.claims++
	p.inFlight++
	t.add(b)
	return Claim{&claimed{b: b}}, nil
}

func (p *Pool) choose(t *Tried) *backend {
	var anyUp bool
	for _, b := range p.backends {
		anyUp = anyUp || b.up
	}
	now := time.Now()
	rested := func(b *backend) bool { return b.rest.IsZero() || !now.Before(b.rest) }
	var fit, fresh int // how many may be chosen, and how many of them are rested
	for _, b := range p.backends {
		if (b.up || !anyUp) && !t.has(b) {
			fit++
			if rested(b) {
				fresh++
			}
		}
	}
	if fit == 0 {
		return nil
	}
	n := fit
	if fresh > 0 {
		n = fresh
	}
	i, j := rand.IntN(n), -1
	if n > 1 {
		if j = rand.IntN(n - 1); j >= i {
			j++
		}
	}
	var one, two *backend
	k := 0
	for _, b := range p.backends {
		if !b.up && anyUp || t.has(b) || fresh > 0 && !rested(b) {
			continue
		}
		switch k {
		case i:
			one = b
		case j:
			two = b
		}
		k++
	}
	if two != nil && two.inFlight < one.inFlight {
		return two
	}
	return one
}

// Backend is the URL of the backend, for the log; "" of the zero Claim.
func (c Claim) Backend() string {
	if c.c == nil {
		return ""
	}
	return c.c.b.url
}

// Send carries r to the backend and returns the head of its final answer; the answer's body, or its tunnel, is the caller's to
// close. ctx is the whole exchange's: when it ends, what is under way is cut, the body of the answer too. Its deadline makes
// ErrLate, its cancellation ErrCancelled, as long as no head is there.
//
// A claim may send once. Of the zero Claim Send returns ErrNoBackend.
func (c Claim) Send(ctx context.Context, r *Request) (*Answer, error) {
	if c.c == nil {
		return nil, ErrNoBackend
	}
	return c.c.b.send(ctx, r)
}

// Result is how a claim ended. The zero value: well, or without being used.
type Result struct{ Err error }

// End gives the claim back. It is idempotent: only the first one counts.
func (c Claim) End(r Result) {
	if c.c == nil {
		return
	}
	b := c.c.b
	b.pool.mu.Lock()
	if c.c.ended {
		b.pool.mu.Unlock()
		return
	}
	c.c.ended = true
	b.inFlight--
	b.pool.inFlight--
	if errors.Is(r.Err, ErrConnect) || errors.Is(r.Err, ErrBroken) || errors.Is(r.Err, ErrLate) {
		b.failures++
		b.failed(r.Err)
	}
	if errors.Is(r.Err, ErrConnect) {
		b.rest = time.Now().Add(restDuration)
	}
	last := b.retired && b.inFlight == 0
	b.pool.mu.Unlock()
	if last {
		b.closeIdle()
	}
}

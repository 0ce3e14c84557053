package upstream

import (
	"context"
	"errors"
	"fmt"
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
	era   uint32 // of the backend, as it was chosen
	ended bool   // under the pool's lock
}

// Claim chooses a backend that is not in t, and adds it to t; a nil t means that none was tried. Of two that chance picks it
// takes the one with fewer open claims; one that starts slowly is picked as much less often as it is not warm yet. Backends that
// are down or ejected are left out, unless all of the pool are: a health check may be wrong, and refusing everybody for it is
// worse than trying. One whose connect failed within the last second is taken only when nothing better is left, since failing
// fast makes it look idle. It returns ErrNoBackend when none is left.
//
// The caller owes the claim an End.
func (p *Pool) Claim(t *Tried) (Claim, error) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lapse(now)
	b := p.choose(t, now)
	if b == nil {
		return Claim{}, ErrNoBackend
	}
	if t == nil || t.n == 0 {
		p.budget.request(now)
	}
	b.inFlight++
	b.claims++
	p.inFlight++
	t.add(b)
	return Claim{&claimed{b: b, era: b.era}}, nil
}

// Backend is the URL of the backend, for the log; "" of the zero Claim.
func (c Claim) Backend() string {
	if c.c == nil {
		return ""
	}
	return c.c.b.url
}

// Send carries r to the backend and returns the head of its final answer; the answer's body, or its tunnel, is the caller's to
// close. ctx is the whole exchange's: when it ends, what is under way is cut, the body of the answer too. Its deadline, and a
// cancellation whose cause is ErrLate, make ErrLate; any other cancellation makes ErrCancelled.
//
// A claim may send once. Of the zero Claim Send returns ErrNoBackend.
func (c Claim) Send(ctx context.Context, r *Request) (*Answer, error) {
	if c.c == nil {
		return nil, ErrNoBackend
	}
	b := c.c.b
	if b.way.Load().streams() {
		return b.stream(ctx, r, false)
	}
	return b.begin(ctx, r).send(r)
}

// Result is how a claim ended. The zero value says nothing: the claim was not used, or nobody saw what became of it.
type Result struct {
	Err        error // of Send, or of the answer's body
	Status     int   // of the answer's head; 0: none came
	RetryAfter bool  // the head has a Retry-After
	Excused    bool  // it says nothing about the backend, for example since the shared session store had failed
}

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
	if r.failure() {
		b.failures++
		b.failed(r.Err)
	} else if r.judge() == bad {
		b.failed(fmt.Errorf("status %d", r.Status))
	}
	if errors.Is(r.Err, ErrConnect) {
		b.rest = time.Now().Add(restDuration)
		b.pool.unevenUntil(b.rest)
	}
	b.pool.learn(c.c, r)
	last := b.retired && b.inFlight == 0
	b.pool.mu.Unlock()
	if last {
		b.idle.close()
		b.streams.close(true)
	}
}

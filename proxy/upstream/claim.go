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

// none reports whether none was tried.
func (t *Tried) none() bool { return t == nil || t.n == 0 }

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
type Claim struct {
	b *backend
	c *claimed
	n uint64 // the number that c had, as the claim was made
}

// claimed is what the copies of an open claim share. It is used again for another claim after the end of one: the copies that are
// still there know it by its number, which is theirs no more. It is used under the pool's lock.
type claimed struct {
	era  uint32 // of the backend, as it was chosen
	n    uint64 // how many claims have ended that it was part of
	next *claimed
}

// open is called under the pool's lock.
func (p *Pool) open(b *backend) Claim {
	c := p.unused
	if c == nil {
		c = &claimed{}
	}
	p.unused, c.next = c.next, nil
	c.era = b.era
	return Claim{b, c, c.n}
}

// shut reports whether c was open. It is called under the pool's lock.
func (p *Pool) shut(c Claim) bool {
	if c.c.n != c.n {
		return false
	}
	c.c.n++
	c.c.next, p.unused = p.unused, c.c
	return true
}

// Claim chooses a backend that is not in t, and adds it to t; a nil t means that none was tried. Of two that chance picks it
// takes the one with fewer open claims; one that starts slowly is picked as much less often as it is not warm yet. Backends that
// are down or ejected are left out, unless all of the pool are: a health check may be wrong, and refusing everybody for it is
// worse than trying. One whose connect failed within the last second is taken only when nothing better is left, since failing
// fast makes it look idle. It returns ErrNoBackend when none is left.
//
// The caller owes the claim an End.
func (p *Pool) Claim(t *Tried) (Claim, error) {
	at := clock()
	p.mu.Lock()
	defer p.mu.Unlock()
	var now time.Time
	if !p.calm(t) {
		now = time.Now()
		p.lapse(now)
	}
	b := p.choose(t, now)
	if b == nil {
		return Claim{}, ErrNoBackend
	}
	if t.none() {
		p.budget.request(at)
	}
	b.inFlight++
	b.claims++
	p.inFlight++
	t.add(b)
	return p.open(b), nil
}

// Backend is the URL of the backend, for the log; "" of the zero Claim.
func (c Claim) Backend() string {
	if c.b == nil {
		return ""
	}
	return c.b.url
}

// Send carries r to the backend and returns the head of its final answer; the answer's body, or its tunnel, is the caller's to
// close. ctx is the whole exchange's: when it ends, what is under way is cut, the body of the answer too. Its deadline, and a
// cancellation whose cause is ErrLate, make ErrLate; any other cancellation makes ErrCancelled.
//
// A claim may send once. Of the zero Claim Send returns ErrNoBackend.
func (c Claim) Send(ctx context.Context, r *Request) (*Answer, error) {
	if c.b == nil {
		return nil, ErrNoBackend
	}
	if c.b.way.Load().streams() {
		return c.b.stream(ctx, r, false)
	}
	return c.b.begin(ctx, r).send(r)
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
	b := c.b
	if b == nil {
		return
	}
	b.pool.mu.Lock()
	era := c.c.era
	if !b.pool.shut(c) {
		b.pool.mu.Unlock()
		return
	}
	b.inFlight--
	b.pool.inFlight--
	says := r.judge()
	if r.failure() {
		b.failures++
		b.failed(r.Err)
	} else if says == bad {
		b.failed(fmt.Errorf("status %d", r.Status))
	}
	if errors.Is(r.Err, ErrConnect) {
		b.rest = time.Now().Add(restDuration)
		b.pool.unevenUntil(b.rest)
	}
	b.pool.learn(b, era, says)
	last := b.retired && b.inFlight == 0
	b.pool.mu.Unlock()
	if last {
		b.idle.close()
		b.streams.close(true)
	}
}

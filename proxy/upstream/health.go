package upstream

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"gatehouse/proxy/h1"
)

const (
	healthFall = 2        // bad checks in a row take a backend down; one good one brings it back
	healthBody = 64 << 10 // bytes read of a check's answer
)

// watch is the goroutine that owns the checks and tells what happened, until ctx ends. Backends are checked at the same time, so
// that one that hangs does not delay the others; a round has ended before the next begins.
func (p *Pool) watch(ctx context.Context) {
	defer close(p.done)
	next := time.NewTimer(0)
	defer next.Stop()
	back := time.NewTimer(never) // the first return of an ejected one
	defer back.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.told:
			back.Reset(p.tell())
			continue
		case <-back.C:
			back.Reset(p.tell())
			continue
		case <-p.kick:
		case <-next.C:
		}
		// One round serves both: two in one moment would be two bad checks in a row for who is bad only now.
		next.Stop()
		select {
		case <-p.kick:
		default:
		}
		began := time.Now()
		h, backends := p.toCheck()
		if h == nil {
			continue // until the next Set
		}
		p.round(ctx, *h, backends, back)
		pause := time.Duration(float64(h.Interval) * (0.9 + 0.2*rand.Float64()))
		next.Reset(max(0, pause-time.Since(began)))
	}
}

func (p *Pool) toCheck() (*HealthSettings, []*backend) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.settings.Health, p.backends
}

// checked is the outcome of one check.
type checked struct {
	b   *backend
	err error
}

// round goes on telling while it waits.
func (p *Pool) round(ctx context.Context, h HealthSettings, backends []*backend, back *time.Timer) {
	outcomes := make(chan checked, len(backends))
	for _, b := range backends {
		go func() { outcomes <- checked{b, b.check(ctx, h)} }()
	}
	for n := 0; n < len(backends); {
		select {
		case o := <-outcomes:
			if n++; ctx.Err() == nil { // a check that Close cut says nothing
				p.note(o)
				back.Reset(p.tell())
			}
		case <-p.told:
			back.Reset(p.tell())
		case <-back.C:
			back.Reset(p.tell())
		}
	}
}

// note counts the outcome of a check.
func (p *Pool) note(o checked) {
	b, now := o.b, time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.settings.Health == nil { // a Set since: nobody is checked any more
		return
	}
	switch {
	case o.err != nil:
		b.fails++
		b.failed(o.err)
		if !b.up || b.fails < healthFall {
			return
		}
		b.up = false
		p.changed(b, Down, WhyChecks, now)
	case b.up:
		b.fails = 0
		return
	default:
		p.rise(b, now)
		p.changed(b, Up, WhyChecks, now)
	}
	p.settle(now)
}

// rise brings a backend back that was down. It starts slowly, and what happened before is forgotten, but for an ejection. It is
// called under the pool's lock.
func (p *Pool) rise(b *backend, now time.Time) {
	b.up, b.fails, b.warmFrom = true, 0, now
	b.forget()
	b.era++
}

// check asks a backend how it is, on a connection of its own: whether new ones can be made is part of the question. It is asked
// the way requests are, so that one whose answers nobody could be given is not taken for well.
func (b *backend) check(ctx context.Context, h HealthSettings) error {
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	r := &Request{Method: "GET", Target: h.Path, Head: h1.Head{{Name: "User-Agent", Value: "Gatehouse (health check)"}}}
	answer, err := b.askAnew(ctx, r)
	if err != nil {
		return fmt.Errorf("health check: %w", err)
	}
	defer answer.Body.Close()
	if _, err := io.CopyN(io.Discard, answer.Body, healthBody); err != nil && err != io.EOF {
		return fmt.Errorf("health check: %w", err)
	}
	if answer.Status < 200 || answer.Status > 399 {
		return fmt.Errorf("health check: status %d", answer.Status)
	}
	return nil
}

// askAnew sends r over a connection that is not used for anything else.
func (b *backend) askAnew(ctx context.Context, r *Request) (*Answer, error) {
	if b.way.Load().streams() {
		return b.stream(ctx, r, true)
	}
	x := b.begin(ctx, r)
	x.anew, x.last = true, true
	return x.send(r)
}

package probe

import (
	"context"
	"errors"
	"sync"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// redirectsMost is how often one probe is sent elsewhere.
const redirectsMost = 6

// shardProber probes the node that serves the shard of a name. It is a store.Prober. Where there is no such shard its evidence
// says nothing about the store.
type shardProber struct {
	cluster *Cluster
	name    string
	work    sync.WaitGroup

	mu     sync.Mutex
	inner  *Redis // probes the node, and its canary; nil before the first
	at     string // the node
	tag    string // of the canary's keys
	closed bool
}

var _ store.Prober = (*shardProber)(nil)

// Probe probes the shard's node, as Redis.Probe does; where that sends the canary elsewhere, what is there. See store.Prober.
func (p *shardProber) Probe(ctx context.Context, payload int) store.Evidence {
	var to aim
	for range redirectsMost {
		var err error
		if to, err = p.cluster.aim(p.name); err != nil {
			return store.Evidence{Err: err}
		}
		r, err := p.follow(to)
		if err != nil {
			return store.Evidence{Err: err}
		}
		e, same := r.probeUntil(ctx, to.stay, payload)
		if errors.Is(ctx.Err(), context.Canceled) {
			return store.Evidence{Err: ctx.Err()}
		}
		if !same && ctx.Err() == nil {
			continue
		}
		if elsewhere, ok := redirected(e.Err, to.at); ok {
			p.cluster.redirect(p.name, to, elsewhere)
			if ctx.Err() == nil {
				continue
			}
		}
		p.cluster.hearOut(ctx, p.name, to)
		return p.cluster.settle(p.name, to, e)
	}
	return p.cluster.settle(p.name, to, store.Evidence{State: shed.Down, Cause: shed.CauseClusterDown, Reached: true, Err: errRound})
}

// probeUntil is a probe that ends early, and whose evidence is of no use, when stay ends.
func (r *Redis) probeUntil(ctx, stay context.Context, payload int) (e store.Evidence, same bool) {
	within, cut := context.WithCancel(ctx)
	defer cut()
	defer context.AfterFunc(stay, cut)()
	e = r.Probe(within, payload)
	if stay.Err() != nil {
		return store.Evidence{Err: errUnsettled}, false
	}
	return e, true
}

// follow returns the prober of that node and tag: a new one, where they are others.
func (p *shardProber) follow(to aim) (*Redis, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if p.inner == nil || to.at != p.at || to.tag != p.tag {
		if old := p.inner; old != nil {
			p.work.Go(func() { _ = old.Close() })
		}
		s := p.cluster.node(to.at)
		s.Prefix = tagged(s.Prefix, to.tag)
		p.inner, p.at, p.tag = New(s), to.at, to.tag
	}
	return p.inner, nil
}

// Greet makes a new link to the shard's node. See store.Prober.
func (p *shardProber) Greet(ctx context.Context) store.Evidence {
	to, err := p.cluster.aim(p.name)
	if err != nil {
		return store.Evidence{Err: err}
	}
	r, err := p.follow(to)
	if err != nil {
		return store.Evidence{Err: err}
	}
	return r.Greet(ctx)
}

// Close closes the connections of the shard's canary.
func (p *shardProber) Close() error {
	p.mu.Lock()
	p.closed = true
	inner := p.inner
	p.mu.Unlock()
	if inner != nil {
		_ = inner.Close()
	}
	p.work.Wait()
	return nil
}

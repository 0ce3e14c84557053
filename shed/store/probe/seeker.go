package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

var (
	errFound    = errors.New("the cluster is known, and its shards are probed")
	errSeeds    = errors.New("no address of the cluster is given")
	errUnserved = errors.New("no node serves any slot")
)

// seeker probes a cluster of which no shard is known: it says why. It is a store.Prober, and holds nothing of its own.
type seeker struct{ cluster *Cluster }

var _ store.Prober = (*seeker)(nil)

// Probe asks the nodes that the settings name for the shards. Where none says what the cluster is like the evidence is that of the
// node that comes nearest to it. Where one does, the evidence says nothing about the store.
func (p *seeker) Probe(ctx context.Context, _ int) store.Evidence {
	c := p.cluster
	c.once.Do(c.start)
	c.mu.Lock()
	defer c.mu.Unlock()
	before := map[*member]uint64{}
	for _, m := range c.members {
		before[m] = m.asked
	}
	c.hasten(true)
	patience := time.NewTimer(time.Until(c.begun.Add(firstOf)))
	defer patience.Stop()
	for {
		if len(c.shards) == 0 {
			c.count(true, time.Now())
		}
		answered := true
		for _, m := range c.members {
			answered = answered && m.asked > before[m]
		}
		switch {
		case c.closed:
			return store.Evidence{Err: errClosed}
		case len(c.shards) > 0:
			return store.Evidence{Err: errFound}
		case errors.Is(ctx.Err(), context.Canceled):
			return store.Evidence{Err: ctx.Err()}
		case answered || ctx.Err() != nil:
			return c.nearest(before)
		}
		if c.awaited == nil {
			c.awaited = make(chan struct{})
		}
		next := c.awaited
		c.mu.Unlock()
		select {
		case <-next:
		case <-patience.C:
		case <-ctx.Done():
		case <-c.ctx.Done():
		}
		c.mu.Lock()
	}
}

// Greet knows nothing: there is no node to be greeted. See store.Prober.
func (p *seeker) Greet(context.Context) store.Evidence { return store.Evidence{} }

// Close does nothing: the connections are the Cluster's.
func (p *seeker) Close() error { return nil }

// nearest is what the member met that came nearest to an answer, since it had been asked so often. It is called under the lock.
func (c *Cluster) nearest(before map[*member]uint64) store.Evidence {
	best, e := -1, store.Evidence{Err: errSeeds}
	for _, m := range c.members {
		met := m.evidence
		if m.pending != nil && m.asked <= before[m] {
			met = m.pending.overdue(false, m.node.shook.Load())
		}
		near := 0
		switch {
		case met.State == shed.Writable && len(m.spans) > 0:
			near, met = 4, store.Evidence{Reached: true, Err: errStrange}
		case met.State == shed.Writable:
			near, met = 2, store.Evidence{State: shed.Down, Cause: shed.CauseClusterDown, Definite: true, Reached: true, Err: errUnserved}
		case met.State == shed.Unknown:
			near = 3
		case met.Reached:
			near = 2
		case met.Cause != shed.CauseRefused:
			near = 1
		}
		if near > best {
			met.Err = fmt.Errorf("%s: %w", m.address, met.Err)
			best, e = near, met
		}
	}
	return e
}

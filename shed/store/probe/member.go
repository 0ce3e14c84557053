package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

const (
	memberGap    = time.Second     // between two questions to a node about the cluster
	tableGap     = 5 * time.Second // between two tables of slots, where nothing speaks for a change
	memberWithin = time.Second     // a node's answer
	membersMost  = 9               // primaries that are asked
)

var (
	errUnheard = errors.New("more than half of the primaries do not answer what the cluster is like")
	errStrange = errors.New("the nodes tell of different clusters")
)

// member is a node that is asked what the cluster is like. What follows kick is under the Cluster's lock.
type member struct {
	address string
	node    *Redis        // connects, and never probes
	end     func()        // of asking it
	kick    chan struct{} // ask now; holds one

	primary  bool // by what is believed
	wanted   bool // the table of slots, with the next question
	spans    []span
	about    string    // what it said with its table
	tabled   time.Time // when it last gave its table
	mum      bool      // it refuses to say what the cluster is like, but for its table
	heard    bool      // it answered the last question, and spans is its word
	asked    uint64    // questions that have ended, somehow
	err      error     // of the last
	evidence store.Evidence
	pending  *attempt // the question that is not answered yet; nil: there is none
}

// start begins to ask the nodes that are named in the settings.
func (c *Cluster) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.begun = time.Now()
	c.heard = c.begun
	c.seat(c.begun)
}

// seat begins and ends to ask nodes. Asked are the primaries, or some of them where they are many. As long as more than half of
// those do not answer their replicas, and the nodes that the settings name, are asked, too. It is called under the lock.
func (c *Cluster) seat(now time.Time) {
	var primaries, others []string
	n := min(len(c.shards), membersMost)
	for i := range n {
		primaries = append(primaries, c.shards[i*len(c.shards)/n].master)
	}
	if now.Sub(c.heard) >= dividedFor || n == 0 {
		for _, s := range c.spans {
			for _, r := range s.replicas {
				if len(others) < membersMost && !slices.Contains(others, r) {
					others = append(others, r)
				}
			}
		}
		others = append(others, c.set.Addresses...)
	}
	c.members = slices.DeleteFunc(c.members, func(m *member) bool {
		gone := !slices.Contains(primaries, m.address) && !slices.Contains(others, m.address)
		if gone {
			m.end()
		}
		return gone
	})
	for _, address := range append(slices.Clip(primaries), others...) {
		i := slices.IndexFunc(c.members, func(m *member) bool { return m.address == address })
		if i < 0 {
			i = len(c.members)
			c.members = append(c.members, c.member(address))
		}
		c.members[i].primary = slices.Contains(primaries, address)
	}
}

func (c *Cluster) member(address string) *member {
	m := &member{address: address, node: New(c.node(address)), kick: make(chan struct{}, 1)}
	ctx, end := context.WithCancel(c.ctx)
	m.end = end
	c.work.Go(func() {
		defer end()
		c.poll(ctx, m)
		_ = m.node.Close()
	})
	return m
}

// hasten has all members asked now; table: for their tables. It is called under the lock.
func (c *Cluster) hasten(table bool) {
	for _, m := range c.members {
		m.wanted = m.wanted || table
		select {
		case m.kick <- struct{}{}:
		default:
		}
	}
}

// poll asks a node again and again, until ctx ends. One that hangs holds up nobody else.
func (c *Cluster) poll(ctx context.Context, m *member) {
	var l *link
	defer func() { l.close() }()
	for {
		from := time.Now()
		l = c.ask(ctx, m, l)
		if !pause(ctx, voteSoonest) {
			return
		}
		due := time.NewTimer(time.Until(from.Add(c.gap)))
		select {
		case <-due.C:
		case <-m.kick:
		case <-ctx.Done():
		}
		due.Stop()
	}
}

// ask asks a node once, over l or a new link, and returns the link for the next question, or nil.
func (c *Cluster) ask(ctx context.Context, m *member, l *link) *link {
	within, cut := context.WithTimeout(ctx, memberWithin)
	defer cut()
	a := &attempt{ctx: within}
	c.mu.Lock()
	m.pending = a
	before, mum := m.about, m.mum
	want := mum || m.wanted || !m.heard || time.Since(m.tabled) >= tableGap ||
		slices.ContainsFunc(c.shards, func(s *shard) bool { return s.impaired })
	m.wanted = false
	c.mu.Unlock()

	var spans []span
	about := before
	var spoke *link
	var failed error
	l, err := m.node.converse(a, l, func(l *link) (err error) {
		a.stage.Store(connected)
		a.link.Store(l)
		spoke, failed = l, nil
		defer func() { failed = err }()
		if !mum {
			if about, err = l.about(within); word(err) == "ERR" || word(err) == "NOPERM" {
				mum, err = true, nil // the table says enough
			}
		}
		if err == nil && (want || mum || about != before) {
			spans, err = l.slots(within, m.address)
		}
		return err
	})
	met := store.Evidence{State: shed.Writable, Cause: shed.OK, Reached: true}
	switch {
	case err == nil:
	case errors.Is(err, context.DeadlineExceeded):
		met = a.overdue(false, m.node.shook.Load())
	case failed != nil && errors.Is(err, failed):
		met = spoke.unanswered(err)
	case errors.Is(err, errUnread):
		met = store.Evidence{Reached: true, Err: err}
	default:
		met = undialled(err, m.node.shook.Load())
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil {
		return l
	}
	now := time.Now()
	news := m.asked == 0 || m.heard != (err == nil)
	m.asked++
	m.pending, m.evidence, m.err, m.heard, m.mum = nil, met, err, err == nil, mum
	if err == nil && spans != nil {
		news = news || !slices.EqualFunc(spans, m.spans, span.same)
		m.spans, m.about, m.tabled = spans, about, now
	}
	if c.awaited != nil {
		close(c.awaited)
		c.awaited = nil
	}
	c.count(news, now)
	return l
}

// unanswered is the evidence of a question that the server did not answer as it should.
func (l *link) unanswered(err error) store.Evidence {
	var cut net.Error
	if word(err) == "" && !errors.As(err, &cut) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return store.Evidence{Reached: true, Err: err}
	}
	return l.turnedAway(err)
}

func (s span) same(t span) bool {
	return s.first == t.first && s.last == t.last && s.master == t.master && slices.Equal(s.replicas, t.replicas)
}

// count takes in what the members say. Where more than half of the primaries answer, what more than half of them say counts, and
// else nothing does; only when that has lasted, more than half of all nodes that do answer are enough. It is called under the lock.
func (c *Cluster) count(news bool, now time.Time) {
	if c.closed {
		return
	}
	var primaries, all [][]span
	heard, asked := 0, 0
	for _, m := range c.members {
		vote := m.spans
		if !m.heard {
			vote = nil
		} else {
			all = append(all, vote)
		}
		if m.asked > 0 {
			asked++
		}
		if m.primary {
			primaries = append(primaries, vote)
			if vote != nil {
				heard++
			}
		}
	}
	votes := primaries
	switch late := now.Sub(c.heard) >= dividedFor; {
	case len(c.shards) == 0:
		if asked < len(c.members) && now.Sub(c.begun) < firstOf {
			return
		}
		votes, c.heard = all, now
	case heard > len(primaries)/2:
		c.heard = now
		news = news || late
	case !late:
		return
	default:
		votes, news = all, true
	}
	if !news && len(c.shards) > 0 {
		return
	}
	spans := agreed(c.spans, votes)
	if !slices.EqualFunc(spans, c.spans, span.same) {
		c.believe(spans, now)
	}
	c.seat(now)
}

// complaints is what the last questions met that were not answered. It is called under the lock.
func (c *Cluster) complaints() error {
	var all []error
	for _, m := range c.members {
		if m.err != nil {
			all = append(all, fmt.Errorf("%s: %w", m.address, m.err))
		}
	}
	if all == nil {
		return errStrange
	}
	return errors.Join(all...)
}

package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// ClusterSettings is which Redis Cluster is probed.
type ClusterSettings struct {
	Addresses []string // host:port of some of its nodes; the others are learned from them. One that is named twice counts once

	// Node is how each node is reached and probed; its Network, Address and DB are not looked at. Its Password may be asked by
	// several goroutines at a time. Its user needs CLUSTER SLOTS beside what Settings says, and CLUSTER INFO saves it work.
	Node Settings
}

const (
	moveGrace = 250 * time.Millisecond // for a primary to hear that another took its place
	hearGap   = 2 * time.Millisecond   // between two looks at whether it has
)

// whole is the name of the one part of a cluster of which nothing is known.
const whole = "cluster"

var (
	errVanished = errors.New("the shard has no slots any more")
	errNoSlot   = errors.New("the only slots of the shard are being moved")
	errRound    = errors.New("the nodes send the canary round in a circle")
)

// Cluster finds the shards of a Redis Cluster, and follows them. It is a store.Finder: all its methods may be called concurrently.
// It connects with the first probe of a Prober that it hands out.
type Cluster struct {
	set   ClusterSettings
	gap   time.Duration // between two questions to a node that nobody hastens
	ctx   context.Context
	stop  context.CancelFunc
	work  sync.WaitGroup
	once  sync.Once
	table atomic.Pointer[table] // never nil

	mu      sync.Mutex
	begun   time.Time
	members []*member // those that are asked
	spans   []span    // what is believed
	shards  []*shard  // in the order of their lowest slots
	heard   time.Time // when more than half of the primaries were last heard
	changed chan struct{}
	awaited chan struct{} // closed with the next answer of a member; nil where nobody waits for one
	closed  bool
}

var _ store.Finder = (*Cluster)(nil)

// table says which shard holds which slot.
type table struct {
	names []string
	of    [Slots]uint16 // an index into names, plus one; zero: none
}

// NewCluster returns a Finder of the shards of the cluster that s names.
func NewCluster(s ClusterSettings) *Cluster {
	s.Addresses = slices.Clone(s.Addresses)
	s.Node.DB = 0
	c := &Cluster{set: s, gap: memberGap, changed: make(chan struct{})}
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.table.Store(&table{})
	return c
}

// Parts returns one part for each shard that has slots, or one by the name "cluster" while none is known: its Prober says why.
// See store.Finder. A Prober serves as long as its shard is there; it may be closed before the Cluster or after it.
func (c *Cluster) Parts() ([]store.Part, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.shards) == 0 {
		return []store.Part{{Name: whole, Prober: &seeker{c}}}, c.changed
	}
	parts := make([]store.Part, len(c.shards))
	for i, s := range c.shards {
		parts[i] = store.Part{Name: s.name, Prober: s.prober}
	}
	return parts, c.changed
}

// Of returns the name of the shard that holds key; false where no shard is known that does. It takes no lock and does not allocate.
func (c *Cluster) Of(key string) (name string, ok bool) {
	t := c.table.Load()
	if i := t.of[Slot(key)]; i > 0 {
		return t.names[i-1], true
	}
	return "", false
}

// Close cuts what goes on in the background, waits for its end and closes the connections, but for those of the Probers, which
// know nothing from then on. It is idempotent.
func (c *Cluster) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.work.Wait()
	return nil
}

// node is how a node is reached.
func (c *Cluster) node(at string) Settings {
	s := c.set.Node
	s.Network, s.Address = "tcp", at
	return s
}

// believe takes in who serves which slots. It is called under the lock.
func (c *Cluster) believe(spans []span, now time.Time) {
	c.spans = spans
	groups := grouped(spans)
	are := kin(c.shards, groups)
	same := len(c.shards) == len(groups)
	for _, s := range c.shards {
		if !slices.Contains(are, s) {
			s.leave()
			s.nodes.end()
			same = false
		}
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(are, func(s *shard) bool { return s != nil && s.name == name })
	}
	for i, group := range groups {
		if are[i] == nil {
			are[i] = c.shard(nameFor(group[0].first, taken), group, now)
			same = false
			continue
		}
		are[i].move(c.ctx, group, now)
	}
	c.shards = are
	t := &table{}
	for i, s := range are {
		t.names = append(t.names, s.name)
		for _, span := range s.spans {
			for slot := span.first; slot <= span.last; slot++ {
				t.of[slot] = uint16(i + 1)
			}
		}
	}
	c.table.Store(t)
	if !same {
		close(c.changed)
		c.changed = make(chan struct{})
	}
}

// shard is a new one. It is called under the lock.
func (c *Cluster) shard(name string, spans []span, now time.Time) *shard {
	s := &shard{name: name, master: spans[0].master, spans: spans, prober: &shardProber{cluster: c, name: name}}
	s.stay, s.leave = context.WithCancel(c.ctx)
	s.nodes = succession{lock: &c.mu, ctx: c.ctx, work: &c.work, node: c.node, grace: moveGrace,
		ask: func(ctx context.Context, l *link) (role, error) {
			c.mu.Lock()
			tag := s.tag
			c.mu.Unlock()
			return l.owns(ctx, tagged(c.set.Node.Prefix, tag)+"owner")
		}}
	s.steady(now)
	return s
}

// move gives the shard its slots and its node.
func (s *shard) move(ctx context.Context, spans []span, now time.Time) {
	at, to := s.at(now), spans[0].master
	s.spans = spans
	if to != s.master {
		s.nodes.shift(s.master, to, now)
		if at == to { // the one before has sent us there, and so does nothing any more
			s.nodes.current.role, s.nodes.former[len(s.nodes.former)-1].role = primary, replica
		}
		s.master, s.detour = to, ""
	}
	if s.steady(now) || s.at(now) != at {
		s.turn(ctx)
	}
}

// named returns the shard of that name; nil where there is none. It is called under the lock.
func (c *Cluster) named(name string) *shard {
	i := slices.IndexFunc(c.shards, func(s *shard) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return c.shards[i]
}

// aim is what a probe of a shard is to probe.
type aim struct {
	at, tag string
	stay    context.Context // ends when that is something else
}

func (c *Cluster) aim(name string) (aim, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.named(name)
	switch {
	case c.closed:
		return aim{}, errClosed
	case s == nil:
		return aim{}, errVanished
	}
	now := time.Now()
	if s.steady(now) {
		s.turn(c.ctx)
	}
	if s.tag == "" {
		return aim{}, errNoSlot
	}
	return aim{s.at(now), s.tag, s.stay}, nil
}

// redirect takes in that a node sent the canary of a shard elsewhere: all are asked at once and, until they have answered, the
// word of the node that is asked by the apps as well is enough. Where it names another shard's node, or means this key only, the
// slot is moving, and another is probed.
func (c *Cluster) redirect(name string, from aim, r redirection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hasten(true)
	s := c.named(name)
	now := time.Now()
	if s == nil || s.at(now) != from.at || s.tag != from.tag {
		return // that has been heard already
	}
	others := slices.ContainsFunc(c.shards, func(o *shard) bool { return o != s && o.master == r.to })
	switch {
	case r.ask || others:
		s.avoided = append(s.avoided, avoided{s.slot, now.Add(avoidFor)})
		s.steady(now)
	case r.to == s.master:
		s.detour = ""
	default:
		s.detour, s.until = r.to, now.Add(detourFor)
	}
	s.turn(c.ctx)
}

// hearOut gives the nodes of a shard that has just got another the time to hear of it, and to say what they are, if ctx has it: a
// failover that goes well closes nothing.
func (c *Cluster) hearOut(ctx context.Context, name string, from aim) {
	for {
		c.mu.Lock()
		s := c.named(name)
		heard := s == nil || !s.nodes.unheard(time.Now(), from.at)
		c.mu.Unlock()
		if heard || !pause(ctx, hearGap) {
			return
		}
	}
}

// settle is e, which came of that aim, as it counts by what the nodes of the shard say, with what is to be told.
func (c *Cluster) settle(name string, from aim, e store.Evidence) store.Evidence {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.named(name)
	if s == nil {
		return store.Evidence{Err: errVanished}
	}
	now := time.Now()
	if e.Err != nil {
		e.Err = fmt.Errorf("%s: %w", from.at, e.Err)
	}
	s.impaired = e.State.Impaired()
	if s.impaired && now.Sub(s.hastened) >= memberGap {
		s.hastened = now
		c.hasten(true)
	}
	e = decide(e, s.nodes.current.claim(now), s.nodes.claims(now, from.at))
	if e.Cause == shed.CauseStalePrimary && s.nodes.unheard(now, from.at) {
		e.Definite = false
	}
	if why := c.unwell(s, now); why != nil && e.Err == nil && now.Sub(s.toldOf) >= tellGap {
		e.Err, s.toldOf = why, now
	}
	return e
}

// unwell is what an operator is to hear of though the store does not suffer from it; nil: nothing. It is called under the lock.
func (c *Cluster) unwell(s *shard, now time.Time) error {
	if now.Sub(c.heard) >= dividedFor {
		return fmt.Errorf("%w: %w", errUnheard, c.complaints())
	}
	return s.nodes.reticent(now)
}

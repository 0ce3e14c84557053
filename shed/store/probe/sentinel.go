package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"gatehouse/shed/store"
)

// SentinelSettings is which store is probed, and which Sentinels say where it is.
type SentinelSettings struct {
	Master    string   // the name under which the Sentinels know the store
	Sentinels []string // host:port of each; one that is named twice counts once
	Username  string   // at the Sentinels; empty: the default user
	// Password is that of the Sentinels, asked at each new connection, possibly by several goroutines at a time; nil: none.
	Password func() (string, error)
	TLS      *TLS // towards the Sentinels; nil: none

	// Node is how the node itself is probed; its Network and Address are not looked at. Its Resolve serves for the Sentinels'
	// names, too. Its user needs ROLE beside what Settings says, or INFO in its place.
	Node Settings
}

// firstOf is how long, while no address is known, a majority is waited for before one Sentinel's word is taken.
const firstOf = 300 * time.Millisecond

var (
	errNoAddress = errors.New("no Sentinel has named the store's address")
	errStale     = errors.New("another primary has been named, and the one before it may still take writes that will be thrown away")
	errUnsettled = errors.New("the primary that has been named does not say that it is one yet")
	errDivided   = errors.New("no majority of the Sentinels names a primary")
)

// Sentinel probes the node that the majority of Sentinels names as the primary. It is a store.Prober: Probe is not to be
// called concurrently with itself, nor are Greet and Beat; Close only when they have returned. It connects, to the Sentinels too,
// with the first of them.
type Sentinel struct {
	set    SentinelSettings
	voters []*voter
	gap    time.Duration // between two questions to a Sentinel that nobody hastens
	ctx    context.Context
	stop   context.CancelFunc
	work   sync.WaitGroup
	once   sync.Once

	mu      sync.Mutex
	inner   *Redis // probes the node; nil before an address is known
	where   string // the node that it probes
	begun   time.Time
	at      string          // the node that is probed; empty: none has been named yet
	elected bool            // by a majority
	stay    context.Context // ends when at changes
	leave   context.CancelFunc
	agreed  time.Time // when a majority was last there
	nodes   succession
	toldOf  time.Time // when an evidence last told of something that is not well
	closed  bool

	beats beats
}

var _ store.Prober = (*Sentinel)(nil)

// NewSentinel returns a prober of the store that s names.
func NewSentinel(s SentinelSettings) *Sentinel {
	p := &Sentinel{set: s, gap: voteGap}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.stay, p.leave = context.WithCancel(p.ctx)
	p.nodes = succession{lock: &p.mu, ctx: p.ctx, work: &p.work, node: p.node, ask: roleOfNode}
	for i, address := range s.Sentinels {
		if slices.Contains(s.Sentinels[:i], address) {
			continue
		}
		p.voters = append(p.voters, &voter{address: address, kick: make(chan struct{}, 1), node: New(Settings{
			Network: "tcp", Address: address, TLS: s.TLS, Username: s.Username, Password: s.Password, Resolve: s.Node.Resolve,
		})})
	}
	return p
}

// Probe probes the primary, as Redis.Probe does. See store.Prober.
//
// When the majority moves to another node the store counts as read-only, by the cause stale_primary, until no node before it says
// that it is a primary any more and the new one does, for half a minute at most: see decide. Where no Sentinel has ever named an address the evidence says nothing about the store. What does not harm it, but is to
// be put right, is told in the Err of an evidence once a minute: no majority of the Sentinels, a node that refuses ROLE.
func (p *Sentinel) Probe(ctx context.Context, payload int) store.Evidence {
	for {
		r, err := p.follow(ctx)
		if err != nil {
			return store.Evidence{Err: err}
		}
		e, same := p.probe(ctx, r, payload)
		if same || ctx.Err() != nil {
			return p.settle(e)
		}
		// The majority moved meanwhile: what the node before met is no news.
	}
}

// probe is r's probe, which ends early, and is no longer of the right node, where the majority moves.
func (p *Sentinel) probe(ctx context.Context, r *Redis, payload int) (e store.Evidence, same bool) {
	p.mu.Lock()
	stay := p.stay
	same = p.at == p.where
	p.mu.Unlock()
	if !same {
		return store.Evidence{Err: errUnsettled}, false
	}
	return r.probeUntil(ctx, stay, payload)
}

// follow returns the prober of the node that is to be probed, a new one where that is another. It waits until there is one, or
// ctx ends.
func (p *Sentinel) follow(ctx context.Context) (*Redis, error) {
	at, err := p.address(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if at != p.where {
		if old := p.inner; old != nil {
			p.work.Go(func() { _ = old.Close() })
		}
		p.inner, p.where = New(p.node(at)), at
	}
	return p.inner, nil
}

// node is how a node is reached.
func (p *Sentinel) node(at string) Settings {
	s := p.set.Node
	s.Network, s.Address = "tcp", at
	return s
}

// address returns the address of the node that is to be probed.
func (p *Sentinel) address(ctx context.Context) (string, error) {
	p.once.Do(p.start)
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return "", errClosed
		}
		if p.at == "" {
			p.count(time.Now()) // firstOf may be over
		}
		at, stay := p.at, p.stay
		p.mu.Unlock()
		if at != "" {
			return at, nil
		}
		select {
		case <-stay.Done():
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return "", ctx.Err()
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			return "", fmt.Errorf("%w: %w", errNoAddress, p.complaints())
		}
	}
}

func (p *Sentinel) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.begun = time.Now()
	p.agreed = p.begun
	for _, v := range p.voters {
		p.work.Go(func() { p.poll(v) })
		p.work.Go(func() { p.listen(v) })
	}
}

// settle is e as it counts by what the nodes say of themselves, with what is to be told.
func (p *Sentinel) settle(e store.Evidence) store.Evidence {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	e = decide(e, p.nodes.current.claim(now), p.nodes.claims(now, p.where))
	if why := p.unwell(now); why != nil && e.Err == nil && now.Sub(p.toldOf) >= tellGap {
		e.Err, p.toldOf = why, now
	}
	return e
}

// unwell is what an operator is to hear of though the store does not suffer from it; nil: nothing. It is called under the lock.
func (p *Sentinel) unwell(now time.Time) error {
	if now.Sub(p.agreed) >= dividedFor {
		return fmt.Errorf("%w: %w", errDivided, p.complaints())
	}
	return p.nodes.reticent(now)
}

// Greet makes a new link to the node that the Sentinels name. See store.Prober.
func (p *Sentinel) Greet(ctx context.Context) store.Evidence {
	r, err := p.follow(ctx)
	if err != nil {
		return store.Evidence{Err: err}
	}
	return r.Greet(ctx)
}

// Close cuts what goes on in the background, waits for its end and closes the connections.
func (p *Sentinel) Close() error {
	p.mu.Lock()
	p.closed = true
	inner := p.inner
	p.mu.Unlock()
	p.stop()
	if inner != nil {
		_ = inner.Close()
	}
	p.beats.close()
	p.work.Wait()
	for _, v := range p.voters {
		_ = v.node.Close()
	}
	return nil
}

// pause waits, and reports whether the prober is still open, or ctx lives.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

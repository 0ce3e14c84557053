package probe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

const (
	lateFor    = 2 * time.Second // how long an unanswered probe goes on in the background
	probeLives = 5 * time.Second // the written value, in the store
	renewGap   = time.Second     // between two attempts to renew a link
	tellGap    = time.Minute     // between two evidences that tell of a renewal that failed
)

// Settings is which store is probed, and as whom.
type Settings struct {
	Network  string                 // "tcp" or "unix"; empty: as Address looks
	Address  string                 // host:port, or the path of a socket
	TLS      *TLS                   // nil: none
	Username string                 // empty: the default user
	Password func() (string, error) // asked at each new connection, so that it may rotate; nil: none
	DB       int
	Prefix   string // of every key that is written: an ACL needs GET and SET on it, and INFO for the vitals
	Instance string // names this Gatehouse in the keys, for a person; need not be unique

	// Resolve says where a host name leads, in the order in which its addresses are to be tried; nil: as the system does. It
	// must return when ctx ends, and is called concurrently.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Redis probes one Redis node. It is a store.Prober: Probe is not to be called concurrently, Close only when it has returned.
type Redis struct {
	set   Settings
	host  string // of the address; empty for a socket
	id    string // in the keys
	ctx   context.Context
	stop  context.CancelFunc
	work  sync.WaitGroup
	shook atomic.Bool // a TLS handshake has succeeded

	mu       sync.Mutex
	name     name
	inquiry  inquiry
	idle     *link // for the next probe
	late     *attempt
	slow     bool   // the last late probe was answered in the end, and none was in time since
	begun    uint64 // probes so far
	inTime   uint64 // the last one that was answered in time
	canary   canary
	renewing bool
	renewed  time.Time // when that was last tried
	failed   error     // why that did not succeed; nil where it did
	toldOf   time.Time // when an evidence last said so
	closed   bool

	beats beats
}

var _ store.Prober = (*Redis)(nil)

var errClosed = errors.New("the prober is closed")

// New returns a prober of the store that s names. It connects with the first probe.
func New(s Settings) *Redis {
	if s.Network == "" {
		s.Network = "tcp"
		if strings.HasPrefix(s.Address, "/") {
			s.Network = "unix"
		}
	}
	r := &Redis{set: s, name: named(s.Network, s.Address, s.Resolve), id: rand.Text()[:12], canary: canary{value: rand.Text()}}
	if s.Instance != "" {
		r.id = s.Instance + ":" + r.id
	}
	if s.Network != "unix" {
		r.host, _, _ = net.SplitHostPort(s.Address)
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r
}

func (r *Redis) probeKey() string  { return r.set.Prefix + "probe:" + r.id }
func (r *Redis) canaryKey() string { return r.set.Prefix + "canary:" + r.id }

// Probe writes and reads a canary of payload bytes. See store.Prober.
//
// Where the link works and cannot be renewed (a certificate that has ended, a password that was changed, a name that does
// not resolve), the evidence is as good as ever and its Err says so, once a minute: the next connection will not be had.
func (r *Redis) Probe(ctx context.Context, payload int) store.Evidence {
	if late := r.dialling(); late != nil {
		select {
		case <-late.done:
		case <-ctx.Done():
			return r.still(ctx, late)
		}
	}
	a, l, err := r.begin(ctx)
	if err != nil {
		return store.Evidence{Err: err}
	}
	r.work.Go(func() { r.run(a, l, payload) })
	select {
	case <-a.done:
	case <-ctx.Done():
	case <-a.settled:
		grace := time.NewTimer(a.grace)
		defer grace.Stop()
		select {
		case <-a.done:
		case <-ctx.Done():
		case <-grace.C:
		}
	}
	return r.conclude(ctx, a)
}

// dialling returns the late attempt if it has no connection yet, and nobody else has. A second dial beside it would not come
// through either.
func (r *Redis) dialling() *attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.late != nil && r.idle == nil && r.late.stage.Load() < connected {
		return r.late
	}
	return nil
}

// still is what can be said of a probe that found an earlier one dialling all the time.
func (r *Redis) still(ctx context.Context, late *attempt) store.Evidence {
	if errors.Is(ctx.Err(), context.Canceled) {
		return store.Evidence{Err: ctx.Err()}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return late.overdue(r.slow, r.shook.Load())
}

// begin makes an attempt and takes the idle link for it, if there is one.
func (r *Redis) begin(ctx context.Context) (*attempt, *link, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, nil, errClosed
	}
	r.begun++
	a := &attempt{number: r.begun, done: make(chan struct{}), settled: make(chan struct{}), canary: r.canary, before: r.inquiry.last}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now()
	}
	a.ctx, a.cut = context.WithDeadline(r.ctx, deadline.Add(lateFor))
	l := r.idle
	r.idle = nil
	return a, l, nil
}

// conclude returns what the attempt found or, where that is not known, what can be said by now. An attempt that has not ended
// goes on in the background, if no other does.
func (r *Redis) conclude(ctx context.Context, a *attempt) store.Evidence {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.concluded = true
	if !a.ended {
		if errors.Is(ctx.Err(), context.Canceled) {
			a.cut()
			return store.Evidence{Err: ctx.Err()}
		}
		if r.late == nil {
			r.late = a
		} else {
			a.cut()
		}
	}
	var e store.Evidence
	if a.ended || a.told {
		e = a.found
		r.slow, r.inTime = false, a.number
		r.replace(a, false) // what the server says of itself would have come by now
	} else {
		e = a.overdue(r.slow, r.shook.Load())
		if l := a.link.Load(); l != nil {
			e.Expires = l.expires
		}
	}
	e.Lost, r.canary.lost = r.canary.lost, false
	e.Vitals, r.inquiry.fresh = r.inquiry.fresh, nil
	if now := time.Now(); e.Err == nil && r.failed != nil && now.Sub(r.toldOf) >= tellGap {
		e.Err, r.toldOf = fmt.Errorf("%w: %w", errRenewal, r.failed), now
	}
	return e
}

// end notes that the attempt is over, with its link, and whether that can be used again.
func (r *Redis) end(a *attempt, found store.Evidence, l *link, whole bool) {
	a.cut()
	r.mu.Lock()
	a.found, a.ended = found, true
	if r.late == a {
		r.late = nil
		if r.inTime < a.number {
			r.slow = whole
		}
	}
	spare := r.keep(l, whole)
	if whole && l != nil && l.born.After(r.renewed) {
		r.failed = nil
	}
	r.renew(found.Cause == shed.CauseReadOnly)
	r.look()
	r.mu.Unlock()
	spare.close()
	close(a.done)
}

// keep makes l the idle link and returns the one that is not needed: the older one, or l itself.
func (r *Redis) keep(l *link, whole bool) (spare *link) {
	switch {
	case l == nil:
		return nil
	case !whole, r.closed:
		return l
	case r.idle == nil:
		r.idle = l
		return nil
	case r.idle.born.Before(l.born):
		r.idle, l = l, r.idle
	}
	return l
}

// renew replaces the idle link by a new one, in the background, if it is time: the link has lived its life, which a hurry cuts
// short, or its name leads elsewhere. The old link serves until the new one has answered.
func (r *Redis) renew(hurry bool) {
	if r.idle == nil || r.renewing || r.closed {
		return
	}
	now, life := time.Now(), r.idle.life
	if hurry {
		life = min(life, renewGap)
	}
	if now.Sub(r.renewed) < renewGap || now.Sub(r.idle.born) < life && !r.elsewhere(r.idle) {
		return
	}
	r.renewing, r.renewed = true, now
	r.work.Go(func() {
		a := &attempt{}
		a.ctx, a.cut = context.WithTimeout(r.ctx, lateFor)
		defer a.cut()
		l, err := r.connect(a)
		if err == nil {
			err = unread(func() error { return l.greet(a.ctx) })
		}
		r.mu.Lock()
		r.renewing, r.failed = false, err
		spare := r.keep(l, err == nil)
		r.mu.Unlock()
		spare.close()
	})
}

// Greet makes a new link, which takes the place of the old one where it is taken. See store.Prober.
func (r *Redis) Greet(ctx context.Context) store.Evidence {
	a := &attempt{}
	a.ctx, a.cut = context.WithCancel(ctx)
	defer a.cut()
	l, err := r.connect(a)
	if err != nil {
		return undialled(err, r.shook.Load())
	}
	if err = unread(func() error { return l.greet(a.ctx) }); err != nil {
		e := l.turnedAway(err)
		l.close()
		return e
	}
	r.mu.Lock()
	spare := r.keep(l, true)
	r.mu.Unlock()
	spare.close()
	return store.Evidence{State: shed.Writable, Cause: shed.OK, Reached: true, Expires: l.expires}
}

// Close cuts what goes on in the background, waits for its end and closes the connections.
func (r *Redis) Close() error {
	r.mu.Lock()
	r.closed = true
	l := r.idle
	r.idle = nil
	r.mu.Unlock()
	r.stop()
	r.beats.close()
	r.work.Wait()
	l.close()
	return nil
}

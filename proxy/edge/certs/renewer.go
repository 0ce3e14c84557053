package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// authority is who issues certificates, and where they are kept.
type authority interface {
	// load reads what is kept of a name; fs.ErrNotExist: nothing is.
	load(ctx context.Context, name string) (*held, error)
	// reach finds out whether the directory can be asked and what it gives be kept, without asking anything that is counted.
	reach(ctx context.Context) error
	// issue obtains or renews a name's certificate and keeps it. Its error is a *trouble.
	issue(ctx context.Context, name string) error
	// advise has what is kept of a certificate say when the directory wants it renewed, and says when to do that again.
	advise(ctx context.Context, name string) time.Time
	close()
}

// held is a certificate by ACME.
type held struct {
	cert *tls.Certificate // with its Leaf
	due  func() bool      // whether it is to be renewed now
}

// renewer sees to it that the names of an authority have certificates: it asks for those that are missing or due, and decides when
// to ask again. All its goroutines are waited for by close.
type renewer struct {
	log       *slog.Logger
	pace      pace
	authority authority
	publish   func() // after certificates have changed; called without mu
	key       string // of the settings of authority

	mu      sync.Mutex
	names   map[string]*managed
	order   []string
	told    telling
	since   time.Time          // when names were set
	stop    context.CancelFunc // nil: not started
	work    sync.WaitGroup
	running chan struct{} // one place for each attempt
	wake    chan struct{}
}

// managed is one name. The renewer's mu guards it.
type managed struct {
	name     string
	held     *held
	fresh    bool // held was read from this authority
	busy     bool
	last     time.Time // when the last attempt ended
	next     time.Time // not before then
	failures int       // since the last success, of kinds that are counted
	kind     kind
	problem  string
	at       time.Time
	advice   time.Time // when advise is next
}

func newRenewer(log *slog.Logger, p pace, a authority, publish func()) *renewer {
	return &renewer{log: log, pace: p, authority: a, publish: publish, names: make(map[string]*managed),
		running: make(chan struct{}, p.most), wake: make(chan struct{}, 1), told: telling{log: log}}
}

// inherit takes over the certificates of a renewer that was closed, to be served until there are others. before may be nil.
func (r *renewer) inherit(before *renewer) {
	if before == nil {
		return
	}
	for name, m := range before.names {
		r.names[name] = &managed{name: name, held: m.held}
	}
}

// set replaces the names, and lets those be tried again that wait after a failure.
func (r *renewer) set(names []string) {
	r.mu.Lock()
	kept := make(map[string]*managed, len(names))
	r.order = nil
	for _, name := range names {
		if kept[name] != nil {
			continue
		}
		m := r.names[name]
		if m == nil {
			m = &managed{name: name}
		}
		switch m.kind {
		case unproved, turnedDown, limited:
			if soon := m.last.Add(afterReload); soon.Before(m.next) {
				m.next = soon
			}
		case fine:
		default:
			m.next = time.Time{}
		}
		kept[name] = m
		r.order = append(r.order, name)
	}
	r.names, r.since = kept, time.Now()
	r.mu.Unlock()
	r.preload()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// preload takes in what is kept of new names, so that a process that starts can serve at once. It gives up soon: run goes on.
func (r *renewer) preload() {
	ctx, cancel := context.WithTimeout(context.Background(), r.pace.preload)
	defer cancel()
	var some sync.WaitGroup
	r.mu.Lock()
	for _, m := range r.names {
		if !m.fresh {
			some.Go(func() { _, _ = r.load(ctx, m) })
		}
	}
	r.mu.Unlock()
	some.Wait()
}

// settle waits until listeners that came with the names have been opened: a challenge that comes before would be lost, and counted.
func (r *renewer) settle(ctx context.Context) {
	r.mu.Lock()
	left := r.pace.settle - time.Since(r.since)
	r.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-time.After(left):
	}
}

// start begins the work, once.
func (r *renewer) start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stop != nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.work.Go(func() { r.run(ctx) })
}

// close ends the work and waits for it. The certificates stay.
func (r *renewer) close() {
	r.mu.Lock()
	stop := r.stop
	r.stop = func() {}
	r.mu.Unlock()
	if stop != nil {
		stop()
	}
	r.work.Wait()
	r.authority.close()
}

func (r *renewer) run(ctx context.Context) {
	every := time.NewTicker(r.pace.round)
	defer every.Stop()
	for {
		for _, m := range r.ready() {
			r.work.Go(func() {
				defer r.done(m)
				select {
				case r.running <- struct{}{}:
					defer func() { <-r.running }()
					r.attend(ctx, m)
				case <-ctx.Done():
				}
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		case <-r.wake:
		}
	}
}

// ready marks and returns the names that need something now.
func (r *renewer) ready() []*managed {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	var some []*managed
	for _, name := range r.order {
		m := r.names[name]
		idle := m.held != nil && m.fresh && !m.held.due() && now.Before(m.advice)
		if m.busy || idle || now.Before(m.next) {
			continue
		}
		m.busy = true
		some = append(some, m)
	}
	return some
}

func (r *renewer) done(m *managed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m.busy = false
}

// attend does for one name what it needs: what is kept may be enough, as another Gatehouse may have renewed it.
func (r *renewer) attend(ctx context.Context, m *managed) {
	ctx, cancel := context.WithTimeout(ctx, r.pace.attempt)
	defer cancel()
	h, err := r.load(ctx, m)
	if err == nil && !h.due() {
		if !r.advise(ctx, m) {
			return
		}
		if h, err = r.load(ctx, m); err == nil && !h.due() {
			return
		}
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		r.settle(ctx)
		if err = r.reach(ctx); err == nil {
			if err = r.authority.issue(ctx, m.name); err == nil {
				_, err = r.load(ctx, m)
			}
		}
	}
	if err != nil {
		r.fail(ctx, m, err)
	}
}

// load takes in what is kept.
func (r *renewer) load(ctx context.Context, m *managed) (*held, error) {
	h, err := r.authority.load(ctx, m.name)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	another := m.held == nil || !m.held.cert.Leaf.Equal(h.cert.Leaf)
	m.held, m.fresh = h, true
	if !h.due() {
		m.kind, m.problem, m.failures, m.at, m.next = fine, "", 0, time.Time{}, time.Time{}
	}
	r.mu.Unlock()
	if another {
		r.publish()
		r.told.here(m.name, h.cert.Leaf)
	}
	return h, nil
}

// advise reports whether the authority was asked when it wants the certificate renewed.
func (r *renewer) advise(ctx context.Context, m *managed) bool {
	r.mu.Lock()
	soon := time.Now().Before(m.advice)
	r.mu.Unlock()
	if soon {
		return false
	}
	again := r.authority.advise(ctx, m.name)
	r.mu.Lock()
	defer r.mu.Unlock()
	m.advice = again
	return true
}

func (r *renewer) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.pace.reach)
	defer cancel()
	err := r.authority.reach(ctx)
	if err == nil {
		r.told.reached()
	}
	return err
}

// fail notes what went wrong and when to try again. That the work is ended is nothing wrong.
func (r *renewer) fail(ctx context.Context, m *managed, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	k := unkept
	if t := (*trouble)(nil); errors.As(err, &t) {
		k = t.kind
	}
	r.mu.Lock()
	if k != unreached && k != unkept {
		m.failures++
	}
	now := time.Now()
	m.kind, m.problem, m.at, m.last = k, err.Error(), now, now
	m.next = now.Add(r.pace.wait(k, m.failures, rand.Float64()))
	next, h := m.next, m.held
	missing, due := r.wanting()
	r.mu.Unlock()
	r.told.failed(m.name, k, err, h, missing, due, next)
}

// wanting are the names that have no certificate, and those that want another.
func (r *renewer) wanting() (missing, due []string) {
	for _, name := range r.order {
		switch m := r.names[name]; {
		case m.held == nil:
			missing = append(missing, name)
		case m.held.due():
			due = append(due, name)
		}
	}
	return missing, due
}

// certificates are those that are there.
func (r *renewer) certificates() map[string]*tls.Certificate {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[string]*tls.Certificate, len(r.names))
	for name, m := range r.names {
		if m.held != nil {
			all[name] = m.held.cert
		}
	}
	return all
}

// knows reports whether a name is one of ours.
func (r *renewer) knows(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.names[name] != nil
}

func (r *renewer) status() []Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]Status, 0, len(r.order))
	for _, name := range r.order {
		m := r.names[name]
		s := Status{Names: []string{name}, Source: "acme", Missing: m.held == nil, Error: m.problem, ErrorAt: m.at, Next: m.next}
		if m.held != nil {
			s.NotBefore, s.NotAfter = m.held.cert.Leaf.NotBefore, m.held.cert.Leaf.NotAfter
		}
		all = append(all, s)
	}
	return all
}

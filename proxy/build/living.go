package build

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"gatehouse/config"
	"gatehouse/proxy"
	"gatehouse/proxy/edge"
	"gatehouse/proxy/edge/certs"
	"gatehouse/proxy/record"
	"gatehouse/shed/line"
	"gatehouse/shed/quota"
	"gatehouse/shed/session"
)

// Living is what outlives any one file. Its methods belong to one goroutine, except Status, which anybody may call.
//
// Make one with New; end it with Drain.
type Living struct {
	Handler *proxy.Handler
	Record  *record.Recorder
	Log     *slog.Logger
	// Listen opens sockets; nil: edge.Listen. It is set before the first Plan.
	Listen func(network, address string) (net.Listener, error)
	// Seal signs Gatehouse's own cookies where the file names no keys. New makes one of its own; another is set before the first
	// Plan.
	Seal *session.Seal
	// StartRamp has sign-ins come back by the ramp from the beginning, because they did so in the process before. It is set before
	// the first Plan.
	StartRamp bool

	pools  map[string]*proxy.Pool
	quotas map[quotaIdentity]*quota.Limiter
	// quotaStore is where several Gatehouses count together; nil: none.
	quotaStore *livingQuotaStore
	store      *livingStore // nil: none
	line       *line.Line
	lines      map[string]*line.Line // of the members of a store, by name
	strained   *quota.Limiter        // sign-ins while the store is strained
	signedOut  *session.SignedOut    // ids that were signed out while the app could not do it
	waits      proxy.Waits
	newPlaces  *quota.Limiter // in the line, for one network
	pages      pageLimits
	listeners  map[config.Address]*edge.Server
	certs      *certs.Keeper // of all listeners

	closing context.Context // ends when Drain cuts what is left
	cut     context.CancelFunc

	retiring sync.WaitGroup // goroutines that wait for the last exchange of a dropped Runtime
	serving  sync.WaitGroup // listeners that accept
}

// New returns a Living that serves nobody yet: Plan and Commit a first file.
func New(rec *record.Recorder, log *slog.Logger) *Living {
	l := &Living{
		Handler: &proxy.Handler{Record: rec, Log: log}, Record: rec, Log: log,
		pools: map[string]*proxy.Pool{}, quotas: map[quotaIdentity]*quota.Limiter{},
		newPlaces: quota.New(quota.Settings{Rate: 10, Burst: 100}), // an office behind one address comes at once, too
		Seal:      session.NewSeal(), line: new(line.Line), strained: quota.New(quota.Settings{}), signedOut: session.NewSignedOut(), pages: newPageLimits(),
		listeners: map[config.Address]*edge.Server{}, lines: map[string]*line.Line{}, certs: certs.New(log),
	}
	l.closing, l.cut = context.WithCancel(context.Background())
	rec.Watch(l.sample)
	return l
}

func (l *Living) listen(a config.Address) (net.Listener, error) {
	if l.Listen != nil {
		return l.Listen(a.Network, a.Address)
	}
	return edge.Listen(a.Network, a.Address)
}

// lineOf returns the line of a member of a store. It survives a reload, as places do.
func (p *Plan) lineOf(member string) *line.Line {
	if l := p.living.lines[member]; l != nil {
		return l
	}
	return new(line.Line)
}

// keepLines keeps the lines of the stores in force that are members, and no others. The first store is the whole.
func (l *Living) keepLines(stores []*proxy.Store) {
	clear(l.lines)
	for i, s := range stores {
		if i > 0 {
			l.lines[s.Name] = s.Line
		}
	}
}

// Ready turns the health path of every listener on or off.
func (l *Living) Ready(ready bool) {
	for _, s := range l.listeners {
		s.SetReady(ready)
	}
}

// Leave has visitors leave: nobody is accepted any more, every answer ends its connection, and what has no request is kept, until
// none is left, or grace is over, or ctx has ended. The health paths go on, since another process serves the same addresses.
func (l *Living) Leave(ctx context.Context, grace time.Duration) {
	for _, s := range l.listeners {
		s.Leave()
	}
	linger(ctx, grace, func() (n int) {
		for _, s := range l.listeners {
			n += s.Conns()
		}
		return n
	})
}

// Addresses are where visitors are served, in no order.
func (l *Living) Addresses() []string {
	var all []string
	for _, s := range l.listeners {
		all = append(all, s.Address().String())
	}
	return all
}

// Drain stops accepting, lets what is in flight end until ctx does, cuts the rest, and closes all that lives. It returns ctx's
// error if something had to be cut.
func (l *Living) Drain(ctx context.Context) error {
	l.Ready(false)
	defer context.AfterFunc(ctx, l.cut)() // listeners that a reload dropped have no more time than the others
	var wg sync.WaitGroup
	errs := make(chan error, len(l.listeners))
	for _, s := range l.listeners {
		wg.Go(func() { errs <- s.Drain(ctx) })
	}
	wg.Wait()
	close(errs)
	var all error
	for err := range errs {
		all = errors.Join(all, err)
	}
	l.serving.Wait()
	l.retiring.Wait() // before the live Runtime retires: a dropped listener may still begin an exchange on it
	l.cut()
	if rt := l.Handler.Live(); rt != nil {
		<-rt.Retire()
	}
	l.certs.Close()
	for _, p := range l.pools {
		p.Backends.Close()
	}
	if l.store != nil {
		l.store.close()
	}
	if l.quotaStore != nil {
		l.quotaStore.close()
	}
	l.Record.Watch(nil)
	return all
}

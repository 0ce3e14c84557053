package upstream

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Settings is what an operator says about a pool. A zero duration is its default, but for SlowStart.
type Settings struct {
	Name     string
	Backends []BackendSettings // by URL; a second one of the same URL is ignored
	Health   *HealthSettings   // nil: every backend is believed to be up
	// DialTimeout is how long a connection may take until it can be used, TLS included; 2s.
	DialTimeout time.Duration
	TLS         *TLS // of https and h2 backends; nil is the zero TLS
	// ProxyProtocol is the version, 1 or 2, of the PROXY header that each connection begins with, and tells a Request's Peer and
	// Local by; such a connection carries one request. 0: none. To h2c and h2 backends none is sent.
	ProxyProtocol int
	Retries       RetrySettings
	Eject         *EjectSettings // nil: nobody is ejected
	// SlowStart is how long a backend takes to its full part of the claims, when it was added, came back up, or an ejection is
	// over; 0: no time at all.
	SlowStart time.Duration
	// OnHealth is told of every Change of a backend, one at a time and in their order, by the goroutine of Start. nil: nobody.
	OnHealth func(BackendStatus)
}

// BackendSettings is one server of a pool.
type BackendSettings struct {
	// URL is its identity, and how it is spoken with: "http://host:port", "https://host:port", "h2c://host:port" (HTTP/2 without
	// TLS), "h2://host:port" (with), or "unix:/path" (HTTP/1).
	URL     string
	Network string // "tcp", which "" means too, or "unix"
	Address string // where to connect: host:port, or a path
}

// HealthSettings is how a backend is checked: GET Path, and a status of 2xx or 3xx in time is a good check.
type HealthSettings struct {
	Path     string
	Interval time.Duration // 2s, give or take a tenth
	Timeout  time.Duration // 1s
}

const (
	defaultDialTimeout    = 2 * time.Second
	defaultHealthInterval = 2 * time.Second
	defaultHealthTimeout  = time.Second
)

// Pool is a named set of backends. It is made by NewPool and is safe for concurrent use.
type Pool struct {
	log  *slog.Logger
	kick chan struct{} // wakes the watcher to check; holds one
	told chan struct{} // wakes the watcher to tell news; holds one

	mu       sync.Mutex
	settings Settings
	backends []*backend
	inFlight int       // open claims, those of dropped backends included
	inUse    int       // backends that are up and not ejected
	evenFrom time.Time // nobody rests or warms up from then on; the zero time: nobody does now
	budget   budget
	unused   *claimed        // those of claims that have ended, as many as were open at once
	news     []BackendStatus // to be told

	results    uint64    // that said something, counted; their numbers are the order in which things happened
	ejected    int       // backends that are out
	nextReturn time.Time // of the first of them
	closed     bool
	cancel     context.CancelFunc // of the watcher; nil before Start
	done       chan struct{}      // closed when the watcher has ended
}

// NewPool returns a pool whose backends are believed to be up. It starts nothing; a nil log is silent.
func NewPool(s Settings, log *slog.Logger) *Pool {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := &Pool{log: log, kick: make(chan struct{}, 1), told: make(chan struct{}, 1)}
	p.Set(s)
	return p
}

// Set puts new settings in place. A backend whose URL stays keeps its state, its claims and its connections; one that is
// dropped is not chosen any more, and its last connection goes with its last claim. No claim is revoked. One that is added to
// others that stay begins slowly; where all are new, nobody is to be spared.
func (p *Pool) Set(s Settings) {
	if s.DialTimeout <= 0 {
		s.DialTimeout = defaultDialTimeout
	}
	if s.Health != nil {
		h := *s.Health
		if h.Interval <= 0 {
			h.Interval = defaultHealthInterval
		}
		if h.Timeout <= 0 {
			h.Timeout = defaultHealthTimeout
		}
		s.Health = &h
	}
	s.Eject = s.Eject.withDefaults()
	now := time.Now()
	p.mu.Lock()
	due := !sameChecks(p.settings.Health, s.Health)
	was := make(map[string]*backend, len(p.backends))
	for _, b := range p.backends {
		was[b.url] = b
	}
	p.settings, p.backends = s, nil
	var added []*backend
	kept := make(map[string]bool, len(s.Backends))
	for _, bs := range s.Backends {
		if kept[bs.URL] {
			continue
		}
		kept[bs.URL] = true
		b := was[bs.URL]
		if b == nil {
			b, due = newBackend(p, bs.URL), true
			added = append(added, b)
		}
		delete(was, bs.URL)
		b.reach(bs, &s)
		if s.Health == nil && !b.up {
			p.rise(b, now)
		}
		if s.Eject == nil {
			b.forget()
		}
		p.backends = append(p.backends, b)
	}
	for _, b := range was {
		b.retired = true
	}
	if len(added) < len(p.backends) {
		for _, b := range added {
			b.warmFrom = now
		}
	}
	p.settle(now)
	p.mu.Unlock()
	for _, b := range was {
		b.retire()
	}
	if !due {
		return
	}
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

func sameChecks(a, b *HealthSettings) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// Start begins to check the backends' health and to tell OnHealth, in one goroutine that Close ends. It is called at most once.
func (p *Pool) Start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.done != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel, p.done = cancel, make(chan struct{})
	go p.watch(ctx)
}

// Close ends the health checks and waits for their end. The pool itself retires: claims that are open go on, and an exchange
// that began before may still claim; each backend's connections are closed with its last claim. Close is idempotent.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	cancel, done, backends := p.cancel, p.done, p.backends
	for _, b := range backends {
		b.retired = true
	}
	p.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
	for _, b := range backends {
		b.retire()
	}
}

// Name is the pool's name.
func (p *Pool) Name() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.settings.Name
}

// InFlight is how many claims are open, on dropped backends too.
func (p *Pool) InFlight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inFlight
}

// BackendStatus is what is known of one backend at one moment.
type BackendStatus struct {
	Pool, URL string
	Up        bool // by the health checks; true where there are none
	InFlight  int
	Claims    uint64 // since the backend was first named
	Failures  uint64 // claims that ended with an error of the backend
	LastError string // of a claim or a check; "" when there was none
	LastFail  time.Time

	Ejected      bool      // out of use for what became of requests
	EjectedUntil time.Time // where Ejected
	Warming      bool      // not yet at its full part of the claims
	Change       Change    // what OnHealth is told of; none in what Status returns
	Why          Why       // of the Change
}

// Status returns every backend in the order of the settings.
func (p *Pool) Status() []BackendStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.lapse(now)
	all := make([]BackendStatus, 0, len(p.backends))
	for _, b := range p.backends {
		all = append(all, b.status(now))
	}
	return all
}

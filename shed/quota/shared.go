package quota

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/shed"
)

// SharedSettings is where quotas are counted together, and how long anybody waits for it.
type SharedSettings struct {
	Network  string                 // "tcp" or "unix"; empty: as Address looks
	Address  string                 // host:port, or the path of a socket
	Username string                 // empty: the default user
	Password func() (string, error) // asked at each new connection, so that it may rotate; nil: none
	DB       int
	TLS      *tls.Config   // nil: none. An empty ServerName means Address's host
	Prefix   string        // of every key: an ACL needs EVAL, EVALSHA, TIME, PING, and GET, SET and DEL on it
	Timeout  time.Duration // how long one Take waits for it at the most; 5 ms where it is not positive
}

const (
	defaultTimeout = 5 * time.Millisecond
	// queue is how many events and refunds may wait to be sent; batch is how many are sent at once.
	queue = 1024
	batch = 256
	// checkGap is how often the store is tried while nobody asks, so that it is not a visitor who finds it gone.
	checkGap = time.Second
)

// Shared is one store (Redis) that counts quotas for several processes. It is safe for concurrent use by many Limiters, and
// must be closed by who made it, after the exchanges that hold its Charges.
//
// Whatever the store does, it holds two goroutines and no more than two connections: one goroutine sends what Limiters ask, as
// many events at once as have come meanwhile, and one at a time connects. The store should therefore answer within half of
// Timeout, as one in the same place does.
//
// It is up from when a script has written something until the first error or the first answer that is later than Timeout.
// From then on it is away: nobody waits for it, and it is tried again at once if it had answered for a second, then after
// 20 ms, then after twice as long each time, up to a second.
type Shared struct {
	set    SharedSettings
	trials string // the key that is written to try it
	ctx    context.Context
	stop   context.CancelFunc
	work   sync.WaitGroup

	asks     chan *ask
	dialled  chan dialled
	up       atomic.Bool
	standIns atomic.Uint64
	lost     atomic.Uint64

	mu    sync.Mutex
	since time.Time
	err   error
}

type dialled struct {
	link *link
	err  error
}

// SharedStatus is how a shared store does.
type SharedStatus struct {
	Up          bool
	Since       time.Time  // since when it is up, or away
	StandIns    uint64     // events that this process decided alone, because no answer came or was to be expected
	LostRefunds uint64     // refunds that the store never heard of: each cost a visitor one event
	LastError   error      // what last failed; nil: nothing has. It stays when the store is up again
	Cause       shed.Cause // what LastError means; shed.OK where there was none
}

// NewShared returns a shared store and begins to connect. It is away until that has succeeded.
func NewShared(s SharedSettings) *Shared {
	if s.Network == "" {
		s.Network = "tcp"
		if strings.HasPrefix(s.Address, "/") {
			s.Network = "unix"
		}
	}
	if s.Timeout <= 0 {
		s.Timeout = defaultTimeout
	}
	h := &Shared{
		set: s, trials: s.Prefix + "trial:" + rand.Text()[:12],
		asks: make(chan *ask, queue), dialled: make(chan dialled, 1), since: time.Now(),
	}
	h.ctx, h.stop = context.WithCancel(context.Background())
	h.work.Go(h.serve)
	return h
}

// Status says how the store does.
func (s *Shared) Status() SharedStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return SharedStatus{
		Up: s.up.Load(), Since: s.since, StandIns: s.standIns.Load(), LostRefunds: s.lost.Load(),
		LastError: s.err, Cause: cause(s.err),
	}
}

// Close sends what refunds are queued, where the store takes them within Timeout, and waits for the goroutines to end. A
// Limiter that still has the Shared counts alone from then on. Closing it again does nothing.
func (s *Shared) Close() {
	s.stop()
	s.work.Wait()
}

// turn notes that the store is up, or away for a reason; a reason while up is one for which it cannot be reached anew.
func (s *Shared) turn(up bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.err = err
	}
	if s.up.Load() != up {
		s.up.Store(up)
		s.since = time.Now()
	}
}

// trial is an event that is always let through, and written.
func (s *Shared) trial() *ask {
	return &ask{key: s.trials, allows: allowance{interval: "1000", burst: "1000000"}, events: 1}
}

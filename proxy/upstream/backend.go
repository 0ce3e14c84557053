package upstream

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	maxHead      = 64 << 10 // bytes of an answer's head
	maxIdle      = 256      // idle connections kept to one backend
	idleTimeout  = 30 * time.Second
	restDuration = time.Second
)

// backend is one server. The fields below its line are the pool's, under the pool's lock.
type backend struct {
	pool      *Pool
	url       string
	transport *http.Transport
	checker   *http.Transport // a connection for each check: whether new ones can be made is part of the question
	way       atomic.Pointer[way]

	inFlight int
	retired  bool
	up       bool
	fails    int       // bad checks in a row
	rest     time.Time // after a failed connect, chosen only if nothing better is there, until then
	warmFrom time.Time // slow start began then; the zero time: over, or never
	record
	claims   uint64
	failures uint64
	lastErr  string
	lastFail time.Time
}

// way is how to connect.
type way struct {
	address string
	timeout time.Duration
}

func newBackend(p *Pool, url string) *backend {
	b := &backend{pool: p, url: url, up: true}
	b.transport = &http.Transport{
		DialContext:            b.dial,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHead,
	}
	b.checker = &http.Transport{
		DialContext:            b.dial,
		DisableCompression:     true,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxHead,
	}
	return b
}

func (b *backend) reach(address string, timeout time.Duration) {
	b.way.Store(&way{address, timeout})
}

func (b *backend) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	w := b.way.Load()
	d := net.Dialer{Timeout: w.timeout}
	c, err := d.DialContext(ctx, "tcp", w.address)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

func (b *backend) closeIdle() {
	b.transport.CloseIdleConnections()
	b.checker.CloseIdleConnections()
}

// status is called under the pool's lock.
func (b *backend) status(now time.Time) BackendStatus {
	return BackendStatus{
		Pool: b.pool.settings.Name, URL: b.url, Up: b.up, InFlight: b.inFlight,
		Ejected: b.out, EjectedUntil: b.until, Warming: b.weight(now) < fullWeight,
		Claims: b.claims, Failures: b.failures, LastError: b.lastErr, LastFail: b.lastFail,
	}
}

// failed notes an error. It is called under the pool's lock.
func (b *backend) failed(err error) {
	b.lastErr, b.lastFail = err.Error(), time.Now()
}

package upstream

import (
	"sync"
	"sync/atomic"
	"time"
)

const restDuration = time.Second

// backend is one server. The fields below its line are the pool's, under the pool's lock.
type backend struct {
	pool    *Pool
	url     string
	way     atomic.Pointer[way]
	idle    idle    // HTTP/1
	streams streams // HTTP/2

	renewing sync.Mutex // guards changes of way, and looked
	looked   time.Time  // when the files of TLS were looked at last

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

func newBackend(p *Pool, url string) *backend { return &backend{pool: p, url: url, up: true} }

// retire closes the connections of one that is dropped, as far as they are idle; the last go with the last claim.
func (b *backend) retire() {
	b.idle.close()
	b.streams.close(false)
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

package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// linkLives is the age at which a link is renewed, so that a name that leads elsewhere is noticed.
const linkLives = time.Minute

var (
	errPassword = errors.New("the password cannot be read")
	errSpent    = errors.New("a link is dialled once")
)

// link is one connection, and the client that speaks over it. One goroutine uses it at a time; the wire may be read by
// others.
type link struct {
	wire    *wire
	client  *redis.Client
	peer    netip.Addr // the zero Addr for a socket
	expires time.Time  // when the store's certificate ends; zero without TLS
	born    time.Time
	life    time.Duration
	asked   time.Time   // when the commands were sent, the handshake not counted
	ready   atomic.Bool // the handshake is over
}

// connect dials on behalf of a, which learns how far it came.
func (r *Redis) connect(a *attempt) (*link, error) {
	password := ""
	if r.set.Password != nil {
		var err error
		if password, err = r.set.Password(); err != nil {
			return nil, fmt.Errorf("%w: %w", errPassword, err)
		}
	}
	var secured *tls.Config
	if r.set.TLS != nil {
		var err error
		if secured, err = r.set.TLS.Config(r.host); err != nil {
			return nil, err
		}
	}
	conn, err := r.dial(a)
	if err != nil {
		return nil, err
	}
	l := &link{wire: &wire{Conn: conn, under: conn}, peer: peer(conn), life: linkLives + rand.N(linkLives/6)}
	if secured != nil {
		a.stage.Store(securing)
		if l.wire.Conn, l.expires, err = secure(a.ctx, conn, secured); err != nil {
			return nil, err
		}
		r.shook.Store(true)
	}
	a.stage.Store(connected)
	l.born = time.Now()
	l.client = redis.NewClient(&redis.Options{
		Network: r.set.Network, Addr: r.set.Address,
		Dialer:   l.once(),
		Username: r.set.Username, Password: password, DB: r.set.DB,
		Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		OnConnect:                func(context.Context, *redis.Conn) error { l.mark(); return nil },
		ContextTimeoutEnabled:    true,
		MaxRetries:               -1, DialerRetries: 1,
		ReadTimeout: -1, WriteTimeout: -1, // the context's deadline, and closing the wire
		PoolSize: 2, PipelinePoolSize: -1, // two, so that a second dial, were there one, started no goroutine
		ConnMaxIdleTime: -1,
		ReadBufferSize:  8 << 10, WriteBufferSize: 8 << 10,
	})
	return l, nil
}

// once hands out the wire, once.
func (l *link) once() func(context.Context, string, string) (net.Conn, error) {
	var spent atomic.Bool
	return func(context.Context, string, string) (net.Conn, error) {
		if spent.Swap(true) {
			return nil, errSpent
		}
		return l.wire, nil
	}
}

// mark begins the exchange that counts.
func (l *link) mark() {
	l.wire.mark()
	l.asked = time.Now()
	l.ready.Store(true)
}

// greet makes the handshake and returns nil where the server answered, and took our name and password.
func (l *link) greet(ctx context.Context) error {
	unbind := context.AfterFunc(ctx, l.wire.cut)
	err := l.client.Ping(ctx).Err()
	switch {
	case !unbind():
		return ctx.Err()
	case !l.ready.Load(), word(err) == "NOAUTH", word(err) == "WRONGPASS", err != nil && word(err) == "":
		return err
	}
	return nil
}

func (l *link) close() {
	if l != nil {
		l.wire.cut()
		_ = l.client.Close()
	}
}

// wire is a connection that remembers the first bytes that came since it was marked: what has been answered when a probe's
// deadline passes, and what a server said before it hung up.
type wire struct {
	net.Conn          // what is spoken over
	under    net.Conn // the connection itself, without TLS

	mu       sync.Mutex
	heard    []byte
	greeting string // what was heard before the mark
}

// heardMost is enough for the canary, the reply to the write, and the first word of an error in place of either.
const heardMost = 256

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.hear(b[:n])
	return n, err
}

// Write, where it fails, listens for the reason: a server without a free slot says so and hangs up without having read.
func (w *wire) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	if err != nil {
		var last [heardMost]byte
		_ = w.Conn.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		m, why := w.Conn.Read(last[:])
		w.hear(last[:m])
		if alerted(why) != nil {
			err = why
		}
	}
	return n, err
}

func (w *wire) hear(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, b[:min(len(b), heardMost-len(w.heard))]...)
}

func (w *wire) mark() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.greeting == "" {
		w.greeting = string(w.heard)
	}
	w.heard = w.heard[:0]
}

// since returns what was heard since the mark, and before it.
func (w *wire) since() (heard, greeting string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.heard), w.greeting
}

// cut closes the connection, without TLS's goodbye: that may block.
func (w *wire) cut() { _ = w.under.Close() }

// Close is what the client closes with.
func (w *wire) Close() error { return w.under.Close() }

package quota

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// dialMost is how long connecting may take, with TLS and signing in. Nobody waits for it.
	dialMost = time.Second
	// linkLives is the age at which a link is renewed, so that a name that leads elsewhere is noticed.
	linkLives = time.Minute
)

var (
	errSpent  = errors.New("a link is dialled once")
	errUnread = errors.New("the answer cannot be read")
	errNoSlot = errors.New("the store has no slot left for a connection")
)

// link is one connection, and the client that speaks over it. One goroutine uses it at a time.
type link struct {
	raw    net.Conn // without TLS
	client *redis.Client
	spoken *redis.Conn // the client's only connection, which stays taken: so the client never looks for another
	dies   time.Time
}

// wire is a connection that remembers what it heard first: a server without a free slot says so, and hangs up without having
// read what was asked.
type wire struct {
	net.Conn
	first []byte
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if len(w.first) < len(noSlot) {
		w.first = append(w.first, b[:min(n, len(noSlot)-len(w.first))]...)
	}
	return n, err
}

const noSlot = "-ERR max number of clients"

// connect makes a link and lets it through only when a script has written something over it in time: what cannot be written
// to, or only slowly, is as good as away. It returns soon after ctx ends.
func (s *Shared) connect(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, dialMost)
	defer cancel()
	password := ""
	if s.set.Password != nil {
		var err error
		if password, err = s.set.Password(); err != nil {
			return nil, fmt.Errorf("%w: %w", errPassword, err)
		}
	}
	raw, err := new(net.Dialer).DialContext(ctx, s.set.Network, s.set.Address)
	if err != nil {
		return nil, err
	}
	conn := raw
	if s.set.TLS != nil {
		secured := tls.Client(raw, s.secured())
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, fmt.Errorf("%w: %w", errSecuring, err)
		}
		conn = secured
	}
	l := &link{raw: raw, dies: time.Now().Add(linkLives + rand.N(linkLives/6))}
	heard := &wire{Conn: conn}
	var spent atomic.Bool
	l.client = redis.NewClient(&redis.Options{
		Network: s.set.Network, Addr: s.set.Address,
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			if spent.Swap(true) {
				return nil, errSpent
			}
			return heard, nil
		},
		Username: s.set.Username, Password: password, DB: s.set.DB,
		Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		ContextTimeoutEnabled:    true,
		MaxRetries:               -1, DialerRetries: 1,
		ReadTimeout: -1, WriteTimeout: -1, // the context's deadline
		PoolSize: 2, PipelinePoolSize: -1, // two, so that a second dial, were there one, started no goroutine
		ConnMaxIdleTime: -1,
		ReadBufferSize:  8 << 10, WriteBufferSize: 16 << 10,
	})
	l.spoken = l.client.Conn()
	unbind := context.AfterFunc(ctx, func() { _ = raw.Close() })
	err = unread(func() error { return l.spoken.Ping(ctx).Err() })
	if err == nil {
		err = l.exchange([]*ask{s.trial()}, s.set.Timeout)
	}
	if !unbind() {
		err = ctx.Err()
	}
	if err != nil {
		l.close()
		if string(heard.first) == noSlot {
			err = errNoSlot
		}
		return nil, err
	}
	return l, nil
}

// secured returns the TLS settings, with the name that the store's certificate must bear.
func (s *Shared) secured() *tls.Config {
	c := s.set.TLS.Clone()
	if c.ServerName == "" {
		c.ServerName, _, _ = net.SplitHostPort(s.set.Address)
	}
	return c
}

// exchange asks for all of batch at once and passes on what the store answers within a time. Where it returns an error some may
// have no answer, and the link is of no more use. The text of the script is sent where the store does not know it.
func (l *link) exchange(batch []*ask, within time.Duration) (failed error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for _, whole := range []bool{false, true} {
		pipe := l.spoken.Pipeline()
		asked := make([]*redis.Cmd, len(batch))
		for i, a := range batch {
			asked[i] = script(ctx, pipe, a.key, a.allows, a.events, whole)
		}
		if err := unread(func() error { _, _ = pipe.Exec(ctx); return nil }); err != nil {
			return err
		}
		var again []*ask
		for i, a := range batch {
			wait, err := told(asked[i])
			switch {
			case err == nil:
				a.answer(wait)
			case !whole && redis.HasErrorPrefix(err, "NOSCRIPT"):
				again = append(again, a)
			case failed == nil:
				failed = err
			}
		}
		if batch = again; len(batch) == 0 || failed != nil {
			break
		}
	}
	return failed
}

// close closes the connection, without TLS's goodbye: that may block.
func (l *link) close() {
	if l == nil {
		return
	}
	_ = l.raw.Close()
	_ = l.spoken.Close()
	_ = l.client.Close()
}

// unread returns what f does, or errUnread where f panics: go-redis does, on an answer that claims to be longer than memory.
func unread(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errUnread, p)
		}
	}()
	return f()
}

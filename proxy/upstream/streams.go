package upstream

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// streams is the HTTP/2 connections to one backend, each of which carries as many exchanges at once as the backend takes. A new
// one is made when there is no place on those that are there, by one goroutine at a time, which belongs to those that wait for
// it. The zero value has none. It is safe for concurrent use.
type streams struct {
	mu        sync.Mutex
	transport *http.Transport // made when it is needed first
	links     []*link         // the oldest first: it is filled first, so that those that are too many fall idle
	coming    *coming         // nil: no connection is being made
}

// link is one connection.
type link struct {
	*http.ClientConn
	wire  *wire
	way   *way        // that it was made
	used  atomic.Bool // it has brought an answer
	tired atomic.Bool // it takes no more requests, and ends when it is idle
}

// coming is a connection that is being made. All but done is under the lock of its streams.
type coming struct {
	cancel  context.CancelFunc
	waiting int
	done    chan struct{} // closed at its end
	err     error
}

// wake has those look up that wait for the backend to take more of a body, which no context ends: what is asked for here never
// leaves.
func (l *link) wake() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", "http://backend/", nil)
	if err == nil {
		_ = l.Reserve() // RoundTrip takes a place, and not one that somebody else has
		_, _ = l.RoundTrip(r)
	}
}

const (
	streamWindow = 256 << 10 // what a backend may send ahead of a visitor who does not take it
	stuckWrite   = 5 * time.Second
)

// newTransport says how HTTP/2 is spoken. No connection is asked by PING how it does: servers of gRPC take more than two of those
// in five minutes for an attack, and end the connection with all that goes on over it (google.golang.org/grpc/keepalive). One
// that hangs shows by a request that is late while nothing comes (see stream.end), a dead one by TCP's own questions.
func newTransport() *http.Transport {
	t := &http.Transport{
		DisableCompression:     true,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHead,
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerStream: streamWindow, WriteByteTimeout: stuckWrite},
		Protocols:              new(http.Protocols),
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return ctx.Value(wireKey{}).(*wire), nil
		},
	}
	t.Protocols.SetUnencryptedHTTP2(true) // TLS, where there is any, is the wire's
	return t
}

// wireKey is where the transport finds the connection that it is to use.
type wireKey struct{}

// take returns a connection with a place for one exchange on it, which is the caller's: it owes a RoundTrip or a Release.
func (s *streams) take(ctx context.Context, b *backend) (*link, error) {
	for {
		s.mu.Lock()
		if l := s.reserve(b.way.Load()); l != nil {
			s.mu.Unlock()
			return l, nil
		}
		c := s.coming
		if c == nil {
			c = s.begin(b)
		}
		c.waiting++
		s.mu.Unlock()
		select {
		case <-c.done:
		case <-ctx.Done():
		}
		s.mu.Lock()
		c.waiting--
		alone := c.waiting == 0
		if alone && s.coming == c { // who comes now begins anew
			s.coming = nil
		}
		s.mu.Unlock()
		if alone {
			c.cancel()
			<-c.done
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case c.err != nil:
			return nil, c.err
		}
	}
}

// reserve is called under the lock.
func (s *streams) reserve(w *way) *link {
	s.links = slices.DeleteFunc(s.links, func(l *link) bool { return l.Err() != nil })
	for _, l := range s.links {
		if l.way == w && !l.tired.Load() && l.Reserve() == nil {
			return l
		}
	}
	return nil
}

// begin is called under the lock.
func (s *streams) begin(b *backend) *coming {
	w := b.way.Load()
	ctx, cancel := context.WithTimeout(context.Background(), w.timeout)
	c := &coming{cancel: cancel, done: make(chan struct{})}
	s.coming = c
	go func() {
		l, err := s.connect(ctx, b, w)
		s.mu.Lock()
		if s.coming == c {
			s.coming = nil
		}
		c.err = err
		wanted := c.waiting > 0
		if err == nil && wanted {
			s.links = append(s.links, l)
		}
		s.mu.Unlock()
		if err == nil && !wanted {
			_ = l.Close()
		}
		close(c.done)
	}()
	return c
}

var errNoPlace = errors.New("http/2: the backend takes no request on a new connection")

// connect makes a connection, which is the caller's.
func (s *streams) connect(ctx context.Context, b *backend, w *way) (*link, error) {
	c, err := b.connect(ctx, w, nil)
	if err != nil {
		return nil, err
	}
	wire := newWire(c)
	l, err := s.speaker().NewClientConn(context.WithValue(ctx, wireKey{}, wire), "http", "backend:80")
	if err != nil {
		_ = wire.Close()
		return nil, err
	}
	if err = wire.settle(ctx); err == nil && l.Available() == 0 {
		err = errNoPlace
	}
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	return &link{ClientConn: l, wire: wire, way: c.way}, nil
}

func (s *streams) speaker() *http.Transport {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.transport == nil {
		s.transport = newTransport()
	}
	return s.transport
}

// close closes the connections that are idle, or all of them: whoever is not done with his answer then is left without it.
func (s *streams) close(all bool) {
	s.mu.Lock()
	var gone []*link
	s.links = slices.DeleteFunc(s.links, func(l *link) bool {
		if all || l.InFlight() == 0 {
			gone = append(gone, l)
			return true
		}
		return false
	})
	s.mu.Unlock()
	for _, l := range gone {
		_ = l.Close()
	}
}

package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
)

// slowness is what each command takes while the store is slow. It is longer than Gatehouse's probe waits and shorter than an
// app's patience.
const slowness = 1500 * time.Millisecond

// Store is a Redis-compatible server on a loopback port, whose faults are made by hand. A fault takes effect at once, also
// on connections that are open and on commands that are waiting. Safe for concurrent use.
type Store struct {
	redis  *miniredis.Miniredis
	server *server.Server
	addr   string
	accept sync.WaitGroup // the accept loops

	mu       sync.Mutex
	fault    Fault
	since    time.Time
	changed  chan struct{} // closed when fault changes
	listener net.Listener  // nil while away
	conns    map[net.Conn]struct{}
}

// ErrNoFault is returned for a word that is no fault.
var ErrNoFault = errors.New("no such fault")

// OpenStore starts a store that is well. Close must be called.
func OpenStore() (*Store, error) {
	s := &Store{redis: miniredis.NewMiniRedis(), fault: Well, since: time.Now(), changed: make(chan struct{}),
		conns: map[net.Conn]struct{}{}}
	s.redis.ClockTTL(true)
	// The library's own listener cannot go away and come back without a moment in which commands pass unseen, so it is
	// started without one, and connections are handed to it.
	start, err := s.redis.Dial()
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s.server = s.redis.Server()
	s.server.SetPreHook(s.before)
	start.Close()
	l, err := listenLow()
	if err != nil {
		s.redis.Close()
		return nil, fmt.Errorf("store: %w", err)
	}
	s.addr, s.listener = l.Addr().String(), l
	s.accept.Go(func() { s.serve(l) })
	return s, nil
}

// listenLow listens on a free loopback port below those that systems give to outgoing connections. While the store is away
// its clients keep dialling its port, and on a port of that range the kernel sooner or later connects a client to itself.
func listenLow() (net.Listener, error) {
	var last error
	for range 64 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err == nil {
			return l, nil
		}
		last = err
	}
	return nil, last
}

// Addr is where the store listens, or will again when it is back.
func (s *Store) Addr() string { return s.addr }

// Fault returns what is wrong and since when.
func (s *Store) Fault() (Fault, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault, s.since
}

// Holds reports whether the store has this key, whatever its fault.
func (s *Store) Holds(key string) bool { return s.redis.Exists(key) }

// Set makes the store suffer f. It returns ErrNoFault, or what kept the store from listening on its port again, in which
// case it stays away.
func (s *Store) Set(f Fault) error {
	if _, known := textOf(f); !known {
		return fmt.Errorf("%w: %q", ErrNoFault, f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f == Empty {
		s.redis.FlushAll()
		f = Well
	}
	if f != Away && s.listener == nil {
		l, err := net.Listen("tcp", s.addr)
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		s.listener = l
		s.accept.Go(func() { s.serve(l) })
	}
	s.turn(f)
	if f == Away {
		s.leave()
	}
	return nil
}

// turn changes the fault and wakes every command that waits. s.mu is held.
func (s *Store) turn(f Fault) {
	s.fault, s.since = f, time.Now()
	close(s.changed)
	s.changed = make(chan struct{})
}

// leave closes the listener and every connection. s.mu is held; a connection's Close takes it too, hence the map is let go.
func (s *Store) leave() {
	if s.listener != nil {
		s.listener.Close()
		s.listener = nil
	}
	for c := range s.conns {
		c.(*storeConn).Conn.Close()
	}
	clear(s.conns)
}

// Close ends the store and waits for everything it started.
func (s *Store) Close() {
	s.mu.Lock()
	s.turn(Away)
	s.leave()
	s.mu.Unlock()
	s.accept.Wait()
	s.redis.Close()
}

func (s *Store) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		conn := &storeConn{Conn: c, store: s}
		s.mu.Lock()
		current := s.listener == l
		if current {
			s.conns[conn] = struct{}{}
		}
		s.mu.Unlock()
		if !current {
			c.Close()
			return
		}
		s.server.ServeConn(conn)
	}
}

// storeConn leaves the store's list when it is closed.
type storeConn struct {
	net.Conn
	store *Store
}

func (c *storeConn) Close() error {
	c.store.mu.Lock()
	delete(c.store.conns, c)
	c.store.mu.Unlock()
	return c.Conn.Close()
}

var _ io.Closer = (*storeConn)(nil)

// before stands before every command and applies the fault. It returns true where the command has been answered.
func (s *Store) before(peer *server.Peer, command string, _ ...string) bool {
	delayed := false
	for {
		s.mu.Lock()
		fault, changed := s.fault, s.changed
		s.mu.Unlock()
		switch fault {
		case Away:
			peer.Close()
			return true
		case Hung:
			<-changed
		case Slow:
			if delayed {
				return false
			}
			t := time.NewTimer(slowness)
			select {
			case <-t.C:
				delayed = true
			case <-changed:
				t.Stop()
			}
		default:
			text := refusal(fault, command)
			if text != "" {
				peer.WriteError(text)
			}
			return text != ""
		}
	}
}

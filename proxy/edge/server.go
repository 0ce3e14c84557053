package edge

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Settings is what a Server is made from, beside its listener and its handler.
type Settings struct {
	Live
	Limits Limits
	Log    *slog.Logger // nil: off
	// Refused is told of every head that was refused, on the visitor's goroutine. nil: nobody.
	Refused func(Refused)
}

// Server serves the visitors of one listener. Its methods are safe for concurrent use. Its owner calls Serve on a goroutine of
// its own and Drain at the end.
type Server struct {
	handler Handler
	log     *slog.Logger
	refused func(Refused)
	limits  Limits
	l       *bounded
	h2      *http2Server
	base    context.Context // ends when what is left is cut
	cancel  context.CancelFunc
	clock   clock

	live     atomic.Pointer[live]
	ready    atomic.Bool
	going    atomic.Bool // it was ready, and is no more
	left     atomic.Bool // nobody is accepted any more
	draining atomic.Bool
	failed   atomic.Int64 // handshakes

	drained sync.Once
	end     chan struct{} // closed at the end of Drain
}

// NewServer returns a Server that owns l. It is not ready: SetReady says when.
func NewServer(l net.Listener, h Handler, s Settings) *Server {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	srv := &Server{handler: h, log: s.Log, refused: s.Refused, limits: s.Limits.withDefaults(), end: make(chan struct{})}
	srv.base, srv.cancel = context.WithCancel(context.Background())
	srv.l = newBounded(l, srv.limits.MaxConns)
	srv.h2 = newHTTP2Server(srv.limits, srv.log)
	srv.Set(s.Live)
	return srv
}

// Serve accepts visitors until Drain has ended.
func (s *Server) Serve() {
	var conns sync.WaitGroup
	s.accept(&conns)
	<-s.end
	conns.Wait()
}

// mostPause is the longest pause after a failure to accept: 5 ms, and twice as long after each that follows.
const mostPause = time.Second

func (s *Server) accept(conns *sync.WaitGroup) {
	pause := 5 * time.Millisecond
	for {
		from, err := s.l.accept()
		switch {
		case err == nil:
			pause = 5 * time.Millisecond
			c := newConn(s, from)
			s.l.add(c)
			conns.Go(c.serve)
		case s.left.Load(), s.draining.Load():
			return
		case !passing(err):
			s.log.Error("a listener ended", "address", s.Address().String(), "err", err)
			return
		default:
			s.log.Warn("a connection could not be accepted", "address", s.Address().String(), "err", err)
			select {
			case <-s.l.closed:
				return
			case <-time.After(pause):
				pause = min(2*pause, mostPause)
			}
		}
	}
}

// SetReady says what the health path answers: turn it off before Drain, and a balancer has the time to look elsewhere.
func (s *Server) SetReady(ready bool) {
	was := s.ready.Swap(ready)
	s.going.Store(!ready && (was || s.going.Load()))
}

// Leave stops accepting, and has every answer from now on end its connection; the health path says what it said. Connections
// without a request are kept: one may be on its way. So Drain follows when Conns is 0, or enough time has passed.
func (s *Server) Leave() {
	s.going.Store(true)
	s.left.Store(true)
	_ = s.l.Close()
}

// leaving reports whether connections are not to be kept: the Server drains, or will.
func (s *Server) leaving() bool { return s.going.Load() || s.draining.Load() }

// Set changes what can be changed while the Server serves.
func (s *Server) Set(l Live) { s.live.Store(l.prepare(s.live.Load())) }

// Address returns where the Server listens.
func (s *Server) Address() net.Addr { return s.l.Addr() }

// Conns returns how many connections are open, upgraded ones included.
func (s *Server) Conns() int { return s.l.count() }

// FailedHandshakes returns how many connections ended in their TLS handshake, since the beginning.
func (s *Server) FailedHandshakes() int64 { return s.failed.Load() }

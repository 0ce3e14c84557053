package edge

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Settings is what a Server is made from, beside its listener and its handler.
type Settings struct {
	Health string // the path that answers a load balancer in front; "" for none
	Limits Limits
	Log    *slog.Logger // nil: off
}

// Server serves the visitors of one listener. Its methods are safe for concurrent use. Its owner calls Serve on a goroutine of
// its own and Drain at the end.
type Server struct {
	handler Handler
	log     *slog.Logger
	limits  Limits
	l       *bounded
	http    http.Server
	base    context.Context // ends when what is left is cut
	cancel  context.CancelFunc

	health atomic.Pointer[string]
	ready  atomic.Bool

	mu      sync.Mutex
	busy    int           // exchanges under way
	idle    chan struct{} // closed when busy falls to 0; nil: nobody waits
	cutting bool
	drained sync.Once
	end     chan struct{} // closed at the end of Drain
}

// NewServer returns a Server that owns l. It is not ready: SetReady says when.
func NewServer(l net.Listener, h Handler, s Settings) *Server {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	srv := &Server{handler: h, log: s.Log, limits: s.Limits.withDefaults(), end: make(chan struct{})}
	srv.base, srv.cancel = context.WithCancel(context.Background())
	srv.l = newBounded(l, srv.limits)
	srv.health.Store(&s.Health)
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	srv.http = http.Server{
		Handler:           http.HandlerFunc(srv.serve),
		ReadHeaderTimeout: srv.limits.HeadTimeout,
		IdleTimeout:       srv.limits.IdleTimeout,
		MaxHeaderBytes:    srv.limits.MaxHead,
		Protocols:         &protocols,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return srv.base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
		ConnState: state,
		// OPTIONS * is a request like any other.
		DisableGeneralOptionsHandler: true,
	}
	return srv
}

type connKey struct{}

// Serve accepts visitors until Drain has ended.
func (s *Server) Serve() {
	err := s.http.Serve(s.l)
	if !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("a listener ended", "address", s.Address().String(), "err", err)
	}
	<-s.end
}

// SetReady says what the health path answers: turn it off before Drain, and a balancer has the time to look elsewhere.
func (s *Server) SetReady(ready bool) { s.ready.Store(ready) }

// SetHealth changes the health path; "" for none.
func (s *Server) SetHealth(path string) { s.health.Store(&path) }

// Address returns where the Server listens.
func (s *Server) Address() net.Addr { return s.l.Addr() }

// Conns returns how many connections are open, upgraded ones included.
func (s *Server) Conns() int { return s.l.count() }

// state is told by net/http what becomes of a connection, on that connection's goroutine.
func state(c net.Conn, now http.ConnState) {
	own := c.(*conn)
	switch now {
	case http.StateActive:
		own.used.Store(true)
	case http.StateIdle:
		if own.spent.Load() { // what net/http would read next is no request
			_ = own.Close()
		}
	}
}

// serve is the one way from net/http to the handler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*conn)
	if c.spent.Load() || !s.enter() {
		panic(http.ErrAbortHandler)
	}
	defer s.leave()
	v := newVisit(s, c, w, r)
	defer v.end()
	defer func() {
		if p := recover(); p != nil {
			stack := debug.Stack()
			s.log.Error("a panic ended an exchange", "panic", p, "stack", string(stack[:min(len(stack), 4<<10)]))
			v.aborted = true
		}
	}()
	if path := *s.health.Load(); path != "" && r.RequestURI == path && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		v.answerHealth()
		return
	}
	s.handler.Serve(v)
}

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
	address net.Addr
	l       net.Listener
	http    http.Server

	health atomic.Pointer[string]
	ready  atomic.Bool
	conns  atomic.Int64

	mu       sync.Mutex
	taken    map[net.Conn]bool // connections that were upgraded: net/http forgets them
	cutting  bool
	serving  sync.WaitGroup // exchanges under way
	draining chan struct{}  // closed at the end of Drain
	drained  sync.Once
}

// NewServer returns a Server that owns l. It is not ready: SetReady says when.
func NewServer(l net.Listener, h Handler, s Settings) *Server {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	srv := &Server{
		handler: h, log: s.Log, limits: s.Limits.withDefaults(), address: l.Addr(), taken: map[net.Conn]bool{},
		draining: make(chan struct{}),
	}
	srv.l = newBounded(l, srv.limits.MaxConns)
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
		ConnState:         srv.count,
		// OPTIONS * is a request like any other.
		DisableGeneralOptionsHandler: true,
	}
	return srv
}

// Serve accepts visitors until Drain.
func (s *Server) Serve() {
	err := s.http.Serve(s.l)
	if !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("a listener ended", "address", s.address.String(), "err", err)
	}
	<-s.draining
}

// Drain stops accepting and waits for the exchanges under way until ctx ends; then it cuts what is left, waits for its end and
// returns ctx's error.
func (s *Server) Drain(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	ended := make(chan struct{})
	go func() {
		s.serving.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		err = ctx.Err()
		_ = s.http.Close()
		s.cut()
		<-ended
	}
	s.drained.Do(func() { close(s.draining) })
	return err
}

// cut closes the upgraded connections.
func (s *Server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cutting = true
	for c := range s.taken {
		_ = c.Close()
	}
}

// take remembers an upgraded connection until its exchange ends.
func (s *Server) take(c net.Conn) (forget func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken[c] = true
	if s.cutting {
		_ = c.Close()
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.taken, c)
	}
}

// SetReady says what the health path answers: turn it off before Drain, and a balancer has the time to look elsewhere.
func (s *Server) SetReady(ready bool) { s.ready.Store(ready) }

// SetHealth changes the health path; "" for none.
func (s *Server) SetHealth(path string) { s.health.Store(&path) }

// Address returns where the Server listens.
func (s *Server) Address() net.Addr { return s.address }

// Conns returns how many connections are open, upgraded ones included.
func (s *Server) Conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.conns.Load()) + len(s.taken)
}

func (s *Server) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateHijacked, http.StateClosed:
		s.conns.Add(-1)
	}
}

// serve is the one way from net/http to the handler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.serving.Add(1)
	defer s.serving.Done()
	if path := *s.health.Load(); path != "" && r.RequestURI == path && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		s.answerHealth(w)
		return
	}
	v := newVisit(s, w, r)
	defer v.end()
	defer func() {
		if p := recover(); p != nil {
			stack := debug.Stack()
			s.log.Error("a panic ended an exchange", "panic", p, "stack", string(stack[:min(len(stack), 4<<10)]))
			v.aborted = true
		}
	}()
	s.handler.Serve(v)
}

func (s *Server) answerHealth(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if !s.ready.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("draining\n"))
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}

package edge

import "context"

// Drain stops accepting and waits for the exchanges under way until ctx ends; then it cuts what is left, waits for its end and
// returns ctx's error. Connections without an exchange are closed at once. The listener is closed even if Serve was never
// called. Drain may be called again.
func (s *Server) Drain(ctx context.Context) error {
	now, cancel := context.WithCancel(ctx)
	cancel()
	_ = s.http.Shutdown(now) // begins it: from here on net/http takes no request any more, and waits for nobody yet
	_ = s.l.Close()
	s.closeUnused()
	_ = s.http.Shutdown(ctx)
	select {
	case <-s.quiet():
	case <-ctx.Done():
	}
	var err error
	if s.left() {
		err = ctx.Err()
		s.cut()
		<-s.quiet()
	}
	s.drained.Do(func() {
		s.cancel()
		close(s.end)
	})
	return err
}

// closeUnused closes the connections that never sent a request, on which net/http would wait five seconds for one that it
// would not serve.
func (s *Server) closeUnused() {
	for _, c := range s.l.all() {
		if !c.used.Load() {
			_ = c.Close()
		}
	}
}

// left reports whether there is still something to wait for.
func (s *Server) left() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy > 0 || s.l.count() > 0
}

// cut ends every exchange: no other begins, their contexts end, their connections are closed.
func (s *Server) cut() {
	s.mu.Lock()
	s.cutting = true
	s.mu.Unlock()
	s.cancel()
	for _, c := range s.l.all() {
		if c.upgraded.Load() {
			_ = c.Close()
		} else {
			c.reset()
		}
	}
	_ = s.http.Close()
}

// enter counts an exchange, and reports false where it must not begin.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cutting {
		return false
	}
	s.busy++
	return true
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy--; s.busy == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

// quiet returns a channel that is closed when no exchange is under way.
func (s *Server) quiet() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	c := s.idle
	if s.busy == 0 {
		close(s.idle)
		s.idle = nil
	}
	return c
}

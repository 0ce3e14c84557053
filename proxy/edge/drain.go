package edge

import (
	"context"
	"sync"
)

// Drain stops accepting and waits for the exchanges under way until ctx ends; then it cuts what is left, waits for its end and
// returns ctx's error. Connections without an exchange, a head that is still coming included, are closed at once. The listener
// is closed even if Serve was never called. Drain may be called again.
func (s *Server) Drain(ctx context.Context) error {
	s.draining.Store(true)
	_ = s.l.Close()
	var closing sync.WaitGroup
	for _, c := range s.l.all() {
		switch {
		case !c.state.CompareAndSwap(reading, closed):
		case c.tls != nil:
			closing.Go(func() { _ = c.Close() }) // to say goodbye may take a while
		default:
			_ = c.Close()
		}
	}
	defer closing.Wait()
	s.h2.goAway()
	var err error
	select {
	case <-s.l.quiet():
	case <-ctx.Done():
		if s.l.count() > 0 {
			err = ctx.Err()
			s.cut()
			<-s.l.quiet()
		}
	}
	s.h2.end()
	s.drained.Do(func() {
		s.cancel()
		close(s.end)
	})
	return err
}

// cut ends every exchange: their contexts end, and their connections are closed.
func (s *Server) cut() {
	s.cancel()
	for _, c := range s.l.all() {
		c.cut()
	}
}

package sim

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestCoresAreShared holds the model to what can be reckoned by hand.
func TestCoresAreShared(t *testing.T) {
	for _, c := range []struct {
		name string
		s    *Server
		jobs int
		last time.Duration
	}{
		{"a core each", &Server{Cores: 2, Workers: 9}, 2, 100 * time.Millisecond},
		{"two on one core", &Server{Cores: 1, Workers: 9}, 2, 200 * time.Millisecond},
		{"one after the other", &Server{Cores: 1, Workers: 1, Backlog: 9}, 3, 300 * time.Millisecond},
		{"three on one core with drag", &Server{Cores: 1, Workers: 9, Drag: 0.1}, 3, 360 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var all sync.WaitGroup
			for range c.jobs {
				all.Go(func() {
					if err := c.s.Do(t.Context(), 100*time.Millisecond); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if took := time.Since(began); (took - c.last).Abs() > time.Microsecond {
				t.Errorf("%s: took %v, want %v", c.name, took, c.last)
			}
		})
	}
}

func TestWorkGoesOnWithoutItsVisitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Cores: 1, Workers: 1, Backlog: 0}
		gone, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := s.Do(gone, time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want that the visitor left", err)
		}
		if err := s.Do(t.Context(), time.Second); !errors.Is(err, ErrRefused) {
			t.Errorf("got %v, want a full backlog", err)
		}
		time.Sleep(time.Second)
		if n := s.Busy(); n != 0 {
			t.Errorf("%d jobs after their time", n)
		}
	})
}

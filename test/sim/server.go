package sim

import (
	"container/heap"
	"context"
	"errors"
	"math"
	"sync"
	"time"
)

// ErrRefused is what Server.Do returns when the servers' own backlog is full, too.
var ErrRefused = errors.New("the backlog is full")

// Server is a model of the machines behind a pool, taken together: cores that are shared evenly by all jobs in work
// (processor sharing). It knows nothing of visitors: a job that was begun is finished, whether or not anybody still waits for
// its end, as an app does that hashes a password for a browser that has long gone.
//
// Its fields must not change once Do was called. It lives in a synctest bubble.
type Server struct {
	Cores   int
	Workers int     // how many jobs share the cores at most; the rest wait in the backlog, first in first out
	Backlog int     // how many may wait there; beyond it Do is refused
	Drag    float64 // how much slower everything gets for each job a core has beyond its first: caches, memory, switching

	mu      sync.Mutex
	done    float64 // seconds of work that a job has had which has been in work all the time
	last    time.Time
	working jobs
	backlog []*job
	timer   *time.Timer
}

// job is one request's work.
type job struct {
	work   float64 // seconds of a core
	due    float64 // it is finished when Server.done has come to this
	finish chan struct{}
}

// Do has the servers do that much work of one core, and returns when it is done, when ctx ends (the work goes on) or at once
// with ErrRefused.
func (s *Server) Do(ctx context.Context, work time.Duration) error {
	j := &job{work: work.Seconds(), finish: make(chan struct{})}
	s.mu.Lock()
	s.advance()
	switch {
	case len(s.working) < s.Workers:
		j.due = s.done + j.work
		heap.Push(&s.working, j)
	case len(s.backlog) < s.Backlog:
		s.backlog = append(s.backlog, j)
	default:
		s.mu.Unlock()
		return ErrRefused
	}
	s.wake()
	s.mu.Unlock()
	select {
	case <-j.finish:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Busy returns how many jobs are in work and in the backlog.
func (s *Server) Busy() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.working) + len(s.backlog)
}

// speed is how many seconds of work each job gets in one second.
func (s *Server) speed() float64 {
	n, cores := float64(len(s.working)), float64(s.Cores)
	if n <= cores {
		return 1
	}
	return cores / n / (1 + s.Drag*(n/cores-1))
}

// advance brings the count of work up to now and finishes what is finished.
func (s *Server) advance() {
	now := time.Now()
	if !s.last.IsZero() {
		s.done += now.Sub(s.last).Seconds() * s.speed()
	}
	s.last = now
	const rounding = 1e-9
	for len(s.working) > 0 && s.working[0].due <= s.done+rounding {
		close(heap.Pop(&s.working).(*job).finish)
		if len(s.backlog) > 0 {
			next := s.backlog[0]
			s.backlog = s.backlog[1:]
			next.due = s.done + next.work
			heap.Push(&s.working, next)
		}
	}
}

// wake sets the timer to when the next job will be finished, if nothing else happens.
func (s *Server) wake() {
	if s.timer != nil {
		s.timer.Stop()
	}
	if len(s.working) == 0 {
		return
	}
	in := time.Duration(math.Ceil((s.working[0].due - s.done) / s.speed() * float64(time.Second)))
	s.timer = time.AfterFunc(max(in, 1), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.advance()
		s.wake()
	})
}

// jobs is a heap, the one that is finished first on top.
type jobs []*job

func (h jobs) Len() int           { return len(h) }
func (h jobs) Less(i, j int) bool { return h[i].due < h[j].due }
func (h jobs) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *jobs) Push(x any)        { *h = append(*h, x.(*job)) }
func (h *jobs) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

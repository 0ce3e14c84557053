package sim

import (
	"context"
	"sync"
	"time"

	"gatehouse/shed"
)

// Entrance is what stands before a pool.
type Entrance interface {
	// Enter returns once the request may go on, with what gives its place back and tells how long the pool took (0: it is not
	// known, since the visitor went away); or with the reason why it may not.
	Enter(ctx context.Context, c shed.Class) (leave func(took time.Duration), err error)
	// Load returns how many wait, and how many may be in the pool at once; 0: as many as like.
	Load() (queued, limit int)
}

// Gated is a Gate as an Entrance.
type Gated struct{ Gate *shed.Gate }

// Enter implements Entrance.
func (g Gated) Enter(ctx context.Context, c shed.Class) (func(time.Duration), error) {
	p, err := g.Gate.Acquire(ctx, c)
	if err != nil {
		return nil, err
	}
	return func(took time.Duration) {
		if took > 0 {
			p.Sample(took, false)
		}
		p.Done()
	}, nil
}

// Load implements Entrance.
func (g Gated) Load() (queued, limit int) {
	l := g.Gate.Load()
	return l.Queued, l.Limit
}

// FIFO is what most pools have instead of a Gate: a bounded queue in which whoever came first goes first, whoever he is. It is
// the contrast to Gate.
type FIFO struct {
	Limit, Length int
	Timeout       time.Duration

	mu       sync.Mutex
	inFlight int
	queue    []chan struct{}
}

// Enter implements Entrance.
func (f *FIFO) Enter(ctx context.Context, _ shed.Class) (func(time.Duration), error) {
	f.mu.Lock()
	if f.inFlight < f.Limit {
		f.inFlight++
		f.mu.Unlock()
		return f.leave, nil
	}
	if len(f.queue) >= f.Length {
		f.mu.Unlock()
		return nil, shed.ErrFull
	}
	granted := make(chan struct{})
	f.queue = append(f.queue, granted)
	f.mu.Unlock()
	timer := time.NewTimer(f.Timeout)
	defer timer.Stop()
	var err error
	select {
	case <-granted:
		return f.leave, nil
	case <-timer.C:
		err = shed.ErrLate
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, g := range f.queue {
		if g == granted {
			f.queue = append(f.queue[:i], f.queue[i+1:]...)
			return nil, err
		}
	}
	f.pass() // granted meanwhile
	return nil, err
}

func (f *FIFO) leave(time.Duration) {
	f.mu.Lock()
	f.pass()
	f.mu.Unlock()
}

// pass hands a place that came free to the next, or keeps it.
func (f *FIFO) pass() {
	if len(f.queue) == 0 {
		f.inFlight--
		return
	}
	close(f.queue[0])
	f.queue = f.queue[1:]
}

// Load implements Entrance.
func (f *FIFO) Load() (queued, limit int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.queue), f.Limit
}

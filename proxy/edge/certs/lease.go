package certs

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// lease is a lock in Redis while it is held: its goroutine keeps it from running out, and Unlock waits for that.
type lease struct {
	value string
	stop  context.CancelFunc
	done  chan struct{}
}

const (
	leaseLives = 15 * time.Second // after which the lock of one who died is anybody's
	leaseRenew = 5 * time.Second
	leasePoll  = 500 * time.Millisecond
)

var (
	// takeLease takes a free lock, and one that is ours already, as after an answer that was lost.
	takeLease = redis.NewScript(`local v = redis.call('get', KEYS[1])
if v == false or v == ARGV[1] then redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2]) return 1 end
return 0`)
	renewLease = redis.NewScript(`if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
return 0`)
	dropLease = redis.NewScript(`if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0`)
)

func (s *shared) lockKey(name string) string { return s.prefix + "lock:" + name }

// Lock waits for the lock of a name until ctx ends.
func (s *shared) Lock(ctx context.Context, name string) error {
	for {
		ok, err := s.TryLock(ctx, name)
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(leasePoll):
		}
	}
}

// TryLock takes the lock of a name if nobody has it.
func (s *shared) TryLock(ctx context.Context, name string) (bool, error) {
	l := &lease{value: rand.Text(), done: make(chan struct{})}
	got, err := s.script(ctx, takeLease, name, l.value)
	if err != nil || got == 0 {
		return false, err
	}
	renewing, stop := context.WithCancel(context.Background())
	l.stop = stop
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		stop()
		close(l.done)
		return false, stored(redis.ErrClosed)
	}
	s.held[name] = l
	go s.renew(renewing, name, l)
	return true, nil
}

// renew keeps a lease until ctx ends. One that ran out while Redis was away is another's by now, and stays that.
func (s *shared) renew(ctx context.Context, name string, l *lease) {
	defer close(l.done)
	every := time.NewTicker(leaseRenew)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			_, _ = s.script(ctx, renewLease, name, l.value)
		}
	}
}

// Unlock gives it back. Its error says that it may not have been, or that it had been lost.
func (s *shared) Unlock(ctx context.Context, name string) error {
	s.mu.Lock()
	l := s.held[name]
	delete(s.held, name)
	s.mu.Unlock()
	if l == nil {
		return fmt.Errorf("the lock %q is not held", name)
	}
	l.stop()
	<-l.done
	dropped, err := s.script(ctx, dropLease, name, l.value)
	if err == nil && dropped == 0 {
		return stored(fmt.Errorf("the lock %q ran out", name))
	}
	return err
}

func (s *shared) script(ctx context.Context, script *redis.Script, name, value string) (n int, err error) {
	err = s.ask(ctx, func(ctx context.Context) (err error) {
		n, err = script.Run(ctx, s.client, []string{s.lockKey(name)}, value, leaseLives.Milliseconds()).Int()
		return err
	})
	return n, err
}

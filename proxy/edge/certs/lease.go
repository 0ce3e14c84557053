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
	within, cancel := context.WithTimeout(ctx, sharedWait)
	defer cancel()
	got, err := takeLease.Run(within, s.client, []string{s.lockKey(name)}, l.value, leaseLives.Milliseconds()).Int()
	if err != nil || got == 0 {
		return false, stored(err)
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
			within, cancel := context.WithTimeout(ctx, sharedWait)
			_ = renewLease.Run(within, s.client, []string{s.lockKey(name)}, l.value, leaseLives.Milliseconds()).Err()
			cancel()
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
	ctx, cancel := context.WithTimeout(ctx, sharedWait)
	defer cancel()
	dropped, err := dropLease.Run(ctx, s.client, []string{s.lockKey(name)}, l.value).Int()
	if err == nil && dropped == 0 {
		err = fmt.Errorf("the lock %q ran out", name)
	}
	return stored(err)
}

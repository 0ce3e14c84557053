//go:build unix

package certs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/caddyserver/certmagic"
)

// locks are files of a folder, locked by flock(2): whoever dies lets go. certmagic's own are files whose age is looked at, which
// are renewed by a goroutine that nobody waits for, and told of on standard error.
type locks struct {
	path string

	mu   sync.Mutex
	held map[string]*os.File
}

// lockPoll is how often a lock is tried that another has.
const lockPoll = 250 * time.Millisecond

// Lock waits for the lock of a name until ctx ends.
func (l *locks) Lock(ctx context.Context, name string) error {
	for {
		ok, err := l.TryLock(ctx, name)
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// TryLock takes the lock of a name if nobody has it.
func (l *locks) TryLock(ctx context.Context, name string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	dir := filepath.Join(l.path, "locks")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, stored(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, certmagic.StorageKeys.Safe(name)), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return false, stored(err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return false, nil
		}
		return false, stored(fmt.Errorf("locking %s: %w", f.Name(), err))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = make(map[string]*os.File)
	}
	l.held[name] = f
	return true, nil
}

// Unlock gives it back. The file stays: whoever took away another's would let two have it.
func (l *locks) Unlock(_ context.Context, name string) error {
	l.mu.Lock()
	f := l.held[name]
	delete(l.held, name)
	l.mu.Unlock()
	if f == nil {
		return fmt.Errorf("the lock %q is not held", name)
	}
	return f.Close()
}

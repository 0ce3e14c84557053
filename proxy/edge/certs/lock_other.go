//go:build !unix

package certs

import (
	"context"

	"github.com/caddyserver/certmagic"
)

// locks are certmagic's where there is no flock(2).
type locks struct{ path string }

func (l *locks) Lock(ctx context.Context, name string) error {
	return stored((&certmagic.FileStorage{Path: l.path}).Lock(ctx, name))
}

func (l *locks) TryLock(ctx context.Context, name string) (bool, error) {
	ok, err := (&certmagic.FileStorage{Path: l.path}).TryLock(ctx, name)
	return ok, stored(err)
}

func (l *locks) Unlock(ctx context.Context, name string) error {
	return stored((&certmagic.FileStorage{Path: l.path}).Unlock(ctx, name))
}

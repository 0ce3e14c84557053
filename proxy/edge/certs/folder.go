package certs

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/caddyserver/certmagic"
)

// storeError is what came of using the place where certificates are kept, told apart from what came of the directory. That
// something does not exist is none.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

func stored(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return &storeError{err}
}

// folder keeps certificates in files, as certmagic does: folders have mode 0700, files 0600. Locks are its own: they end with
// the process that holds them.
type folder struct {
	files certmagic.FileStorage
	locks
}

func newFolder(path string) *folder {
	return &folder{files: certmagic.FileStorage{Path: path}, locks: locks{path: path}}
}

func (f *folder) again(*Redis) {}
func (f *folder) close()       {}

func (f *folder) String() string { return f.files.Path }

func (f *folder) Store(ctx context.Context, key string, value []byte) error {
	if err := os.MkdirAll(f.files.Path, 0o700); err != nil {
		return stored(err)
	}
	return stored(f.files.Store(ctx, key, value))
}

func (f *folder) Load(ctx context.Context, key string) ([]byte, error) {
	data, err := f.files.Load(ctx, key)
	return data, stored(err)
}

func (f *folder) Delete(ctx context.Context, key string) error {
	return stored(f.files.Delete(ctx, key))
}

func (f *folder) Exists(ctx context.Context, key string) bool { return f.files.Exists(ctx, key) }

func (f *folder) List(ctx context.Context, path string, recursive bool) ([]string, error) {
	keys, err := f.files.List(ctx, path, recursive)
	return keys, stored(err)
}

func (f *folder) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	info, err := f.files.Stat(ctx, key)
	return info, stored(err)
}

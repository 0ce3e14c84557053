//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// guide gathers where Gatehouses spend their time while all the loads run, for a compiler that is guided by it (go.dev/doc/pgo). It is
// not safe for concurrent use.
type guide struct {
	dir   string
	files []string
	errs  []error
	wg    sync.WaitGroup
	mu    sync.Mutex // files and errs
}

// follow has the Gatehouse with that admin listener profile itself for so long.
func (g *guide) follow(ctx context.Context, admin string, length time.Duration) {
	g.wg.Go(func() {
		body, err := get(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", admin, int(length.Seconds())))
		g.mu.Lock()
		defer g.mu.Unlock()
		path := filepath.Join(g.dir, fmt.Sprintf("guide-%d.prof", len(g.files)))
		if err == nil {
			err = os.WriteFile(path, body, 0o600)
		}
		g.files, g.errs = append(g.files, path), append(g.errs, err)
	})
}

// write waits for all of them and writes the sum to that file.
func (g *guide) write(path string) error {
	g.wg.Wait()
	if err := errors.Join(g.errs...); err != nil {
		return err
	}
	sum, err := exec.Command("go", append([]string{"tool", "pprof", "-proto"}, g.files...)...).Output()
	if err != nil {
		return fmt.Errorf("pprof: %w", err)
	}
	return os.WriteFile(path, sum, 0o644)
}

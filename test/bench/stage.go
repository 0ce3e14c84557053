//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// stage is everything that runs. Its owner must clear it.
type stage struct {
	ctx     context.Context
	dir     string
	program string // Gatehouse
	app     *backend
	calls   *calls
	secrets *credentials
	store   string // the address of a Redis, "" where there is none
	ends    []func()
	count   int // of folders

	found []string // who takes part, with versions
	out   []string // who does not, and why
}

// newStage builds Gatehouse and starts what stands behind the proxies. It is to be cleared even after an error.
func newStage(ctx context.Context) (*stage, error) {
	s := &stage{ctx: ctx}
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return s, err
	}
	s.dir = dir
	if s.program, err = build(ctx, dir); err != nil {
		return s, err
	}
	if s.app, err = newBackend(); err != nil {
		return s, err
	}
	if s.calls, err = newCalls(); err != nil {
		return s, err
	}
	s.ends = append(s.ends, s.calls.stop)
	if s.secrets, err = newCredentials(dir); err != nil {
		return s, err
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		s.out = append(s.out, "redis-server: not found, so no sign-ins, and Gatehouse runs without its store")
		return s, nil
	}
	address, stop, err := redis(dir)
	s.ends = append(s.ends, stop)
	s.store = address
	s.found = append(s.found, "store: "+says("redis-server", "--version"))
	return s, err
}

// clear ends everything, the latest first.
func (s *stage) clear() {
	for i := len(s.ends) - 1; i >= 0; i-- {
		s.ends[i]()
	}
	if s.app != nil {
		s.app.close()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir) // in the folder for such things
	}
}

func (s *stage) folder(name string) (string, error) {
	s.count++
	dir := filepath.Join(s.dir, fmt.Sprintf("%d-%s", s.count, name))
	return dir, os.Mkdir(dir, 0o700)
}

// small is what everybody must answer before anything is measured.
func small() *question { return newQuestion("GET", "/1k", true, nil, 200, 1000) }

// run starts what a plan says.
func (s *stage) run(dir string, p plan, ready *question) (*process, error) {
	started, err := start(s.ctx, dir, p, ready)
	if err == nil {
		s.ends = append(s.ends, started.stop)
	}
	return started, err
}

// gatehouse starts one with that store, waits until the store is seen to be in that state, and returns the admin listener's
// address as well. State "" waits for nothing.
func (s *stage) gatehouse(name, store, state string) (*process, string, error) {
	dir, err := s.folder("gatehouse")
	if err != nil {
		return nil, "", err
	}
	at := s.places()
	p, admin, err := gatehouse(s.program, dir, at, store)
	if err != nil {
		return nil, "", err
	}
	p.name, p.address, p.secret = name, at.open, at.secret
	ready := small()
	if state == "down" {
		ready = newQuestion("GET", "/page", true, nil, 503, -1)
	}
	started, err := s.run(dir, p, ready)
	if err == nil && state != "" {
		err = storeIs(s.ctx, admin, state)
	}
	return started, admin, err
}

// places are where one more proxy may stand.
func (s *stage) places() places {
	return places{open: freeAddress(), secret: freeAddress(), app: s.app.address(), calls: s.calls.address, credentials: s.secrets}
}

// peer starts one of the others.
func (s *stage) peer(p peer, program string) (*process, error) {
	dir, err := s.folder(p.name)
	if err != nil {
		return nil, err
	}
	at := s.places()
	plan, err := p.plan(program, dir, at)
	if err != nil {
		return nil, err
	}
	plan.name, plan.address = p.name, at.open
	if p.streams {
		plan.secret = at.secret
	}
	return s.run(dir, plan, small())
}

// others starts whoever is there. Who cannot be started is left out, and why is kept.
func (s *stage) others() map[string]*process {
	running := map[string]*process{}
	for _, p := range peers {
		program := p.found()
		if program == "" {
			s.out = append(s.out, p.name+": not found")
			continue
		}
		started, err := s.peer(p, program)
		if err != nil {
			s.out = append(s.out, fmt.Sprintf("%s: %v", p.name, err))
			continue
		}
		running[p.name] = started
		s.found = append(s.found, p.name+": "+strings.TrimSuffix(says(program, p.version...), "."))
	}
	return running
}

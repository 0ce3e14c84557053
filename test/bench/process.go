//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// workers is how many worker processes or threads each proxy has.
const workers = 2

// plan says how a proxy is started.
type plan struct {
	name    string
	address string   // where it will listen
	secret  string   // and with TLS; "": nowhere
	argv    []string // the program and its arguments
	env     []string // beside our own
	log     string   // the access log, emptied after each run; "": standard output's file
}

// process is a running proxy. Its owner must stop it.
type process struct {
	name    string
	address string
	secret  string // where it speaks TLS; "": nowhere
	log     string
	words   string // the file with what it said
	cmd     *exec.Cmd
	exited  chan struct{}
}

// start runs a proxy, with its files in that folder, and waits until it answers as the app does.
func start(ctx context.Context, dir string, p plan, ready *question) (*process, error) {
	out, err := os.OpenFile(filepath.Join(dir, "stdout"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	said, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		return nil, err
	}
	defer said.Close()
	s := &process{name: p.name, address: p.address, secret: p.secret, log: p.log, words: said.Name(), exited: make(chan struct{})}
	if s.log == "" {
		s.log = out.Name()
	}
	s.cmd = exec.Command(p.argv[0], p.argv[1:]...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, out, said
	s.cmd.Env = append(os.Environ(), append(p.env, "GOMAXPROCS="+strconv.Itoa(workers), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)...)
	// It ends with us, even where we are killed. A group of its own, so that we end it and not the terminal's interrupt.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // how it ended does not matter; that it did is seen
		close(s.exited)
	}()
	if err := s.await(ctx, ready); err != nil {
		s.stop()
		tail, _ := os.ReadFile(s.words)
		return nil, fmt.Errorf("%w; it said: %s", err, tail[max(0, len(tail)-2000):])
	}
	return s, nil
}

func (s *process) pid() int { return s.cmd.Process.Pid }

var errEnded = errors.New("it ended")

// await asks until the answer is the wanted one.
func (s *process) await(ctx context.Context, ready *question) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for {
		v := newVisitor(s.address, 0)
		err := v.ask(ready)
		v.close()
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return errEnded
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the process and what it started, and waits for that.
func (s *process) stop() {
	all, _ := family(s.pid()) // none: it is gone already
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(5 * time.Second):
		for _, p := range all {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
		<-s.exited
	}
}

// emptyLog keeps what was logged from filling the disk. All of them append.
func (s *process) emptyLog() error { return os.Truncate(s.log, 0) }

// freePort returns a port of loopback that was free a moment ago, below those that the kernel gives to whoever dials out.
func freePort() string {
	for range 100 {
		port := strconv.Itoa(20000 + rand.IntN(12000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	return "0" // nothing is free; whoever listens there will say so
}

func freeAddress() string { return "127.0.0.1:" + freePort() }

package sockets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Settings is what Sockets are made from.
type Settings struct {
	// Unix opens a Unix socket that nobody handed down; nil: net.Listen.
	Unix func(path string) (net.Listener, error)
	// PIDFile is where the id of the process that serves stands; "" for nowhere.
	PIDFile string
	// Timeout is how long a new process may take to serve everything: 1m where zero.
	Timeout time.Duration
}

// Sockets are all listening sockets of a process. Its methods are safe for concurrent use, except where they say otherwise.
// There is one in a process, made before anything else is opened: what was handed down has fixed numbers.
type Sockets struct {
	settings Settings
	manager  Manager
	program  string // what a takeover starts, and where
	folder   string
	pidFile  *pidFile // nil: none
	before   *before  // the process that this one takes over from; nil: none

	mu     sync.Mutex
	handed []*handed   // what nobody has asked for yet; the manager's for good
	open   []*listener // in the order in which they were opened
}

// handed is a socket that somebody else opened.
type handed struct {
	file    *os.File
	bound   net.Addr
	asked   string // how the process before named it; "": the service manager handed it down
	name    string // by which the service manager knows it
	index   int    // in what the process before handed over
	manager bool   // it stays the manager's: never removed, and kept to be used again
	used    bool
}

// New takes what was handed down to this process. Its error means that a part of it cannot be used, or that the file for the
// process's id cannot be written. The variables that tell of it are taken out of the environment.
func New(s Settings) (*Sockets, error) {
	s.Timeout = cmp.Or(s.Timeout, time.Minute)
	all := &Sockets{settings: s}
	// By name and not by what the kernel says is running: a deployment that swaps a link, or moves a new file over the old one,
	// means the name.
	program, err := exec.LookPath(os.Args[0])
	if err == nil {
		program, err = filepath.Abs(program)
	}
	if err != nil {
		return nil, fmt.Errorf("the program does not find itself: %w", err)
	}
	all.program = program
	if all.folder, err = os.Getwd(); err != nil {
		return nil, err
	}
	all.before, all.handed, err = inherit()
	if err == nil {
		var from []*handed
		from, err = activated()
		all.handed = append(all.handed, from...)
	}
	if err == nil && s.PIDFile != "" {
		all.pidFile, err = newPIDFile(s.PIDFile)
	}
	if err != nil {
		err = errors.Join(err, all.close())
		if all.before != nil {
			all.before.fail(err)
		}
		return nil, err
	}
	return all, nil
}

// Manager returns the service manager that this process is to tell how it stands.
func (s *Sockets) Manager() *Manager { return &s.manager }

// Listen returns a listener on a socket that was handed down for that address, and else opens one. network is "tcp" or "unix".
func (s *Sockets) Listen(network, address string) (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := match(s.handed, network, address)
	if h == nil {
		l, err := s.new(network, address)
		if err != nil {
			return nil, err
		}
		return s.keep(l, network, address, nil)
	}
	l, err := net.FileListener(h.file)
	if err != nil {
		return nil, fmt.Errorf("listen %s %s: the socket that was handed down cannot be used: %w", network, address, err)
	}
	return s.keep(l, network, address, h)
}

// new opens a socket.
func (s *Sockets) new(network, address string) (net.Listener, error) {
	if network == "unix" && s.settings.Unix != nil {
		return s.settings.Unix(address)
	}
	var c net.ListenConfig
	c.SetMultipathTCP(false) // such a socket takes no filter; see turnAway
	return c.Listen(context.Background(), network, address)
}

// keep wraps a listener. s.mu is held.
func (s *Sockets) keep(from net.Listener, network, address string, h *handed) (net.Listener, error) {
	inner, ok := from.(socket)
	if !ok {
		_ = from.Close()
		return nil, fmt.Errorf("listen %s %s: %T is no socket", network, address, from)
	}
	if h != nil {
		h.used = true
		if !h.manager {
			_ = h.file.Close()
		}
	}
	l := newListener(inner, network, address, h)
	l.forget = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open = slices.DeleteFunc(s.open, func(o *listener) bool { return o == l }); h != nil && h.manager {
			h.used = false
		}
	}
	s.open = append(s.open, l)
	return l, nil
}

// Unwanted names the sockets that the service manager handed down and nobody listens on now. Whoever connects there waits in
// vain.
func (s *Sockets) Unwanted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, h := range s.handed {
		if h.manager && !h.used {
			all = append(all, fmt.Sprintf("%s (%s %s)", h.name, h.bound.Network(), h.bound))
		}
	}
	return all
}

// Leave has every listener for which going says so take who is in its backlog already, and nobody after; it returns when that is
// done. What is accepted on the way is accepted as always, so the owner goes on serving meanwhile, and closes the listeners then:
// closing one alone resets whoever is in its backlog.
func (s *Sockets) Leave(going func(network, address string) bool) {
	s.mu.Lock()
	all := slices.Clone(s.open)
	s.mu.Unlock()
	leave(slices.DeleteFunc(all, func(l *listener) bool { return !going(l.network, l.address) }))
}

func leave(all []*listener) {
	var done sync.WaitGroup
	for _, l := range all {
		done.Go(l.leave)
	}
	done.Wait()
}

// Close ends what is left: sockets that nobody asked for, and the file with the process's id, if it still names this process. It
// closes no listener that Listen returned.
func (s *Sockets) Close() error { return s.close() }

func (s *Sockets) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.handed {
		_ = h.file.Close()
	}
	s.handed = nil
	return s.pidFile.remove()
}

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

// starter starts Gatehouse from a file, logs its events to out, and returns where it listens. stop waits for its end.
type starter func(ctx context.Context, configPath string, out io.Writer) (addr string, stop func(), err error)

// SceneOptions says what to build. Addresses are where to listen if their ports are free; otherwise free ports are taken.
type SceneOptions struct {
	Listen  string // Gatehouse
	Plain   string // the plain load balancer
	Control string
	Admin   string
	Start   starter
}

// Scene is everything: the store, four backends of the sample app in two pools, a plain load balancer over all four, Gatehouse
// over the same, and the control page. Its fields are only read once it is open.
type Scene struct {
	Store  *Store
	Links  Links
	Status StatusReader
	Dir    string // of gatehouse.yaml and the logs; gone when the scene closes

	closers []func()
}

// OpenScene builds a scene. Close must be called; where it returns an error, nothing is left running.
func OpenScene(ctx context.Context, o SceneOptions) (scene *Scene, err error) {
	s := &Scene{}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.Dir, err = os.MkdirTemp("", "gatehouse-demo-"); err != nil {
		return nil, err
	}
	s.later(func() { os.RemoveAll(s.Dir) })
	if s.Store, err = OpenStore(); err != nil {
		return nil, err
	}
	s.later(s.Store.Close)
	sessions := OpenSessions(s.Store.Addr())
	s.later(func() { sessions.Close() })

	config := GateConfig{Store: s.Store.Addr(), AccessLog: filepath.Join(s.Dir, "access.log")}
	if config.Login, err = s.backends("login", sessions); err != nil {
		return nil, err
	}
	if config.App, err = s.backends("app", sessions); err != nil {
		return nil, err
	}
	balancer := newPlain(append(config.Login[:len(config.Login):len(config.Login)], config.App...))
	s.later(balancer.idle)
	without, err := s.serve(o.Plain, balancer)
	if err != nil {
		return nil, err
	}
	with, err := s.gate(ctx, o, config)
	if err != nil {
		return nil, err
	}
	s.Links.With, s.Links.Without = "http://"+with, "http://"+otherName(without)
	return s, s.control(o.Control)
}

// backends starts two backends of a pool and returns their addresses.
func (s *Scene) backends(pool string, sessions *Sessions) ([]string, error) {
	var addrs []string
	for i := range 2 {
		app := NewApp(fmt.Sprintf("%s-%d", pool, i+1), sessions)
		addr, err := s.serve("127.0.0.1:0", app.Handler())
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
}

// gate writes gatehouse.yaml and starts Gatehouse from it.
func (s *Scene) gate(ctx context.Context, o SceneOptions, config GateConfig) (string, error) {
	var err error
	if config.Listen, err = reserveNear(o.Listen); err != nil {
		return "", err
	}
	if config.Admin, err = reserveNear(o.Admin); err != nil {
		return "", err
	}
	if s.Links.Config, err = config.Write(s.Dir); err != nil {
		return "", err
	}
	events, err := os.Create(filepath.Join(s.Dir, "events.log"))
	if err != nil {
		return "", err
	}
	s.later(func() { events.Close() })
	addr, stop, err := o.Start(ctx, s.Links.Config, events)
	if err != nil {
		return "", fmt.Errorf("gatehouse: %w", err)
	}
	s.later(stop)
	client := &http.Client{Transport: &http.Transport{}}
	s.later(client.CloseIdleConnections)
	s.Links.Admin = "http://" + config.Admin
	s.Status = StatusReader{URL: s.Links.Admin + "/status", Client: client}
	return visitable(addr), nil
}

// control starts the control page, the last part: it shows all others.
func (s *Scene) control(addr string) error {
	l, _, err := listenNear(addr)
	if err != nil {
		return err
	}
	s.Links.Control = "http://" + l.Addr().String()
	page := serveSite(l, NewControl(s.Store, s.Status, s.Links).Handler())
	s.later(page.stop)
	return nil
}

// serve starts a server of the scene and returns its address.
func (s *Scene) serve(addr string, h http.Handler) (string, error) {
	l, _, err := listenNear(addr)
	if err != nil {
		return "", err
	}
	site := serveSite(l, h)
	s.later(site.stop)
	return site.addr, nil
}

func (s *Scene) later(f func()) { s.closers = append(s.closers, f) }

// Close ends everything, last first, and waits for it.
func (s *Scene) Close() {
	// A store that is well lets requests that wait for it end.
	if s.Store != nil {
		s.Store.Set(Well)
	}
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
	s.closers = nil
}

// visitable returns an address that a browser on this machine can open, where addr may name every interface.
func visitable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// otherName calls 127.0.0.1 localhost. Cookies do not tell ports apart, but they tell names apart: the same browser can be
// signed in on both sides.
func otherName(addr string) string {
	if host, port, err := net.SplitHostPort(addr); err == nil && host == "127.0.0.1" {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}

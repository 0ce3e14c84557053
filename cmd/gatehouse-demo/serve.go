package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"
)

// site is one HTTP server of the scene and its address.
type site struct {
	server *http.Server
	addr   string
	ended  chan struct{}
}

// serveSite serves h on l until stop is called.
func serveSite(l net.Listener, h http.Handler) *site {
	s := &site{addr: l.Addr().String(), ended: make(chan struct{}), server: &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}}
	go func() {
		defer close(s.ended)
		s.server.Serve(l)
	}()
	return s
}

// stop lets requests end for a moment, then cuts them, and waits for the server's end.
func (s *site) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		s.server.Close()
	}
	<-s.ended
}

// listenNear listens on addr, or, if its port is taken, on a free port of the same host. moved tells which.
func listenNear(addr string) (l net.Listener, moved bool, err error) {
	l, err = net.Listen("tcp", addr)
	if err == nil {
		return l, false, nil
	}
	host, _, bad := net.SplitHostPort(addr)
	if bad != nil || !errors.Is(err, syscall.EADDRINUSE) {
		return nil, false, err
	}
	l, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	return l, true, err
}

// reserveNear is listenNear for a server that can only be told an address: it lets go of the port again.
func reserveNear(addr string) (string, error) {
	l, _, err := listenNear(addr)
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// plain is a plain load balancer over some backends: what many sites have, and what Gatehouse is compared with. It gives each
// backend a turn, passes on whatever it answers, and answers 502 where there is no answer.
type plain struct {
	balancer  *httputil.ReverseProxy
	transport *http.Transport
}

// newPlain returns a plain load balancer. idle must be called when it is out of use.
func newPlain(backends []string) *plain {
	var turn atomic.Uint64
	transport := &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second}
	return &plain{transport: transport, balancer: &httputil.ReverseProxy{
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			at := backends[turn.Add(1)%uint64(len(backends))]
			r.SetURL(&url.URL{Scheme: "http", Host: at})
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
	}}
}

func (p *plain) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.balancer.ServeHTTP(w, r) }

// idle closes its connections to the backends.
func (p *plain) idle() { p.transport.CloseIdleConnections() }

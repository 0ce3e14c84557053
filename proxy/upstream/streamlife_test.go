package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

func TestABackendByHTTP2Retires(t *testing.T) {
	release := make(chan struct{})
	gone := make(chan int64, 2)
	b := framer(t, func(f *peer) {
		for head := f.request(); head != nil; head = f.request() {
			f.head(head.StreamID, false, ":status=200")
			if head.PseudoValue("path") == "/long" {
				<-release
			}
			_ = f.WriteData(head.StreamID, true, []byte("done"))
		}
		gone <- f.n
	})
	other, _ := cleartext(t, func(http.ResponseWriter, *http.Request) {})
	p := pool(t, b)
	c, err := p.Claim(nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.Send(deadline(t), get("/long"))
	if err != nil {
		t.Fatal(err)
	}
	late, err := p.Claim(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Set(Settings{Name: "app", Backends: []BackendSettings{other}})
	close(release)
	again, err := late.Send(deadline(t), get("/"))
	if err != nil {
		t.Fatal(err)
	}
	if got := all(t, again.Body); got != "done" {
		t.Errorf("a claim from before: %q", got)
	}
	again.Body.Close()
	late.End(Result{})
	if got := all(t, a.Body); got != "done" {
		t.Errorf("a request under way: %q", got)
	}
	a.Body.Close()
	select {
	case <-gone:
		t.Error("a connection was closed before the last claim")
	default:
	}
	began := time.Now()
	c.End(Result{})
	if <-gone; time.Since(began) > idleTimeout/2 {
		t.Error("the connection is closed for being idle only")
	}
}

// Idle connections go with their backend, others at the latest with its last claim, even where nobody closes an answer.
func TestNoConnectionByHTTP2OutlivesItsBackend(t *testing.T) {
	for _, busy := range []bool{false, true} {
		gone := make(chan struct{}, 1)
		p := pool(t, framer(t, func(f *peer) {
			for head := f.request(); head != nil; head = f.request() {
				f.head(head.StreamID, !busy, ":status=200")
			}
			gone <- struct{}{}
		}))
		c, err := p.Claim(nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := c.Send(context.Background(), get("/"))
		if err != nil {
			t.Fatal(err)
		}
		if !busy {
			a.Body.Close()
			c.End(Result{})
		}
		began := time.Now()
		p.Set(Settings{Name: "app"})
		if busy {
			c.End(Result{})
		}
		if <-gone; time.Since(began) > idleTimeout/2 {
			t.Errorf("busy %v: the connection is closed for being idle only", busy)
		}
		if _, err := io.ReadAll(a.Body); busy && !errors.Is(err, ErrBroken) {
			t.Errorf("got %v", err)
		}
		a.Body.Close()
	}
}

func TestHealthChecksByHTTP2(t *testing.T) {
	var code atomic.Int64
	code.Store(200)
	ca := newAuthority(t)
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.URL.Path != "/healthz" {
			t.Errorf("asked %s %s", r.Proto, r.URL)
		}
		w.WriteHeader(int(code.Load()))
	}
	clear, _ := cleartext(t, h)
	tls, _ := ca.secured(t, h, nil, "h2")
	changes := make(chan BackendStatus, 16)
	p := NewPool(Settings{Name: "app", Backends: []BackendSettings{clear, tls}, TLS: &TLS{CAFile: ca.file},
		OnHealth: func(s BackendStatus) { changes <- s },
		Health:   &HealthSettings{Path: "/healthz", Interval: 10 * time.Millisecond, Timeout: patience}}, nil)
	t.Cleanup(p.Close)
	p.Start()
	for _, up := range []bool{false, true} {
		code.Store(map[bool]int64{false: 500, true: 204}[up])
		change(t, changes, up)
		change(t, changes, up)
	}
	if n := links(p); n != 0 {
		t.Errorf("%d connections are kept", n)
	}
}

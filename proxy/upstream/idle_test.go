package upstream

import (
	"bufio"
	"context"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/proxy/h1"
)

// polite is a backend that keeps every connection until the other side closes it, and counts them. A receive from hangUp closes
// one.
func polite(t *testing.T, open *atomic.Int64, hangUp <-chan struct{}) BackendSettings {
	return raw(t, func(c net.Conn, br *bufio.Reader) {
		open.Add(1)
		defer open.Add(-1)
		done := make(chan struct{})
		defer close(done)
		go func() {
			select {
			case <-hangUp:
				c.Close()
			case <-done:
			}
		}()
		for {
			if _, err := readHead(br); err != nil {
				return
			}
			if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"); err != nil {
				return
			}
		}
	})
}

// many makes n connections that are idle afterwards.
func many(t *testing.T, p *Pool, n int) {
	t.Helper()
	b := p.backends[0]
	for range n {
		c, err := b.connect(context.Background(), b.way.Load(), nil)
		if err != nil {
			t.Fatal(err)
		}
		b.idle.put(c, clock()+idleTimeout)
	}
}

func (i *idle) len() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.conns)
}

func TestIdleConnectionsAreBoundedAndTheLastUsedIsTheNext(t *testing.T) {
	var open atomic.Int64
	p := pool(t, polite(t, &open, nil))
	many(t, p, maxIdle+20)
	idle := &p.backends[0].idle
	if n := idle.len(); n != maxIdle {
		t.Errorf("%d are idle; want %d", n, maxIdle)
	}
	eventually(t, "the rest is closed", func() bool { return open.Load() == maxIdle })
	last := idle.conns[maxIdle-1]
	for range 10 {
		all(t, send(t, p, get("/")).Body)
		if got := idle.conns[idle.len()-1]; got != last {
			t.Fatal("another one was used than the one used last")
		}
	}
	p.Set(Settings{Name: "app", Backends: []BackendSettings{{URL: "http://other", Address: "127.0.0.1:1"}}})
	eventually(t, "those of a dropped backend are closed", func() bool { return open.Load() == 0 })
}

// Connections that wait cost no goroutine and no buffer of ours.
func TestAnIdleConnectionHasNoGoroutine(t *testing.T) {
	var open atomic.Int64
	p := pool(t, polite(t, &open, nil))
	many(t, p, 1)
	eventually(t, "one is open", func() bool { return open.Load() == 1 })
	before := runtime.NumGoroutine()
	many(t, p, 100)
	eventually(t, "the others are open", func() bool { return open.Load() == 101 })
	if n := runtime.NumGoroutine() - before; n > 200 { // of the backend, two for each
		t.Errorf("%d goroutines for 100 connections; want the backend's 200", n)
	}
}

func TestTheSweepClosesWhatIsOldOrDead(t *testing.T) {
	var open atomic.Int64
	hangUp := make(chan struct{})
	p := pool(t, polite(t, &open, hangUp))
	idle := &p.backends[0].idle
	many(t, p, 6)
	eventually(t, "they are open", func() bool { return open.Load() == 6 })
	idle.tidy()
	if n := idle.len(); n != 6 {
		t.Errorf("%d of 6 young ones are left", n)
	}
	idle.mu.Lock()
	idle.conns[0].until, idle.conns[1].until = clock()-1, clock()-1
	idle.mu.Unlock()
	idle.tidy()
	if n := idle.len(); n != 4 {
		t.Errorf("%d are left; want 4", n)
	}
	eventually(t, "the old ones are closed", func() bool { return open.Load() == 4 })
	hangUp <- struct{}{}
	eventually(t, "the dead one goes", func() bool {
		idle.tidy()
		return idle.len() == 3
	})
}

// After Close, who claimed before may still ask; but nothing stays.
func TestNothingIsKeptAfterTheEnd(t *testing.T) {
	var open atomic.Int64
	p := NewPool(Settings{Name: "app", Backends: []BackendSettings{polite(t, &open, nil)}}, nil)
	c := claim(t, p)
	p.Close()
	a, err := c.Send(deadline(t), get("/"))
	if err != nil || all(t, a.Body) != "hi" {
		t.Fatal(err)
	}
	a.Body.Close()
	eventually(t, "its connection is closed", func() bool { return open.Load() == 0 })
}

func TestIdleTime(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": idleTimeout, "timeout=4": 3 * time.Second, "max=100, Timeout=4": 3 * time.Second, "timeout=5, max=99": 3750 * time.Millisecond,
		"timeout=0": 0, "timeout=60": idleTimeout, "timeout=-1": idleTimeout, "timeout=x": idleTimeout, "timeout=99999999999": idleTimeout,
		"timeout": idleTimeout, ",,": idleTimeout,
	} {
		if got := idleTime(h1.Head{{Name: "keep-alive", Value: value}}); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	if got := idleTime(nil); got != idleTimeout {
		t.Errorf("unsaid: %v", got)
	}
}

package test

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// relay stands between the store and who uses it: a piece of network that can be slow, or swallow everything.
type relay struct {
	t       *testing.T
	address string
	to      string
	listen  *net.TCPListener
	dials   atomic.Int64 // connections taken so far

	mu     sync.Mutex
	least  time.Duration // what an answer is held for, and
	spread time.Duration // how much longer it may take
	shut   chan struct{} // closed while everything passes
	conns  map[net.Conn]bool
	fills  []net.Conn // connections that nobody will ever take
	work   sync.WaitGroup
}

// startRelay starts a relay to that address.
func startRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:"+freePort(t))
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, address: l.Addr().String(), to: to, listen: l.(*net.TCPListener), shut: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(r.shut)
	r.work.Go(r.accept)
	t.Cleanup(func() {
		r.pass()
		_ = l.Close()
		r.mu.Lock()
		for c := range r.conns {
			_ = c.Close()
		}
		r.conns = nil
		r.mu.Unlock()
		r.work.Wait()
	})
	return r
}

// slow holds each answer for at least that long, and for up to spread longer.
func (r *relay) slow(least, spread time.Duration) {
	r.mu.Lock()
	r.least, r.spread = least, spread
	r.mu.Unlock()
}

// swallow has nothing pass any more, and no connection be made: those who try wait for an answer to their first packet.
func (r *relay) swallow() {
	r.mu.Lock()
	r.shut = make(chan struct{})
	r.mu.Unlock()
	// The goroutine that accepts takes one more, sees that all is shut, and takes no others.
	r.fill()
	r.backlog(0)
	for range 4 {
		r.fill()
	}
}

// pass ends swallow.
func (r *relay) pass() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.shut:
		return
	default:
	}
	r.backlog(128)
	for _, c := range r.fills {
		_ = c.Close()
	}
	r.fills = nil
	close(r.shut)
}

func (r *relay) fill() {
	if c, err := net.DialTimeout("tcp", r.address, 200*time.Millisecond); err == nil {
		r.fills = append(r.fills, c)
	}
}

// backlog sets how many connections the kernel takes on its own account (listen(2), which may be called again).
func (r *relay) backlog(n int) {
	raw, err := r.listen.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), n) })
	}
	if err != nil {
		r.t.Errorf("listen again: %v", err)
	}
}

func (r *relay) passing() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shut
}

func (r *relay) accept() {
	for {
		c, err := r.listen.Accept()
		if err != nil {
			return
		}
		r.dials.Add(1)
		<-r.passing()
		r.work.Go(func() { r.serve(c) })
	}
}

// serve passes on what comes, until either end has had enough.
func (r *relay) serve(c net.Conn) {
	defer c.Close()
	s, err := net.DialTimeout("tcp", r.to, 5*time.Second)
	if err != nil {
		_ = c.(*net.TCPConn).SetLinger(0)
		return
	}
	defer s.Close()
	r.mu.Lock()
	if r.conns == nil {
		r.mu.Unlock()
		return
	}
	r.conns[c], r.conns[s] = true, true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.conns, c)
		delete(r.conns, s)
		r.mu.Unlock()
	}()
	var both sync.WaitGroup
	both.Go(func() { r.copy(s, c, false) })
	both.Go(func() { r.copy(c, s, true) })
	both.Wait()
}

// piece is some bytes and when they are due.
type piece struct {
	bytes []byte
	due   time.Time
}

// copy passes bytes on in their order. What is held delays nothing but itself.
func (r *relay) copy(to, from net.Conn, held bool) {
	pieces := make(chan piece, 1024)
	var out sync.WaitGroup
	out.Go(func() {
		for p := range pieces {
			time.Sleep(time.Until(p.due))
			<-r.passing()
			_, _ = to.Write(p.bytes)
		}
	})
	for {
		b := make([]byte, 32<<10)
		n, err := from.Read(b)
		if n > 0 {
			pieces <- piece{b[:n], time.Now().Add(r.hold(held))}
		}
		if err != nil {
			break
		}
	}
	close(pieces)
	out.Wait()
	if c, ok := to.(*net.TCPConn); ok {
		_ = c.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, from)
}

func (r *relay) hold(held bool) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !held || r.least == 0 {
		return 0
	}
	return r.least + rand.N(r.spread+1)
}

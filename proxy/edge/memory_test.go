package edge

import (
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// What an idle connection costs, its goroutine included, after a handler that needed a deep stack. The clients' side is in the
// figure, too.
func TestAnIdleConnectionCostsLittle(t *testing.T) {
	const conns, bound = 2000, 16 << 10
	s := start(t, Settings{}, func(v Visitor) {
		deep(30)
		reply(v, "ok")
	})
	request := []byte("GET / HTTP/1.1\r\nHost: a\r\nCookie: " + strings.Repeat("x", 500) + "\r\n\r\n")
	before := memory()
	open := make([]net.Conn, 0, conns)
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	buf := make([]byte, 512)
	for range conns {
		c, err := net.Dial("tcp", s.Address().String())
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
		c.SetDeadline(time.Now().Add(patience))
		c.Write(request)
		n, err := io.ReadAtLeast(c, buf, len("HTTP/1.1 200 OK\r\n"))
		if err != nil || !strings.HasSuffix(string(buf[:n]), "\r\n\r\nok") {
			t.Fatalf("%q, %v", buf[:n], err)
		}
	}
	var each int
	for range 4 { // a stack is given back by halves
		each = (memory() - before) / conns
	}
	t.Logf("%d bytes for each of %d idle connections", each, conns)
	if n := s.Conns(); n != conns {
		t.Fatalf("%d connections", n)
	}
	if each > bound {
		t.Errorf("%d bytes for each idle connection, want at most %d", each, bound)
	}
}

// deep uses n times half a kilobyte of stack.
func deep(n int) byte {
	var frame [512]byte
	if n > 0 {
		frame[n%len(frame)] = deep(n - 1)
	}
	return frame[n/2]
}

func memory() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools are emptied by the second
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}

// A request that fits costs no allocation but its share of what heads are read into.
func TestARequestAllocatesAlmostNothing(t *testing.T) {
	body := []byte("small")
	s := start(t, Settings{}, func(v Visitor) {
		if v.Head().Get("Cookie") == "" || v.Context().Err() != nil {
			v.Abort()
		}
		v.Answer(200, nil, int64(len(body)), false)
		v.Write(body)
	})
	c := dial(t, s)
	request := []byte("GET /some/path HTTP/1.1\r\nHost: www.example.com\r\nCookie: sid=1\r\n\r\n")
	answer := make([]byte, len("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\n\r\nsmall"))
	ask := func() {
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, answer); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	if n := testing.AllocsPerRun(1000, ask); n > 1 { // rounded down; one is for the pool's being emptied, and under race it always is
		t.Errorf("%v allocations a request", n)
	}
}

package upstream

import (
	"bufio"
	"io"
	"net"
	"syscall"
	"testing"
)

// What a backend says on a connection that nobody asks anything is not the answer to the next request.
func TestAnAnswerThatNobodyAskedForIsNotTheNextOnes(t *testing.T) {
	speak := make(chan struct{})
	p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
		if _, err := readHead(br); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
		if _, ok := <-speak; ok {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
		}
		_, _ = readHead(br)
	}))
	ask := func() {
		t.Helper()
		a := send(t, p, &Request{Method: "GET", Target: "/"})
		if got := all(t, a.Body); got != "good" {
			t.Errorf("the answer is %q", got)
		}
		a.Body.Close()
	}
	ask()
	speak <- struct{}{}
	idle := &p.backends[0].idle
	c := idle.take()
	eventually(t, "the bytes are there", func() (there bool) {
		var b [1]byte
		_ = c.raw.Read(func(fd uintptr) bool {
			n, _, _ := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			there = n > 0
			return true
		})
		return there
	})
	idle.put(c, clock()+idleTimeout)
	ask()
	close(speak)
}

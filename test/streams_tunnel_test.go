package test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// halves is a connection whose ways end one by one.
type halves interface {
	net.Conn
	CloseWrite() error
}

// upgrading is a backend that upgrades and hands the connection to its test, with what it has read of it.
func upgrading(t *testing.T) (*httptest.Server, chan tunnelEnd) {
	t.Helper()
	ends := make(chan tunnelEnd, 4)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		// The first bytes of the tunnel go out together with the head.
		fmt.Fprintf(buffered, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\nwelcome", r.Header.Get("Upgrade"))
		if err := buffered.Flush(); err != nil {
			t.Error(err)
		}
		ends <- tunnelEnd{c.(halves), buffered.Reader}
	}))
	t.Cleanup(s.Close)
	return s, ends
}

// tunnelEnd is one end of a tunnel; what comes is read from in.
type tunnelEnd struct {
	halves
	in *bufio.Reader
}

// openTunnel opens a tunnel over that connection, whose first bytes go out together with the head.
func openTunnel(t *testing.T, c halves, path string, ends chan tunnelEnd) (visitor, backend tunnelEnd) {
	t.Helper()
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello", path)
	visitor = tunnelEnd{c, bufio.NewReader(c)}
	res, err := http.ReadResponse(visitor.in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("no tunnel: %v %v", res, err)
	}
	select {
	case backend = <-ends:
	case <-time.After(patience):
		t.Fatal("the backend was not asked")
	}
	t.Cleanup(func() { _ = backend.Close() })
	_ = backend.SetDeadline(time.Now().Add(patience))
	for _, early := range []struct {
		end  tunnelEnd
		want string
	}{{visitor, "welcome"}, {backend, "hello"}} {
		got := make([]byte, len(early.want))
		if _, err := io.ReadFull(early.end.in, got); err != nil || string(got) != early.want {
			t.Fatalf("the first bytes: %q %v; want %q", got, err, early.want)
		}
	}
	return visitor, backend
}

// pour writes all of b in pieces of any size.
func pour(t *testing.T, to io.Writer, b []byte) {
	for len(b) > 0 {
		n := min(len(b), 1+rand.IntN(70_000))
		if _, err := to.Write(b[:n]); err != nil {
			t.Errorf("write: %v", err)
			return
		}
		b = b[n:]
	}
}

// anyBytes sends bytes that are no WebSocket's through a tunnel, both ways at once, and ends the ways one by one: visitorFirst
// tells whose ends first. What was not ended goes on.
func anyBytes(t *testing.T, visitor, backend tunnelEnd, visitorFirst bool) {
	t.Helper()
	const size = 4 << 20
	there, back := noise(1, size), noise(2, size)
	done := make(chan struct{}, 2)
	for _, way := range []struct {
		to   io.Writer
		sent []byte
	}{{visitor, there}, {backend, back}} {
		go func() {
			pour(t, way.to, way.sent)
			done <- struct{}{}
		}()
	}
	for _, way := range []struct {
		name string
		from tunnelEnd
		want []byte
	}{{"to the backend", backend, there}, {"to the visitor", visitor, back}} {
		go func() {
			got := make([]byte, size)
			if n, err := io.ReadFull(way.from.in, got); err != nil || !bytes.Equal(got, way.want) {
				t.Errorf("%s: %d bytes of %d, or not the same: %v", way.name, n, size, err)
			}
			done <- struct{}{}
		}()
	}
	for range 4 {
		<-done
	}
	first, last := visitor, backend
	if !visitorFirst {
		first, last = backend, visitor
	}
	if err := first.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(last.in); len(rest) > 0 || err != nil {
		t.Fatalf("the end of one way arrived as %q %v", rest, err)
	}
	answer := noise(3, 300_000)
	go func() {
		pour(t, last, answer)
		_ = last.CloseWrite()
	}()
	if rest, err := io.ReadAll(first.in); err != nil || !bytes.Equal(rest, answer) {
		t.Errorf("after one way had ended the other brought %d bytes of %d: %v", len(rest), len(answer), err)
	}
}

func TestATunnelPassesAnyBytes(t *testing.T) {
	t.Parallel()
	server, ends := upgrading(t)
	g := startGatehouse(t, simple(server.URL, everything))
	for _, visitorFirst := range []bool{true, false} {
		c, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		visitor, backend := openTunnel(t, c.(halves), "/", ends)
		anyBytes(t, visitor, backend, visitorFirst)
	}
}

// TestATunnelThatBreaks: where one end vanishes, the other hears of it at once, whichever it is.
func TestATunnelThatBreaks(t *testing.T) {
	t.Parallel()
	server, ends := upgrading(t)
	g := startGatehouse(t, simple(server.URL, everything))
	for _, visitorBreaks := range []bool{true, false} {
		c, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		broken, whole := openTunnel(t, c.(halves), "/", ends)
		if !visitorBreaks {
			broken, whole = whole, broken
		}
		// Not a clean end but a reset, as of a machine that is gone.
		_ = broken.halves.(*net.TCPConn).SetLinger(0)
		_ = broken.Close()
		if rest, err := io.ReadAll(whole.in); len(rest) > 0 {
			t.Errorf("the visitor breaks %v: %q %v", visitorBreaks, rest, err)
		}
	}
}

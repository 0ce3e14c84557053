package edge

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"gatehouse/proxy/h1"
)

// plain is a listener of connections that are no sockets, as those of TLS are none, and counts their writes.
type plain struct {
	net.Listener
	writes *atomic.Int32
}

type plainConn struct {
	net.Conn
	writes *atomic.Int32
}

func (p plain) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	return plainConn{c, p.writes}, err
}

func (p plainConn) Write(b []byte) (int, error) {
	p.writes.Add(1)
	return p.Conn.Write(b)
}

func startPlain(t *testing.T, h handle) (*Server, *atomic.Int32) {
	t.Helper()
	l, err := Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	writes := new(atomic.Int32)
	return startOn(t, plain{l, writes}, Settings{Live: Live{Health: "/ready"}}, h), writes
}

func TestASmallAnswerIsOneWrite(t *testing.T) {
	s, writes := startPlain(t, func(v Visitor) {
		switch v.Target() {
		case "/chunked":
			v.Answer(200, nil, -1, true)
			io.WriteString(v, "some ")
			io.WriteString(v, "words")
			v.SendTrailer(h1.Head{{Name: "X-Sum", Value: "1"}})
		default:
			reply(v, strings.Repeat("x", 3000))
		}
	})
	c := dial(t, s)
	for _, request := range []string{
		"GET / HTTP/1.1\nHost: a\n\n", "GET /chunked HTTP/1.1\nHost: a\n\n", "HEAD / HTTP/1.1\nHost: a\n\n",
		"GET /ready HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\n\n",
	} {
		writes.Store(0)
		c.send(request)
		method, _, _ := strings.Cut(request, " ")
		c.answer(method)
		if n := writes.Load(); n != 1 {
			t.Errorf("%q: %d writes", request, n)
		}
	}
}

func TestConnectionsThatAreNoSockets(t *testing.T) {
	s, _ := startPlain(t, func(v Visitor) {
		body, err := io.ReadAll(v.Body())
		if err != nil {
			t.Error(err)
		}
		reply(v, v.Target()+string(body))
	})
	c := dial(t, s)
	big := strings.Repeat("x", 50_000)
	for range 2 {
		c.send("POST /a HTTP/1.1\nHost: a\nContent-Length: 50000\n\n" + big + "GET /b HTTP/1.1\nHost: a\n\n")
		for _, want := range []string{"/a" + big, "/b"} {
			if _, body := c.answer("GET"); body != want {
				t.Errorf("%d bytes, want %d", len(body), len(want))
			}
		}
	}
	if err := drain(t, s, patience); err != nil {
		t.Error(err)
	}
	c.ended()
}

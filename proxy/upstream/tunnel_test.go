package upstream

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
)

const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n"

func upgrade() *Request {
	r := get("/socket")
	r.Upgrade = "websocket"
	r.Head = head("Sec-WebSocket-Key: k", "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings")
	return r
}

func TestTunnelIsTransparent(t *testing.T) {
	asked := make(chan []string, 1)
	p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
		lines, err := readHead(br)
		if err != nil {
			return
		}
		asked <- lines
		io.WriteString(c, switching+"early")
		io.Copy(c, br)
		c.(*net.TCPConn).CloseWrite()
	}))
	a := send(t, p, upgrade())
	if got := <-asked; !slices.Contains(got, "Connection: Upgrade") || !slices.Contains(got, "Upgrade: websocket") {
		t.Errorf("asked %q", got)
	}
	if a.Status != 101 || a.Tunnel == nil || a.Head.Get("Sec-Websocket-Accept") != "x" {
		t.Fatalf("got %+v", a)
	}
	early := make([]byte, 5)
	if _, err := io.ReadFull(a.Tunnel, early); err != nil || string(early) != "early" {
		t.Fatalf("early bytes: %q, %v", early, err)
	}
	sent := make([]byte, 1<<20)
	rand.Read(sent)
	go func() {
		for rest := sent; len(rest) > 0; {
			n := min(len(rest), 1+int(rest[0])*97)
			if _, err := a.Tunnel.Write(rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
		a.Tunnel.(interface{ CloseWrite() error }).CloseWrite()
	}()
	got, err := io.ReadAll(a.Tunnel) // ends by the half-close, passed on
	if err != nil || !slices.Equal(got, sent) {
		t.Errorf("%d of %d bytes came back, %v", len(got), len(sent), err)
	}
	a.Tunnel.Close()
	a.Tunnel.Close()
}

func TestTunnelEndsWithItsContext(t *testing.T) {
	gone := make(chan struct{}, 2)
	p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
		readHead(br)
		io.WriteString(c, switching)
		io.Copy(io.Discard, br)
		gone <- struct{}{}
	}))
	ctx, cancel := context.WithCancel(context.Background())
	a, err := claim(t, p).Send(ctx, upgrade())
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if n, err := a.Tunnel.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes of a tunnel that was cut", n)
	}
	<-gone
	a.Tunnel.Close()

	a = send(t, p, upgrade()) // closing the body is closing the tunnel
	a.Body.Close()
	<-gone
}

func TestATunnelsWriteFailsWhenTheBackendIsGone(t *testing.T) {
	p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
		readHead(br)
		io.WriteString(c, switching)
		c.(*net.TCPConn).SetLinger(0)
	}))
	a := send(t, p, upgrade())
	defer a.Tunnel.Close()
	io.Copy(io.Discard, a.Tunnel)
	eventually(t, "a write fails", func() bool {
		_, err := a.Tunnel.Write([]byte("x"))
		return err != nil
	})
}

func TestARefusedUpgradeIsAnAnswer(t *testing.T) {
	p := pool(t, script(t, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"))
	a := send(t, p, upgrade())
	if a.Status != 403 || a.Tunnel != nil || all(t, a.Body) != "no" {
		t.Errorf("got %+v", a)
	}
}

func TestAnotherProtocolIsBroken(t *testing.T) {
	p := pool(t, script(t, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"))
	if _, err := claim(t, p).Send(deadline(t), upgrade()); !errors.Is(err, ErrBroken) {
		t.Errorf("got %v, want ErrBroken", err)
	}
}

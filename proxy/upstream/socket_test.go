package upstream

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

func unix(t *testing.T, h http.HandlerFunc) (BackendSettings, *http.Server) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Close()
		<-served
	})
	return BackendSettings{URL: "unix:" + path, Network: "unix", Address: path}, s
}

func TestUnixSockets(t *testing.T) {
	var hosts []string
	b, s := unix(t, func(w http.ResponseWriter, r *http.Request) {
		hosts = append(hosts, r.Host)
		_, _ = io.Copy(w, r.Body)
	})
	p := pool(t, b)
	for range 3 {
		a := send(t, p, &Request{Method: "POST", Target: "/", Body: strings.NewReader("abc"), Length: -1})
		if got := all(t, a.Body); got != "abc" {
			t.Errorf("got %q", got)
		}
		a.Body.Close()
	}
	if p.backends[0].idle.len() != 1 || strings.Join(hosts, " ") != "localhost localhost localhost" {
		t.Errorf("%d connections are kept, for %q", p.backends[0].idle.len(), hosts)
	}
	s.Close()
	if _, err := claim(t, p).Send(deadline(t), get("/")); !errors.Is(err, ErrConnect) {
		t.Errorf("got %v, want ErrConnect", err)
	}
}

// Tunnels over each kind of socket: bytes both ways, and the end of one of them.
func TestTunnelsOverEverySocket(t *testing.T) {
	echo := func(c net.Conn, br *bufio.Reader) {
		if _, err := readHead(br); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly")
		_, _ = io.Copy(c, br)
	}
	ca := newAuthority(t)
	path := filepath.Join(t.TempDir(), "app.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		c, err := l.Accept()
		if err == nil {
			echo(c, bufio.NewReader(c))
			c.Close()
		}
	}()
	for _, b := range []BackendSettings{ca.rawTLS(t, &tls.Config{}, echo), {URL: "unix:" + path, Network: "unix", Address: path}} {
		r := get("/")
		r.Upgrade = "websocket"
		a := send(t, ca.pool(t, TLS{}, b), r)
		go func() {
			_, _ = io.WriteString(a.Tunnel, strings.Repeat("x", 100_000))
			_ = a.Tunnel.(interface{ CloseWrite() error }).CloseWrite()
		}()
		var got strings.Builder
		if n, err := io.Copy(&got, a.Tunnel); n != 100_005 || err != nil || !strings.HasPrefix(got.String(), "earlyxxx") {
			t.Errorf("%s: %d bytes, %v", b.URL, n, err)
		}
		a.Tunnel.Close()
	}
}

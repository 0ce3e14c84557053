package upstream

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
)

func TestIntroductions(t *testing.T) {
	at := netip.MustParseAddrPort
	for _, tt := range []struct {
		version     int
		peer, local netip.AddrPort
		want        string
	}{
		{1, at("192.0.2.1:1234"), at("192.0.2.2:443"), "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n"},
		{1, at("[::ffff:192.0.2.1]:1234"), at("192.0.2.2:443"), "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n"},
		{1, at("[2001:db8::1%eth0]:1234"), at("[2001:db8::2]:443"), "PROXY TCP6 2001:db8::1 2001:db8::2 1234 443\r\n"},
		{1, at("[2001:db8::1]:1"), at("192.0.2.2:443"), "PROXY TCP6 2001:db8::1 ::ffff:192.0.2.2 1 443\r\n"},
		{1, netip.AddrPort{}, at("192.0.2.2:443"), "PROXY UNKNOWN\r\n"},
		{1, at("192.0.2.2:443"), netip.AddrPort{}, "PROXY UNKNOWN\r\n"},
		{2, at("192.0.2.1:258"), at("192.0.2.2:443"), string(proxyproto.SIGV2) + "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x01\x02\x01\xbb"},
		{2, netip.AddrPort{}, netip.AddrPort{}, string(proxyproto.SIGV2) + "\x20\x00\x00\x00"},
	} {
		got, err := introduction(tt.version, tt.peer, tt.local)
		if err != nil || string(got) != tt.want {
			t.Errorf("%d %v %v: %q, %v", tt.version, tt.peer, tt.local, got, err)
		}
	}
}

// Every connection begins with a header, before TLS where there is any, and carries one request.
func TestConnectionsAreIntroduced(t *testing.T) {
	ca := newAuthority(t)
	for _, scheme := range []string{"http", "https", "unix"} {
		for version := 1; version <= 2; version++ {
			var conns atomic.Int64
			network, address := "tcp", "127.0.0.1:0"
			if scheme == "unix" {
				network, address = "unix", filepath.Join(t.TempDir(), "app.sock")
			}
			l, err := net.Listen(network, address)
			if err != nil {
				t.Fatal(err)
			}
			l = &proxyproto.Listener{Listener: l, ConnPolicy: func(proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
				return proxyproto.REQUIRE, nil
			}}
			s := &http.Server{ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, r.RemoteAddr)
			}), ConnState: func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					conns.Add(1)
				}
			}}
			served := make(chan struct{})
			go func() {
				defer close(served)
				if scheme == "https" {
					cert, key := ca.issue("127.0.0.1", time.Now().Add(time.Hour))
					_ = s.ServeTLS(l, cert, key)
				} else {
					_ = s.Serve(l)
				}
			}()
			b := BackendSettings{URL: scheme + "://" + l.Addr().String(), Network: network, Address: l.Addr().String()}
			if scheme == "unix" {
				b.URL = "unix:" + b.Address
			}
			p := NewPool(Settings{Name: "app", Backends: []BackendSettings{b}, TLS: &TLS{CAFile: ca.file}, ProxyProtocol: version,
				Health: &HealthSettings{Path: "/", Interval: time.Hour, Timeout: patience}}, nil)
			for range 3 {
				r := get("/")
				r.Peer, r.Local = netip.MustParseAddrPort("192.0.2.1:1234"), netip.MustParseAddrPort("192.0.2.2:443")
				if got := all(t, send(t, p, r).Body); got != "192.0.2.1:1234" {
					t.Errorf("%s v%d: the backend saw %q", scheme, version, got)
				}
			}
			if n := conns.Load(); n != 3 {
				t.Errorf("%s v%d: %d connections for three requests", scheme, version, n)
			}
			p.Start() // its check is nobody's
			eventually(t, "a health check", func() bool { return conns.Load() == 4 })
			p.Close()
			if s := p.Status()[0]; s.LastError != "" {
				t.Errorf("%s v%d: %s", scheme, version, s.LastError)
			}
			s.Close()
			<-served
		}
	}
}

// An upgrade is one request, too, and asks for nothing else.
func TestAnUpgradeIsIntroduced(t *testing.T) {
	p := NewPool(Settings{Name: "app", ProxyProtocol: 1, Backends: []BackendSettings{raw(t, func(c net.Conn, br *bufio.Reader) {
		line, _ := br.ReadString('\n')
		lines, err := readHead(br)
		if err != nil || line != "PROXY UNKNOWN\r\n" || strings.Contains(strings.Join(lines, "\n"), "close") {
			t.Errorf("got %q and %q", line, lines)
		}
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(c, br)
	})}}, nil)
	t.Cleanup(p.Close)
	r := get("/")
	r.Upgrade = "websocket"
	a := send(t, p, r)
	if _, err := io.WriteString(a.Tunnel, "abc"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 3)
	if _, err := io.ReadFull(a.Tunnel, got); err != nil || string(got) != "abc" {
		t.Errorf("got %q, %v", got, err)
	}
}

package edge

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func headerV2(t *testing.T, command proxyproto.ProtocolVersionAndCommand, from, to net.Addr, tlvs ...proxyproto.TLV) string {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(2, from, to)
	h.Command = command
	if err := h.SetTLVs(tlvs); err != nil {
		t.Fatal(err)
	}
	raw, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func tcp(s string) *net.TCPAddr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }

const (
	sigV2 = "\r\n\r\n\x00\r\nQUIT\n"
	v1    = "PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n"
)

func TestPROXYHeaders(t *testing.T) {
	const own, none = "own", "" // the connection's own address; refused
	long := proxyproto.TLV{Type: 0xEA, Value: bytes.Repeat([]byte("x"), 3000)}
	for _, tt := range []struct{ name, sent, peer string }{
		{"v1", v1, "192.0.2.7:4711"},
		{"v1 of IPv6", "PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n", "[2001:db8::7]:4711"},
		{"v1 of IPv4 in IPv6", "PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.1 4711 443\r\n", "192.0.2.7:4711"},
		{"v1 unknown", "PROXY UNKNOWN\r\n", own},
		{"v1 unknown with words", "PROXY UNKNOWN ffff:f:f 1 2 3\r\n", own},
		{"v2", headerV2(t, proxyproto.PROXY, tcp("192.0.2.7:4711"), tcp("192.0.2.1:443")), "192.0.2.7:4711"},
		{"v2 of IPv6", headerV2(t, proxyproto.PROXY, tcp("[2001:db8::7]:4711"), tcp("[2001:db8::1]:443")), "[2001:db8::7]:4711"},
		{"v2 with more", headerV2(t, proxyproto.PROXY, tcp("192.0.2.7:4711"), tcp("192.0.2.1:443"), long), "192.0.2.7:4711"},
		{"v2 local", headerV2(t, proxyproto.LOCAL, tcp("192.0.2.7:4711"), tcp("192.0.2.1:443")), own},
		{"v2 local, bare", sigV2 + "\x20\x00\x00\x00", own},
		{"v2 of a Unix socket", headerV2(t, proxyproto.PROXY, &net.UnixAddr{Net: "unix", Name: "/a"}, &net.UnixAddr{Net: "unix", Name: "/b"}), own},

		{"none", "", none},
		{"v1 of UDP", "PROXY UDP4 192.0.2.7 192.0.2.1 4711 443\r\n", none},
		{"v1 with a zone", "PROXY TCP6 fe80::1%lo fe80::1 4711 443\r\n", none},
		{"v1, the wrong family", "PROXY TCP4 2001:db8::7 2001:db8::1 4711 443\r\n", none},
		{"v1, a port too large", "PROXY TCP4 192.0.2.7 192.0.2.1 65536 443\r\n", none},
		{"v1, a word too many", "PROXY TCP4 192.0.2.7 192.0.2.1 4711 443 x\r\n", none},
		{"v1, bare LF", "PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\n", none},
		{"v1, no end", "PROXY TCP4 " + strings.Repeat("1", 200), none},
		{"v1, another word", "PROXYX TCP4 192.0.2.7 192.0.2.1 4711 443\r\n", none},
		{"v2 of UDP", sigV2 + "\x21\x12\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x01\x12\x34\x01\xbb", none},
		{"v2, another version", sigV2 + "\x31\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x01\x12\x34\x01\xbb", none},
		{"v2, an unknown family", sigV2 + "\x21\x41\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x01\x12\x34\x01\xbb", none},
		{"v2, too short", sigV2 + "\x21\x11\x00\x04\xc0\x00\x02\x07", none},
		{"v2, too long", sigV2 + "\x21\x11\xff\xff" + strings.Repeat("x", 65535), none},
	} {
		for name, begin := range map[string]func(*testing.T, Settings, handle) *Server{"plain": start, "TLS": startTLS} {
			peers := make(chan netip.AddrPort, 1)
			s := begin(t, Settings{Live: Live{ProxyProtocol: loopback}}, func(v Visitor) {
				if (v.(*visit).conn.raw != nil) != (name == "plain") {
					t.Error("it does not read as fast as it could")
				}
				peers <- v.Peer()
				reply(v, "ok")
			})
			c := dial(t, s)
			c.Write([]byte(tt.sent))
			want := netip.AddrPort{}
			switch tt.peer {
			case none:
				c.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
				c.Conn.(*net.TCPConn).CloseWrite()
				if got, _ := io.ReadAll(c.br); len(got) > 0 {
					t.Errorf("%s, %s: %q was answered", name, tt.name, got)
				}
				continue
			case own:
				want = addrPort(c.LocalAddr().(*net.TCPAddr))
			default:
				want = netip.MustParseAddrPort(tt.peer)
			}
			if name == "TLS" {
				c, _ = c.secure(clientTLS())
			}
			c.send("GET / HTTP/1.1\nHost: a\n\n")
			if _, body := c.answer("GET"); body != "ok" {
				t.Errorf("%s, %s: %q", name, tt.name, body)
			}
			if got := wait(t, peers); got != want {
				t.Errorf("%s, %s: %v, want %v", name, tt.name, got, want)
			}
		}
	}
}

func TestPROXYHeadersOfStrangersAreNotBelieved(t *testing.T) {
	elsewhere := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	s := start(t, Settings{Live: Live{ProxyProtocol: elsewhere}}, func(v Visitor) { reply(v, v.Peer().Addr().String()) })
	c := dial(t, s)
	c.send("GET / HTTP/1.1\nHost: a\n\n")
	if _, body := c.answer("GET"); body != "127.0.0.1" {
		t.Errorf("%q", body)
	}
	c = dial(t, s)
	c.send(strings.TrimSuffix(v1, "\r\n") + "\nGET / HTTP/1.1\nHost: a\n\n")
	if res, _ := c.answer("GET"); res.StatusCode != 400 {
		t.Errorf("a stranger's header: %d", res.StatusCode)
	}
}

func TestAPROXYHeaderIsBounded(t *testing.T) {
	s := start(t, Settings{Live: Live{ProxyProtocol: loopback}, Limits: Limits{HeadTimeout: 100 * time.Millisecond}}, func(v Visitor) { t.Error("it came through") })
	for _, part := range []string{"", "P", v1[:20], sigV2 + "\x21\x11\x00\x0c\xc0"} {
		c := dial(t, s)
		c.Write([]byte(part))
		c.ended()
	}
	var open []*client
	s = start(t, Settings{Live: Live{ProxyProtocol: loopback}}, func(v Visitor) { t.Error("it came through") })
	for _, part := range []string{"", v1[:20]} {
		c := dial(t, s)
		c.Write([]byte(part))
		open = append(open, c)
	}
	eventually(t, "they are accepted", func() bool { return s.Conns() == len(open) })
	if err := drain(t, s, patience); err != nil {
		t.Error(err)
	}
}

// Not a byte behind a header is touched, whatever it is, and none is kept that the library would not take.
func FuzzPROXYHeader(f *testing.F) {
	for _, s := range []string{v1, "PROXY UNKNOWN\r\n", sigV2 + "\x21\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x01\x12\x34\x01\xbb", sigV2 + "\x20\x00\x00\x00", "GET / HTTP/1.1\r\n"} {
		f.Add([]byte(s + "GET / HTTP/1.1\r\n"))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		r := bytes.NewReader(sent)
		raw, err := cutHeader(r)
		if err != nil {
			return
		}
		if len(raw) > fixed+mostAfter || !bytes.Equal(raw, sent[:len(raw)]) || r.Len() != len(sent)-len(raw) {
			t.Errorf("%d bytes of %d were cut, %d are left", len(raw), len(sent), r.Len())
		}
		here, there := net.Pipe()
		defer there.Close()
		go func() {
			there.Write(sent)
			there.Close()
		}()
		c := conn{below: here}
		if err := c.readHeader(); err == nil && c.peer.IsValid() && !strings.Contains(string(raw), "TCP") && raw[0] == 'P' {
			t.Errorf("%q says %v", raw, c.peer)
		}
		if _, err := io.ReadAll(here); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
	})
}

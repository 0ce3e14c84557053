package test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
)

// proxied is a connection of a load balancer's that begins with a PROXY header: the visitor is from, and came to 203.0.113.80:443.
func proxied(t *testing.T, address string, version byte, from string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	source, err := net.ResolveTCPAddr("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	to := &net.TCPAddr{IP: net.IPv4(203, 0, 113, 80), Port: 443}
	if source.IP.To4() == nil {
		to.IP = net.ParseIP("2001:db8::80")
	}
	if _, err := proxyproto.HeaderProxyFromAddrs(version, source, to).WriteTo(c); err != nil {
		t.Fatal(err)
	}
	return c
}

// askOn asks for a path over a connection as it is, and returns the body; an error where there is no answer.
func askOn(c net.Conn, path string) (int, string, error) {
	_, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, visited)
	if err != nil {
		return 0, "", err
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, string(body), err
}

// whoCame is a backend that says who the visitor is, and who is at the other end of its connection.
var whoCame = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s by %s", r.Header.Get("X-Forwarded-For"), r.RemoteAddr)
})

// TestPROXYInFront: whom the file names must say who the visitor is, in either version of the protocol, before TLS too; nobody
// else is heard.
func TestPROXYInFront(t *testing.T) {
	t.Parallel()
	b := &http.Server{Handler: whoCame}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = b.Serve(l) }()
	t.Cleanup(func() { _ = b.Close() })
	ca := newAuthority(t, "ca")
	ca.certificate(t, "site", visited)
	heard, secret, deaf := loopback(t), loopback(t), loopback(t)
	g := startGatehouse(t, secured("http://"+l.Addr().String(),
		fmt.Sprintf("{address: %q, proxy_protocol: [127.0.0.0/8]}", heard),
		fmt.Sprintf("{address: %q, proxy_protocol: [127.0.0.0/8], tls: {certificates: [{%s}]}}", secret, ca.files("site")),
		fmt.Sprintf("{address: %q, proxy_protocol: [10.0.0.0/8]}", deaf)))
	for _, version := range []byte{1, 2} {
		for i, from := range []string{"198.51.100.7:4711", "[2001:db8::7]:4711"} {
			host, _, _ := net.SplitHostPort(from)
			c := proxied(t, heard, version, from)
			if status, body, err := askOn(c, "/"); err != nil || status != 200 || !strings.HasPrefix(body, host+" by ") {
				t.Errorf("version %d, plain: %d %q %v; want %s", version, status, body, err, host)
			}
			if status, body, err := askOn(c, "/"); err != nil || status != 200 || !strings.HasPrefix(body, host+" by ") {
				t.Errorf("version %d, the same connection: %d %q %v", version, status, body, err)
			}
			s := tls.Client(proxied(t, secret, version, from), ca.believed(visited))
			if status, body, err := askOn(s, fmt.Sprintf("/secret/%d/%d", version, i)); err != nil || status != 200 || !strings.HasPrefix(body, host+" by ") {
				t.Errorf("version %d, TLS: %d %q %v; want %s", version, status, body, err, host)
			}
		}
		// Nobody's word: the header is no request.
		if status, body, err := askOn(proxied(t, deaf, version, "198.51.100.7:4711"), "/"); err == nil && status == 200 {
			t.Errorf("version %d: a stranger was believed: %q", version, body)
		}
	}
	for _, address := range []string{heard, secret} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		if status, body, err := askOn(c, "/"); err == nil && status == 200 {
			t.Errorf("whoever must say who the visitor is, and does not, was served: %q", body)
		}
		_ = c.Close()
	}
	if res, body := plainFront(t, deaf).ask(t, "GET", "/", nil); res.StatusCode != 200 || !strings.HasPrefix(body, "127.0.0.1 by ") {
		t.Errorf("who need not say it: %d %q", res.StatusCode, body)
	}
	eventually(t, patience, "the log names the visitor", func() bool {
		lines := strings.Join(g.accessLines(), "\n")
		return strings.Contains(lines, `"client":"198.51.100.7"`) && strings.Contains(lines, `"client":"2001:db8::7"`)
	})
}

// TestPROXYBehind: a backend that wants to know is told who the visitor is, in a connection of his own, whatever it speaks.
func TestPROXYBehind(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	ca.certificate(t, "site", visited)
	ca.certificate(t, "backend", "backend.internal")
	pools, routes := "", ""
	for _, version := range []string{"v1", "v2"} {
		for _, scheme := range []string{"http", "https"} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			header := &proxyproto.Listener{Listener: l, ReadHeaderTimeout: patience, ConnPolicy: func(proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
				return proxyproto.REQUIRE, nil
			}}
			b := &http.Server{Handler: whoCame, TLSConfig: &tls.Config{Certificates: []tls.Certificate{ca.pair(t, "backend")}}}
			more := ""
			if scheme == "https" {
				more = fmt.Sprintf(", tls: {ca_file: %q, server_name: backend.internal}", ca.file("ca.crt"))
				go func() { _ = b.ServeTLS(header, "", "") }()
			} else {
				go func() { _ = b.Serve(header) }()
			}
			t.Cleanup(func() { _ = b.Close() })
			name := scheme + "-" + version
			pools += fmt.Sprintf("  %s: {backends: [\"%s://%s\"], proxy_protocol: %s%s}\n", name, scheme, l.Addr(), version, more)
			routes += fmt.Sprintf("  - {name: %[1]s, match: {path: \"/%[1]s\"}, pool: %[1]s}\n", name)
		}
	}
	open, heard := loopback(t), loopback(t)
	startGatehouse(t, fmt.Sprintf("listen: [{address: %q}, {address: %q, proxy_protocol: [127.0.0.1]}]\nadmin: {address: \"127.0.0.1:0\"}\npools:\n%sroutes:\n%s",
		open, heard, pools, routes))
	for _, version := range []string{"v1", "v2"} {
		for _, scheme := range []string{"http", "https"} {
			path := "/" + scheme + "-" + version
			for range 3 { // the second visitor must not be taken for the first, whose connection his request could use
				c, err := net.Dial("tcp", open)
				if err != nil {
					t.Fatal(err)
				}
				_ = c.SetDeadline(time.Now().Add(patience))
				for range 2 {
					if status, body, err := askOn(c, path); err != nil || status != 200 || body != "127.0.0.1 by "+c.LocalAddr().String() {
						t.Errorf("%s: %d %q %v; want %s", path, status, body, err, c.LocalAddr())
					}
				}
				_ = c.Close()
			}
			for _, from := range []string{"198.51.100.7:4711", "[2001:db8::7]:4712"} {
				host, _, _ := net.SplitHostPort(from)
				if status, body, err := askOn(proxied(t, heard, 2, from), path); err != nil || status != 200 || body != host+" by "+from {
					t.Errorf("%s, through both: %d %q %v; want %s", path, status, body, err, from)
				}
			}
		}
	}
}

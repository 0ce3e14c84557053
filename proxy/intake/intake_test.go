package intake

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"gatehouse/proxy/h1"
)

func TestReadTarget(t *testing.T) {
	for _, c := range []struct {
		method, target, host string
		want                 Target
		err                  error
	}{
		{"GET", "/", "a.example", Target{Host: "a.example", RawPath: "/"}, nil},
		{"GET", "/a%2Fb//c;d?x=1?y", "A.Example:8080", Target{Host: "a.example", Port: "8080", RawPath: "/a%2Fb//c;d", Query: "x=1?y", Asked: true}, nil},
		{"GET", "/?", "a", Target{Host: "a", RawPath: "/", Asked: true}, nil},
		{"GET", "//login", "a", Target{Host: "a", RawPath: "//login"}, nil},
		{"GET", "/", "[::1]:80", Target{Host: "[::1]", Port: "80", RawPath: "/"}, nil},
		{"GET", "/", "a.example.", Target{Host: "a.example", RawPath: "/"}, nil},
		{"GET", "http://a/x?y", "a", Target{Host: "a", RawPath: "/x", Query: "y", Asked: true}, nil},
		{"GET", "HTTPS://a", "a", Target{Host: "a", RawPath: "/"}, nil},
		{"GET", "http://a?q", "a", Target{Host: "a", RawPath: "/", Query: "q", Asked: true}, nil},
		{"OPTIONS", "*", "a", Target{}, ErrTarget},
		{"GET", "*", "a", Target{}, ErrTarget},
		{"GET", "http://evil/login", "a", Target{}, ErrHosts},
		{"GET", "http://a:81/login", "a", Target{}, ErrHosts},
		{"GET", "http://u@a/", "a", Target{}, ErrTarget},
		{"GET", "evil:80", "a", Target{}, ErrTarget},
		{"GET", "ftp://a/", "a", Target{}, ErrTarget},
		{"GET", "", "a", Target{}, ErrTarget},
		{"GET", "/a b", "a", Target{}, ErrTarget},
		{"GET", "/a\x00", "a", Target{}, ErrTarget},
		{"GET", "/a#b", "a", Target{}, ErrTarget},
		{"CONNECT", "a:443", "a:443", Target{}, ErrMethod},
		{"TRACE", "/", "a", Target{}, ErrMethod},
		{"GET", "/", "", Target{}, ErrHost},
		{"GET", "/", "a/login?", Target{}, ErrHost},
		{"GET", "/", "a:port", Target{}, ErrHost},
		{"GET", "/", "a:", Target{}, ErrHost},
		{"GET", "/", "u@a", Target{}, ErrHost},
		{"GET", "/", "[::1", Target{}, ErrHost},
		{"GET", "/", "[1.2.3.4]", Target{}, ErrHost},
		{"GET", "/", "...", Target{}, ErrHost},
	} {
		got, err := ReadTarget(c.method, c.target, c.host)
		if !errors.Is(err, c.err) {
			t.Errorf("%s %q at %q: %v; want %v", c.method, c.target, c.host, err, c.err)
			continue
		}
		was := got
		if got.whole = ""; err == nil && got != c.want {
			t.Errorf("%s %q at %q: %+v; want %+v", c.method, c.target, c.host, got, c.want)
		}
		if err == nil && strings.HasPrefix(c.target, "/") && (got.Origin() != c.target || was.Origin() != c.target) {
			t.Errorf("%q went on as %q and %q", c.target, got.Origin(), was.Origin())
		}
	}
}

func FuzzReadTarget(f *testing.F) {
	f.Add("GET", "/login?x", "a.example:80")
	f.Add("GET", "http://[::1]:80/x", "[::1]:80")
	f.Fuzz(func(t *testing.T, method, target, host string) {
		got, err := ReadTarget(method, target, host)
		if err != nil {
			return
		}
		if !strings.HasPrefix(got.RawPath, "/") {
			t.Errorf("%q: path %q", target, got.RawPath)
		}
		if strings.ContainsAny(got.Host, "/?#@ \r\n\t") || got.Host == "" {
			t.Errorf("%q at %q: host %q", target, host, got.Host)
		}
		if !strings.HasSuffix(target, got.Origin()) && got.Origin()[0] == '/' && got.RawPath != "/" {
			t.Errorf("%q went on as %q", target, got.Origin())
		}
	})
}

func head(lines ...string) h1.Head {
	var h h1.Head
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		h.Add(name, value)
	}
	return h
}

func TestClient(t *testing.T) {
	trusted := Trusted{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		peer string
		head h1.Head
		want string
	}{
		{"192.0.2.1", nil, "192.0.2.1"},
		{"192.0.2.1", head("X-Forwarded-For: 198.51.100.7"), "192.0.2.1"},
		{"10.0.0.1", nil, "10.0.0.1"},
		{"10.0.0.1", head("X-Forwarded-For: 198.51.100.7"), "198.51.100.7"},
		{"10.0.0.1", head("X-Forwarded-For: 203.0.113.9, 198.51.100.7, 10.0.0.2"), "198.51.100.7"},
		{"10.0.0.1", head("X-Forwarded-For: 203.0.113.9", "x-forwarded-for: 198.51.100.7"), "198.51.100.7"},
		{"10.0.0.1", head("X-Forwarded-For: 198.51.100.7, junk, 10.0.0.2"), "10.0.0.2"},
		{"10.0.0.1", head("X-Forwarded-For: "), "10.0.0.1"},
		{"10.0.0.1", head("X-Forwarded-For: 198.51.100.7:4711"), "198.51.100.7"},
		{"10.0.0.1", head("X-Forwarded-For: [2001:db8::1]:80"), "2001:db8::1"},
		{"::ffff:10.0.0.1", head("X-Forwarded-For: ::ffff:198.51.100.7"), "198.51.100.7"},
		{"fd00::1", head("X-Forwarded-For: 10.1.1.1, 10.2.2.2"), "10.1.1.1"},
	} {
		if got := trusted.Client(netip.MustParseAddr(c.peer), c.head); got.String() != c.want {
			t.Errorf("%s with %v: %v; want %s", c.peer, c.head, got, c.want)
		}
	}
	if got := trusted.Client(netip.Addr{}, head("X-Forwarded-For: 1.2.3.4")); got.IsValid() {
		t.Errorf("a Unix socket's peer became %v", got)
	}
}

func FuzzClient(f *testing.F) {
	f.Add("198.51.100.7, 10.0.0.1")
	trusted := Trusted{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, list string) {
		peer := netip.MustParseAddr("10.0.0.1")
		got := trusted.Client(peer, h1.Head{{Name: "X-Forwarded-For", Value: list}})
		if !got.IsValid() {
			t.Errorf("%q: no address", list)
		}
		if got != peer && !strings.Contains(list, ":") && !strings.Contains(list, got.String()) {
			t.Errorf("%q: %v comes from nowhere", list, got)
		}
	})
}

func TestClean(t *testing.T) {
	for _, c := range []struct {
		name    string
		in, out h1.Head
		trusted bool
		facts   Facts
		err     error
	}{
		{"what is plain stays, in order", head("B: 1", "a: 2", "B: 3"), head("B: 1", "a: 2", "B: 3"), false, Facts{}, nil},
		{"fields of the connection end here", head("Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: 5", "TE: trailers", "A: 1"), head("A: 1"), false, Facts{Trailers: true}, nil},
		{"websocket", head("Connection: Upgrade", "Upgrade: WebSocket"), nil, false, Facts{Websocket: true}, nil},
		{"an upgrade that Connection does not name", head("Upgrade: websocket"), nil, false, Facts{}, nil},
		{"h2c is dropped", head("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: x"), nil, false, Facts{}, nil},
		{"underscores", head("X_Forwarded_For: 1", "X_Ok: 2", "A: 1"), head("X_Ok: 2", "A: 1"), false, Facts{}, nil},
		{"route rewriting", head("X-Original-URL: /admin", "x-rewrite-url: /b", "Proxy: http://evil"), nil, false, Facts{}, nil},
		{"our own words", head("gatehouse-outcome: proxied", "Gatehouse-Store: x"), nil, true, Facts{}, nil},
		{"forwarding from a stranger", head("X-Forwarded-For: 1", "X-Forwarded-Host: b", "Forwarded: for=1", "X-Real-IP: 1", "X-Request-Id: 1"), nil, false, Facts{}, nil},
		{"forwarding from a trusted proxy", head("X-Forwarded-For: 1", "X-Request-Id: 1"), head("X-Forwarded-For: 1", "X-Request-Id: 1"), true, Facts{}, nil},
		{"expect", head("Expect: 100-Continue"), nil, false, Facts{}, nil},
		{"unknown expect", head("Expect: y 100-continue"), nil, false, Facts{}, ErrExpect},
		{"Connection names a cookie", head("Connection: Cookie"), nil, false, Facts{}, ErrConnection},
		{"Connection names a length", head("Connection: close, content-length"), nil, false, Facts{}, ErrConnection},
		{"Connection names forwarding", head("Connection: X-Forwarded-For"), nil, false, Facts{}, ErrConnection},
		{"a control character", head("A: b\x01c"), nil, false, Facts{}, ErrField},
	} {
		got := append(h1.Head(nil), c.in...)
		facts, err := Clean(&got, c.trusted, []string{"X_Ok"})
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v; want %v", c.name, err, c.err)
			continue
		}
		if err == nil && (!same(got, c.out) || facts != c.facts) {
			t.Errorf("%s: %v %+v; want %v %+v", c.name, got, facts, c.out, c.facts)
		}
	}
}

func TestCleanAnswer(t *testing.T) {
	got := head("Connection: close, X-Hop", "X-Hop: 1", "Gatehouse-Store: down", "Transfer-Encoding: chunked", "Set-Cookie: a=1", "Set-Cookie: b=2")
	CleanAnswer(&got)
	if want := head("Set-Cookie: a=1", "Set-Cookie: b=2"); !same(got, want) {
		t.Errorf("%v; want %v", got, want)
	}
}

func same(a, b h1.Head) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestTell(t *testing.T) {
	h := head("A: 1")
	Origin{Peer: netip.MustParseAddr("192.0.2.1"), Host: "a:80", ID: "x"}.Tell(&h)
	if want := head("A: 1", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: a:80",
		`Forwarded: for=192.0.2.1;host="a:80";proto=http`, "X-Request-Id: x"); !same(h, want) {
		t.Errorf("%v; want %v", h, want)
	}
	h = head("X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https", "X-Forwarded-For: 2.2.2.2", "X-Forwarded-Host: b")
	Origin{Peer: netip.MustParseAddr("10.0.0.1"), Trusted: true, Host: "a", ID: "y"}.Tell(&h)
	if want := head("X-Forwarded-Proto: https", "X-Forwarded-Host: b", "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.1",
		"Forwarded: for=1.1.1.1;host=b;proto=https, for=2.2.2.2, for=10.0.0.1;host=a;proto=http", "X-Request-Id: y"); !same(h, want) {
		t.Errorf("%v; want %v", h, want)
	}
}

func TestRequestID(t *testing.T) {
	for in, want := range map[string]string{"abc-1.2_3": "abc-1.2_3", "a b": "", "": "", "x\n": "", strings.Repeat("a", 65): ""} {
		if got := RequestID(h1.Head{{Name: "X-Request-Id", Value: in}}); got != want {
			t.Errorf("%q: %q; want %q", in, got, want)
		}
	}
}

package upstream

import (
	"bufio"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
)

// recorder is a backend that keeps the heads it reads, and answers 200.
func recorder(t *testing.T) (BackendSettings, chan []string) {
	heads := make(chan []string, 64)
	b := raw(t, func(c net.Conn, br *bufio.Reader) {
		for {
			lines, err := readHead(br)
			if err != nil {
				return
			}
			heads <- lines
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	return b, heads
}

func TestTargetArrivesByteForByte(t *testing.T) {
	b, heads := recorder(t)
	p := pool(t, b)
	for _, target := range []string{
		"/", "/projects/group%2Fname", "/a//b", "//login", "///login", "////", "//", "//a/b?c=d", "//evil.example/x", "//a%2Fb",
		`//a|b"c`, "//é", "//?x", "//[::1]/", "/a%5Cb", `/a\b`, `/x|y"z`, "/é", "/\xff\xfe", "/?", "/a?", "/a?b=c;d", "/a?b?c",
		"/a;b=c/d;e", "/.", "/..", "/a/../b", "/%2e%2e/login", "/%252e", "/%zz", "/%", "/a+b", "/{a}<b>^`", "/*",
		"/:8080", "/http://x/y", "/a@b:c", "/" + strings.Repeat("x", 9000), "//" + strings.Repeat("y", 9000),
	} {
		for _, method := range []string{"GET", "OPTIONS", "DELETE"} {
			send(t, p, &Request{Method: method, Target: target, Host: "app.example"})
			got := <-heads
			if want := method + " " + target + " HTTP/1.1"; got[0] != want {
				t.Errorf("sent %q, want %q", got[0], want)
			}
			if got[1] != "Host: app.example" {
				t.Errorf("%q: second line %q", target, got[1])
			}
		}
	}
	send(t, p, &Request{Method: "OPTIONS", Target: "*", Host: "app.example"})
	if got := <-heads; got[0] != "OPTIONS * HTTP/1.1" {
		t.Errorf("sent %q", got[0])
	}
}

func TestNothingIsAddedToAHead(t *testing.T) {
	b, heads := recorder(t)
	p := pool(t, b)
	send(t, p, get("/"))
	if got := <-heads; !slices.Equal(got, []string{"GET / HTTP/1.1", "Host: app.example"}) {
		t.Errorf("sent %q", got)
	}
}

func TestHeadIsSentButWhatFramesTheMessage(t *testing.T) {
	b, heads := recorder(t)
	p := pool(t, b)
	r := get("/")
	r.Host = "Shop.Example:8080"
	r.Head = head("X-B: 2", "x-a: 1", "Cookie: a=1", "Cookie: b=2", "X-B: 1", "User-Agent: curl/8", "Host: evil",
		"Connection: close", "Content-Length: 5", "transfer-encoding: chunked", "Trailer: X", "Upgrade: h2c",
		"Expect: 100-continue", "TE: trailers", "Accept-Encoding: br", "X-Empty: ", "X-Utf8: é\xff")
	send(t, p, r)
	want := []string{"GET / HTTP/1.1", "Host: Shop.Example:8080", "X-B: 2", "x-a: 1", "Cookie: a=1", "Cookie: b=2", "X-B: 1",
		"User-Agent: curl/8", "TE: trailers", "Accept-Encoding: br", "X-Empty: ", "X-Utf8: é\xff"}
	if got := <-heads; !slices.Equal(got, want) {
		t.Errorf("sent\n%q, want\n%q", got, want)
	}
}

func TestAnEmptyHostIsTheBackends(t *testing.T) {
	b, heads := recorder(t)
	r := get("/")
	r.Host = ""
	send(t, pool(t, b), r)
	if got := <-heads; got[1] != "Host: "+b.Address {
		t.Errorf("sent %q", got[1])
	}
}

func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	b, heads := recorder(t)
	p := pool(t, b)
	for name, spoil := range map[string]func(*Request){
		"method":       func(r *Request) { r.Method = "GET /x HTTP/1.1\r\nA:" },
		"no method":    func(r *Request) { r.Method = "" },
		"connect":      func(r *Request) { r.Method = "CONNECT" },
		"target":       func(r *Request) { r.Target = "/a b" },
		"target lf":    func(r *Request) { r.Target = "/a\nb" },
		"absolute":     func(r *Request) { r.Target = "http://x/" },
		"authority":    func(r *Request) { r.Target = "x:80" },
		"no target":    func(r *Request) { r.Target = "" },
		"fragment":     func(r *Request) { r.Target = "/a#b" },
		"no resource":  func(r *Request) { r.Target = "*" },
		"field name":   func(r *Request) { r.Head = head("A B: c") },
		"empty name":   func(r *Request) { r.Head = head(": c") },
		"field value":  func(r *Request) { r.Head = head("A: b\r\nC: d") },
		"nul":          func(r *Request) { r.Head = head("A: b\x00") },
		"host":         func(r *Request) { r.Host = "a\r\nB: c" },
		"host slash":   func(r *Request) { r.Host = "a/login?" },
		"host unicode": func(r *Request) { r.Host = "bücher.example" },
		"upgrade":      func(r *Request) { r.Upgrade = "a b" },
	} {
		r := get("/")
		spoil(r)
		if _, err := claim(t, p).Send(deadline(t), r); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: got %v, want ErrRequest", name, err)
		}
	}
	if len(heads) > 0 {
		t.Errorf("something was sent: %q", <-heads)
	}
}

func TestAnswerHeadIsWholeButWhatFramesIt(t *testing.T) {
	b := script(t, "HTTP/1.1 203 Fine\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\nset-cookie: a=1\r\nConnection: X-Hop\r\n"+
		"X-Hop: 1\r\nServer: s\r\nDate: then\r\n\r\nhi")
	a := send(t, pool(t, b), get("/"))
	if a.Status != 203 || a.Length != 2 || a.TTFB <= 0 || a.Tunnel != nil {
		t.Errorf("got %+v", a)
	}
	want := head("Set-Cookie: b=2", "set-cookie: a=1", "Connection: X-Hop", "X-Hop: 1", "Server: s", "Date: then")
	if !slices.Equal(a.Head, want) {
		t.Errorf("head %v, want %v", a.Head, want)
	}
	if got := all(t, a.Body); got != "hi" {
		t.Errorf("body %q", got)
	}
	if len(a.Trailer()) != 0 {
		t.Errorf("trailer %v", a.Trailer())
	}
}

func TestAnswersWithoutABodyKeepTheirLength(t *testing.T) {
	for _, tt := range []struct {
		method, answer string
		length         int64
	}{
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n", 12345},
		{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -1},
		{"GET", "HTTP/1.1 204 No Content\r\n\r\n", 0},
		{"GET", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", 0},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0},
	} {
		p := pool(t, script(t, tt.answer))
		for range 2 { // the second over the same connection
			a := send(t, p, &Request{Method: tt.method, Target: "/", Host: "a"})
			if got := all(t, a.Body); got != "" || a.Length != tt.length {
				t.Errorf("%s %q: body %q, length %d", tt.method, tt.answer, got, a.Length)
			}
		}
	}
}

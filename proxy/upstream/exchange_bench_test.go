package upstream

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sized is a backend that answers each request on a connection with a body of n bytes, and does as little else as it can.
func sized(t testing.TB, n int) BackendSettings {
	answer := []byte("HTTP/1.1 200 OK\r\nServer: x\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\nContent-Type: text/html; charset=utf-8\r\n" +
		"Cache-Control: no-cache\r\nX-Frame-Options: DENY\r\nContent-Length: " + strconv.Itoa(n) + "\r\n\r\n" + strings.Repeat("x", n))
	return raw(t, func(c net.Conn, br *bufio.Reader) {
		for {
			length := 0
			for {
				line, err := br.ReadSlice('\n')
				if err != nil {
					return
				}
				if len(line) == 2 {
					break
				}
				if s, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
					length, _ = strconv.Atoi(string(bytes.TrimSpace(s)))
				}
			}
			if _, err := br.Discard(length); err != nil {
				return
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	})
}

func browsers() *Request {
	return &Request{Method: "GET", Target: "/projects/1?page=2", Host: "app.example", Head: head("User-Agent: Mozilla/5.0 (X11)",
		"Accept: text/html,application/xhtml+xml", "Accept-Language: en", "Accept-Encoding: gzip, br", "Cookie: sid=0123456789abcdef",
		"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Request-Id: 0123456789abcdef0123456789abcdef")}
}

// BenchmarkExchange is one exchange after the other over one connection: by ours, by net/http's Transport, and by writing and
// reading fixed bytes, which is the floor. The processor's time is the whole process's, the backend's work included.
func BenchmarkExchange(b *testing.B) {
	for _, m := range []message{{1000, 0}, {100_000, 0}, {1000, 10_000}} {
		for _, by := range []struct {
			name string
			make func(*testing.B, BackendSettings, message) (exchange, end func())
		}{{"bare", bare}, {"ours", ours}, {"transport", transport}} {
			b.Run(fmt.Sprintf("by=%s/answer=%dkB/body=%dkB", by.name, m.answer/1000, m.body/1000), func(b *testing.B) {
				exchange, end := by.make(b, sized(b, m.answer), m)
				defer end()
				exchange()
				b.ReportAllocs()
				began := processor()
				for b.Loop() {
					exchange()
				}
				b.ReportMetric(float64(processor()-began)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// message is the bytes of an answer, and those of the request's body.
type message struct{ answer, body int }

func (m message) request() *Request {
	r := browsers()
	if m.body > 0 {
		r.Method, r.Length = "POST", int64(m.body)
		r.Body = strings.NewReader("") // each time another
	}
	return r
}

// processor is the time that this process has had on the processors.
func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func bare(b *testing.B, backend BackendSettings, m message) (exchange, end func()) {
	c, err := net.Dial("tcp", backend.Address)
	if err != nil {
		b.Fatal(err)
	}
	request, err := m.request().appendHead(nil, "app.example", false)
	if err != nil {
		b.Fatal(err)
	}
	request = append(request, make([]byte, m.body)...)
	into := make([]byte, 32<<10)
	return func() {
		if _, err := c.Write(request); err != nil {
			b.Fatal(err)
		}
		for n := 0; n < m.answer; {
			k, err := c.Read(into)
			if err != nil {
				b.Fatal(err)
			}
			n += k
		}
	}, func() { c.Close() }
}

func ours(b *testing.B, backend BackendSettings, m message) (exchange, end func()) {
	p := NewPool(Settings{Name: "app", Backends: []BackendSettings{backend}}, nil)
	ctx := newTelling()
	r, into, text := m.request(), make([]byte, 32<<10), strings.Repeat("x", m.body)
	return func() {
		if m.body > 0 {
			r.Body = &interruptible{strings.NewReader(text)}
		}
		c, err := p.Claim(nil)
		if err != nil {
			b.Fatal(err)
		}
		a, err := c.Send(ctx, r)
		if err != nil {
			b.Fatal(err)
		}
		drain(b, a.Body, into, m.answer)
		c.End(Result{Status: 200})
	}, p.Close
}

func transport(b *testing.B, backend BackendSettings, m message) (exchange, end func()) {
	transport := &http.Transport{DisableCompression: true}
	ctx, cancel := context.WithCancel(context.Background())
	r, into, text := m.request(), make([]byte, 32<<10), strings.Repeat("x", m.body)
	return func() {
			header := make(http.Header, len(r.Head))
			for _, l := range r.Head {
				header[l.Name] = append(header[l.Name], l.Value)
			}
			to := &url.URL{Scheme: "http", Host: backend.Address, Opaque: r.Target}
			out := &http.Request{Method: r.Method, Host: r.Host, Header: header, URL: to}
			if m.body > 0 {
				out.Body, out.ContentLength = io.NopCloser(strings.NewReader(text)), r.Length
			}
			res, err := transport.RoundTrip(out.WithContext(ctx))
			if err != nil {
				b.Fatal(err)
			}
			drain(b, res.Body, into, m.answer)
		}, func() {
			cancel()
			transport.CloseIdleConnections()
		}
}

func drain(t testing.TB, body io.ReadCloser, into []byte, want int) {
	n, err := 0, error(nil)
	for k := 0; err == nil; n += k {
		k, err = body.Read(into)
	}
	if body.Close(); n != want || err != io.EOF {
		t.Fatalf("%d bytes, want %d; %v", n, want, err)
	}
}

// The answer and its head; and what the watch on a context takes, which is nothing where the context has its own.
func TestAnExchangeAllocatesLittle(t *testing.T) {
	p := pool(t, sized(t, 1000))
	into, text := make([]byte, 32<<10), strings.NewReader("")
	own, get, post := newTelling(), browsers(), message{1000, 10_000}.request()
	post.Body = &interruptible{text}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	upload := strings.Repeat("x", 10_000)
	for _, tt := range []struct {
		name string
		ctx  context.Context
		r    *Request
		most float64
	}{{"its own", own, get, 2}, {"with a body", own, post, 2}, {"context.WithCancel", ctx, get, 4}} {
		exchange := func() {
			c, err := p.Claim(nil)
			if err != nil {
				t.Fatal(err)
			}
			text.Reset(upload)
			a, err := c.Send(tt.ctx, tt.r)
			if err != nil {
				t.Fatal(err)
			}
			drain(t, a.Body, into, 1000)
			c.End(Result{Status: 200})
		}
		n := tt.most + 10
		for range 300 { // the best of them: the race detector has pools forget at random
			n = min(n, testing.AllocsPerRun(1, exchange))
		}
		t.Logf("%s: %v allocations", tt.name, n)
		if n > tt.most {
			t.Errorf("%s: %v allocations for an exchange; want no more than %v", tt.name, n, tt.most)
		}
	}
}

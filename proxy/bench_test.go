package proxy

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"gatehouse/shed"
)

// lean is a backend that answers each request on a connection with the same bytes, and does as little else as it can.
func lean(b *testing.B, answer string) (url string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				for r := bufio.NewReader(c); ; {
					for {
						line, err := r.ReadSlice('\n')
						if err != nil {
							return
						}
						if len(line) == 2 {
							break
						}
					}
					if _, err := io.WriteString(c, answer); err != nil {
						return
					}
				}
			})
		}
	})
	b.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return "http://" + l.Addr().String()
}

// BenchmarkPath is a small answer for a member, through the whole path, with everything on; by 16 visitors. What visitors and
// backend cost is in it.
func BenchmarkPath(b *testing.B) {
	answer := "HTTP/1.1 200 OK\r\nServer: x\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\nContent-Type: text/html; charset=utf-8\r\n" +
		"Cache-Control: no-cache\r\nX-Frame-Options: DENY\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("x", 1000)
	pool := newPool(b, "app", shed.GateSettings{Limit: 64, Length: 64}, lean(b, answer))
	rules, routes := one(&Route{Pool: pool, Need: shed.NeedRead, Guard: true, MaxAge: 1e9})
	r := newRig(b, rules, routes)
	request := "GET /some/page?with=query HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n" +
		"Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\nCookie: sid=0123456789abcdef\r\n\r\n"
	size := 0
	visit := func(n int) {
		c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		buf := make([]byte, 8<<10)
		for range n {
			if _, err := io.WriteString(c, request); err != nil {
				b.Error(err)
				return
			}
			if size == 0 {
				if size, err = c.Read(buf); err != nil || !strings.HasPrefix(string(buf), "HTTP/1.1 200") {
					b.Errorf("%v: %q", err, buf[:size])
				}
				continue
			}
			if _, err := io.ReadFull(c, buf[:size]); err != nil {
				b.Error(err)
				return
			}
		}
	}
	visit(1)
	var all sync.WaitGroup
	const visitors = 16
	b.ReportAllocs()
	b.ResetTimer()
	for i := range visitors {
		all.Go(func() { visit((b.N + i) / visitors) })
	}
	all.Wait()
	b.StopTimer()
}

package proxy

import (
	"bufio"
	"bytes"
	"fmt"
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
	ask(b, newRig(b, rules, routes), "200")
}

// BenchmarkPage is the page that they get while the store is away.
func BenchmarkPage(b *testing.B) {
	pool := newPool(b, "app", shed.GateSettings{Limit: 64, Length: 64}, lean(b, ""))
	rules, routes := one(&Route{Pool: pool, Need: shed.NeedRead, Guard: true, MaxAge: 1e9})
	r := newRig(b, rules, routes)
	r.breaks(shed.Down, shed.CauseRefused)
	ask(b, r, "503")
}

// ask has 16 visitors ask b.N times, after one whose answer must have that status.
func ask(b *testing.B, r *rig, status string) {
	request := "GET /some/page?with=query HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n" +
		"Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\nCookie: sid=0123456789abcdef\r\n\r\n"
	visit := func(n int) {
		c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		for in := bufio.NewReaderSize(c, 16<<10); n > 0; n-- {
			if _, err := io.WriteString(c, request); err != nil {
				b.Error(err)
				return
			}
			if err := readAnswer(in, status); err != nil {
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

// readAnswer reads an answer that has a length, and allocates nothing for it.
func readAnswer(in *bufio.Reader, status string) error {
	length := 0
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && string(line[len("HTTP/1.1 "):len("HTTP/1.1 ")+3]) != status {
			return fmt.Errorf("%q; want %s", line, status)
		}
		if after, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length = 0
			for _, c := range after[:len(after)-2] {
				length = length*10 + int(c-'0')
			}
		}
		if len(line) == 2 {
			_, err := in.Discard(length)
			return err
		}
	}
}

package edge

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// bench serves a small GET over kept connections, by 16 clients that write and read raw bytes.
func bench(b *testing.B, address, request string, answer int) {
	b.Helper()
	var wg sync.WaitGroup
	const clients = 16
	b.ReportAllocs()
	b.ResetTimer()
	for i := range clients {
		n := b.N / clients
		if i < b.N%clients {
			n++
		}
		wg.Go(func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			buf := make([]byte, answer)
			for range n {
				if _, err := io.WriteString(c, request); err != nil {
					b.Error(err)
					return
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
}

const benchRequest = "GET /some/page?with=query HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n" +
	"Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\nCookie: sid=0123456789abcdef\r\n\r\n"

// answerSize asks once, and returns how many bytes the answer has.
func answerSize(b *testing.B, address string) int {
	b.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	got, err := io.ReadAll(c)
	if err != nil {
		b.Fatal(err)
	}
	return len(got) - len("Connection: close\r\n")
}

// BenchmarkEdge is to be held against BenchmarkNetHTTP of the same run; both include what the clients cost.
func BenchmarkEdge(b *testing.B) {
	body := make([]byte, 1024)
	l, err := Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := NewServer(l, handle(func(v Visitor) {
		v.Answer(200, nil, int64(len(body)), false)
		v.Write(body)
	}), Settings{})
	var serving sync.WaitGroup
	serving.Go(s.Serve)
	bench(b, l.Addr().String(), benchRequest, answerSize(b, l.Addr().String()))
	if err := s.Drain(context.Background()); err != nil {
		b.Error(err)
	}
	serving.Wait()
}

func BenchmarkNetHTTP(b *testing.B) {
	body := make([]byte, 1024)
	l, err := Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		w.Header().Set("Content-Length", "1024")
		w.Write(body)
	})}
	var serving sync.WaitGroup
	serving.Go(func() { s.Serve(l) })
	bench(b, l.Addr().String(), benchRequest, answerSize(b, l.Addr().String()))
	s.Close()
	serving.Wait()
}

package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A backend that takes no body with GET would read it as the next request. It is told that there is none.
func TestABodyWhereThereUsuallyIsNoneIsTheLastOnItsConnection(t *testing.T) {
	for _, tt := range []struct {
		method, body string
		last         bool
	}{{"GET", "", false}, {"GET", "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n", true}, {"OPTIONS", "abc", true}, {"POST", "abc", false}} {
		var seen atomic.Int64
		heads := make(chan []string, 4)
		p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
			lines, err := readHead(br)
			if err != nil {
				return
			}
			heads <- lines
			if tt.method == "POST" {
				_, _ = br.Discard(len(tt.body))
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			if !slices.Contains(lines, "Connection: close") {
				if _, err := readHead(br); err == nil {
					seen.Add(1)
				}
			}
		}))
		r := &Request{Method: tt.method, Target: "/", Host: "a"}
		if tt.body != "" {
			r.Body, r.Length = strings.NewReader(tt.body), int64(len(tt.body))
		}
		send(t, p, r).Body.Close()
		if said := slices.Contains(<-heads, "Connection: close"); said != tt.last {
			t.Errorf("%s with %q: close is said: %v", tt.method, tt.body, said)
		}
		if n := p.backends[0].idle.len(); (n == 0) != tt.last {
			t.Errorf("%s with %q: %d connections are kept", tt.method, tt.body, n)
		}
		p.Close()
		if seen.Load() > 0 {
			t.Errorf("%s with %q: the body was seen as a request", tt.method, tt.body)
		}
	}
}

// What a large answer comes in, and how large the room is that it is read into: every byte arrives, once.
func TestBodiesOfAnySizeInAnyRoom(t *testing.T) {
	text := make([]byte, 70_000)
	for i := range text {
		text[i] = byte(i * 7 / 3)
	}
	var size, piece int
	p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
		for {
			lines, err := readHead(br)
			if err != nil {
				return
			}
			var out strings.Builder
			switch body := string(text[:size]); lines[0] {
			case "GET /length HTTP/1.1":
				fmt.Fprintf(&out, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, body)
			case "GET /close HTTP/1.1":
				fmt.Fprintf(&out, "HTTP/1.1 200 OK\r\n\r\n%s", body)
			default:
				out.WriteString("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
				for len(body) > 0 {
					n := min(piece, len(body))
					fmt.Fprintf(&out, "%x\r\n%s\r\n", n, body[:n])
					body = body[n:]
				}
				out.WriteString("0\r\n\r\n")
			}
			if _, err := io.WriteString(c, out.String()); err != nil || strings.Contains(lines[0], "close") {
				return
			}
		}
	}))
	for _, target := range []string{"/length", "/close", "/chunked"} {
		for _, size = range []int{0, 1, 1000, 4000, 4096, 5000, 70_000} {
			for _, piece = range []int{100, 5000, 100_000} {
				for _, room := range []int{1, 7, 4095, 4096, 32 << 10, 1 << 20} {
					if room < 100 && size > 5000 {
						continue
					}
					a := send(t, p, get(target))
					var got []byte
					var err error
					for buf := make([]byte, room); err == nil; {
						var n int
						n, err = a.Body.Read(buf)
						got = append(got, buf[:n]...)
					}
					if a.Body.Close(); err != io.EOF || string(got) != string(text[:size]) {
						t.Fatalf("%s, %d bytes in chunks of %d, room for %d: got %d, %v", target, size, piece, room, len(got), err)
					}
				}
			}
		}
	}
}

// What a backend says is passed on when it says it, not when there is enough of it.
func TestNothingIsWaitedForToFillTheRoom(t *testing.T) {
	for _, framing := range []string{"", "Content-Length: 100000\r\n", "Transfer-Encoding: chunked\r\n"} {
		next := make(chan struct{})
		begin := "HTTP/1.1 200 OK\r\n" + framing + "\r\n"
		if strings.HasPrefix(framing, "T") {
			begin += "1000\r\n"
		}
		first := strings.Repeat("x", readSize-len(begin)) // as much as is read at once, and then nothing
		p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
			_, _ = readHead(br)
			_, _ = io.WriteString(c, begin+first)
			<-next
		}))
		ctx := deadline(t)
		a, err := claim(t, p).Send(ctx, get("/"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAtLeast(a.Body, make([]byte, 64<<10), len(first)); err != nil || ctx.Err() != nil {
			t.Errorf("%q: %v, %v", framing, err, ctx.Err())
		}
		a.Body.Close()
		close(next)
	}
}

func TestTheVisitorsSlownessIsNotTheBackends(t *testing.T) {
	p := pool(t, raw(t, func(_ net.Conn, br *bufio.Reader) { _, _ = io.Copy(io.Discard, br) }))
	for _, length := range []int64{10, -1, 1 << 20} { // with the head, in chunks, too long to wait for
		body, w := stalled()
		ctx, cancel := context.WithCancelCause(context.Background())
		go func() {
			<-body.begun
			time.Sleep(time.Millisecond)
			cancel(ErrLate)
		}()
		_, err := claim(t, p).Send(ctx, &Request{Method: "POST", Target: "/", Host: "a", Body: body, Length: length})
		if !errors.Is(err, ErrLate) || (Result{Err: err}).failure() {
			t.Errorf("length %d: %v; want an ErrLate that is not the backend's", length, err)
		}
		w.Close()
	}
}

// A check asks as a request does: who gives no answers that can be passed on is down, however well it means.
func TestACheckIsAsStrictAsARequest(t *testing.T) {
	p, changes := checkedPool(t, script(t, "HTTP/1.1 200 OK\nContent-Length: 0\n\n"))
	p.Start()
	change(t, changes, false)
}

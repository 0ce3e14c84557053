package edge

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/proxy/h1"
)

func TestWhenAConnectionIsKept(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		length := int64(2)
		if v.Target() == "/unknown" {
			length = -1
		}
		v.Answer(200, nil, length, false)
		io.WriteString(v, "ok")
	})
	for _, tt := range []struct {
		request, connection string
		keeps               bool
	}{
		{"GET / HTTP/1.1\nHost: a\n\n", "", true},
		{"GET /unknown HTTP/1.1\nHost: a\n\n", "", true},
		{"GET / HTTP/1.1\nHost: a\nConnection: X, Close\n\n", "close", false},
		{"GET / HTTP/1.0\n\n", "close", false},
		{"GET / HTTP/1.0\nConnection: Keep-Alive\n\n", "keep-alive", true},
		{"POST / HTTP/1.0\nConnection: keep-alive\nContent-Length: 3\n\nabc", "keep-alive", true},
		{"GET /unknown HTTP/1.0\nConnection: keep-alive\n\n", "close", false},
	} {
		c := dial(t, s)
		for range 2 {
			c.send(tt.request)
			res, err := http.ReadResponse(c.br, &http.Request{Method: "GET"})
			if err != nil {
				t.Fatalf("%q: %v", tt.request, err)
			}
			if got := res.Header.Get("Connection"); got != tt.connection && !(res.Close && tt.connection == "close") {
				t.Errorf("%q: Connection %q, want %q", tt.request, got, tt.connection)
			}
			body, err := io.ReadAll(res.Body)
			if err != nil || string(body) != "ok" {
				t.Errorf("%q: %q, %v", tt.request, body, err)
			}
			if !tt.keeps {
				c.ended()
				break
			}
		}
	}
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		body, err := io.ReadAll(v.Body())
		if err != nil {
			t.Error(err)
		}
		reply(v, v.Target()+" "+string(body))
	})
	const n = 300 // more than what is read at once
	var sent strings.Builder
	for i := range n {
		pad := strings.Repeat("x", i)
		switch i % 3 {
		case 0:
			fmt.Fprintf(&sent, "GET /%d HTTP/1.1\nHost: a\nPad: %s\n\n", i, pad)
		case 1:
			fmt.Fprintf(&sent, "POST /%d HTTP/1.1\nHost: a\nContent-Length: %d\n\n%s", i, len(pad), pad)
		case 2:
			fmt.Fprintf(&sent, "POST /%d HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n%x\n%s\n0\n\n", i, len(pad), pad)
		}
	}
	for _, size := range []int{1 << 20, 7000, 61} {
		c := dial(t, s)
		wrote := make(chan error, 1)
		go func() {
			var err error
			for rest := []byte(strings.ReplaceAll(sent.String(), "\n", "\r\n")); len(rest) > 0 && err == nil; {
				var m int
				m, err = c.Write(rest[:min(size, len(rest))])
				rest = rest[m:]
			}
			wrote <- err
		}()
		for i := range n {
			want := fmt.Sprintf("/%d ", i)
			if i%3 > 0 {
				want += strings.Repeat("x", i)
			}
			if _, body := c.answer("GET"); body != want {
				t.Fatalf("pieces of %d: the answer to %d is %q", size, i, body)
			}
		}
		if err := wait(t, wrote); err != nil {
			t.Error(err)
		}
	}
}

// Heads may end where the room for them does.
func TestHeadsThatFillTheirRoom(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) { reply(v, v.Target()) })
	for size := 4090; size < 4100; size++ {
		c := dial(t, s)
		for i := range 9 {
			head := fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: a\r\nPad: ", i)
			io.WriteString(c, head+strings.Repeat("x", size-len(head)-4)+"\r\n\r\n")
			if _, body := c.answer("GET"); body != fmt.Sprintf("/%d", i) {
				t.Fatalf("heads of %d bytes: the answer to %d is %q", size, i, body)
			}
		}
	}
}

// Half a head that one connection left is nothing to the next, although they share its room.
func TestHalfAHeadIsForgotten(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) { reply(v, "ok") })
	for _, half := range []string{"GET / HT", "GET / HTTP/1.1\r\nHost: a\r\nPad: xxxxxxxxxxxxxxxxxxxxxxxx", "GET /\n"} {
		for range 5 {
			c := dial(t, s)
			io.WriteString(c, half)
			c.Conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, c)
			c = dial(t, s)
			c.send("GET / HTTP/1.1\nHost: a\n\nGET /next HTTP/1.1\nHost: a")
			if _, body := c.answer("GET"); body != "ok" {
				t.Fatalf("after %q: %q", half, body)
			}
		}
	}
}

// What comes while a visitor waits is the next request's, and neither lost nor taken for his leaving.
func TestWhatComesDuringAnExchangeIsTheNextRequest(t *testing.T) {
	for _, way := range []struct {
		start func(*testing.T, Settings, handle) *Server
		dial  func(*testing.T, *Server) *client
	}{{start, dial}, {startTLS, func(t *testing.T, s *Server) *client { return dialTLS(t, s) }}} {
		held, release := make(chan struct{}), make(chan struct{})
		s := way.start(t, Settings{}, func(v Visitor) {
			if v.Target() == "/held" {
				held <- struct{}{}
				<-release
				if v.Context().Err() != nil {
					t.Error("the visitor is taken for gone")
				}
			}
			reply(v, v.Target()+v.Head().Get("Pad"))
		})
		pad := strings.Repeat("x", 20<<10) // more than there is room for
		c := way.dial(t, s)
		c.send("GET /held HTTP/1.1\nHost: a\n\n")
		wait(t, held)
		<-time.After(3 * watchAfter) // no wait for an event: by then somebody looks
		c.send("GET /next HTTP/1.1\nHost: a\nPa")
		<-time.After(watchAfter)
		c.send("d: " + pad + "\n\nGET /last HTTP/1.1\nHost: a\n\n")
		<-time.After(watchAfter)
		close(release)
		for _, want := range []string{"/held", "/next" + pad, "/last"} {
			if _, body := c.answer("GET"); body != want {
				t.Errorf("%d bytes %.20q, want %.20q", len(body), body, want)
			}
		}
	}
}

// Who ends his way behind his request, and has to wait, has gone: he is not told from one who closed.
func TestAHalfCloseEndsTheContext(t *testing.T) {
	const short = 50 * time.Millisecond
	held, gone := make(chan struct{}), make(chan struct{})
	s := start(t, Settings{Limits: Limits{HeadTimeout: short}}, func(v Visitor) {
		close(held)
		<-v.Context().Done()
		v.Abort()
		close(gone)
	})
	c := dial(t, s)
	c.send("GET / HTTP/1.1\nHost: a\n\n")
	wait(t, held)
	<-time.After(3 * short) // no wait for an event: the time for the head is over by then, and was not for this
	c.Conn.(*net.TCPConn).CloseWrite()
	wait(t, gone)
	c.ended()
}

func TestAHandlerWithAConnectionKeepsNothingOfAnothers(t *testing.T) {
	kept := make(chan string, 1)
	s := start(t, Settings{}, func(v Visitor) {
		select {
		case kept <- v.Head().Get("Cookie"):
		default:
		}
		io.Copy(io.Discard, v.Body())
		reply(v, "")
	})
	c := dial(t, s)
	c.send("GET / HTTP/1.1\nHost: a\nCookie: sid=first\n\n")
	c.answer("GET")
	for range 3 {
		c.send("POST / HTTP/1.1\nHost: a\nCookie: sid=other\nTransfer-Encoding: chunked\n\n1000\n" + strings.Repeat("y", 4096) + "\n0\n\n")
		c.answer("POST")
	}
	if got := <-kept; got != "sid=first" {
		t.Errorf("what the first handler kept has become %q", got)
	}
}

func TestDates(t *testing.T) {
	var k clock
	head := k.appendDate([]byte("A: b\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	if len(lines) != 4 || lines[0] != "A: b" || lines[2] != "" || lines[3] != "" {
		t.Fatalf("%q", head)
	}
	at, err := http.ParseTime(strings.TrimPrefix(lines[1], "Date: "))
	if age := time.Since(at); err != nil || age < -time.Second || age > time.Minute {
		t.Errorf("%q: %v", lines[1], err)
	}
	if again := k.appendDate([]byte("A: b\r\n\r\n")); len(again) != len(head) {
		t.Errorf("%q", again)
	}
}

// Writes of every size, gathered or not, arrive as one body.
func TestWritesOfEverySize(t *testing.T) {
	sizes := []int{1, 0, 4000, 100, 4096, 1, 70_000, 3, 5000}
	var want []byte
	for i, n := range sizes {
		want = append(want, bytes.Repeat([]byte{byte('a' + i)}, n)...)
	}
	s := start(t, Settings{}, func(v Visitor) {
		length := int64(len(want))
		if v.Target() == "/chunked" {
			length = -1
		}
		v.Answer(200, h1.Head{{Name: "Long", Value: strings.Repeat("x", 5000)}}, length, false)
		for i, rest := 0, want; i < len(sizes); i++ {
			if n, err := v.Write(rest[:sizes[i]]); n != sizes[i] || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
			rest = rest[sizes[i]:]
		}
		if length >= 0 {
			if _, err := v.Write([]byte("x")); err == nil {
				t.Error("wrote more than the length")
			}
		}
	})
	c := dial(t, s)
	for _, target := range []string{"/", "/chunked", "/"} {
		c.send("GET " + target + " HTTP/1.1\nHost: a\n\n")
		res, body := c.answer("GET")
		if body != string(want) || len(res.Header.Get("Long")) != 5000 {
			t.Errorf("%s: %d bytes, want %d", target, len(body), len(want))
		}
	}
	c = dial(t, s)
	c.send("GET /chunked HTTP/1.0\n\n")
	if _, body := c.answer("GET"); body != string(want) {
		t.Errorf("HTTP/1.0: %d bytes, want %d", len(body), len(want))
	}
}

func TestAnUpgradeIsTheSocketItself(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		conn, early, err := v.Upgrade(switched)
		if err != nil {
			t.Error(err)
			return
		}
		if _, ok := conn.(*net.TCPConn); !ok {
			t.Errorf("a %T, which the kernel cannot splice", conn)
		}
		if _, ok := early.(io.WriterTo); !ok {
			t.Errorf("a %T, which the kernel cannot splice", early)
		}
		io.Copy(conn, early)
	})
	for _, early := range []string{"", "early"} {
		c := dial(t, s)
		c.send(wish + early)
		if _, head := c.head(); !slices.Equal(head, switched) {
			t.Errorf("head %q", head)
		}
		c.Conn.(*net.TCPConn).CloseWrite()
		if got, err := io.ReadAll(c.br); string(got) != early || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

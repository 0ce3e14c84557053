package upstream

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/proxy/h1"
)

func TestBrokenBackends(t *testing.T) {
	read := func(talk func(net.Conn)) func(net.Conn, *bufio.Reader) {
		return func(c net.Conn, br *bufio.Reader) {
			readHead(br)
			talk(c)
		}
	}
	say := func(s string) func(net.Conn, *bufio.Reader) {
		return read(func(c net.Conn) { io.WriteString(c, s) })
	}
	for _, tt := range []struct {
		name string
		talk func(net.Conn, *bufio.Reader)
	}{
		{"read and close", say("")},
		{"half a status line", say("HTTP/1.1 20")},
		{"half a head", say("HTTP/1.1 200 OK\r\nContent-Le")},
		{"garbage", say("\x00\x01\x02 garbage\r\n\r\n")},
		{"another protocol", say("220 mail.example ESMTP\r\n\r\n")},
		{"a bad line", say("HTTP/1.1 200 OK\r\nA B: c\r\n\r\n")},
		{"a line without a name", say("HTTP/1.1 200 OK\r\n: c\r\n\r\n")},
		{"a NUL in a value", say("HTTP/1.1 200 OK\r\nA: b\x00\r\n\r\n")},
		{"a bad interim line", say("HTTP/1.1 103 Early Hints\r\nA B: c\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")},
		{"two lengths", say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")},
		{"a huge head", say("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 80<<10) + "\r\n\r\n")},
		{"an endless head", read(func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for {
				if _, err := io.WriteString(c, "X: "+strings.Repeat("x", 1000)+"\r\n"); err != nil {
					return
				}
			}
		})},
		{"a status below 100", say("HTTP/1.1 099 Low\r\n\r\n")},
		{"a switch nobody asked for", say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")},
		{"endless interim answers", read(func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"); err != nil {
					return
				}
			}
		})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := pool(t, raw(t, tt.talk))
			for _, r := range []*Request{get("/"), {Method: "POST", Target: "/", Body: strings.NewReader("abc"), Length: 3}} {
				_, err := claim(t, p).Send(deadline(t), r)
				if !errors.Is(err, ErrBroken) || errors.Is(err, ErrConnect) {
					t.Errorf("%s: got %v, want ErrBroken", r.Method, err)
				}
			}
		})
	}
}

// A backend that hangs up at once may do so before or after something was sent. Whichever it was: another backend may be told
// only if this one has heard nothing, and the body is still whole.
func TestBackendsThatHangUpAtOnce(t *testing.T) {
	for name, hangUp := range map[string]func(*net.TCPConn){
		"close": func(c *net.TCPConn) { c.Close() },
		"reset": func(c *net.TCPConn) {
			c.SetLinger(0)
			c.Close()
		},
		"half-close": func(c *net.TCPConn) { c.CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			heard := make(chan int64, 1)
			p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
				hangUp(c.(*net.TCPConn))
				n, _ := io.Copy(io.Discard, br)
				heard <- n
			}))
			for i := range 100 {
				body := strings.NewReader("abc")
				r := &Request{Method: "POST", Target: "/", Body: body, Length: 3}
				if i%2 == 0 {
					r = get("/")
				}
				_, err := claim(t, p).Send(deadline(t), r)
				n := <-heard
				switch {
				case errors.Is(err, ErrConnect):
					if n > 0 || body.Len() < 3 {
						t.Fatalf("%d bytes were sent, %d of the body are left: %v", n, body.Len(), err)
					}
				case !errors.Is(err, ErrBroken):
					t.Fatalf("got %v, want ErrBroken or ErrConnect", err)
				}
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	p := pool(t, BackendSettings{URL: "http://" + addr, Address: addr})
	body, w := stalled()
	defer w.Close()
	_, err = claim(t, p).Send(deadline(t), &Request{Method: "POST", Target: "/", Body: body, Length: 3})
	if !errors.Is(err, ErrConnect) {
		t.Fatalf("got %v, want ErrConnect", err)
	}
	select {
	case <-body.begun:
		t.Error("the body was read, so no other backend can be tried")
	default:
	}
}

func TestCutBodies(t *testing.T) {
	for name, answer := range map[string]string{
		"short of its length":     "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
		"without its last chunk":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"in the middle of chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
	} {
		p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
			readHead(br)
			io.WriteString(c, answer)
		}))
		a := send(t, p, get("/"))
		got, err := io.ReadAll(a.Body)
		if string(got) != "abc" || !errors.Is(err, ErrBroken) {
			t.Errorf("%s: %q, %v; want ErrBroken", name, got, err)
		}
		if _, again := a.Body.Read(make([]byte, 1)); again == nil || again == io.EOF {
			t.Errorf("%s: read on after the break: %v", name, again)
		}
	}
}

func TestLateAndCancelled(t *testing.T) {
	arrived := make(chan struct{}, 8)
	p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
		readHead(br)
		arrived <- struct{}{}
		io.Copy(io.Discard, br)
	}))
	late, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := claim(t, p).Send(late, get("/")); !errors.Is(err, ErrLate) {
		t.Errorf("got %v, want ErrLate", err)
	}
	<-arrived

	cause := errors.New("the store closed")
	ctx, stop := context.WithCancelCause(context.Background())
	go func() {
		<-arrived
		stop(cause)
	}()
	if _, err := claim(t, p).Send(ctx, get("/")); !errors.Is(err, ErrCancelled) || !errors.Is(err, cause) {
		t.Errorf("got %v, want ErrCancelled and its cause", err)
	}
}

func TestCancelCutsABodyOnItsWay(t *testing.T) {
	gone := make(chan struct{})
	p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
		readHead(br)
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nbegin")
		io.Copy(io.Discard, br) // ends when the connection is closed
		close(gone)
	}))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	a, err := claim(t, p).Send(ctx, get("/"))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if _, err := io.ReadFull(a.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(a.Body); !errors.Is(err, ErrCancelled) {
		t.Errorf("got %v, want ErrCancelled", err)
	}
	<-gone
}

func TestClosingTheBodyEndsTheExchangeAtTheBackend(t *testing.T) {
	gone := make(chan struct{})
	p := pool(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	}))
	a := send(t, p, get("/"))
	a.Body.Close()
	<-gone
	a.Body.Close()
}

func TestCancelDuringAStalledUpload(t *testing.T) {
	p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) { io.Copy(io.Discard, br) }))
	body, w := stalled()
	defer w.Close()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-body.begun
		cancel()
	}()
	_, err := claim(t, p).Send(ctx, &Request{Method: "POST", Target: "/", Body: body, Length: 1000})
	if !errors.Is(err, ErrCancelled) {
		t.Errorf("got %v, want ErrCancelled", err)
	}
}

func TestABackendThatBreaksDuringAStalledUpload(t *testing.T) {
	body, w := stalled()
	defer w.Close()
	p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
		readHead(br)
		br.ReadByte()
	}))
	go w.Write([]byte("x"))
	_, err := claim(t, p).Send(deadline(t), &Request{Method: "POST", Target: "/", Body: body, Length: -1})
	if !errors.Is(err, ErrBroken) || errors.Is(err, ErrVisitor) {
		t.Errorf("got %v, want ErrBroken", err)
	}
}

func TestVisitorsFaultIsTold(t *testing.T) {
	broke := errors.New("the line is dead")
	p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) { io.Copy(io.Discard, br) }))
	for name, r := range map[string]*Request{
		"error":   {Body: io.MultiReader(strings.NewReader("ab"), failing{broke}), Length: 10},
		"chunked": {Body: io.MultiReader(strings.NewReader("ab"), failing{broke}), Length: -1},
		"short":   {Body: strings.NewReader("ab"), Length: 10},
	} {
		r.Method, r.Target = "PUT", "/"
		_, err := claim(t, p).Send(deadline(t), r)
		if !errors.Is(err, ErrVisitor) {
			t.Errorf("%s: got %v, want ErrVisitor", name, err)
		}
		if name != "short" && !errors.Is(err, broke) {
			t.Errorf("%s: the cause is lost: %v", name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestEarlyAnswerIsDelivered(t *testing.T) {
	for _, closes := range []bool{false, true} {
		p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
			readHead(br)
			io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")
			if !closes {
				io.Copy(io.Discard, br)
			}
			// Closing with unread bytes makes the kernel reset: the visitor's next bytes fail to be written.
		}))
		for range 20 {
			body := &endless{halted: make(chan struct{})}
			a, err := claim(t, p).Send(deadline(t), &Request{Method: "POST", Target: "/", Body: body, Length: 1 << 40})
			if err != nil {
				t.Fatalf("closes %v: %v", closes, err)
			}
			if got, err := io.ReadAll(a.Body); a.Status != 413 || err == nil && string(got) != "large" || err != nil && !closes {
				t.Errorf("closes %v: %d %q %v", closes, a.Status, got, err)
			}
			a.Body.Close()
			n := body.count()
			if body.count() != n {
				t.Error("the body is read on after the answer was closed")
			}
		}
	}
}

// endless is a body without an end.
type endless struct {
	mu     sync.Mutex
	n      int
	halted chan struct{}
}

func (e *endless) Read(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.n++
	return len(p), nil
}
func (e *endless) Interrupt() {}
func (e *endless) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.n
}

func TestInterimAnswers(t *testing.T) {
	p := pool(t, script(t, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\n"+
		"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	var got []int
	var hints h1.Head
	r := get("/")
	r.Inform = func(status int, h h1.Head) {
		got = append(got, status)
		hints = append(hints, h...)
	}
	if a := send(t, p, r); a.Status != 200 || a.Head.Has("Link") {
		t.Errorf("got %+v", a)
	}
	if !slices.Equal(got, []int{103, 102}) || !slices.Equal(hints, head("Link: </a>", "Link: </b>")) {
		t.Errorf("informed of %v with %v", got, hints)
	}
}

func TestTrailersBothWays(t *testing.T) {
	seen := make(chan http.Header, 1)
	p := pool(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		seen <- r.Trailer
		w.Header().Set("Trailer", "X-Announced, X-Absent")
		io.WriteString(w, "body")
		w.Header().Set("X-Announced", "1")
		w.Header().Set(http.TrailerPrefix+"X-Sudden", "2")
	}))
	ended := false
	body := readerFunc(func(p []byte) (int, error) {
		ended = true
		return copy(p, "abc"), io.EOF
	})
	a := send(t, p, &Request{Method: "POST", Target: "/", Length: -1, Body: body, Trailer: func() h1.Head {
		if !ended {
			t.Error("asked for trailers before the end of the body")
		}
		return head("X-Sum: 42", "Content-Length: 7", "Bad Name: x", "X-Break: a\nb")
	}})
	if got := <-seen; len(got) != 1 || got.Get("X-Sum") != "42" {
		t.Errorf("the backend got %v", got)
	}
	if a.Length != -1 || all(t, a.Body) != "body" {
		t.Errorf("got %+v", a)
	}
	if got := a.Trailer(); !slices.Equal(got, head("X-Announced: 1", "X-Sudden: 2")) {
		t.Errorf("trailer %v", got)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestBodiesArriveWhole(t *testing.T) {
	p := pool(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil { // else net/http throws away what was not read
			t.Error(err)
		}
		io.Copy(w, r.Body)
	}))
	big := strings.Repeat("0123456789", 300_000)
	for _, length := range []int64{int64(len(big)), -1} {
		for _, method := range []string{"POST", "GET"} {
			a := send(t, p, &Request{Method: method, Target: "/", Body: strings.NewReader(big), Length: length})
			if got := all(t, a.Body); got != big {
				t.Errorf("%s with length %d: %d bytes came back", method, length, len(got))
			}
		}
	}
}

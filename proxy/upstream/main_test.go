package upstream

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/proxy/h1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// serve starts a backend of net/http's.
func serve(t *testing.T, h http.HandlerFunc) BackendSettings {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return BackendSettings{URL: s.URL, Address: s.Listener.Addr().String()}
}

// raw starts a backend that hands every connection to talk, and closes it afterwards.
func raw(t testing.TB, talk func(net.Conn, *bufio.Reader)) BackendSettings {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				talk(c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return BackendSettings{URL: "http://" + l.Addr().String(), Address: l.Addr().String()}
}

// readHead returns the lines of a request's head, the request line first.
func readHead(br *bufio.Reader) ([]string, error) {
	var all []string
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return all, err
		}
		line = strings.TrimSuffix(line, "\r\n")
		if line == "" {
			return all, nil
		}
		all = append(all, line)
	}
}

// script answers each request on a connection with the same bytes.
func script(t *testing.T, answer string) BackendSettings {
	return raw(t, func(c net.Conn, br *bufio.Reader) {
		for {
			if _, err := readHead(br); err != nil {
				return
			}
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
		}
	})
}

func pool(t *testing.T, backends ...BackendSettings) *Pool {
	t.Helper()
	p := NewPool(Settings{Name: "app", Backends: backends}, nil)
	t.Cleanup(p.Close)
	return p
}

func claim(t *testing.T, p *Pool) Claim {
	t.Helper()
	c, err := p.Claim(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.End(Result{}) })
	return c
}

// send claims and sends, and fails the test where that fails.
func send(t *testing.T, p *Pool, r *Request) *Answer {
	t.Helper()
	a, err := claim(t, p).Send(deadline(t), r)
	if err != nil {
		t.Fatalf("Send: %v", err)
	}
	t.Cleanup(func() { a.Body.Close() })
	return a
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func get(target string) *Request {
	return &Request{Method: "GET", Target: target, Host: "app.example"}
}

func all(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("reading the body: %v", err)
	}
	return string(b)
}

// eventually polls until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("did not happen: %s", what)
}

// watched is a body that reports when it is first read, and can be interrupted.
type watched struct {
	io.Reader
	begun chan struct{}
	once  sync.Once
	cut   func()
}

func (w *watched) Read(p []byte) (int, error) {
	w.once.Do(func() { close(w.begun) })
	return w.Reader.Read(p)
}

func (w *watched) Interrupt() { w.cut() }

// stalled is a body that gives what was written to the pipe and then waits, until it is interrupted.
func stalled() (*watched, *io.PipeWriter) {
	r, w := io.Pipe()
	return &watched{Reader: r, begun: make(chan struct{}), cut: func() { r.CloseWithError(io.ErrClosedPipe) }}, w
}

func head(lines ...string) h1.Head {
	var h h1.Head
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		h.Add(name, value)
	}
	return h
}

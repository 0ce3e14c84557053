package edge

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/proxy/h1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

type handle func(v Visitor)

func (h handle) Serve(v Visitor) { h(v) }

// start serves h on a loopback listener until the test ends.
func start(t *testing.T, s Settings, h handle) *Server {
	t.Helper()
	l, err := Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, l, s, h)
}

func startUnix(t *testing.T, s Settings, h handle) *Server {
	t.Helper()
	l, err := Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, l, s, h)
}

func startOn(t *testing.T, l net.Listener, s Settings, h handle) *Server {
	t.Helper()
	srv := NewServer(l, h, s)
	var wg sync.WaitGroup
	wg.Go(srv.Serve)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Drain(ctx); err != nil {
			t.Errorf("Drain at the end: %v", err)
		}
		wg.Wait()
		if n := srv.Conns(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
	return srv
}

// client is one connection to a Server.
type client struct {
	net.Conn
	t  *testing.T
	br *bufio.Reader
}

func dial(t *testing.T, s *Server) *client {
	t.Helper()
	c, err := net.Dial(s.Address().Network(), s.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return &client{c, t, bufio.NewReader(c)}
}

// send writes s, in which line ends are written as \n.
func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c, strings.ReplaceAll(s, "\n", "\r\n")); err != nil {
		c.t.Fatal(err)
	}
}

// line reads a status line, and the head behind it.
func (c *client) head() (status string, lines h1.Head) {
	c.t.Helper()
	for i := 0; ; i++ {
		line, err := c.br.ReadString('\n')
		if err != nil {
			c.t.Fatalf("reading a head: %v after %q", err, line)
		}
		line = strings.TrimSuffix(line, "\r\n")
		if line == "" {
			return status, lines
		}
		if i == 0 {
			status = line
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		lines.Add(name, value)
	}
}

// answer reads a whole answer.
func (c *client) answer(method string) (*http.Response, string) {
	c.t.Helper()
	res, body, err := c.tryAnswer(method)
	if err != nil {
		c.t.Fatalf("reading an answer: %v", err)
	}
	return res, body
}

func (c *client) tryAnswer(method string) (*http.Response, string, error) {
	res, err := http.ReadResponse(c.br, &http.Request{Method: method})
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// ended waits for the end of the connection, and fails the test where anything more comes.
func (c *client) ended() {
	c.t.Helper()
	rest, err := io.ReadAll(c.br)
	if len(rest) > 0 {
		c.t.Errorf("%q came, want the end", rest)
	}
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		c.t.Error("the connection stays open")
	}
}

// reply answers 200 with a text.
func reply(v Visitor, text string) {
	if v.Answer(200, nil, int64(len(text)), false) == nil {
		io.WriteString(v, text)
	}
}

// eventually polls until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("did not happen: %s", what)
}

func wait[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("did not happen")
		panic("unreachable")
	}
}

// logged is a log that can be read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

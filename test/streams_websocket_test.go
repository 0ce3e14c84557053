package test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// sockets is a backend of WebSockets that says first who it is, and then sends back whatever comes, message by message. Whoever
// asks for something else gets its name as well.
func sockets(t *testing.T, name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			fmt.Fprint(w, name)
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat"}})
		if err != nil {
			t.Errorf("the handshake did not reach the backend whole: %v", err)
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(64 << 20)
		if c.Write(r.Context(), websocket.MessageText, []byte(name)) != nil {
			return
		}
		for {
			kind, message, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, message) != nil {
				return
			}
		}
	})
}

// dialSocket opens a WebSocket by that way, and returns it when the backend has said its name, which must be this one.
func dialSocket(t *testing.T, f *front, path, name string) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, res, err := websocket.Dial(ctx, f.url+path, &websocket.DialOptions{HTTPClient: f.client, Subprotocols: []string{"other", "chat"}})
	if err != nil {
		t.Fatalf("no WebSocket: %v (%v)", err, res)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	c.SetReadLimit(64 << 20)
	if c.Subprotocol() != "chat" {
		t.Errorf("the protocol agreed on is %q", c.Subprotocol())
	}
	if _, got, err := c.Read(ctx); err != nil || string(got) != name {
		t.Errorf("the first message: %q %v; want %q", got, err, name)
	}
	return c
}

// comesBack sends one message in so many frames and wants it back.
func comesBack(t *testing.T, c *websocket.Conn, kind websocket.MessageType, message []byte, frames int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	sent := make(chan error, 1)
	go func() {
		w, err := c.Writer(ctx, kind)
		for rest := message; err == nil && len(rest) > 0; {
			n := min(len(rest), max(1, len(message)/frames))
			_, err = w.Write(rest[:n])
			rest = rest[n:]
		}
		if err == nil {
			err = w.Close()
		}
		sent <- err
	}()
	got, back, err := c.Read(ctx)
	if err != nil || got != kind || !bytes.Equal(back, message) {
		t.Errorf("%d bytes of %d came back as %v: %v", len(back), len(message), got, err)
	}
	if err := <-sent; err != nil {
		t.Errorf("send: %v", err)
	}
}

// noise returns bytes that say nothing, the same for the same seed.
func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

// socketTalk has a WebSocket do whatever a real client does with one.
func socketTalk(t *testing.T, f *front, path, name string) {
	t.Helper()
	c := dialSocket(t, f, path, name)
	for i, size := range []int{0, 1, 125, 126, 65535, 65536, 3 << 20} {
		comesBack(t, c, websocket.MessageBinary, noise(uint64(i), size), 1)
	}
	comesBack(t, c, websocket.MessageText, bytes.Repeat([]byte("ä€"), 10_000), 7) // frames that end within a letter
	comesBack(t, c, websocket.MessageBinary, noise(9, 100_000), 500)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	reading := c.CloseRead(ctx)
	for range 3 {
		if err := c.Ping(ctx); err != nil {
			t.Errorf("ping: %v", err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, "done"); err != nil {
		t.Errorf("close: %v", err)
	}
	<-reading.Done()
}

func TestWebSocket(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(sockets(t, "one"))
	t.Cleanup(backend.Close)
	g := startGatehouse(t, simple(backend.URL, everything))
	socketTalk(t, plainFront(t, strings.TrimPrefix(g.url, "http://")), "/", "one")
}

// TestAWebSocketOutlivesAReload: it keeps the backend that the new file does not know any more, and holds no permit meanwhile.
func TestAWebSocketOutlivesAReload(t *testing.T) {
	t.Parallel()
	one, two := httptest.NewServer(sockets(t, "one")), httptest.NewServer(sockets(t, "two"))
	t.Cleanup(one.Close)
	t.Cleanup(two.Close)
	file := func(backend string) string {
		return strings.Replace(simple(backend, everything), "]}}", "], max_in_flight: 1, queue: {length: 0}}}", 1)
	}
	g := startGatehouse(t, file(one.URL))
	f := plainFront(t, strings.TrimPrefix(g.url, "http://"))
	var all []*websocket.Conn
	for range 3 {
		all = append(all, dialSocket(t, f, "/", "one"))
	}
	if got := g.metric(t, `gatehouse_pool_in_flight{pool="app"}`); got != 0 {
		t.Errorf("three WebSockets count as %v requests in flight", got)
	}
	if got := g.metric(t, `gatehouse_tunnels{pool="app"}`); got != 3 {
		t.Errorf("three WebSockets count as %v tunnels", got)
	}
	if _, body := f.ask(t, "GET", "/", nil); body != "one" {
		t.Errorf("beside three WebSockets in a pool of one: %q", body)
	}
	for _, backend := range []string{two.URL, one.URL, two.URL} {
		g.write(file(backend))
		g.reload(t)
		for i, c := range all {
			comesBack(t, c, websocket.MessageBinary, noise(uint64(i), 100_000), 3)
		}
	}
	if _, body := f.ask(t, "GET", "/", nil); body != "two" {
		t.Errorf("after the reload: %q", body)
	}
	dialSocket(t, f, "/", "two")
	if line := strings.Join(g.accessLines(), "\n"); strings.Contains(line, `"status":101`) {
		t.Errorf("a WebSocket that is open is logged as over: %s", line)
	}
	if err := all[0].Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	eventually(t, patience, "it is logged when it is over", func() bool {
		return strings.Count(strings.Join(g.accessLines(), "\n"), `"status":101`) == 1
	})
	eventually(t, patience, "and is no tunnel any more", func() bool { return g.metric(t, `gatehouse_tunnels{pool="app"}`) == 3 })
}

// TestAnIdleWebSocket stays beyond what a connection has to begin, or to bring a body.
func TestAnIdleWebSocket(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(sockets(t, "one"))
	t.Cleanup(backend.Close)
	g := startGatehouse(t, simple(backend.URL, "{name: all, pool: app, timeout: 1s}"))
	c := dialSocket(t, plainFront(t, strings.TrimPrefix(g.url, "http://")), "/", "one")
	time.Sleep(12 * time.Second)
	comesBack(t, c, websocket.MessageText, []byte("still there"), 2)
}

// TestAWebSocketThatIsRefused: what a backend says instead is an answer like any other.
func TestAWebSocketThatIsRefused(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not you", http.StatusForbidden)
	}))
	t.Cleanup(backend.Close)
	g := startGatehouse(t, simple(backend.URL, everything))
	_, res, err := websocket.Dial(t.Context(), g.url, nil)
	if err == nil || res == nil || res.StatusCode != http.StatusForbidden {
		t.Fatalf("%v %v", res, err)
	}
	if body, _ := io.ReadAll(res.Body); string(body) != "not you\n" {
		t.Errorf("%q", body)
	}
}

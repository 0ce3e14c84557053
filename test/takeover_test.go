package test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// traffic is visitors who believe what they are told of their connections, and never ask twice: whoever finds his connection closed
// without having been told counts.
type traffic struct {
	address  string
	quit     chan struct{}
	wg       sync.WaitGroup
	answered atomic.Int64

	mu   sync.Mutex
	lost []string
}

// gather begins with that many who keep their connections, half of them for a third of a second between two requests, and some
// who come anew each time.
func gather(address string, keeping, fresh int) *traffic {
	c := &traffic{address: address, quit: make(chan struct{})}
	const quick, slow = 5 * time.Millisecond, 300 * time.Millisecond
	for i := range keeping {
		c.wg.Go(func() { c.visit(true, []time.Duration{quick, slow}[i%2]) })
	}
	for range fresh {
		c.wg.Go(func() { c.visit(false, quick) })
	}
	return c
}

func (c *traffic) visit(keep bool, pause time.Duration) {
	var conn net.Conn
	var r *bufio.Reader
	request := "GET / HTTP/1.1\r\nHost: site\r\n\r\n"
	if !keep {
		request = "GET / HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n"
	}
	for n := 0; ; n++ {
		select {
		case <-c.quit:
			if conn != nil {
				_ = conn.Close()
			}
			return
		case <-time.After(pause + time.Duration(n%10)*time.Millisecond):
		}
		var err error
		step := "connect"
		if conn == nil {
			if conn, err = net.DialTimeout("tcp", c.address, patience); err == nil {
				_ = conn.SetDeadline(time.Now().Add(time.Minute))
				r = bufio.NewReader(conn)
			}
		}
		var res *http.Response
		if err == nil {
			step = "send"
			_, err = io.WriteString(conn, request)
		}
		if err == nil {
			step = "answer"
			if res, err = http.ReadResponse(r, nil); err == nil {
				_, err = io.Copy(io.Discard, res.Body)
			}
		}
		if err == nil && res.StatusCode != 200 {
			err = errors.New(res.Status)
		}
		if err != nil {
			c.mu.Lock()
			c.lost = append(c.lost, fmt.Sprintf("%s: %v", step, err))
			c.mu.Unlock()
		} else {
			c.answered.Add(1)
		}
		if conn != nil && (err != nil || res.Close) {
			_ = conn.Close()
			conn = nil
		}
	}
}

// leave ends it and returns what went wrong for whom.
func (c *traffic) leave() []string {
	close(c.quit)
	c.wg.Wait()
	return c.lost
}

// busy returns once so many more have been answered.
func (c *traffic) busy(t *testing.T, more int64) {
	t.Helper()
	from := c.answered.Load()
	eventually(t, patience, "visitors are answered", func() bool { return c.answered.Load() >= from+more })
}

// longSite is a backend with whatever takes long: an upload, a stream of events, a tunnel that echoes.
func longSite(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/upload":
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n, err)
		case "/events":
			for n := 0; ; n++ {
				fmt.Fprintf(w, "data: %d\n\n", n)
				if http.NewResponseController(w).Flush() != nil || r.Context().Err() != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		case "/tunnel":
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			_, _ = io.Copy(conn, rw)
		default:
			fmt.Fprint(w, "here")
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// longer is what goes on over several takeovers.
type longer struct {
	t              *testing.T
	upload         *io.PipeWriter
	sent           int
	uploaded       chan string
	events, tunnel *bufio.Reader
	conns          []net.Conn
}

func begin(t *testing.T, address string) *longer {
	t.Helper()
	body, w := io.Pipe()
	l := &longer{t: t, upload: w, uploaded: make(chan string, 1)}
	go func() {
		res, err := http.Post("http://"+address+"/upload", "text/plain", body)
		if err != nil {
			l.uploaded <- err.Error()
			return
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		l.uploaded <- fmt.Sprint(string(b), " ", err)
	}()
	open := func(request string) *bufio.Reader {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
		_, _ = io.WriteString(c, request)
		l.conns = append(l.conns, c)
		return bufio.NewReader(c)
	}
	l.events = open("GET /events HTTP/1.1\r\nHost: site\r\n\r\n")
	l.tunnel = open("GET /tunnel HTTP/1.1\r\nHost: site\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if res, err := http.ReadResponse(l.tunnel, nil); err != nil || res.StatusCode != 101 {
		t.Fatalf("tunnel: %v %v", res, err)
	}
	l.goOn("from the first")
	return l
}

// goOn proves that all of it still goes on.
func (l *longer) goOn(when string) {
	l.t.Helper()
	piece := bytes.Repeat([]byte("x"), 100<<10)
	if _, err := l.upload.Write(piece); err != nil {
		l.t.Fatalf("%s: upload: %v", when, err)
	}
	l.sent += len(piece)
	if _, err := io.WriteString(l.conns[1], "echo "+when+"\n"); err != nil {
		l.t.Fatalf("%s: tunnel: %v", when, err)
	}
	if line, err := l.tunnel.ReadString('\n'); line != "echo "+when+"\n" {
		l.t.Fatalf("%s: tunnel: %q, %v", when, line, err)
	}
	for n := 0; n < 5; {
		line, err := l.events.ReadString('\n')
		if err != nil {
			l.t.Fatalf("%s: events: %v", when, err)
		}
		if strings.HasPrefix(line, "data:") {
			n++
		}
	}
}

// end ends it, as visitors do.
func (l *longer) end() {
	l.t.Helper()
	_ = l.upload.Close()
	if got, want := <-l.uploaded, fmt.Sprint(l.sent, "<nil> <nil>"); got != want && got != fmt.Sprint(l.sent, " <nil> <nil>") {
		l.t.Errorf("upload: %s; want %s", got, want)
	}
	for _, c := range l.conns {
		_ = c.Close()
	}
}

const tookOver = "another process has taken over; this one ends with its visitors"

const takenSite = `
listen: [{address: "ADDRESS", health: /ready}]
admin: {address: "ADMIN"}
pools: {app: {backends: [%q]}}
routes: [{name: all, pool: app, timeout: 60s}]
log: {access: "off"}
`

// takeovers has three processes take over one after the other, each before the one before has ended, and returns what was lost.
func takeovers(t *testing.T, grace time.Duration) []string {
	d := found(t, fmt.Sprintf(takenSite, longSite(t).URL), "--takeover-grace", grace.String(), "--drain-timeout", "50s")
	visitors := gather(d.address, 20, 4)
	long := begin(t, d.address)
	for range 3 {
		visitors.busy(t, 300)
		d.succeed()
		long.goOn("after a takeover")
	}
	visitors.busy(t, 300)
	last := d.event(tookOver)
	eventually(t, time.Minute, "the last one's grace is over", func() bool {
		long.goOn("during a grace")
		return time.Since(at(last)) > grace+2*time.Second
	})
	long.end()
	return visitors.leave()
}

func TestATakeoverCutsNobody(t *testing.T) {
	if lost := takeovers(t, 5*time.Second); len(lost) > 0 {
		t.Errorf("%d requests were lost: %q", len(lost), lost[:min(5, len(lost))])
	}
}

// Without the grace, connections are closed under requests that are on their way.
func TestWithoutGraceATakeoverCuts(t *testing.T) {
	if lost := takeovers(t, 0); len(lost) == 0 {
		t.Error("nobody lost anything: then the test above proves nothing")
	}
}

func at(event map[string]any) time.Time {
	s, _ := event["time"].(string)
	t, _ := time.Parse(time.RFC3339Nano, s)
	return t
}

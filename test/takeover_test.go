package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// dynasty is a program and those that take over from it.
type dynasty struct {
	t       *testing.T
	program string // a copy, so that it can be replaced
	config  string
	pidFile string
	address string // of visitors
	admin   string
	stderr  string // a file, which all of them write
	seen    []int  // every process there was
}

// found starts a program whose file is that text, with ADDRESS and ADMIN filled in.
func found(t *testing.T, text string, flags ...string) *dynasty {
	t.Helper()
	dir := t.TempDir()
	d := &dynasty{
		t: t, program: filepath.Join(dir, "gatehouse"), config: filepath.Join(dir, "gatehouse.yaml"), pidFile: filepath.Join(dir, "pid"),
		address: "127.0.0.1:" + freePort(t), admin: "127.0.0.1:" + freePort(t), stderr: filepath.Join(dir, "stderr"),
	}
	d.install(binary)
	writeFile(t, d.config, d.text(text))
	// Who is orphaned becomes a child of this process, and tells it how it ended.
	adopt(t, 1)
	stderr, err := os.Create(d.stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd := exec.Command(d.program, append([]string{"run", "-c", d.config, "--pid-file", d.pidFile, "--drain-delay", "0s"}, flags...)...)
	cmd.Env, cmd.Stderr = quickExit(), stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.seen = []int{cmd.Process.Pid}
	_ = cmd.Process.Release() // awaited like the others, by its id
	t.Cleanup(d.end)
	eventually(t, patience, "the first process serves", func() bool { return d.pid() == d.seen[0] && d.event("gatehouse serves") != nil })
	return d
}

// adopt makes this process the one that orphans go to, or no more.
func adopt(t *testing.T, yes uintptr) {
	t.Helper()
	const setChildSubreaper = 36
	if _, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, yes, 0); e != 0 {
		t.Fatal(e)
	}
}

func (d *dynasty) text(text string) string {
	return strings.NewReplacer("ADDRESS", d.address, "ADMIN", d.admin).Replace(text)
}

// install replaces the program, as a deployment does.
func (d *dynasty) install(from string) {
	d.t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(d.program+".new", b, 0o755)
	}
	if err == nil {
		err = os.Rename(d.program+".new", d.program)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// pid is the process that serves, by its file.
func (d *dynasty) pid() int {
	b, _ := os.ReadFile(d.pidFile)
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

func (d *dynasty) log() string {
	b, _ := os.ReadFile(d.stderr)
	return string(b)
}

// event returns the last event with that message.
func (d *dynasty) event(msg string) (last map[string]any) {
	for line := range strings.Lines(d.log()) {
		var e map[string]any
		if json.Unmarshal([]byte(line), &e) == nil && e["msg"] == msg {
			last = e
		}
	}
	return last
}

func (d *dynasty) signal(s syscall.Signal) {
	d.t.Helper()
	if err := syscall.Kill(d.seen[len(d.seen)-1], s); err != nil {
		d.t.Fatal(err)
	}
}

// succeed has a new process take over.
func (d *dynasty) succeed() {
	d.t.Helper()
	before := d.seen[len(d.seen)-1]
	d.signal(syscall.SIGUSR2)
	eventually(d.t, patience, "a new process takes over", func() bool {
		e := d.event("another process has taken over; this one ends with its visitors")
		return d.pid() != before && e != nil && int(e["pid"].(float64)) == d.pid()
	})
	d.seen = append(d.seen, d.pid())
}

// end ends the last process and waits for all: each ends cleanly.
func (d *dynasty) end() {
	_ = syscall.Kill(d.seen[len(d.seen)-1], syscall.SIGTERM)
	for _, pid := range d.seen {
		var status syscall.WaitStatus
		kill := time.AfterFunc(60*time.Second, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil || !status.Exited() || status.ExitStatus() != 0 {
			d.t.Errorf("process %d ended with %v (signal %v), %v", pid, status.ExitStatus(), status.Signal(), err)
		}
		kill.Stop()
	}
	adopt(d.t, 0)
	if _, err := os.Stat(d.pidFile); err == nil {
		d.t.Error("the last process left its id behind")
	}
	if d.t.Failed() {
		d.t.Logf("events:\n%s", d.log())
	}
}

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

// gather begins with that many who keep their connections, and some who come anew each time.
func gather(address string, keeping, fresh int) *traffic {
	c := &traffic{address: address, quit: make(chan struct{})}
	for range keeping {
		c.wg.Go(func() { c.visit(true) })
	}
	for range fresh {
		c.wg.Go(func() { c.visit(false) })
	}
	return c
}

func (c *traffic) visit(keep bool) {
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
		case <-time.After(time.Duration(5+n%10) * time.Millisecond):
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

const takenSite = `
listen: [{address: "ADDRESS", health: /ready}]
admin: {address: "ADMIN"}
pools: {app: {backends: [%q]}}
routes: [{name: all, pool: app, timeout: 60s}]
log: {access: "off"}
`

// Three processes take over one after the other, the third before the first has ended.
func TestATakeoverCutsNobody(t *testing.T) {
	d := found(t, fmt.Sprintf(takenSite, longSite(t).URL), "--takeover-grace", "5s", "--drain-timeout", "50s")
	visitors := gather(d.address, 20, 4)
	long := begin(t, d.address)
	for range 3 {
		visitors.busy(t, 300)
		d.succeed()
		long.goOn("after a takeover")
	}
	visitors.busy(t, 300)
	// Beyond the grace of the last one.
	eventually(t, patience, "the last one's grace is over", func() bool {
		long.goOn("during a grace")
		return time.Since(at(d.event("another process has taken over; this one ends with its visitors"))) > 7*time.Second
	})
	long.end()
	if lost := visitors.leave(); len(lost) > 0 {
		t.Errorf("%d of %d requests were lost: %q", len(lost), visitors.answered.Load(), lost[:min(5, len(lost))])
	}
	if !slices.IsSorted([]int{1, len(d.seen)}) || len(d.seen) != 4 {
		t.Errorf("%d processes", len(d.seen))
	}
}

func at(event map[string]any) time.Time {
	s, _ := event["time"].(string)
	t, _ := time.Parse(time.RFC3339Nano, s)
	return t
}

package test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// binary is the program under test, built once with the race detector, so that what it does wrong under load is seen.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	redis.SetLogger(silent{})
	dir, err := os.MkdirTemp("", "gatehouse-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "gatehouse")
	if out, err := exec.Command("go", "build", "-race", "-o", binary, "gatehouse/cmd/gatehouse").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// silent takes what go-redis would print of each dial that failed: here they fail all the time.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// patience is how long a test waits for an answer: a test that hangs says nothing.
const patience = 20 * time.Second

var client = &http.Client{Timeout: patience}

// gatehouse is a running program.
type gatehouse struct {
	t      *testing.T
	config string // the file's path
	url    string // of the first listener
	admin  string

	cmd        *exec.Cmd
	exited     chan struct{}
	terminated bool
	err        error // of Wait, once exited is closed

	mu     sync.Mutex
	events []map[string]any
	access bytes.Buffer
}

// startGatehouse runs the program by a file of that text, and waits until it serves. It must end cleanly with its test.
func startGatehouse(t *testing.T, text string, flags ...string) *gatehouse {
	t.Helper()
	return startGatehouseIn(t, nil, text, flags...)
}

// startGatehouseIn is startGatehouse with further variables in its environment.
func startGatehouseIn(t *testing.T, environment []string, text string, flags ...string) *gatehouse {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gatehouse.yaml")
	writeFile(t, file, text)
	return startProgram(t, environment, file, flags...)
}

// startGatehouseAt is startGatehouse by a file that is there.
func startGatehouseAt(t *testing.T, file string, flags ...string) *gatehouse {
	t.Helper()
	return startProgram(t, nil, file, flags...)
}

func startProgram(t *testing.T, environment []string, file string, flags ...string) *gatehouse {
	t.Helper()
	g := &gatehouse{t: t, config: file, exited: make(chan struct{})}
	g.cmd = exec.Command(binary, append([]string{"run", "-c", file, "--drain-delay", "0s", "--drain-timeout", "5s"}, flags...)...)
	g.cmd.Env = append(quickExit(), environment...)
	stdout, err := g.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := g.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pipes sync.WaitGroup
	pipes.Go(func() { g.readEvents(stderr) })
	pipes.Go(func() { _, _ = io.Copy(lockedWriter{g}, stdout) })
	go func() {
		pipes.Wait()
		g.err = g.cmd.Wait()
		close(g.exited)
	}()
	t.Cleanup(g.stop)
	var serves map[string]any
	eventually(t, 20*time.Second, "gatehouse serves: "+g.log(), func() bool {
		serves = g.event("gatehouse serves")
		select {
		case <-g.exited:
			t.Fatalf("gatehouse ended: %v\n%s", g.err, g.log())
		default:
		}
		return serves != nil
	})
	g.url = "http://" + serves["addresses"].([]any)[0].(string)
	if admin, _ := serves["admin"].(string); admin != "" {
		g.admin = "http://" + admin
	}
	return g
}

type lockedWriter struct{ g *gatehouse }

func (w lockedWriter) Write(p []byte) (int, error) {
	w.g.mu.Lock()
	defer w.g.mu.Unlock()
	return w.g.access.Write(p)
}

func (g *gatehouse) readEvents(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e map[string]any
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			e = map[string]any{"msg": "not JSON", "text": lines.Text()}
		}
		g.mu.Lock()
		g.events = append(g.events, e)
		g.mu.Unlock()
	}
}

// event returns the last event with that message, nil where there was none.
func (g *gatehouse) event(msg string) map[string]any {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := len(g.events) - 1; i >= 0; i-- {
		if g.events[i]["msg"] == msg {
			return g.events[i]
		}
	}
	return nil
}

// log returns all events as text.
func (g *gatehouse) log() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var b strings.Builder
	for _, e := range g.events {
		line, _ := json.Marshal(e)
		b.Write(append(line, '\n'))
	}
	return b.String()
}

func (g *gatehouse) accessLines() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.Split(strings.TrimSpace(g.access.String()), "\n")
}

// quickExit is the environment of the program under test: the race detector would have it linger for a second at its end.
func quickExit() []string { return append(os.Environ(), "GORACE=atexit_sleep_ms=10") }

// terminate asks the program to end, once: a second signal would have it end at once.
func (g *gatehouse) terminate() {
	if !g.terminated {
		g.terminated = true
		_ = g.cmd.Process.Signal(syscall.SIGTERM)
	}
}

// stop ends the program as an operator does, and fails the test where it was not clean: a cut request, a race, an event that
// is no JSON.
func (g *gatehouse) stop() {
	g.terminate()
	select {
	case <-g.exited:
	case <-time.After(20 * time.Second):
		_ = g.cmd.Process.Kill()
		<-g.exited
		g.t.Error("gatehouse did not end within 20 s of SIGTERM")
	}
	var exit *exec.ExitError
	if errors.As(g.err, &exit) {
		g.t.Errorf("gatehouse ended with %v", exit)
	}
	if e := g.event("not JSON"); e != nil {
		g.t.Errorf("an event is no JSON: %v", e["text"])
	}
	if g.t.Failed() {
		g.t.Logf("events of gatehouse:\n%s", g.log())
	}
}

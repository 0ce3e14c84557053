package quota

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patient is a Timeout for tests that are not about time: the machine may be busy.
const patient = 10 * time.Second

// node is a redis-server of the test's own.
type node struct {
	t    testing.TB
	port string
	dir  string
	args []string
	cmd  *exec.Cmd
	ctl  *redis.Client
}

// serve starts a redis-server on a free port; more are further arguments.
func serve(t testing.TB, more ...string) *node {
	t.Helper()
	n := &node{t: t, port: freePort(t), dir: t.TempDir(), args: more}
	n.start()
	t.Cleanup(n.kill)
	return n
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func (n *node) addr() string { return net.JoinHostPort("127.0.0.1", n.port) }

// start starts it, again if need be, and waits until it answers.
func (n *node) start() {
	n.t.Helper()
	n.cmd = exec.Command("redis-server", append([]string{
		"--port", n.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", n.dir}, n.args...)...)
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.ctl = redis.NewClient(&redis.Options{
		Addr: n.addr(), Protocol: 2, DisableIdentity: true, PoolSize: 1, ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1, PipelinePoolSize: -1,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			for { // go-redis remembers failed dials, and logs them
				conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
				if err == nil || ctx.Err() != nil {
					return conn, err
				}
				select {
				case <-time.After(5 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		},
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	eventually(n.t, "redis-server answers", func() bool { return !strings.Contains(fmt.Sprint(n.try("ping")), "refused") })
}

func (n *node) kill() {
	if n.cmd == nil {
		return
	}
	_ = n.ctl.Close()
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait()
	n.cmd = nil
}

func (n *node) signal(sig syscall.Signal) {
	n.t.Helper()
	if err := n.cmd.Process.Signal(sig); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) try(args ...any) error { return n.ctl.Do(context.Background(), args...).Err() }

// do runs a command, which must succeed.
func (n *node) do(args ...any) any {
	n.t.Helper()
	v, err := n.ctl.Do(context.Background(), args...).Result()
	if err != nil {
		n.t.Fatalf("%v: %v", args, err)
	}
	return v
}

// calls is how often the server has run a command.
func (n *node) calls(command string) (count int) {
	n.t.Helper()
	for line := range strings.Lines(n.do("info", "commandstats").(string)) {
		if v, ok := strings.CutPrefix(line, "cmdstat_"+command+":calls="); ok {
			v, _, _ = strings.Cut(v, ",")
			count, _ = strconv.Atoi(v)
		}
	}
	return count
}

// keys are those of callers.
func (n *node) keys() (keys []string) {
	n.t.Helper()
	for _, k := range n.do("keys", "*").([]any) {
		if k := k.(string); !strings.Contains(k, "trial:") {
			keys = append(keys, k)
		}
	}
	return keys
}

func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// sharing returns what a Gatehouse beside this store has, once it is up.
func (n *node) sharing(timeout time.Duration) *Shared {
	n.t.Helper()
	s := n.with(SharedSettings{Timeout: timeout})
	isUp(n.t, s)
	return s
}

func (n *node) with(s SharedSettings) *Shared {
	if s.Address == "" {
		s.Address = n.addr()
	}
	s.Prefix = "gatehouse:quota:"
	h := NewShared(s)
	n.t.Cleanup(h.Close)
	return h
}

func isUp(t testing.TB, s *Shared) {
	t.Helper()
	eventually(t, "up", func() bool { return s.Status().Up })
}

// hourly is a quota in which the time that a test takes does not matter.
func hourly(s *Shared, burst int) Settings {
	return Settings{Name: "sign-in", Rate: 1.0 / 3600, Burst: burst, Shared: s}
}

// used is how much memory the server's data takes.
func (n *node) used() (bytes int) {
	n.t.Helper()
	for line := range strings.Lines(n.do("info", "memory").(string)) {
		if v, ok := strings.CutPrefix(line, "used_memory:"); ok {
			bytes, _ = strconv.Atoi(strings.TrimSpace(v))
		}
	}
	return bytes
}

package probe

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

	"gatehouse/shed"
	"gatehouse/shed/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a redis-server of the test's own.
type server struct {
	t    testing.TB
	host string
	port string
	dir  string
	args []string
	cmd  *exec.Cmd
	ctl  *redis.Client

	sentinel string // the file of a Sentinel; empty: this is a node
}

// serve starts a redis-server on a free port; more are further arguments.
func serve(t testing.TB, more ...string) *server {
	t.Helper()
	return serveAt(t, "127.0.0.1", freePort(t), more...)
}

func serveAt(t testing.TB, host, port string, more ...string) *server {
	t.Helper()
	s := &server{t: t, host: host, port: port, dir: t.TempDir(), args: more}
	s.start()
	t.Cleanup(func() { s.kill() })
	return s
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

func (s *server) addr() string { return net.JoinHostPort(s.host, s.port) }

// start starts it, again if need be, and waits until it answers.
func (s *server) start() {
	s.t.Helper()
	s.launch()
	s.eventually("redis-server answers", func() bool {
		return !strings.Contains(fmt.Sprint(s.try("ping")), "refused")
	})
}

func (s *server) launch() {
	s.t.Helper()
	args := append([]string{"--port", s.port, "--bind", s.host, "--save", "", "--appendonly", "no", "--dir", s.dir}, s.args...)
	if s.sentinel != "" {
		args = []string{s.sentinel, "--sentinel"}
	}
	s.cmd = exec.Command("redis-server", args...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ctl = redis.NewClient(&redis.Options{
		Addr: s.addr(), Protocol: 2, DisableIdentity: true, PoolSize: 1, MaxRetries: -1, DialerRetries: 1, PipelinePoolSize: -1,
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
}

func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.ctl.Close()
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) try(args ...any) error { return s.ctl.Do(context.Background(), args...).Err() }

// do runs a command, which must succeed.
func (s *server) do(args ...any) any {
	s.t.Helper()
	v, err := s.ctl.Do(context.Background(), args...).Result()
	if err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
	return v
}

// told is a number of what the server says of itself, 0 where it does not.
func (s *server) told(section, key string) (n int) {
	s.t.Helper()
	for line := range strings.Lines(s.do("info", section).(string)) {
		if v, ok := strings.CutPrefix(line, key+":"); ok {
			n, _ = strconv.Atoi(strings.TrimSpace(v))
		}
	}
	return n
}

func (s *server) used() int    { return s.told("memory", "used_memory") }
func (s *server) evicted() int { return s.told("stats", "evicted_keys") }

func (s *server) eventually(what string, so func() bool) {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("never: %s", what)
		}
	}
}

// prober is a Redis that is probed as a Monitor would.
type prober struct {
	*Redis
	t       testing.TB
	timeout time.Duration
}

func probing(t testing.TB, set Settings) *prober {
	t.Helper()
	if set.Prefix == "" {
		set.Prefix = "gatehouse:"
	}
	p := &prober{Redis: New(set), t: t, timeout: time.Second}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func (s *server) probing() *prober {
	return probing(s.t, Settings{Address: s.addr(), Instance: "here"})
}

// probe makes one probe and checks that it returned by its deadline.
func (p *prober) probe(payload int) store.Evidence {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
	defer cancel()
	from := time.Now()
	e := p.Probe(ctx, payload)
	if took := time.Since(from); took > p.timeout+250*time.Millisecond {
		p.t.Errorf("returned after %v at a deadline of %v", took, p.timeout)
	}
	return e
}

func (p *prober) writable() store.Evidence {
	p.t.Helper()
	e := p.probe(64)
	if e.State != shed.Writable || e.Cause != shed.OK || !e.Reached || e.Latency <= 0 || e.Err != nil {
		p.t.Fatalf("%v", e)
	}
	return e
}

// want makes one probe and compares what counts.
func (p *prober) want(state shed.State, cause shed.Cause, definite, reached bool) store.Evidence {
	p.t.Helper()
	return p.wantOf(4096, state, cause, definite, reached)
}

func (p *prober) wantOf(payload int, state shed.State, cause shed.Cause, definite, reached bool) store.Evidence {
	p.t.Helper()
	e := p.probe(payload)
	if e.State != state || e.Cause != cause || e.Definite != definite || e.Reached != reached {
		p.t.Errorf("%v (%v) definite=%v reached=%v: %v; want %v (%v) definite=%v reached=%v",
			e.State, e.Cause, e.Definite, e.Reached, e.Err, state, cause, definite, reached)
	}
	return e
}

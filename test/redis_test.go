package test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisServer is a real redis-server on loopback. It is stopped, by its pid, when its test ends.
type redisServer struct {
	t    *testing.T
	port string
	dir  string
	cmd  *exec.Cmd
	cli  *redis.Client

	replica *redisServer // nil: it has none
}

// startRedis starts an empty server on a free port.
func startRedis(t *testing.T) *redisServer {
	t.Helper()
	r := &redisServer{t: t, port: freePort(t), dir: t.TempDir()}
	r.cli = redis.NewClient(&redis.Options{
		Addr: r.address(), DialTimeout: time.Second, ReadTimeout: 10 * time.Second, MaxRetries: -1, PoolSize: 2,
	})
	r.start()
	t.Cleanup(func() {
		_ = r.cli.Close()
		r.stop()
	})
	return r
}

// startPair starts a primary with a replica that has caught up.
func startPair(t *testing.T) *redisServer {
	t.Helper()
	r := startRedis(t)
	r.replica = startRedis(t)
	r.replica.do("REPLICAOF", "127.0.0.1", r.port)
	eventually(t, 20*time.Second, "the replica has caught up", func() bool {
		info, err := r.replica.cli.Info(context.Background(), "replication").Result()
		return err == nil && strings.Contains(info, "master_link_status:up")
	})
	return r
}

// demote makes the replica the primary, as a failover does, and the primary its replica.
func (r *redisServer) demote() {
	r.t.Helper()
	r.replica.do("REPLICAOF", "NO", "ONE")
	r.do("REPLICAOF", "127.0.0.1", r.replica.port)
}

func (r *redisServer) address() string { return "127.0.0.1:" + r.port }

// start starts the process and waits until it answers.
func (r *redisServer) start() {
	r.t.Helper()
	r.cmd = exec.Command("redis-server", "--port", r.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", r.dir,
		"--repl-diskless-sync-delay", "0")
	if err := r.cmd.Start(); err != nil {
		r.t.Fatalf("redis-server: %v (make test installs it)", err)
	}
	eventually(r.t, 10*time.Second, "redis-server answers", func() bool {
		return r.cli.Ping(context.Background()).Err() == nil
	})
}

// kill ends the process at once, as a crash does.
func (r *redisServer) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

func (r *redisServer) stop() {
	_ = r.cmd.Process.Signal(syscall.SIGCONT)
	r.kill()
}

func (r *redisServer) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// do runs a command and fails the test where the server refuses it.
func (r *redisServer) do(words ...string) {
	r.t.Helper()
	args := make([]any, len(words))
	for i, w := range words {
		args[i] = w
	}
	if err := r.cli.Do(context.Background(), args...).Err(); err != nil && !errors.Is(err, redis.Nil) {
		r.t.Fatalf("%s: %v", strings.Join(words, " "), err)
	}
}

// freePort returns a port of loopback that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// eventually fails the test where something does not come true in time.
func eventually(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not within %v: %s", within, what)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(fmt.Errorf("write %s: %w", path, err))
	}
}

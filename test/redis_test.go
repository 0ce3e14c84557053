package test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisServer is a real redis-server on loopback. It is stopped, by its pid, when its test ends.
type redisServer struct {
	t    *testing.T
	host string
	port string
	dir  string
	more []string // further words of its command line
	cmd  *exec.Cmd
	cli  *redis.Client

	replica *redisServer // nil: it has none
}

// startRedis starts an empty server on a free port. More are further words of its command line.
func startRedis(t *testing.T, more ...string) *redisServer {
	t.Helper()
	return startRedisAt(t, "127.0.0.1", freePort(t), more...)
}

// startRedisAt starts an empty server at that address.
func startRedisAt(t *testing.T, host, port string, more ...string) *redisServer {
	t.Helper()
	r := &redisServer{t: t, host: host, port: port, dir: t.TempDir(), more: more}
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
func startPair(t *testing.T, more ...string) *redisServer {
	t.Helper()
	r := startRedis(t, more...)
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
	eventually(r.t, 20*time.Second, "the replica has everything", func() bool {
		n, err := r.cli.Wait(context.Background(), 1, time.Second).Result()
		return err == nil && n == 1
	})
	r.replica.do("REPLICAOF", "NO", "ONE")
	r.do("REPLICAOF", "127.0.0.1", r.replica.port)
}

func (r *redisServer) address() string { return net.JoinHostPort(r.host, r.port) }

// start starts the process and waits until it serves.
func (r *redisServer) start() {
	r.t.Helper()
	r.launch()
	r.await()
}

// launch starts the process. What it adds to the command line holds this once. A shell has the kernel refuse to let a file
// grow without ending the process for it, for who wants to set such a limit.
func (r *redisServer) launch(once ...string) {
	r.t.Helper()
	words := []string{"redis-server", "--port", r.port, "--bind", r.host, "--save", "", "--appendonly", "no", "--dir", r.dir,
		"--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes"}
	words = slices.Concat(words, r.more, once)
	r.cmd = exec.Command("/bin/sh", append([]string{"-c", `trap "" XFSZ; exec "$@"`, "sh"}, words...)...)
	if err := r.cmd.Start(); err != nil {
		r.t.Fatalf("redis-server: %v (make test installs it)", err)
	}
}

// await waits until the server serves.
func (r *redisServer) await() {
	r.t.Helper()
	eventually(r.t, 20*time.Second, "redis-server answers", func() bool {
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

// empty starts the process with nothing of what it held.
func (r *redisServer) empty() {
	r.t.Helper()
	_ = os.Remove(filepath.Join(r.dir, "dump.rdb"))
	r.start()
}

// limitFiles bounds how large a file of the server's may grow, in bytes.
func (r *redisServer) limitFiles(to string) {
	r.t.Helper()
	out, err := exec.Command("prlimit", "--pid", strconv.Itoa(r.cmd.Process.Pid), "--fsize="+to+":unlimited").CombinedOutput()
	if err != nil {
		r.t.Fatalf("prlimit: %v: %s", err, out)
	}
}

// probed reports whether Gatehouse has been here lately.
func (r *redisServer) probed() bool {
	r.t.Helper()
	keys, err := r.cli.Keys(context.Background(), "gatehouse:*").Result()
	if err != nil {
		r.t.Fatal(err)
	}
	return len(keys) > 0
}

// has reports whether there is such a key.
func (r *redisServer) has(key string) bool {
	r.t.Helper()
	n, err := r.cli.Exists(context.Background(), key).Result()
	if err != nil {
		r.t.Fatal(err)
	}
	return n == 1
}

// info returns one line of INFO as a number.
func (r *redisServer) info(field string) int {
	r.t.Helper()
	text, err := r.cli.Info(context.Background(), "everything").Result()
	if err != nil {
		r.t.Fatal(err)
	}
	_, after, found := strings.Cut(text, "\r\n"+field+":")
	line, _, _ := strings.Cut(after, "\r\n")
	n, err := strconv.Atoi(line)
	if err != nil || !found {
		r.t.Fatalf("INFO has %s: %q", field, line)
	}
	return n
}

// freePort returns a port of loopback that was free a moment ago. It lies below those that the kernel gives to whoever dials
// out, so that a server that is gone for a while finds its own again.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20000 + rand.IntN(12000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
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

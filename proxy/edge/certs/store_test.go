package certs

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
)

// node is a redis-server of the test's own, with the password "secret".
type node struct {
	t    *testing.T
	port string
	cmd  *exec.Cmd
}

func redisServer(t *testing.T) *node {
	t.Helper()
	n := &node{t: t, port: freePort(t)}
	n.start()
	t.Cleanup(n.kill)
	return n
}

func (n *node) address() string { return "127.0.0.1:" + n.port }

func (n *node) start() {
	n.t.Helper()
	n.cmd = exec.Command("redis-server", "--port", n.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
		"--requirepass", "secret", "--dir", n.t.TempDir())
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	eventually(n.t, "redis-server answers", func() bool {
		c, err := net.Dial("tcp", n.address())
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}

func (n *node) kill() {
	if n.cmd != nil {
		_ = n.cmd.Process.Kill()
		_ = n.cmd.Wait()
		n.cmd = nil
	}
}

func (n *node) settings() Redis {
	return Redis{Address: n.address(), Password: func() (string, error) { return "secret", nil }}
}

// stores are the places of certificates, made twice each, as by two processes.
func stores(t *testing.T) map[string]func() store {
	dir, n := filepath.Join(t.TempDir(), "acme"), redisServer(t)
	return map[string]func() store{
		"folder": func() store { return newFolder(dir) },
		"redis":  func() store { return newRedis(n.settings(), "gatehouse:acme:") },
	}
}

// TestStores keeps certmagic's contract of a Storage.
func TestStores(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, open := range stores(t) {
		t.Run(name, func(t *testing.T) {
			one, two := open(), open()
			defer one.close()
			defer two.close()
			if _, err := one.Load(ctx, "a/b/c"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Load of nothing: %v", err)
			}
			if _, err := one.Stat(ctx, "a/b/c"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Stat of nothing: %v", err)
			}
			if _, err := one.List(ctx, "a", true); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("List of nothing: %v", err)
			}
			if err := one.Delete(ctx, "a/b/c"); err != nil {
				t.Errorf("Delete of nothing: %v", err)
			}
			before := time.Now().Add(-2 * time.Second)
			for _, key := range []string{"a/b/c", "a/b/d", "a/e", "ab/c"} {
				if err := one.Store(ctx, key, []byte("first of "+key)); err != nil {
					t.Fatal(err)
				}
			}
			if err := one.Store(ctx, "a/b/c", []byte("\x00second")); err != nil {
				t.Fatal(err)
			}
			if v, err := two.Load(ctx, "a/b/c"); err != nil || !bytes.Equal(v, []byte("\x00second")) {
				t.Errorf("Load: %q, %v", v, err)
			}
			if info, err := two.Stat(ctx, "a/b/c"); err != nil || !info.IsTerminal || info.Size != 7 || info.Modified.Before(before) ||
				info.Modified.After(time.Now()) || info.Key != "a/b/c" {
				t.Errorf("Stat: %+v, %v", info, err)
			}
			if info, err := two.Stat(ctx, "a/b"); err != nil || info.IsTerminal {
				t.Errorf("Stat of a folder: %+v, %v", info, err)
			}
			for _, c := range []struct {
				path      string
				recursive bool
				want      []string
			}{
				{"a", false, []string{"a/b", "a/e"}},
				{"a", true, []string{"a/b", "a/b/c", "a/b/d", "a/e"}},
				{"a/b", false, []string{"a/b/c", "a/b/d"}},
			} {
				got, err := two.List(ctx, c.path, c.recursive)
				slices.Sort(got)
				if err != nil || !slices.Equal(got, c.want) {
					t.Errorf("List %q %v: %q, %v", c.path, c.recursive, got, err)
				}
			}
			if !two.Exists(ctx, "a/b") || !two.Exists(ctx, "a/e") || two.Exists(ctx, "a/f") {
				t.Error("Exists")
			}
			if err := two.Delete(ctx, "a/b"); err != nil || one.Exists(ctx, "a/b/c") || !one.Exists(ctx, "a/e") || !one.Exists(ctx, "ab/c") {
				t.Errorf("Delete of a folder: %v", err)
			}
			locking(t, one, two)
		})
	}
}

// locking lets two processes want one lock.
func locking(t *testing.T, one, two store) {
	t.Helper()
	ctx := t.Context()
	const name = "issue_cert_a.test"
	if err := one.Lock(ctx, name); err != nil {
		t.Fatal(err)
	}
	for who, s := range map[string]store{"the holder": one, "another": two} {
		if ok, err := s.(certmagic.TryLocker).TryLock(ctx, name); ok || err != nil {
			t.Errorf("%s takes a lock that is held: %v, %v", who, ok, err)
		}
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		if err := s.Lock(short, name); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s waits for a lock that is held: %v", who, err)
		}
		cancel()
	}
	if err := two.Lock(ctx, "another"); err != nil {
		t.Errorf("another lock: %v", err)
	}
	if err := two.Unlock(ctx, name); err == nil {
		t.Error("who does not hold it gives it back")
	}
	var inside, most int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, s := range []store{one, two, one, two} {
		wg.Go(func() {
			if err := s.Lock(ctx, name); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			inside++
			most = max(most, inside)
			mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			mu.Lock()
			inside--
			mu.Unlock()
			if err := s.Unlock(ctx, name); err != nil {
				t.Error(err)
			}
		})
	}
	if err := one.Unlock(ctx, name); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if most != 1 {
		t.Errorf("%d had the lock at a time", most)
	}
}

// TestLockOfTheDead kills a process that holds the lock of a folder, and lets the lease in Redis of one that is gone run out.
func TestLockOfTheDead(t *testing.T) {
	if dir := os.Getenv("CERTS_HOLD"); dir != "" {
		if err := newFolder(dir).Lock(t.Context(), "held"); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("holding\n")
		select {}
	}
	dir := t.TempDir()
	holder := exec.Command(os.Args[0], "-test.run=^TestLockOfTheDead$")
	holder.Env = append(os.Environ(), "CERTS_HOLD="+dir)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	f := newFolder(dir)
	if ok, err := f.TryLock(t.Context(), "held"); ok || err != nil {
		t.Errorf("the lock of the living: %v, %v", ok, err)
	}
	_ = holder.Process.Kill()
	_ = holder.Wait()
	if ok, err := f.TryLock(t.Context(), "held"); !ok || err != nil {
		t.Errorf("the lock of the dead: %v, %v", ok, err)
	}
	_ = f.Unlock(t.Context(), "held")

	n := redisServer(t)
	dead, living := newRedis(n.settings(), "p:"), newRedis(n.settings(), "p:")
	defer dead.close()
	defer living.close()
	if err := dead.Lock(t.Context(), "held"); err != nil {
		t.Fatal(err)
	}
	dead.held["held"].stop() // as a process does that is gone: nobody renews it
	if d, err := living.client.PTTL(t.Context(), "p:lock:held").Result(); err != nil || d <= leaseRenew || d > leaseLives {
		t.Errorf("the lease runs for %v, %v", d, err)
	}
	if err := living.client.PExpire(t.Context(), "p:lock:held", 100*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	if err := living.Lock(t.Context(), "held"); err != nil {
		t.Errorf("the lock of the dead: %v", err)
	}
	if err := dead.Unlock(t.Context(), "held"); err == nil || !strings.Contains(err.Error(), "ran out") {
		t.Errorf("giving back what ran out: %v", err)
	}
	if err := living.Unlock(t.Context(), "held"); err != nil {
		t.Errorf("the lock was taken from who holds it: %v", err)
	}
}

// TestRedisGone uses a Redis that is not there, whose password is wrong, and that comes back.
func TestRedisGone(t *testing.T) {
	t.Parallel()
	n := redisServer(t)
	s := newRedis(n.settings(), "p:")
	defer s.close()
	if err := s.Store(t.Context(), "a", []byte("b")); err != nil {
		t.Fatal(err)
	}
	n.kill()
	if err := s.Store(t.Context(), "a", []byte("b")); err == nil || !strings.Contains(err.Error(), "refused") && !strings.Contains(err.Error(), "EOF") {
		t.Errorf("Store without Redis: %v", err)
	}
	if _, err := s.Load(t.Context(), "a"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load without Redis: %v", err)
	}
	n.start()
	if err := s.Store(t.Context(), "a", []byte("b")); err != nil {
		t.Errorf("Redis is back: %v", err)
	}
	wrong := n.settings()
	wrong.Password = func() (string, error) { return "", errors.New("the file with it is gone") }
	other := newRedis(wrong, "p:")
	defer other.close()
	if err := other.Store(t.Context(), "a", nil); err == nil || !strings.Contains(err.Error(), "the file with it is gone") {
		t.Errorf("a password that cannot be read: %v", err)
	}
	right := n.settings()
	other.again(&right)
	if err := other.Store(t.Context(), "a", nil); err != nil {
		t.Errorf("after another password was set: %v", err)
	}
}

package test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestALogThatNobodyReadsStallsNothing runs the program with both outputs into pipes whose readers are stuck, and then gone.
func TestALogThatNobodyReadsStallsNothing(t *testing.T) {
	for _, gone := range []bool{false, true} {
		t.Run(fmt.Sprintf("gone %v", gone), func(t *testing.T) {
			store := startRedis(t)
			a := startApp(t, store.address(), ordinary)
			visitors, admin := "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
			text := strings.Replace(configFor(a, store, true), "127.0.0.1:0", visitors, 1)
			file := filepath.Join(t.TempDir(), "gatehouse.yaml")
			writeFile(t, file, strings.Replace(text, "127.0.0.1:0", admin, 1))
			cmd := exec.Command(binary, "run", "-c", file, "--drain-delay", "0s", "--drain-timeout", "2s")
			cmd.Env = quickExit()
			var ends []*os.File
			for _, to := range []*io.Writer{&cmd.Stdout, &cmd.Stderr} {
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				*to = w
				ends = append(ends, r, w)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for i, f := range ends {
				if i%2 == 1 || gone {
					_ = f.Close() // our copy of the writing end, or the reader
				} else {
					defer f.Close()
				}
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			g := &gatehouse{t: t, url: "http://" + visitors, admin: "http://" + admin}
			eventually(t, 10*time.Second, "it serves", func() bool {
				res, err := client.Get(g.url + "/")
				if err == nil {
					_ = res.Body.Close()
				}
				return err == nil
			})
			for i := range 3000 { // far more than a pipe holds, on both
				res, err := client.Get(g.url + "/LOGIN")
				if err != nil {
					t.Fatalf("request %d: %v", i, err)
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
			store.do("REPLICAOF", "127.0.0.1", "9")
			eventually(t, 5*time.Second, "the store is still looked at", func() bool { return g.storeState(t) == "read-only" })
			store.do("REPLICAOF", "NO", "ONE")
			eventually(t, 10*time.Second, "and again", func() bool { return g.storeState(t) == "writable" })
			res, err := client.Post(g.admin+"/reload", "", nil)
			if err != nil || res.StatusCode != 200 {
				t.Fatalf("reload: %v %v", res, err)
			}
			_ = res.Body.Close()
			_ = cmd.Process.Signal(syscall.SIGTERM)
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("it ended with %v", err)
				}
			case <-time.After(15 * time.Second):
				_ = cmd.Process.Kill()
				<-ended
				t.Error("it did not end")
			}
		})
	}
}

// TestTrailersAreNotBelievedEither: what a head may not say, a trailer may not say later.
func TestTrailersAreNotBelievedEither(t *testing.T) {
	got := make(chan http.Header, 1)
	backend := http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r.Trailer
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = backend.Serve(l) }()
	t.Cleanup(func() { _ = backend.Close() })
	g := startGatehouse(t, simple("http://"+l.Addr().String(), everything))
	c, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	names := []string{"Gatehouse-X", "X_U", "Cookie", "X-Forwarded-For", "X-Original-Url", "Authorization", "X-Sum"}
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: %s\r\n\r\n3\r\nabc\r\n0\r\n", strings.Join(names, ", "))
	for _, n := range names {
		fmt.Fprintf(&b, "%s: 1\r\n", n)
	}
	b.WriteString("\r\n")
	if _, err := c.Write(b.Bytes()); err != nil {
		t.Fatal(err)
	}
	select {
	case h := <-got:
		for name, values := range h {
			if name != "X-Sum" && len(values) > 0 {
				t.Errorf("the backend was told %s: %v in a trailer", name, values)
			}
		}
		if h.Get("X-Sum") != "1" {
			t.Errorf("an honest trailer was lost: %v", h)
		}
	case <-time.After(patience):
		t.Fatal("the backend saw nothing")
	}
}

// TestUpgradesAreHandshakes: an upgrade that is no WebSocket handshake is a plain request, whatever its body does.
func TestUpgradesAreHandshakes(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]string{}
	backend := http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		asked[r.URL.Path] = r.Header.Get("Upgrade")
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = backend.Serve(l) }()
	t.Cleanup(func() { _ = backend.Close() })
	g := startGatehouse(t, simple("http://"+l.Addr().String(), everything))
	const up = "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	for path, text := range map[string]string{
		"/chunked": "GET /chunked HTTP/1.1\r\n" + up + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"/post":    "POST /post HTTP/1.1\r\n" + up + "Content-Length: 3\r\n\r\nabc",
		"/old":     "GET /old HTTP/1.0\r\n" + up + "\r\n",
	} {
		c, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(c, text)
		line := make([]byte, 12)
		if _, err := io.ReadFull(c, line); err != nil || !strings.HasSuffix(string(line), "200") {
			t.Errorf("%s: %q %v; want 200", path, line, err)
		}
		_ = c.Close()
		mu.Lock()
		if got, seen := asked[path]; !seen || got != "" {
			t.Errorf("%s: the backend was asked to upgrade to %q", path, got)
		}
		mu.Unlock()
	}
}

package test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// daemon is one of Debian's servers: what it is told, and how it is started. In all texts {dir} is its folder, {port} its own port,
// {second} another one, {behind} the port of a server behind it, and {user} the lines that a server needs which must not
// serve as root. Each tells of every request in {dir}/seen.log: the client's port, and the request line.
type daemon struct {
	name  string
	files map[string]string // in its folder
	words []string          // its command line; the program first
	tells []string          // of a second program that writes the log; none where the server does
	loud  bool              // it writes the log to its standard output
}

// peer is a daemon that runs, on loopback, until its test ends.
type peer struct {
	name    string
	dir     string
	address string
	second  string // another of its addresses, where its file has one
	log     string
}

// launch starts a daemon and waits until it serves. Behind is the address of a server behind it; empty where it needs none.
func (d daemon) launch(t *testing.T, behind string) *peer {
	t.Helper()
	dir, err := os.MkdirTemp("", "gatehouse-"+d.name+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // some drop what they may before they read
		t.Fatal(err)
	}
	port, second := freePort(t), freePort(t)
	p := &peer{name: d.name, dir: dir, address: "127.0.0.1:" + port, second: "127.0.0.1:" + second, log: filepath.Join(dir, "seen.log")}
	fill := strings.NewReplacer("{dir}", dir, "{port}", port, "{second}", second, "{behind}", behind[strings.LastIndex(behind, ":")+1:], "{user}", unprivileged(t))
	for name, text := range d.files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(fill.Replace(text)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	output := filepath.Join(dir, "output.log")
	t.Cleanup(func() {
		if t.Failed() {
			said, _ := os.ReadFile(output)
			t.Logf("%s said:\n%.4000s", d.name, said)
		}
	})
	to := output
	if d.loud {
		to = p.log
	}
	spawn(t, fill, d.words, to, output)
	eventually(t, patience, d.name+" listens", func() bool { return listens(p.address) })
	if d.tells != nil {
		spawn(t, fill, d.tells, p.log, output)
	}
	return p
}

func listens(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

// spawn starts one program in a group of its own, and ends the group with the test.
func spawn(t *testing.T, fill *strings.Replacer, words []string, stdout, stderr string) {
	t.Helper()
	args := make([]string, len(words))
	for i, w := range words {
		args[i] = fill.Replace(w)
	}
	cmd := exec.Command(program(t, args[0]), args[1:]...)
	for to, path := range map[*io.Writer]string{&cmd.Stdout: stdout, &cmd.Stderr: stderr} {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		*to = f
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(3 * time.Second):
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // and whoever it left behind
		<-ended
	})
}

// program finds a server, which Debian keeps where an ordinary PATH does not look. One that is not there is an error: make test
// installs all of them.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name, "/usr/bin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Fatalf("there is no %s (make test installs it)", name)
	return ""
}

// unprivileged is what Apache is told, which refuses to serve as root.
func unprivileged(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		return ""
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("User #%s\nGroup #%s", nobody.Uid, nobody.Gid)
}

// sighting is one request that a server has seen.
type sighting struct {
	port   string // of the connection on which it came
	line   string // the request line, as far as the server tells it
	serial int    // the number in it; 0 where there is none
}

var numbered = regexp.MustCompile(`n(\d{8})z`)

// serialIn is the number that stands in a request line or in an echo of it; 0 where none does.
func serialIn(text string) int {
	if m := numbered.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 0
}

// nonce is a path segment that no other request has.
func nonce(serial int) string { return fmt.Sprintf("n%08dz", serial) }

// seen is all that the server has told of so far.
func (p *peer) seen(t *testing.T) (all []sighting) {
	t.Helper()
	text, err := os.ReadFile(p.log)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		port, request, _ := strings.Cut(strings.TrimSpace(line), " ")
		all = append(all, sighting{port, request, serialIn(request)})
	}
	return all
}

// awaits waits until the server has told of the request with that number, and returns all that it has told of.
func (p *peer) awaits(t *testing.T, serial int) []sighting {
	t.Helper()
	var all []sighting
	eventually(t, patience, fmt.Sprintf("%s tells of request %d", p.name, serial), func() bool {
		all = p.seen(t)
		for _, s := range all {
			if s.serial == serial {
				return true
			}
		}
		return false
	})
	return all
}

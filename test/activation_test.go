package test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// manager is a service manager as a program meets one: it hands sockets down, and hears what is said.
type manager struct {
	t       *testing.T
	path    string
	sockets []*os.File

	mu   sync.Mutex
	said []string
}

func manage(t *testing.T) *manager {
	t.Helper()
	m := &manager{t: t, path: filepath.Join(t.TempDir(), "notify")}
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	var hearing sync.WaitGroup
	hearing.Go(func() {
		for b := make([]byte, 4096); ; {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			m.mu.Lock()
			m.said = append(m.said, string(b[:n]))
			m.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		_ = c.Close()
		hearing.Wait()
		for _, f := range m.sockets {
			_ = f.Close()
		}
	})
	return m
}

// open opens a socket that is to be handed down, and returns where.
func (m *manager) open(network, address string) string {
	m.t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		m.t.Fatal(err)
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	f, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		m.t.Fatal(err)
	}
	m.sockets = append(m.sockets, f)
	_ = l.Close()
	return l.Addr().String()
}

// command starts the program with the sockets. The shell is there to know the process's id, as the manager does.
func (m *manager) command(program string, args ...string) *exec.Cmd {
	script := fmt.Sprintf("export LISTEN_PID=$$ LISTEN_FDS=%d LISTEN_FDNAMES=one:two:three; exec \"$0\" \"$@\"", len(m.sockets))
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, program}, args...)...)
	cmd.Env = append(quickExit(), "NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=400000")
	cmd.ExtraFiles = m.sockets
	return cmd
}

// heard reports whether something was said since from, and where to listen on.
func (m *manager) heard(from int, what string) (int, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, s := range m.said {
		if i >= from && strings.Contains("\n"+s+"\n", "\n"+what) {
			return i + 1, true
		}
	}
	return from, false
}

// await returns once that was said after from.
func (m *manager) await(from int, what string) (next int) {
	m.t.Helper()
	eventually(m.t, patience, "the service manager hears "+what, func() (ok bool) {
		next, ok = m.heard(from, what)
		return ok
	})
	return next
}

// The sockets that a service manager hands down are those that are served: it keeps them, so that not even a restart refuses
// anybody.
func TestSocketsThatAServiceManagerHandsDown(t *testing.T) {
	m := manage(t)
	address := m.open("tcp", ":0") // every address of the machine
	_, port, _ := net.SplitHostPort(address)
	admin := m.open("unix", filepath.Join(t.TempDir(), "admin"))
	spare := m.open("tcp", "127.0.0.1:0")
	backend := longSite(t)
	text := strings.NewReplacer("ADDRESS", ":"+port, "ADMIN", "unix:"+admin).Replace(fmt.Sprintf(takenSite, backend.URL))
	d := foundBy(t, text, m.command, "--takeover-grace", "0s")
	said := m.await(0, "READY=1")
	said = m.await(said-1, "STATUS=serving :"+port)
	said = m.await(said, "WATCHDOG=1")
	if w := d.event("the file is live, with a warning"); w == nil || !strings.Contains(fmt.Sprint(w["problem"]), spare) {
		t.Errorf("no warning names the socket that nobody wants: %v", w)
	}
	site := "http://127.0.0.1:" + port + "/"
	if got := get(t, site); got != "here" {
		t.Fatalf("the socket that was handed down serves %q", got)
	}
	if code, out, errs := command(t, "status", "--ready", "--admin", "unix:"+admin); code != 0 {
		t.Errorf("the admin listener: %s%s", out, errs)
	}
	if _, err := os.Stat(d.pidFile); err != nil {
		t.Error(err)
	}

	d.signal(syscall.SIGHUP)
	said = m.await(said, "RELOADING=1\nMONOTONIC_USEC=")
	said = m.await(said, "READY=1")
	// The socket that nobody wanted was kept: a later file may name it.
	writeFile(t, d.config, strings.Replace(text, "listen: [", fmt.Sprintf("listen: [{address: %q}, ", spare), 1))
	said = m.await(said, "RELOADING=1")
	said = m.await(said, "READY=1")
	if got := get(t, "http://"+spare+"/"); got != "here" {
		t.Errorf("the spare socket serves %q", got)
	}

	d.succeed()
	said = m.await(said, fmt.Sprintf("MAINPID=%d\nREADY=1", d.pid()))
	said = m.await(said, "WATCHDOG=1") // by the new process
	for _, url := range []string{site, "http://" + spare + "/"} {
		if got := get(t, url); got != "here" {
			t.Errorf("after the takeover %s serves %q", url, got)
		}
	}
	d.terminate()
	m.await(said, "STOPPING=1")
	eventually(t, patience, "the last process says that it stopped", func() bool { return strings.Count(d.log(), `"msg":"stopped"`) == 2 })
	if c, err := net.DialTimeout("unix", admin, time.Second); err != nil {
		t.Errorf("the manager's socket went with the program: %v", err)
	} else {
		_ = c.Close()
	}
}

// A listener that a reload drops takes whoever has got in, and closes no connection that has not been told of it.
func TestADroppedListenerTakesItsBacklog(t *testing.T) {
	backend := longSite(t)
	d := found(t, fmt.Sprintf(takenSite, backend.URL))
	spare := "127.0.0.1:" + freePort(t)
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		writeFile(t, d.config, strings.Replace(string(text), "listen: [", fmt.Sprintf("listen: [{address: %q}, ", spare), 1))
		d.reload()
		visitors := gather(spare, 8, 8)
		visitors.busy(t, 100)
		writeFile(t, d.config, string(text))
		d.reload()
		for _, problem := range visitors.leave() {
			if !strings.HasPrefix(problem, "connect: ") || !strings.Contains(problem, "refused") {
				t.Errorf("%s", problem)
			}
		}
	}
}

func (d *dynasty) reload() {
	d.t.Helper()
	if code, _, said := command(d.t, "reload", "-c", d.config); code != 0 {
		d.t.Fatal(said)
	}
}

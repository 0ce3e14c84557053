package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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
	asked   bool   // the last one was asked to end
}

// found starts a program whose file is that text, with ADDRESS and ADMIN filled in.
func found(t *testing.T, text string, flags ...string) *dynasty {
	t.Helper()
	return foundBy(t, text, exec.Command, flags...)
}

// foundBy is found by whatever starts programs.
func foundBy(t *testing.T, text string, command func(string, ...string) *exec.Cmd, flags ...string) *dynasty {
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
	cmd := command(d.program, append([]string{"run", "-c", d.config, "--pid-file", d.pidFile, "--drain-delay", "0s"}, flags...)...)
	cmd.Stderr = stderr
	if cmd.Env == nil {
		cmd.Env = quickExit()
	}
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
		e := d.event(tookOver)
		return d.pid() != before && e != nil && int(e["pid"].(float64)) == d.pid()
	})
	d.seen = append(d.seen, d.pid())
}

// terminate asks the last process to end, once: a second signal would have it end at once.
func (d *dynasty) terminate() {
	if !d.asked {
		d.asked = true
		_ = syscall.Kill(d.seen[len(d.seen)-1], syscall.SIGTERM)
	}
}

// end ends the last process and waits for all: each ends cleanly.
func (d *dynasty) end() {
	d.terminate()
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

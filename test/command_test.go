package test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// command runs the program to its end and returns its exit code and what it said.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = quickExit()
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	one, _ := saying(t, "one")
	writeFile(t, good, simple(one.URL, everything))
	writeFile(t, bad, "listen: [{adress: ':80'}]\npools: {app: {backends: ['http://127.0.0.1:1'], max_in_flight: many}}\nroutes: [{name: a, pool: ap}]\n")

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	busy := filepath.Join(dir, "busy.yaml")
	writeFile(t, busy, strings.Replace(simple(one.URL, everything), `"127.0.0.1:0"`, `"`+taken.Addr().String()+`"`, 1))

	// What would wait for ever for somebody at the other end is a mistake.
	fifo, pipe := filepath.Join(dir, "fifo"), filepath.Join(dir, "pipe.yaml")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	writeFile(t, pipe, simple(one.URL, everything)+"log: {access: "+fifo+"}\n")

	for _, c := range []struct {
		args []string
		code int
		says []string // in either output
	}{
		{[]string{"version"}, 0, []string{"gatehouse ", "go1."}},
		{[]string{"help"}, 0, []string{"run", "check", "explain"}},
		{[]string{}, 2, []string{"Usage"}},
		{[]string{"fly"}, 2, []string{`"fly"`}},
		{[]string{"run"}, 2, []string{"-c FILE"}},
		{[]string{"run", "--fast"}, 2, []string{"--fast"}},
		{[]string{"run", "-c", good, "more"}, 2, []string{"no arguments"}},
		{[]string{"run", "-c", filepath.Join(dir, "none.yaml")}, 1, []string{"none.yaml", "no such file"}},
		{[]string{"run", "-c", bad}, 1, []string{"bad.yaml:1:", "adress", "bad.yaml:2:", "many", "bad.yaml:3:", `"ap"`}},
		{[]string{"run", "-c", busy}, 1, []string{"address already in use", taken.Addr().String()}},
		{[]string{"run", "-c", pipe}, 1, []string{"log.access", "no such device or address"}},
		{[]string{"check", fifo}, 1, []string{"no regular file"}},
		{[]string{"check"}, 2, []string{"FILE"}},
		{[]string{"check", good}, 0, []string{"good.yaml: ok: 1 route, 1 pool"}},
		{[]string{"check", good, bad}, 1, []string{"good.yaml: ok", "adress", "many", `"ap"`}},
		{[]string{"explain", "-c", good}, 2, []string{"URL"}},
		{[]string{"explain", "/x"}, 2, []string{"-c FILE"}},
		{[]string{"explain", "-c", good, "-H", "nonsense", "/x"}, 2, []string{"Name: value"}},
		{[]string{"explain", "-c", good, "-X", "CONNECT", "/x"}, 1, []string{"refused"}},
		{[]string{"status", "--admin", taken.Addr().String() + "0"}, 1, []string{"no Gatehouse answers"}},
	} {
		code, stdout, stderr := command(t, c.args...)
		if code != c.code {
			t.Errorf("%v: exit code %d; want %d\n%s%s", c.args, code, c.code, stdout, stderr)
		}
		for _, want := range c.says {
			if !strings.Contains(stdout+stderr, want) {
				t.Errorf("%v does not say %q:\n%s%s", c.args, want, stdout, stderr)
			}
		}
	}
}

// The files that the README shows are ones that work; one that shows listeners alone is given something to listen for.
func TestReadmeFile(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(readme), "```yaml\n")[1:]
	if len(blocks) < 2 {
		t.Fatalf("the README shows %d files", len(blocks))
	}
	for i, block := range blocks {
		text, _, found := strings.Cut(block, "```")
		if !found || len(text) < 200 {
			t.Fatalf("file %d of the README is not whole", i)
		}
		if !strings.Contains(text, "pools:") {
			text += "pools: {app: {backends: [\"http://10.0.0.1:8080\"]}}\nroutes: [{name: app, pool: app}]\n"
		}
		file := filepath.Join(t.TempDir(), "site.yaml")
		writeFile(t, file, text)
		if code, stdout, stderr := command(t, "check", file); code != 0 || stderr != "" {
			t.Errorf("gatehouse check of file %d of the README: %d\n%s%s", i, code, stdout, stderr)
		}
	}
	for _, want := range []string{"go run ./cmd/gatehouse-demo", "make test"} {
		if !strings.Contains(string(readme)[:1500], want) {
			t.Errorf("the README's first screen has no %q", want)
		}
	}
}

func TestExplain(t *testing.T) {
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	file := filepath.Join(t.TempDir(), "gatehouse.yaml")
	writeFile(t, file, configFor(a, store, true))
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{"/login"}, []string{"YES  sign-in", "writable   pass", "read-only  degrade", "down       degrade", "unknown    pass", "leading back to /login", "come back over"}},
		{[]string{"https://example.com/members"}, []string{"no   sign-in", "carrying no session", "down       pass"}},
		{[]string{"-H", "Cookie: sid=1", "/members"}, []string{"carrying a session", "read-only  pass", "down       degrade"}},
		{[]string{"/assets/x.css"}, []string{"YES  assets", "down       pass"}},
		{[]string{"//login"}, []string{"YES  sign-in"}},
		{[]string{"/LOGIN"}, []string{"ambiguous_path", "400"}},
		{[]string{"-X", "POST", "/notes"}, []string{"YES  notes", "needs write"}},
	} {
		code, stdout, stderr := command(t, append([]string{"explain", "-c", file}, c.args...)...)
		if code != 0 {
			t.Errorf("%v: exit code %d: %s", c.args, code, stderr)
		}
		for _, want := range c.says {
			if !strings.Contains(stdout, want) {
				t.Errorf("%v does not say %q:\n%s", c.args, want, stdout)
			}
		}
	}
}

func TestStatusAndReloadCommands(t *testing.T) {
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	g := startGatehouse(t, configFor(a, store, true))
	admin := strings.TrimPrefix(g.admin, "http://")
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"status", "--admin", admin}, 0, []string{"store  ", "writable (ok)", "pool login", "1 backend, not checked"}},
		{[]string{"status", "--admin", admin, "--json"}, 0, []string{`"state": "writable"`}},
		{[]string{"status", "--admin", admin, "--ready"}, 0, []string{"ready"}},
		{[]string{"reload", "--admin", admin}, 0, []string{"reloaded"}},
	} {
		code, stdout, stderr := command(t, c.args...)
		if code != c.code {
			t.Errorf("%v: exit code %d: %s%s", c.args, code, stdout, stderr)
		}
		for _, want := range c.says {
			if !strings.Contains(stdout, want) {
				t.Errorf("%v does not say %q:\n%s", c.args, want, stdout)
			}
		}
	}
	g.write("nonsense: true\n")
	code, _, stderr := command(t, "reload", "--admin", admin)
	if code != 1 || !strings.Contains(stderr, "nonsense") || !strings.Contains(stderr, "stays in force") {
		t.Errorf("reload of a bad file: exit code %d: %s", code, stderr)
	}
}

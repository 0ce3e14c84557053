package test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// lost is how often a takeover came to nothing.
func (d *dynasty) lost() int {
	return strings.Count(d.log(), `"msg":"nobody took over, this process goes on"`)
}

// Whatever is wrong with the new process, the old one goes on, and says why, once.
func TestATakeoverThatFailsChangesNothing(t *testing.T) {
	d := found(t, fmt.Sprintf(takenSite, longSite(t).URL), "--takeover-grace", "2s", "--drain-timeout", "20s", "--takeover-timeout", "15s")
	visitors := gather(d.address, 10, 2)
	good, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(script string) func() {
		return func() {
			path := filepath.Join(t.TempDir(), "script")
			writeFile(t, path, "#!/bin/sh\n"+script+"\n")
			d.install(path)
		}
	}
	for _, c := range []struct {
		name  string
		spoil func()
		says  string
	}{
		{"a bad file", func() { writeFile(t, d.config, "rutes: []\n"+string(good)) }, "gatehouse.yaml:1:1"},
		{"a listener that somebody else has", func() {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			writeFile(t, d.config, strings.Replace(string(good), "listen: [", fmt.Sprintf("listen: [{address: %q}, ", l.Addr()), 1))
		}, "address already in use"},
		{"a crash", replace("exit 3"), "ended before it served: exit status 3"},
		{"no program", func() {
			if err := os.Remove(d.program); err != nil {
				t.Fatal(err)
			}
		}, "no such file"},
	} {
		before := d.lost()
		c.spoil()
		d.signal(syscall.SIGUSR2)
		eventually(t, patience, c.name+": it is said that nobody took over", func() bool { return d.lost() > before })
		said := d.log()[strings.LastIndex(d.log(), `"msg":"a new process is started to take over"`):]
		if !strings.Contains(said, c.says) {
			t.Errorf("%s: the log does not say %q: %s", c.name, c.says, said)
		}
		writeFile(t, d.config, string(good))
		d.install(binary)
		visitors.busy(t, 50)
		if d.pid() != d.seen[0] {
			t.Errorf("%s: process %d instead of %d is said to serve", c.name, d.pid(), d.seen[0])
		}
	}
	eventually(t, patience, "/status says that the file is well", func() bool {
		return strings.Contains(get(t, "http://"+d.admin+"/status"), `"ok": true`)
	})
	d.succeed() // and when all is well again, it works
	visitors.busy(t, 50)
	if lost := visitors.leave(); len(lost) > 0 {
		t.Errorf("%d requests were lost: %q", len(lost), lost[:min(5, len(lost))])
	}
}

// A new process that hangs is given up.
func TestATakeoverThatHangsIsGivenUp(t *testing.T) {
	d := found(t, fmt.Sprintf(takenSite, longSite(t).URL), "--takeover-timeout", "1s")
	path := filepath.Join(t.TempDir(), "script")
	writeFile(t, path, "#!/bin/sh\nexec sleep 120\n")
	d.install(path)
	d.signal(syscall.SIGUSR2)
	eventually(t, patience, "it is said that nobody took over", func() bool { return d.lost() == 1 })
	if !strings.Contains(d.log(), "did not serve within 1s") {
		t.Errorf("the log does not say why: %s", d.log())
	}
	if get(t, "http://"+d.address+"/") != "here" {
		t.Error("the old process does not serve")
	}
	d.signal(syscall.SIGUSR2) // and one that is asked to end while it waits, ends
	eventually(t, patience, "another one is started", func() bool {
		return strings.Count(d.log(), "a new process is started to take over") == 2
	})
}

// A person's word, and the keys of what visitors hold, outlive the process they were given to.
func TestAnOverrideOutlivesATakeover(t *testing.T) {
	store := startRedis(t)
	d := found(t, fmt.Sprintf(takenSite, longSite(t).URL)+
		fmt.Sprintf("session: {cookies: [sid], store: {redis: {address: %q}}}\n", store.address()), "--takeover-grace", "0s")
	code, _, said := command(t, "override", "read-only", "--for", "10m", "-c", d.config)
	if code != 0 {
		t.Fatal(said)
	}
	overridden := func() bool {
		s := get(t, "http://"+d.admin+"/status")
		return strings.Contains(s, `"override"`) && strings.Contains(s, `"state": "read-only"`)
	}
	eventually(t, patience, "the override is in force", overridden)
	d.succeed()
	eventually(t, patience, "the override is in force in the new process", overridden)
}

// Unix sockets go over with their files: the old process does not take them along, and the last one does.
func TestUnixSocketsGoOver(t *testing.T) {
	dir := t.TempDir()
	visitors, admin := filepath.Join(dir, "visitors"), filepath.Join(dir, "admin")
	text := strings.NewReplacer(`"ADDRESS"`, "unix:"+visitors, `"ADMIN"`, "unix:"+admin).Replace(takenSite)
	d := found(t, fmt.Sprintf(text, longSite(t).URL), "--takeover-grace", "0s")
	t.Run("over and over", func(t *testing.T) {
		for range 2 {
			old := d.seen[len(d.seen)-1]
			d.succeed()
			eventually(t, patience, "the old process ends", func() bool {
				var status syscall.WaitStatus
				pid, err := syscall.Wait4(old, &status, syscall.WNOHANG, nil)
				if pid == old && status.ExitStatus() != 0 {
					t.Errorf("it ended with %d", status.ExitStatus())
				}
				return err == nil && pid == old
			})
			d.seen = d.seen[1:]
			for _, path := range []string{visitors, admin} {
				c, err := net.Dial("unix", path)
				if err != nil {
					t.Fatal(err)
				}
				_ = c.Close()
			}
		}
	})
	d.terminate()
	eventually(t, patience, "the last process takes the files along", func() bool {
		_, one := os.Stat(visitors)
		_, two := os.Stat(admin)
		return os.IsNotExist(one) && os.IsNotExist(two)
	})
}

// A second start is a mistake, and is told what was meant.
func TestASecondStartSaysHowToTakeOver(t *testing.T) {
	d := found(t, fmt.Sprintf(takenSite, longSite(t).URL))
	out, err := exec.Command(binary, "run", "-c", d.config).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "address already in use") || strings.Count(string(out), "SIGUSR2") != 1 {
		t.Errorf("a second start: %v\n%s", err, out)
	}
	if res, err := http.Get("http://" + d.address + "/"); err != nil || res.StatusCode != 200 {
		t.Errorf("the first one: %v %v", res, err)
	} else {
		_ = res.Body.Close()
	}
}

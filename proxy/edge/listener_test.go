package edge

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestUnixSockets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v; want 0660", info.Mode(), err)
	}
	if _, err := Listen("unix", path); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a live socket: got %v, want EADDRINUSE", err)
	}
	if c, err := net.Dial("unix", path); err != nil {
		t.Errorf("the live socket was hurt: %v", err)
	} else {
		c.Close()
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // what a crash leaves behind
	l.Close()
	if l, err = Listen("unix", path); err != nil {
		t.Fatalf("a dead socket: %v", err)
	}
	l.Close()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket stays behind: %v", err)
	}
}

func TestAFileThatIsNoSocketIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(path, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen("unix", path); err == nil {
		t.Error("listens on a file")
	}
	link := path + ".link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen("unix", link); err == nil {
		t.Error("listens on a link")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "data" {
		t.Errorf("the file is %q, %v", got, err)
	}
}

func TestWhereNobodyCanListen(t *testing.T) {
	for network, address := range map[string]string{"tcp": "127.0.0.1:99999", "unix": filepath.Join(t.TempDir(), "no", "such", "dir")} {
		if l, err := Listen(network, address); err == nil {
			l.Close()
			t.Errorf("%s %s: listens", network, address)
		}
	}
}

func TestVisitorsOfAUnixSocketHaveNoAddress(t *testing.T) {
	s := startUnix(t, Settings{}, func(v Visitor) {
		if v.Peer().IsValid() {
			t.Errorf("peer %v", v.Peer())
		}
		reply(v, "ok")
	})
	c := dial(t, s)
	c.send("GET / HTTP/1.1\nHost: a\n\n")
	if _, body := c.answer("GET"); body != "ok" {
		t.Errorf("got %q", body)
	}
	if err := drain(t, s, patience); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(s.Address().String()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket stays behind: %v", err)
	}
}

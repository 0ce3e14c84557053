package sockets

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func fresh(t *testing.T, s Settings) *Sockets {
	t.Helper()
	all, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := all.Close(); err != nil {
			t.Error(err)
		}
	})
	return all
}

func listen(t *testing.T, s *Sockets, network, address string) net.Listener {
	t.Helper()
	l, err := s.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// TestWhoIsInTheBacklogIsTaken: they connected before anybody said that the listener goes, and are accepted after it.
func TestWhoIsInTheBacklogIsTaken(t *testing.T) {
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "socket")} {
		s := fresh(t, Settings{})
		l := listen(t, s, network, address)
		const visitors = 5
		for range visitors {
			c, err := net.Dial(network, l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
		}
		left := make(chan struct{})
		go func() {
			defer close(left)
			s.Leave(func(n, a string) bool { return n == network && a == address })
		}()
		for going := l.(*listener); !going.leaving.Load() && !going.stopped.Load(); {
			runtime.Gosched() // whoever is accepted before proves nothing
		}
		accepted, ended := make(chan net.Conn, visitors), make(chan error, 1)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					ended <- err
					return
				}
				accepted <- c
			}
		}()
		<-left
		if len(accepted) != visitors {
			t.Errorf("%s: %d of %d who were in the backlog were accepted", network, len(accepted), visitors)
		}
		for range len(accepted) {
			_ = (<-accepted).Close()
		}
		if c, err := net.DialTimeout(network, l.Addr().String(), time.Second); err == nil {
			_ = c.Close()
			t.Errorf("%s: somebody new got in", network)
		}
		select {
		case err := <-ended:
			t.Errorf("%s: Accept ended before Close: %v", network, err)
		default:
		}
		if err := l.Close(); err != nil {
			t.Errorf("%s: %v", network, err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: Accept ended with %v", network, err)
		}
	}
}

func TestAnAddressThatIsTaken(t *testing.T) {
	s := fresh(t, Settings{})
	l := listen(t, s, "tcp", "127.0.0.1:0")
	if _, err := s.Listen("tcp", l.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second listener on an address: %v", err)
	}
	_ = l.Close()
	if again, err := s.Listen("tcp", l.Addr().String()); err != nil {
		t.Errorf("a listener that was closed is still there: %v", err)
	} else {
		_ = again.Close()
	}
}

func TestThePIDFileIsTheLastWritersOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	s, err := New(Settings{PIDFile: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is there before anything is served")
	}
	if err := s.Ready(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("1\n"), 0o600); err != nil { // another process's
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "1\n" {
		t.Errorf("the other process's file: %q, %v", b, err)
	}
	if left, _ := filepath.Glob(path + "?*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := New(Settings{PIDFile: filepath.Join(path, "below")}); err == nil || !strings.Contains(err.Error(), "pid file") {
		t.Errorf("a file that cannot be written: %v", err)
	}
}

func TestWhatWasSaidToOneProcessOnlyIsNotPassedOn(t *testing.T) {
	got := environment([]string{
		"PATH=/bin", "LISTEN_PID=1", "LISTEN_FDS=1", "LISTEN_FDNAMES=a", "WATCHDOG_PID=1", "WATCHDOG_USEC=1", "NOTIFY_SOCKET=@a", variable + "=1",
	})
	if want := []string{"PATH=/bin", "WATCHDOG_USEC=1", "NOTIFY_SOCKET=@a"}; !slices.Equal(got, want) {
		t.Errorf("%v; want %v", got, want)
	}
}

// TestACopyDoesNotMakeTheSocketBlock: a copy that has been given to a process leaves Accept and Close as they were.
func TestACopyDoesNotMakeTheSocketBlock(t *testing.T) {
	s := fresh(t, Settings{})
	l := listen(t, s, "tcp", "127.0.0.1:0")
	e := s.collect()
	if e.err != nil || len(e.files) != 1 {
		t.Fatal(e.err, e.files)
	}
	_ = e.files[0].Fd() // as starting a process does
	e.drop()
	_ = l.(*listener).SetDeadline(time.Now().Add(10 * time.Millisecond))
	ended := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("Accept does not return")
		if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
			_ = c.Close()
		}
	}
}

package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"gatehouse/proxy/admin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source is an admin.Source with one store, or with none.
type source struct {
	status admin.Status
	asked  []admin.Override
}

func (s *source) Status() admin.Status         { return s.status }
func (s *source) Ready() (bool, string)        { return true, "" }
func (s *source) Reload(context.Context) error { return nil }

func (s *source) Override(o admin.Override) error {
	if len(s.status.Stores) == 0 {
		return errors.New("the file names no session.store")
	}
	s.asked = append(s.asked, o)
	st := &s.status.Stores[0]
	if st.Override = nil; o.State != admin.OverrideOff {
		now := time.Now()
		st.Override = &admin.OverrideState{State: o.State, By: o.By, SetAt: now, Until: now.Add(o.For)}
	}
	return nil
}

// listen serves the admin listener of a source and returns its address, as --admin wants it.
func listen(t *testing.T, s *source, network string) string {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "a.sock")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	server := admin.NewServer(l, admin.NewHandler(admin.Settings{Source: s}), nil)
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := errors.Join(server.Shutdown(ctx), <-served); err != nil {
			t.Error(err)
		}
	})
	if network == "unix" {
		return "unix:" + address
	}
	return l.Addr().String()
}

// say runs one command and returns what it printed.
func say(c *cobra.Command, args ...string) (string, error) {
	var out strings.Builder
	c.SetOut(&out)
	c.SetErr(&out)
	c.SetArgs(args)
	c.SilenceErrors, c.SilenceUsage = true, true
	err := c.Execute()
	return out.String(), err
}

func TestOverrideCommand(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		s := &source{status: admin.Status{Stores: []admin.Store{{Name: "store"}}}}
		where := listen(t, s, network)
		out, err := say(overrideCommand(), "read-only", "--for", "10m", "--by", "Ada & Bob", "--admin", where)
		if err != nil || !strings.HasPrefix(out, "read-only is in force until ") || !strings.HasSuffix(out, "(for 10m), set by Ada & Bob\n") {
			t.Errorf("%s: %q, %v", network, out, err)
		}
		if out, err = say(overrideCommand(), "down", "--for=90s", "--admin", where); err != nil {
			t.Errorf("%s: %q, %v", network, out, err)
		}
		out, err = say(overrideCommand(), "off", "--admin", where)
		if err != nil || out != "no override is in force: the checks say what the store can do\n" {
			t.Errorf("%s: %q, %v", network, out, err)
		}
		want := []admin.Override{{State: "read-only", For: 10 * time.Minute, By: "Ada & Bob"}, {State: "down", For: 90 * time.Second, By: whoami()}, {State: "off", By: whoami()}}
		for i := range want {
			if len(s.asked) != len(want) || s.asked[i] != want[i] {
				t.Fatalf("%s: asked for %+v, want %+v", network, s.asked, want)
			}
		}
	}
}

// TestOverrideUsage: what is wrong with the command line is said before anybody is asked.
func TestOverrideUsage(t *testing.T) {
	s := &source{status: admin.Status{Stores: []admin.Store{{Name: "store"}}}}
	where := listen(t, s, "tcp")
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "one STATE: writable, strained, read-only, down, unknown, off"},
		{[]string{"down", "up", "--for", "1m"}, "one STATE"},
		{[]string{"read_only", "--for", "1m"}, `"read_only" is no STATE`},
		{[]string{"down"}, "--for with a time from 1s to 4h, such as --for 10m"},
		{[]string{"down", "--for", "5h"}, "from 1s to 4h"},
		{[]string{"down", "--for", "-1m"}, "from 1s to 4h"},
	} {
		out, err := say(overrideCommand(), append(c.args, "--admin", where)...)
		if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), c.want) || out != "" {
			t.Errorf("%v: %q, %v; want %q", c.args, out, err, c.want)
		}
		if code := execute(append([]string{"override", "--admin", where}, c.args...)); code != exitUsage {
			t.Errorf("%v: exit code %d, want %d", c.args, code, exitUsage)
		}
	}
	if code := execute([]string{"override", "down", "--for", "soon", "--admin", where}); code != exitUsage {
		t.Errorf("--for soon: exit code %d, want %d", code, exitUsage)
	}
	if len(s.asked) > 0 {
		t.Errorf("asked for %+v", s.asked)
	}
}

func TestOverrideRefused(t *testing.T) {
	where := listen(t, &source{}, "tcp")
	if out, err := say(overrideCommand(), "down", "--for", "1m", "--admin", where); err == nil || errors.Is(err, errUsage) ||
		err.Error() != "the state was not set:\nthe file names no session.store" {
		t.Errorf("%q, %v", out, err)
	}
	if code := execute([]string{"override", "down", "--for", "1m", "--admin", where}); code != exitError {
		t.Errorf("exit code %d, want %d", code, exitError)
	}
}

func TestWhoami(t *testing.T) {
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if got := whoami(); got != u.Username+"@"+host {
		t.Errorf("%q, want %q", got, u.Username+"@"+host)
	}
}

func TestSpell(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 10 * time.Second: "10s", 10 * time.Minute: "10m", 90 * time.Second: "1m30s", 4 * time.Hour: "4h",
		4*time.Hour + 10*time.Minute: "4h10m", 4*time.Hour + time.Second: "4h0m1s", 20*time.Minute + 10*time.Second: "20m10s",
	} {
		if got := spell(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

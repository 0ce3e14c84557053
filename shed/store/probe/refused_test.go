package probe

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// What a server says in so many words, each made on a real one, and each healed.
func TestRefusals(t *testing.T) {
	s := serve(t)
	for _, row := range []struct {
		name       string
		fault, fix [][]any
		state      shed.State
		cause      shed.Cause
	}{
		{"a replica", [][]any{{"replicaof", "127.0.0.1", "1"}}, [][]any{{"replicaof", "no", "one"}},
			shed.ReadOnly, shed.CauseReadOnly},
		{"a replica that refuses stale reads",
			[][]any{{"replicaof", "127.0.0.1", "1"}, {"config", "set", "replica-serve-stale-data", "no"}},
			[][]any{{"replicaof", "no", "one"}, {"config", "set", "replica-serve-stale-data", "yes"}},
			shed.Down, shed.CauseReadOnly},
		{"full", [][]any{{"config", "set", "maxmemory", "1000"}}, [][]any{{"config", "set", "maxmemory", "0"}},
			shed.ReadOnly, shed.CauseFull},
		{"no replicas", [][]any{{"config", "set", "min-replicas-to-write", "1"}},
			[][]any{{"config", "set", "min-replicas-to-write", "0"}}, shed.ReadOnly, shed.CauseNoReplicas},
		{"an ACL without writing", [][]any{{"acl", "setuser", "default", "-set"}}, [][]any{{"acl", "setuser", "default", "+set"}},
			shed.Unknown, shed.CauseProberAuth},
		{"an ACL without these keys", [][]any{{"acl", "setuser", "default", "resetkeys", "~app:*"}},
			[][]any{{"acl", "setuser", "default", "allkeys"}}, shed.Unknown, shed.CauseProberAuth},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := s.probing()
			p.t = t
			p.writable()
			for _, c := range row.fault {
				s.do(c...)
			}
			e := p.want(row.state, row.cause, true, true)
			if e.Err == nil || e.Lost {
				t.Errorf("%+v", e)
			}
			p.want(row.state, row.cause, true, true)
			fresh := s.probing()
			fresh.t = t
			fresh.want(row.state, row.cause, true, true)
			for _, c := range row.fix {
				s.do(c...)
			}
			p.writable()
			fresh.writable()
		})
	}
}

func TestNearlyFullShowsOnlyInALargeCanary(t *testing.T) {
	s := serve(t)
	p := s.probing()
	p.writable()
	n := s.ctl.InfoMap(context.Background(), "memory").Item("Memory", "used_memory")
	if n == "" {
		t.Fatal("no used_memory")
	}
	var bytes int
	for _, c := range n {
		bytes = bytes*10 + int(c-'0')
	}
	s.do("config", "set", "maxmemory", bytes+300_000)
	p.wantOf(64, shed.Writable, shed.OK, false, true)
	p.wantOf(2_000_000, shed.ReadOnly, shed.CauseFull, true, true)
	s.eventually("a small one is not", func() bool { return p.probe(64).State == shed.Writable })
}

func TestPersistenceFails(t *testing.T) {
	s := serve(t)
	p := s.probing()
	p.writable()
	dump := filepath.Join(s.dir, "dump.rdb")
	if err := os.Mkdir(dump, 0o700); err != nil {
		t.Fatal(err)
	}
	s.do("config", "set", "save", "3600 1000000")
	s.do("bgsave")
	s.eventually("the save failed", func() bool {
		return s.ctl.InfoMap(context.Background(), "persistence").Item("Persistence", "rdb_last_bgsave_status") == "err"
	})
	p.want(shed.ReadOnly, shed.CausePersistenceError, true, true)
	if v := p.vitals(s); !v.SaveFailed {
		t.Errorf("%+v", v)
	}
	if err := os.Remove(dump); err != nil {
		t.Fatal(err)
	}
	s.do("bgsave")
	s.eventually("writable again", func() bool { return p.probe(64).State == shed.Writable })
}

func TestAScriptHoldsTheServer(t *testing.T) {
	s := serve(t, "--busy-reply-threshold", "50")
	p := s.probing()
	p.writable()
	done := make(chan error, 1)
	other := serveClient(t, s)
	go func() { done <- other.Do(context.Background(), "eval", "while true do end", "0").Err() }()
	p.timeout = 5 * time.Second
	s.eventually("the script is noticed", func() bool { return p.probe(64).Cause == shed.CauseBusy })
	p.want(shed.Down, shed.CauseBusy, true, true)
	s.do("script", "kill")
	<-done
	p.writable()
}

func TestLoading(t *testing.T) {
	s := serve(t, "--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024")
	p := s.probing()
	p.writable()
	s.do("debug", "populate", "20000", "k", "100")
	s.do("save")
	s.kill()
	s.args = append(s.args, "--key-load-delay", "400")
	s.launch()
	s.eventually("it listens", func() bool { return p.probe(64).Cause != shed.CauseRefused })
	p.want(shed.Down, shed.CauseLoading, true, true)
}

func TestCredentials(t *testing.T) {
	s := serve(t)
	secret := ""
	p := probing(t, Settings{Address: s.addr(), Password: func() (string, error) {
		if secret == "?" {
			return "", os.ErrNotExist
		}
		return secret, nil
	}})
	p.writable()
	s.do("config", "set", "requirepass", "x") // and the control connection stays signed in
	fresh := probing(t, Settings{Address: s.addr()})
	fresh.want(shed.Unknown, shed.CauseProberAuth, true, true)
	fresh.wantOf(60_000, shed.Unknown, shed.CauseProberAuth, true, true)
	p.writable() // so does the link
	s.do("client", "kill", "type", "normal", "skipme", "yes")
	p.want(shed.Unknown, shed.CauseProberAuth, true, true)
	secret = "wrong"
	p.want(shed.Unknown, shed.CauseProberAuth, true, true)
	secret = "?"
	if e := p.want(shed.Unknown, shed.CauseProberAuth, false, false); !errors.Is(e.Err, os.ErrNotExist) {
		t.Errorf("%v", e.Err)
	}
	secret = "x" // rotated in place
	p.writable()
	s.do("acl", "setuser", "gate", "on", ">y", "~gatehouse:*", "+get", "+set", "+select")
	narrow := probing(t, Settings{Address: s.addr(), Username: "gate", DB: 3, Password: func() (string, error) { return "y", nil }})
	narrow.writable()
	narrow.writable()
}

func TestNoSlotIsLeft(t *testing.T) {
	s := serve(t, "--maxclients", "1") // and the control connection holds it
	p := s.probing()
	for range 20 {
		p.want(shed.Down, shed.CauseTooManyClients, true, false)
	}
	s.do("config", "set", "maxclients", "100")
	p.writable()
}

func TestNobodyListens(t *testing.T) {
	s := serve(t)
	p := s.probing()
	p.writable()
	s.kill()
	for range 10 { // more than any pool would remember
		p.want(shed.Down, shed.CauseRefused, true, false)
	}
	s.start()
	if e := p.writable(); !e.Lost {
		t.Error("it came back empty")
	}
	if e := p.writable(); e.Lost {
		t.Error("lost twice")
	}
	gone := probing(t, Settings{Address: filepath.Join(t.TempDir(), "no.sock")})
	gone.want(shed.Down, shed.CauseRefused, true, false)
}

func TestAUnixSocket(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "redis.sock")
	serve(t, "--unixsocket", path)
	p := probing(t, Settings{Address: path})
	p.writable()
}

func TestAServerThatDropsConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	p := probing(t, Settings{Address: l.Addr().String()})
	for range 5 {
		p.want(shed.Down, shed.CauseRefused, false, false)
	}
	_ = l.Close()
	<-done
}

func TestANameWithoutAnAddress(t *testing.T) {
	p := probing(t, Settings{Address: "nonexistent.invalid:6379"})
	p.timeout = 300 * time.Millisecond
	for range 3 {
		p.want(shed.Down, shed.CauseDNS, false, false)
	}
}

func TestABlackHole(t *testing.T) {
	p := probing(t, Settings{Address: "127.0.0.1:" + blackHole(t)})
	p.timeout = 150 * time.Millisecond
	for range 3 {
		p.want(shed.Down, shed.CauseHung, false, false)
	}
}

// blackHole returns a port of 127.0.0.1 to which connections hang: it listens, never accepts, and its backlog is full.
func blackHole(t *testing.T) (port string) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port = strconv.Itoa(sa.(*syscall.SockaddrInet4).Port)
	for range 4 {
		conn, err := net.DialTimeout("tcp", "127.0.0.1:"+port, 200*time.Millisecond)
		if err != nil {
			break
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	return port
}

// Who has a connection goes on, and who comes anew is turned away.
func TestANewcomerFindsNoSlot(t *testing.T) {
	s := serve(t, "--maxclients", "3")
	p := s.probing()
	p.writable()
	other, err := net.Dial("tcp", s.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	greet := func() store.Evidence {
		ctx, cancel := context.WithTimeout(t.Context(), p.timeout)
		defer cancel()
		return p.Greet(ctx)
	}
	s.eventually("the slots are taken", func() bool { return greet().Cause == shed.CauseTooManyClients })
	for range 5 {
		if e := greet(); e.State != shed.Down || !e.Definite {
			t.Errorf("%+v", e)
		}
		p.writable()
	}
	_ = other.Close()
	s.eventually("a slot is free", func() bool { return greet().State == shed.Writable })
	p.writable()
}

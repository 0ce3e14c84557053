package probe

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/shed"
)

// Facts, row 5: full, and only keys that expire may be evicted, and the sessions are none such. Ours are evicted first, which
// is no loss of sessions.
func TestFullOfKeysThatDoNotExpire(t *testing.T) {
	s := serve(t)
	for i := range 1000 {
		s.do("set", i, strings.Repeat("x", 100))
	}
	p := s.probing()
	p.vitals(s)
	s.full("volatile-lru", 200_000)
	if err := s.press(1_000_000); err == nil || !strings.HasPrefix(err.Error(), "OOM") {
		t.Fatal(err)
	}
	for range 5 {
		if e := p.want(shed.ReadOnly, shed.CauseFull, true, true); e.Lost {
			t.Error("ours was evicted, and sessions reported lost")
		}
	}
	s.do("config", "set", "maxmemory", "0")
	p.writable()
	if v := p.vitals(s); !v.Refuses {
		t.Errorf("%+v", v)
	}
}

// Facts, row 6: full, and evicting sessions: no error, and only the count tells. The canary is no loss even when it goes.
func TestFullAndEvicting(t *testing.T) {
	s := serve(t)
	for i := range 1000 {
		s.do("set", i, strings.Repeat("x", 100), "ex", "1000")
	}
	p := s.probing()
	if v := p.vitals(s); v.Evicted != 0 {
		t.Errorf("%+v", v)
	}
	s.full("volatile-random", 300_000)
	for range 10 {
		if err := s.press(20, "ex", "1000"); err != nil {
			t.Fatal(err)
		}
		if e := p.probe(64); e.Lost || e.State == shed.Down {
			t.Errorf("%+v", e)
		}
	}
	if v := p.vitals(s); v.Evicted < 200 || v.Refuses || v.MemoryMax == 0 {
		t.Errorf("%+v", v)
	}
}

// Facts, row 8: the disk of the append-only file is full.
func TestTheDiskOfTheAppendOnlyFileIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatalf("this test mounts a small file system, for which it must be root and allowed to: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	s := &server{t: t, host: "127.0.0.1", port: freePort(t), dir: dir, args: []string{"--appendonly", "yes"}}
	s.start()
	defer s.kill()
	p := s.probing()
	p.writable()
	var err error
	for i := 0; i < 100 && err == nil; i++ {
		err = s.try("set", i, strings.Repeat("x", 100_000))
	}
	if err == nil || !strings.HasPrefix(err.Error(), "MISCONF") {
		t.Fatal(err)
	}
	p.want(shed.ReadOnly, shed.CausePersistenceError, true, true)
	if v := p.vitals(s); !v.SaveFailed {
		t.Errorf("%+v", v)
	}
	p.want(shed.ReadOnly, shed.CausePersistenceError, true, true)
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	s.eventually("writable again", func() bool { return p.probe(64).State == shed.Writable })
	if v := p.vitals(s); v.SaveFailed {
		t.Errorf("%+v", v)
	}
}

// Facts, row 10: a replica lags until it is not good enough any more.
func TestAReplicaLags(t *testing.T) {
	s := serve(t, "--repl-diskless-sync-delay", "0", "--min-replicas-max-lag", "3")
	replica := serve(t, "--replicaof", "127.0.0.1 "+s.port)
	s.eventually("the replica is online", func() bool {
		return strings.Contains(s.do("info", "replication").(string), "state=online")
	})
	p := s.probing()
	p.writable()
	s.do("config", "set", "min-replicas-to-write", "1")
	s.eventually("it is good", func() bool { return p.probe(64).State == shed.Writable })
	if v := p.vitals(s); !v.Replicated || v.Good != 1 {
		t.Errorf("%+v", v)
	}
	replica.signal(syscall.SIGSTOP)
	lagged := false
	s.eventually("it is not", func() bool {
		p.due()
		e := p.probe(64)
		if v := e.Vitals; e.State == shed.Writable && v != nil && v.Lag >= 2*time.Second {
			lagged = true // seen before writes are refused
		}
		return e.Cause == shed.CauseNoReplicas
	})
	if !lagged {
		t.Error("the lag was not seen to come")
	}
	p.want(shed.ReadOnly, shed.CauseNoReplicas, true, true)
	if v := p.vitals(s); !v.Replicated || v.Good != 0 {
		t.Errorf("%+v", v)
	}
	replica.signal(syscall.SIGCONT)
	s.eventually("it is good again", func() bool { return p.probe(64).State == shed.Writable })
	p.writable()
}

// Facts, row 21, as one node shows it: a cluster none of whose slots is served.
func TestAClusterWithoutSlots(t *testing.T) {
	s := serve(t, "--cluster-enabled", "yes")
	p := s.probing()
	for range 3 {
		e := p.want(shed.Down, shed.CauseClusterDown, true, true)
		if e.Err == nil || !strings.Contains(e.Err.Error(), "Hash slot not served") {
			t.Error(e.Err)
		}
	}
	s.do("cluster", "addslotsrange", "0", "16383")
	s.eventually("writable", func() bool { return p.probe(64).State == shed.Writable })
	s.do("cluster", "delslotsrange", "0", "16383")
	if e := p.want(shed.Down, shed.CauseClusterDown, true, true); e.Lost {
		t.Error("what cannot be read is not lost")
	}
}

// Facts, row 27: killed, and back with nothing, under another run id.
func TestRestartedEmpty(t *testing.T) {
	s := serve(t)
	p := s.probing()
	p.writable()
	s.do("set", "a", "session")
	s.kill()
	s.start() // before anybody looked
	if e := p.writable(); !e.Lost {
		t.Errorf("%+v", e)
	}
	for range 3 {
		if e := p.writable(); e.Lost {
			t.Error("lost twice")
		}
	}
	// One that kept everything is none.
	s.do("save")
	s.kill()
	if _, err := os.Stat(filepath.Join(s.dir, "dump.rdb")); errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	s.start()
	if e := p.writable(); e.Lost {
		t.Errorf("%+v", e)
	}
}

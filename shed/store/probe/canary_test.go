package probe

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

func TestTheCanaryIsLostOnce(t *testing.T) {
	s := serve(t)
	p := s.probing()
	if e := p.writable(); e.Lost {
		t.Error("lost at the first sight")
	}
	p.writable()
	s.do("flushall")
	if e := p.writable(); !e.Lost {
		t.Error("flushed, and not noticed")
	}
	for range 3 {
		if e := p.writable(); e.Lost {
			t.Error("lost again")
		}
	}
	s.do("set", p.canaryKey(), "another")
	if e := p.writable(); !e.Lost {
		t.Error("another's canary in its place, and not noticed")
	}
	p.writable()
	if ttl := s.do("ttl", p.canaryKey()).(int64); ttl < 29*24*3600 {
		t.Errorf("the canary lives for %d s", ttl)
	}
	if ttl := s.do("pttl", p.probeKey()).(int64); ttl < 1000 || ttl > 5000 {
		t.Errorf("the written value lives for %d ms", ttl)
	}
}

func TestALossIsSeenThroughAReadOnlyStore(t *testing.T) {
	s := serve(t)
	p := s.probing()
	p.writable()
	s.do("flushall")
	s.do("config", "set", "min-replicas-to-write", "1")
	if e := p.want(shed.ReadOnly, shed.CauseNoReplicas, true, true); !e.Lost {
		t.Error("not noticed")
	}
	if e := p.want(shed.ReadOnly, shed.CauseNoReplicas, true, true); e.Lost {
		t.Error("noticed twice")
	}
	s.do("config", "set", "min-replicas-to-write", "0")
	if e := p.writable(); e.Lost {
		t.Error("noticed again")
	}
	s.do("flushall")
	if e := p.writable(); !e.Lost {
		t.Error("the new canary was not planted")
	}
}

func TestTendingKeepsTheCanaryAliveAndPlantsNone(t *testing.T) {
	s := serve(t)
	p := s.probing()
	p.writable()
	s.do("expire", p.canaryKey(), "100")
	old := func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.canary.tended = time.Now().Add(-2 * canaryTend)
	}
	old()
	p.writable()
	if ttl := s.do("ttl", p.canaryKey()).(int64); ttl < 29*24*3600 {
		t.Errorf("the canary lives for %d s", ttl)
	}
	old()
	s.do("flushall")
	if e := p.writable(); !e.Lost {
		t.Error("tending hid a loss")
	}
}

func TestGatehousesWithOnePrefixDoNotFoolEachOther(t *testing.T) {
	s := serve(t)
	a, b := s.probing(), s.probing() // with one instance name, too
	for range 20 {
		for _, p := range []*prober{a, b} {
			if e := p.writable(); e.Lost {
				t.Fatal("one took the other's canary for its own")
			}
		}
	}
	s.do("flushall")
	if !a.writable().Lost || !b.writable().Lost {
		t.Error("both must see the loss")
	}
}

func TestARestoredOldStoreIsALoss(t *testing.T) {
	s := serve(t)
	p := s.probing()
	p.writable()
	first := s.do("get", p.canaryKey())
	s.do("flushall")
	p.writable()
	p.writable()
	s.do("set", p.canaryKey(), first)
	if e := p.writable(); !e.Lost {
		t.Error("yesterday's canary was taken for today's")
	}
}

func TestAConnectionThatWasClosedIsNoNews(t *testing.T) {
	s := serve(t)
	p := s.probing()
	for range 10 {
		p.writable()
		s.do("client", "kill", "type", "normal", "skipme", "yes")
	}
	p.writable()
}

func TestLinksAreRenewedBesideTheOldOne(t *testing.T) {
	s := serve(t)
	p := s.probing()
	p.writable()
	link := func() *link {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.idle
	}
	old := link()
	old.life = 0
	p.mu.Lock()
	p.renewed = time.Time{}
	p.mu.Unlock()
	s.eventually("another link", func() bool { p.writable(); l := link(); return l != nil && l != old })

	// While a replica answers, the name is asked again each second.
	old = link()
	s.do("replicaof", "127.0.0.1", "1")
	s.eventually("another link", func() bool {
		p.want(shed.ReadOnly, shed.CauseReadOnly, true, true)
		l := link()
		return l != nil && l != old
	})
}

func TestManyProbesUseOneConnection(t *testing.T) {
	s := serve(t)
	p := s.probing()
	p.writable()
	count := func() string {
		return s.ctl.InfoMap(context.Background(), "stats").Item("Stats", "total_connections_received")
	}
	before := count()
	for range 200 {
		p.writable()
	}
	if after := count(); after != before {
		t.Errorf("connections %s, then %s", before, after)
	}
	if n := s.ctl.InfoMap(context.Background(), "errorstats").Item("Errorstats", "errorstat_ERR"); n != "" {
		t.Errorf("the server saw errors: %s", n)
	}
}

// answer is an error as a server sends it.
type answer string

func (a answer) Error() string { return string(a) }
func (answer) RedisError()     {}

func TestOnlyTheFirstWordOfAnErrorCounts(t *testing.T) {
	for _, row := range []struct {
		text        string
		read, write shed.State
		cause       shed.Cause
	}{
		{"READONLY You can't write against a read only replica.", shed.Down, shed.ReadOnly, shed.CauseReadOnly},
		{"LOADING Valkey is loading the dataset in memory", shed.Down, shed.ReadOnly, shed.CauseLoading},
		{"BUSY Valkey is busy running a script.", shed.Down, shed.ReadOnly, shed.CauseBusy},
		{"MISCONF Valkey is configured to save RDB snapshots", shed.Down, shed.ReadOnly, shed.CausePersistenceError},
		{"CLUSTERDOWN Hash slot not served", shed.Down, shed.ReadOnly, shed.CauseClusterDown},
		{"OOM command not allowed", shed.Down, shed.ReadOnly, shed.CauseFull},
		{"NOPERM this user has no permissions", shed.Unknown, shed.Unknown, shed.CauseProberAuth},
		{"WRONGPASS invalid username-password pair", shed.Unknown, shed.Unknown, shed.CauseProberAuth},
		{"ERR unknown command 'SET'", shed.Unknown, shed.Unknown, shed.CauseUnknown},
		{"MOVED 12 127.0.0.1:7", shed.Unknown, shed.Unknown, shed.CauseUnknown},
		{"NEWWORD nobody knows", shed.Down, shed.ReadOnly, shed.CauseUnknown},
	} {
		err := error(answer(row.text))
		if e := refusedRead(word(err), err); e.State != row.read || e.Cause != row.cause || !e.Reached {
			t.Errorf("read: %s: %+v", row.text, e)
		}
		if e := refusedWrite(word(err), err); e.State != row.write || e.Cause != row.cause || !e.Reached {
			t.Errorf("write: %s: %+v", row.text, e)
		}
	}
	if word(redis.Nil) != "nil" || word(errors.New("EOF")) != "" {
		t.Error("word")
	}
}

// The Monitor and the prober together, on a real server that is demoted, killed and empty when it is back.
func TestAMonitorOverARealServer(t *testing.T) {
	s := serve(t)
	told := make(chan store.Transition, 64)
	m := store.New(New(Settings{Address: s.addr(), Prefix: "gatehouse:"}), store.Settings{
		Interval: 20 * time.Millisecond, Timeout: 500 * time.Millisecond, Payload: 4096,
		Rise: 3, After: 50 * time.Millisecond, RampOver: time.Minute,
	}, func(tr store.Transition) { told <- tr })
	defer m.Close()
	m.Start()
	next := func(state shed.State, cause shed.Cause) store.Transition {
		t.Helper()
		for {
			select {
			case tr := <-told:
				if tr.To == state && tr.Cause == cause {
					return tr
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("never %v (%v): %+v", state, cause, m.Status())
			}
		}
	}
	next(shed.Writable, shed.OK)
	s.do("replicaof", "127.0.0.1", "1")
	at := time.Now()
	t.Logf("read-only %v after REPLICAOF", next(shed.ReadOnly, shed.CauseReadOnly).At.Sub(at))
	s.do("replicaof", "no", "one")
	next(shed.Writable, shed.OK)
	s.kill()
	at = time.Now()
	t.Logf("down %v after a kill", next(shed.Down, shed.CauseRefused).At.Sub(at))
	s.start()
	if tr := next(shed.Writable, shed.CauseSessionLoss); !tr.Lost {
		t.Errorf("%+v", tr)
	}
	if v := m.Verdict(t.Context(), 0); v.Late || !v.Recovering() {
		t.Errorf("%+v", v)
	}
}

func BenchmarkProbe(b *testing.B) {
	for _, size := range []int{64, 4096} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			p := serve(b).probing()
			p.writable()
			b.ReportAllocs()
			for b.Loop() {
				if e := p.probe(size); e.State != shed.Writable {
					b.Fatalf("%+v", e)
				}
			}
		})
	}
}

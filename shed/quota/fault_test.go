package quota

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gatehouse/shed"
)

// brief is far more than a Take may wait, and far less than a store that hangs for good: the machine may be busy.
const brief = 2 * time.Second

// soon makes one Take that must be let through, and soon.
func soon(t *testing.T, l *Limiter, k Key) {
	t.Helper()
	from := time.Now()
	if _, wait := l.Take(t.Context(), k); wait > 0 {
		t.Fatalf("refused for %v, though only the quota's store is away", wait)
	}
	if took := time.Since(from); took > brief {
		t.Errorf("took %v", took)
	}
}

// Whatever befalls the store: nobody is refused for it, nobody waits for it, it is said, and it is used again afterwards.
func TestFaults(t *testing.T) {
	var password atomic.Value
	password.Store("")
	for _, row := range []struct {
		name       string
		fault, fix func(n *node)
		cause      shed.Cause
	}{
		{"killed", func(n *node) { n.kill() }, func(n *node) { n.start() }, shed.CauseRefused},
		{"hung", func(n *node) { n.signal(syscall.SIGSTOP) }, func(n *node) { n.signal(syscall.SIGCONT) }, shed.CauseHung},
		{"a replica", func(n *node) { n.do("replicaof", "127.0.0.1", "1") }, func(n *node) { n.do("replicaof", "no", "one") },
			shed.CauseReadOnly},
		{"a replica that refuses stale reads", func(n *node) {
			n.do("config", "set", "replica-serve-stale-data", "no")
			n.do("replicaof", "127.0.0.1", "1")
		}, func(n *node) { n.do("replicaof", "no", "one") }, shed.CauseReadOnly},
		{"full", func(n *node) { n.do("config", "set", "maxmemory", "1000") },
			func(n *node) { n.do("config", "set", "maxmemory", "0") }, shed.CauseFull},
		{"no replicas", func(n *node) { n.do("config", "set", "min-replicas-to-write", "1") },
			func(n *node) { n.do("config", "set", "min-replicas-to-write", "0") }, shed.CauseNoReplicas},
		{"another password", func(n *node) {
			n.do("config", "set", "requirepass", "new")
			n.do("client", "kill", "type", "normal", "skipme", "yes")
		}, func(n *node) { password.Store("new") }, shed.CauseProberAuth},
		{"an ACL without scripts", func(n *node) { n.do("acl", "setuser", "default", "-evalsha", "-eval") },
			func(n *node) { n.do("acl", "setuser", "default", "+evalsha", "+eval") }, shed.CauseProberAuth},
		{"an ACL without these keys", func(n *node) { n.do("acl", "setuser", "default", "resetkeys", "~app:*") },
			func(n *node) { n.do("acl", "setuser", "default", "allkeys") }, shed.CauseProberAuth},
		{"busy", func(n *node) {
			n.do("config", "set", "busy-reply-threshold", "1")
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			_ = n.ctl.Process(ctx, n.ctl.Eval(ctx, "while true do end", nil))
		}, func(n *node) { n.do("script", "kill") }, shed.CauseBusy},
		{"no slot for a connection", func(n *node) {
			n.do("config", "set", "maxclients", "1")
			n.do("client", "kill", "type", "normal", "skipme", "yes")
		}, func(n *node) { n.do("config", "set", "maxclients", "100") }, shed.CauseTooManyClients},
	} {
		t.Run(row.name, func(t *testing.T) {
			n := serve(t)
			password.Store("")
			s := n.with(SharedSettings{Timeout: 50 * time.Millisecond, Password: func() (string, error) { return password.Load().(string), nil }})
			isUp(t, s)
			l := New(Settings{Name: "q", Rate: 1.0 / 3600, Burst: 1_000_000, Shared: s})
			k := TextKey("a")
			soon(t, l, k)

			row.fault(n)
			eventually(t, "away, with its cause", func() bool {
				soon(t, l, k)
				st := s.Status()
				return !st.Up && st.Cause == row.cause && st.LastError != nil
			})
			before := s.Status().StandIns
			for range 200 {
				soon(t, l, k)
			}
			if st := s.Status(); st.Up || st.StandIns < before+200 || st.Since.IsZero() {
				t.Errorf("%+v", st)
			}
			t.Log(s.Status().LastError)

			row.fix(n)
			isUp(t, s)
			eventually(t, "counted there again", func() bool {
				before := s.Status().StandIns
				soon(t, l, TextKey("b"))
				return s.Status().StandIns == before
			})
			if st := s.Status(); st.LastError == nil {
				t.Error("the error was forgotten")
			}
		})
	}
}

// The script's state is gone with the server that was restarted; what this process has seen is not.
func TestARestartGivesNobodyANewBurst(t *testing.T) {
	n := serve(t)
	s := n.sharing(patient)
	l := New(hourly(s, 10))
	take(l, TextKey("a"), 10)
	n.kill()
	eventually(t, "away", func() bool { return !s.Status().Up })
	if got := take(l, TextKey("a"), 20); got != 0 {
		t.Errorf("%d passed while it was away", got)
	}
	n.start()
	isUp(t, s)
	if got := take(l, TextKey("a"), 20); got != 0 {
		t.Errorf("%d passed when it was back", got)
	}
	if got := take(l, TextKey("b"), 20); got != 10 {
		t.Errorf("of another key %d passed", got)
	}
}

// A store that nobody asks is looked after all the same.
func TestAnIdleStoreIsWatched(t *testing.T) {
	n := serve(t)
	s := n.sharing(patient)
	n.do("replicaof", "127.0.0.1", "1")
	eventually(t, "away", func() bool { return !s.Status().Up })
	n.do("replicaof", "no", "one")
	isUp(t, s)
}

// A password that cannot be read, or is not taken any more, leaves the link as it is, and that is told.
func TestALinkThatCannotBeRenewed(t *testing.T) {
	n := serve(t)
	var broken atomic.Bool
	s := n.with(SharedSettings{Timeout: patient, Password: func() (string, error) {
		if broken.Load() {
			return "", errors.New("no such file")
		}
		return "", nil
	}})
	isUp(t, s)
	broken.Store(true)
	v := &server{Shared: s, link: new(link), next: time.NewTimer(time.Hour)}
	_, err := s.connect(t.Context())
	v.use(dialled{err: err})
	if st := s.Status(); !st.Up || !errors.Is(st.LastError, errPassword) || st.Cause != shed.CauseProberAuth {
		t.Errorf("%+v", st)
	}
	if take(New(hourly(s, 3)), TextKey("a"), 9) != 3 || s.Status().StandIns != 0 {
		t.Error("the old link does not serve")
	}
}

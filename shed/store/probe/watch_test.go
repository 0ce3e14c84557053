package probe

import (
	"errors"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

func TestDecide(t *testing.T) {
	var (
		well    = store.Evidence{State: shed.Writable, Cause: shed.OK, Reached: true, Latency: time.Millisecond}
		replica = store.Evidence{State: shed.ReadOnly, Cause: shed.CauseReadOnly, Definite: true, Reached: true}
		full    = store.Evidence{State: shed.ReadOnly, Cause: shed.CauseFull, Definite: true, Reached: true}
		down    = store.Evidence{State: shed.Down, Cause: shed.CauseRefused, Definite: true}
		ours    = store.Evidence{Cause: shed.CauseProberAuth, Definite: true, Reached: true, Err: errors.New("NOPERM")}
		settled = claim{role: primary}
	)
	at := func(r role, since time.Duration) claim { return claim{r, since} }
	for _, row := range []struct {
		name    string
		e       store.Evidence
		current claim
		former  []claim
		stale   bool
	}{
		{"nothing ever moved", well, settled, nil, false},
		{"the move itself", well, at(unasked, 0), []claim{at(unasked, 0)}, true},
		{"the old one is a primary", well, at(primary, time.Second), []claim{at(primary, time.Second)}, true},
		{"the old one has not had the time to answer", well, at(primary, 0), []claim{at(unasked, 0)}, true},
		{"the old one is dead", well, at(primary, 0), []claim{at(mute, 0)}, false},
		{"the old one is demoted", well, at(primary, 11*time.Second), []claim{at(replicaRole, 11*time.Second)}, false},
		{"the old one is back", well, at(primary, 29*time.Second), []claim{at(primary, 29*time.Second)}, true},
		{"the bound", well, at(primary, staleFor), []claim{at(primary, staleFor)}, false},
		{"the one before the old one", well, at(primary, 5*time.Second),
			[]claim{at(primary, 20*time.Second), at(mute, 5*time.Second)}, true},
		{"the one before the old one, by now", well, at(primary, 15*time.Second),
			[]claim{at(primary, staleFor), at(mute, 15*time.Second)}, false},
		{"the new one is no primary yet", replica, at(replicaRole, 0), []claim{at(mute, 0)}, true},
		{"a replica that takes writes", well, at(replicaRole, time.Second), []claim{at(mute, time.Second)}, true},
		{"a replica for good", replica, at(replicaRole, staleFor), []claim{at(replicaRole, staleFor)}, false},
		{"the new one was not asked yet", well, at(unasked, 0), nil, true},
		{"the new one does not say", well, at(mute, time.Second), []claim{at(replicaRole, time.Second)}, false},
		{"the new one is full", full, at(primary, time.Second), []claim{at(mute, time.Second)}, false},
		{"both", full, at(primary, time.Second), []claim{at(primary, time.Second)}, true},
		{"the new one is down, which is worse", down, at(mute, time.Second), []claim{at(primary, time.Second)}, false},
		{"the prober is at fault, and the old one is a primary", ours, at(primary, time.Second), []claim{at(primary, time.Second)}, true},
		{"the prober is at fault", ours, at(primary, time.Second), []claim{at(mute, time.Second)}, false},
	} {
		got := decide(row.e, row.current, row.former)
		if isStale(got) != row.stale || !row.stale && got != row.e {
			t.Errorf("%s: %+v, want stale: %v", row.name, got, row.stale)
		}
		if row.stale && (got.Latency != row.e.Latency || row.e.Err != nil && !errors.Is(got.Err, row.e.Err)) {
			t.Errorf("%s: %+v lost of %+v", row.name, got, row.e)
		}
	}
}

// replicaRole is replica, where that is the name of an evidence.
const replicaRole = replica

func TestAClaimGrowsOld(t *testing.T) {
	now := time.Now()
	for _, row := range []struct {
		w    *watch
		want claim
	}{
		{nil, claim{role: primary}},
		{&watch{moved: now, pending: now}, claim{unasked, 0}},
		{&watch{moved: now.Add(-roleWithin), pending: now.Add(-roleWithin)}, claim{mute, roleWithin}},
		{&watch{moved: now.Add(-time.Second), role: primary, pending: now.Add(-time.Millisecond)}, claim{primary, time.Second}},
		{&watch{moved: now.Add(-time.Second), role: primary, pending: now.Add(-roleWithin)}, claim{mute, time.Second}},
		{&watch{moved: now.Add(-time.Minute), role: primary}, claim{primary, time.Minute}},
	} {
		if got := row.w.claim(now); got != row.want {
			t.Errorf("%+v: %+v, want %+v", row.w, got, row.want)
		}
	}
}

func TestRoles(t *testing.T) {
	for said, want := range map[string]role{"master": primary, "primary": primary, "slave": replica, "replica": replica, "sentinel": mute, "": mute} {
		if got, err := roleOf(said); got != want || (err != nil) != (want == mute) {
			t.Errorf("%q: %v, %v", said, got, err)
		}
		if got, _ := roleIn("# Replication\r\nrole:" + said + "\r\nconnected_slaves:0\r\n"); got != want {
			t.Errorf("INFO: %q: %v", said, got)
		}
	}
	if got, err := roleIn("roles:master"); got != mute || err == nil {
		t.Errorf("%v, %v", got, err)
	}
}

// A user that may not say ROLE learns it from INFO; one that may neither is told of, and nobody is shed for it.
func TestANodeThatRefusesRole(t *testing.T) {
	a, b := serve(t), serve(t)
	for _, row := range []struct {
		rights []any
		stale  bool
	}{
		{[]any{"-role"}, true},
		{[]any{"-role", "-info"}, false},
	} {
		for _, s := range []*server{a, b} {
			s.do(append([]any{"acl", "setuser", "probe", "reset", "on", ">secret", "~*", "+@all"}, row.rights...)...)
		}
		c := serveCouncil(t, a.addr(), a.addr(), a.addr())
		p := following(t, SentinelSettings{Sentinels: c.addrs, Node: Settings{
			Username: "probe", Password: func() (string, error) { return "secret", nil }}})
		p.untilWritable()
		c.say(b.addr(), b.addr(), b.addr())
		if row.stale {
			p.untilStale()
			a.do("replicaof", "127.0.0.1", "1")
			p.untilWritable()
			a.do("replicaof", "no", "one")
			continue
		}
		p.until("what is refused", func(e store.Evidence) bool {
			return e.State == shed.Writable && e.Err != nil && word(e.Err) == "NOPERM"
		}, nil)
		if p.where != b.addr() {
			t.Errorf("at %s", p.where)
		}
	}
}

package probe

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// Scenario 17: after a failover the old primary goes on taking writes that will be thrown away, and a probe of it sees nothing.
// One Sentinel that is frozen, before, and all that are gone, after, change nothing.
func TestAManualFailover(t *testing.T) {
	t.Parallel()
	f := serveFleet(t)
	old := f.nodes[0]
	p, direct := f.following(), old.probing()
	p.untilWritable()
	if p.where != old.addr() {
		t.Fatalf("probed %s", p.where)
	}

	f.sentinels[2].signal(syscall.SIGSTOP)
	for end := time.Now().Add(2500 * time.Millisecond); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		p.writable()
	}
	f.sentinels[2].signal(syscall.SIGCONT)

	f.sentinels[0].eventually("the failover begins", func() bool { return f.sentinels[0].try("sentinel", "failover", "m") == nil })
	var promoted, named time.Time // as this loop sees it
	seen := p.until("stale_primary", isStale, func(store.Evidence) {
		if promoted.IsZero() && (f.nodes[1].isPrimary() || f.nodes[2].isPrimary()) {
			promoted = time.Now()
		}
		if _, ok := elect(f.named()); ok && named.IsZero() {
			named = time.Now()
		}
	})
	t.Logf("stale_primary %v after the failover began; since another is a primary: %v, since a majority names it: %v (zero: at once)",
		seen, age(promoted), age(named))
	if !old.isPrimary() {
		t.Fatal("the old primary was demoted before the failover was seen")
	}
	green := 0
	took := p.until("writable", func(e store.Evidence) bool { return e.State == shed.Writable }, func(e store.Evidence) {
		if !isStale(e) {
			t.Errorf("%v (%v): %v", e.State, e.Cause, e.Err)
		}
		if !old.isPrimary() { // so that it was one during the probe that follows only by luck
			return
		}
		if e := direct.probe(64); e.State == shed.Writable {
			green++
		}
	})
	t.Logf("writable %v after that; a direct probe of the old primary was green %d times meanwhile", took, green)
	if green < 20 {
		t.Errorf("a direct probe of the old primary was green %d times: there was nothing to be protected from", green)
	}
	if old.isPrimary() || p.where == old.addr() {
		t.Errorf("writable at %s while the old one is a primary: %v", p.where, old.isPrimary())
	}

	for _, s := range f.sentinels {
		s.kill()
	}
	p.until("the Sentinels are missed", func(e store.Evidence) bool { return errors.Is(e.Err, errDivided) }, func(e store.Evidence) {
		if e.State != shed.Writable {
			t.Fatalf("%v (%v): %v", e.State, e.Cause, e.Err)
		}
	})
	for range 20 {
		p.writable()
	}
}

// named is what each Sentinel names by now, but for the first primary.
func (f *fleet) named() (votes []string) {
	for _, s := range f.sentinels {
		said := s.do("sentinel", "get-master-addr-by-name", "m").([]any)
		vote, _ := spelled(said[0].(string), said[1].(string))
		if vote == f.nodes[0].addr() {
			vote = ""
		}
		votes = append(votes, vote)
	}
	return votes
}

func age(at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return time.Since(at)
}

func TestAKilledPrimaryComesBack(t *testing.T) {
	t.Parallel()
	f := serveFleet(t)
	old := f.nodes[0]
	p := f.following()
	p.untilWritable()
	old.kill()
	p.until("down", func(e store.Evidence) bool { return e.State == shed.Down }, nil)
	t.Logf("writable at another %v after the kill", p.untilWritable())
	if p.where == old.addr() {
		t.Fatal("the killed one is writable")
	}
	old.start()
	t.Logf("stale_primary %v after it is back", p.untilStale())
	t.Logf("writable %v after that", p.untilWritable())
	if old.isPrimary() {
		t.Error("writable while the old one is a primary")
	}
}

func TestAFrozenPrimaryThaws(t *testing.T) {
	t.Parallel()
	f := serveFleet(t)
	old := f.nodes[0]
	p := f.following()
	p.untilWritable()
	p.timeout = 200 * time.Millisecond
	old.signal(syscall.SIGSTOP)
	p.until("down", func(e store.Evidence) bool { return e.State == shed.Down }, nil)
	t.Logf("writable at another %v after the freeze", p.untilWritable())
	old.signal(syscall.SIGCONT)
	t.Logf("stale_primary %v after the thaw", p.untilStale())
	t.Logf("writable %v after that", p.untilWritable())
	if old.isPrimary() {
		t.Error("writable while the old one is a primary")
	}
}

package probe

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// Two members that copy each other, played by hand: what is written at one is seen at the other once it has come there.
func TestHeartbeats(t *testing.T) {
	t.Parallel()
	eu, us := serve(t), serve(t)
	a := probing(t, Settings{Address: eu.addr(), Instance: "here"})
	b := probing(t, Settings{Address: us.addr(), Instance: "here"})
	beat := func(p store.Beater, own string, others ...string) []time.Time {
		t.Helper()
		from := time.Now()
		seen, err := p.Beat(t.Context(), own, others)
		if err != nil || len(seen) != len(others) {
			t.Fatalf("%v, %v", seen, err)
		}
		for i := range seen {
			if seen[i].After(from) {
				t.Errorf("%v is to come", seen[i])
			}
		}
		return seen
	}
	from := time.Now().Truncate(time.Millisecond)
	if seen := beat(a, "eu", "us", "asia"); !seen[0].IsZero() || !seen[1].IsZero() {
		t.Error(seen)
	}
	if ttl := eu.do("ttl", "gatehouse:beat:here:eu").(int64); ttl < 3500 {
		t.Errorf("a heartbeat lives for %d s", ttl)
	}
	beat(b, "us", "eu")
	us.do("set", "gatehouse:beat:here:eu", eu.do("get", "gatehouse:beat:here:eu"))
	if seen := beat(b, "us", "asia", "eu"); !seen[0].IsZero() || seen[1].Before(from) {
		t.Error(seen)
	}
	a.writable()

	for range 5 { // over one connection, which may die
		beat(a, "eu")
		eu.do("client", "kill", "type", "normal", "skipme", "yes")
	}
	before := eu.told("stats", "total_connections_received")
	beat(a, "eu")
	beat(a, "eu")
	if n := eu.told("stats", "total_connections_received") - before; n != 1 {
		t.Errorf("%d connections", n)
	}

	eu.do("set", "gatehouse:beat:here:us", "soon")
	if seen, err := a.Beat(t.Context(), "eu", []string{"us"}); seen != nil || !errors.Is(err, errBeat) {
		t.Errorf("%v, %v", seen, err)
	}
	us.do("replicaof", "127.0.0.1", "1") // reads, and does not write
	if seen, err := b.Beat(t.Context(), "us", []string{"eu"}); len(seen) != 1 || seen[0].Before(from) || word(err) != "READONLY" {
		t.Errorf("%v, %v", seen, err)
	}
	us.do("config", "set", "replica-serve-stale-data", "no")
	if seen, err := b.Beat(t.Context(), "us", []string{"eu"}); seen != nil || word(err) != "MASTERDOWN" {
		t.Errorf("%v, %v", seen, err)
	}

	eu.signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if seen, err := a.Beat(ctx, "eu", []string{"us"}); seen != nil || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Second {
		t.Errorf("%v, %v after %v", seen, err, time.Since(began))
	}
	eu.signal(syscall.SIGCONT)
	beat(a, "eu")
	eu.kill()
	if seen, err := a.Beat(t.Context(), "eu", nil); seen != nil || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v, %v", seen, err)
	}
	_ = a.Close()
	if _, err := a.Beat(t.Context(), "eu", nil); !errors.Is(err, errClosed) {
		t.Error(err)
	}
}

// The heartbeat goes where the Sentinels say.
func TestHeartbeatsFollow(t *testing.T) {
	t.Parallel()
	a, b := serve(t), serve(t)
	c := serveCouncil(t, a.addr(), a.addr(), a.addr())
	p := following(t, SentinelSettings{Sentinels: c.addrs, Node: Settings{Instance: "here"}})
	if _, err := p.Beat(t.Context(), "eu", nil); err != nil {
		t.Fatal(err)
	}
	if n := a.do("exists", "gatehouse:beat:here:eu"); n != int64(1) {
		t.Error("nothing is written")
	}
	c.say(b.addr(), b.addr(), b.addr())
	a.kill()
	p.until("at the other", func(e store.Evidence) bool { return e.State == shed.Writable && p.where == b.addr() }, nil)
	if _, err := p.Beat(t.Context(), "eu", nil); err != nil {
		t.Fatal(err)
	}
	if n := b.do("exists", "gatehouse:beat:here:eu"); n != int64(1) {
		t.Error("nothing is written")
	}
	_ = p.Close()
	if _, err := p.Beat(t.Context(), "eu", nil); !errors.Is(err, errClosed) {
		t.Error(err)
	}
}

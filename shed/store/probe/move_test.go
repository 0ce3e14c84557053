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

// Only the majority of all Sentinels moves anything: not one that lies, hangs, or is cut off and believes in what was.
func TestAMajorityOfAllSentinelsDecides(t *testing.T) {
	t.Parallel()
	a, b := serve(t), serve(t)
	c := serveCouncil(t, a.addr(), a.addr(), a.addr())
	p := following(t, SentinelSettings{Sentinels: append(c.addrs, c.addrs[2])}) // one is named twice
	p.gap = 300 * time.Millisecond
	p.untilWritable()
	for _, votes := range [][]string{
		{a.addr(), a.addr(), b.addr()}, {a.addr(), "", b.addr()}, {"hang", a.addr(), b.addr()}, {"hang", "hang", b.addr()},
		{"", "", ""},
	} {
		c.say(votes...)
		c.through(p, func() {
			if p.writable(); p.where != a.addr() {
				t.Fatalf("%v: at %s", votes, p.where)
			}
		})
	}
	c.say(b.addr(), b.addr(), "hang")
	t.Logf("stale_primary %v after the switch, without a subscription", p.untilStale())
	for range 20 {
		if e := p.probe(); !isStale(e) {
			t.Errorf("%+v", e)
		}
	}
	a.do("replicaof", "127.0.0.1", "1")
	p.untilWritable()
	if p.where != b.addr() {
		t.Errorf("at %s", p.where)
	}
	a.do("replicaof", "no", "one")
	p.untilStale()
	a.kill()
	p.untilWritable()
	a.start()
	p.untilStale()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if e := p.Greet(ctx); e.State != shed.Writable {
		t.Errorf("%+v", e)
	}

	// Back again: the one before is b now, and a is not.
	c.say(a.addr(), a.addr(), "")
	p.until("the first again", func(e store.Evidence) bool { return p.where == a.addr() && isStale(e) }, nil)
	b.kill()
	p.untilWritable()
}

// What a Sentinel says unasked has all asked at once; so does a new subscription, for what was missed before it.
func TestNewsIsFollowedAtOnce(t *testing.T) {
	a, b := serve(t), serve(t)
	c := serveCouncil(t, a.addr(), a.addr(), a.addr())
	p := following(t, SentinelSettings{Sentinels: c.addrs})
	p.gap = time.Hour
	p.untilWritable()
	const confirmed, news = "*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n", "*3\r\n$7\r\nmessage\r\n"
	for _, f := range c.fakes {
		f.push <- confirmed
	}
	c.say(b.addr(), b.addr(), b.addr())
	c.fakes[1].push <- news
	t.Logf("stale_primary %v after the news", p.untilStale())
	a.do("replicaof", "127.0.0.1", "1")
	p.untilWritable()

	c.fakes[1].push <- ""
	a.do("replicaof", "no", "one")
	c.say(a.addr(), a.addr(), a.addr())
	c.fakes[1].push <- confirmed
	p.until("back", func(e store.Evidence) bool { return p.where == a.addr() && isStale(e) }, nil)
	if n := c.fakes[1].count("subscribe +switch-master"); n != 2 {
		t.Errorf("subscribed %d times", n)
	}
}

// The Monitor and the prober together.
func TestAMonitorOverSentinels(t *testing.T) {
	t.Parallel()
	a, b := serve(t), serve(t)
	c := serveCouncil(t, a.addr(), a.addr(), a.addr())
	told := make(chan store.Transition, 64)
	m := store.New(NewSentinel(SentinelSettings{Master: "m", Sentinels: c.addrs, Node: Settings{Prefix: "gatehouse:"}}), store.Settings{
		Interval: 20 * time.Millisecond, Timeout: 500 * time.Millisecond, Payload: 4096,
		Rise: 3, After: 50 * time.Millisecond, RampOver: time.Minute,
	}, func(tr store.Transition) { told <- tr })
	defer m.Close()
	m.Start()
	next := func(state shed.State, cause shed.Cause) {
		t.Helper()
		select {
		case tr := <-told:
			if tr.To != state || tr.Cause != cause || tr.Lost {
				t.Fatalf("%+v, want %v (%v)", tr, state, cause)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("never %v (%v): %+v", state, cause, m.Status())
		}
	}
	next(shed.Writable, shed.OK)
	c.say(b.addr(), b.addr(), "hang")
	next(shed.ReadOnly, shed.CauseStalePrimary)
	a.do("replicaof", "127.0.0.1", b.port)
	next(shed.Writable, shed.OK)
}

// The new primary is to say that it is one: a replica that takes writes is none.
func TestAReplicaThatTakesWrites(t *testing.T) {
	t.Parallel()
	a, b := serve(t), serve(t)
	b.do("config", "set", "replica-read-only", "no")
	b.do("replicaof", "127.0.0.1", "1")
	c := serveCouncil(t, a.addr(), a.addr(), a.addr())
	p := following(t, SentinelSettings{Sentinels: c.addrs})
	p.untilWritable()
	a.kill()
	c.say(b.addr(), b.addr(), b.addr())
	p.until("not a primary yet", func(e store.Evidence) bool { return isStale(e) && errors.Is(e.Err, errUnsettled) }, nil)
	b.do("replicaof", "no", "one")
	p.untilWritable()
}

// The same node by another name is not the one before.
func TestANodeThatIsNamedOtherwise(t *testing.T) {
	t.Parallel()
	a := serve(t)
	c := serveCouncil(t, a.addr(), a.addr(), a.addr())
	p := following(t, SentinelSettings{Sentinels: c.addrs})
	p.untilWritable()
	name := "localhost:" + a.port
	c.say(name, name, name)
	took := p.until("by its name", func(e store.Evidence) bool { return p.where == name && e.State == shed.Writable }, nil)
	if took > staleFor/2 {
		t.Errorf("stale for %v", took)
	}
}

func TestTheFirstAddressIsAnySentinels(t *testing.T) {
	t.Parallel()
	a, b := serve(t), serve(t)
	c := serveCouncil(t, a.addr(), "", "hang")
	p := following(t, SentinelSettings{Sentinels: c.addrs})
	p.untilWritable()
	c.say(a.addr(), b.addr(), b.addr())
	p.until("the majority's", func(e store.Evidence) bool {
		if e.State != shed.Writable {
			t.Fatalf("%+v", e) // nobody had moved from a
		}
		return p.where == b.addr()
	}, nil)
}

// A probe of a node that hangs ends when the majority moves, and goes on with the other one.
func TestTheMajorityMovesWhileAProbeHangs(t *testing.T) {
	t.Parallel()
	a, b := serve(t), serve(t)
	c := serveCouncil(t, a.addr(), a.addr(), a.addr())
	p := following(t, SentinelSettings{Sentinels: c.addrs})
	p.untilWritable()
	p.timeout = time.Minute
	a.signal(syscall.SIGSTOP)
	defer a.signal(syscall.SIGCONT)
	c.say(b.addr(), b.addr(), b.addr())
	from := time.Now()
	if e := p.probe(); !isStale(e) && e.State != shed.Writable || p.where != b.addr() || time.Since(from) > p.timeout/2 {
		t.Errorf("%+v at %s after %v", e, p.where, time.Since(from))
	}
	p.untilWritable()
}

package probe

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

func TestElect(t *testing.T) {
	for _, row := range []struct {
		votes string
		want  string
	}{
		{"", ""}, {"a", "a"}, {"-", ""},
		{"a a", "a"}, {"a -", ""}, {"a b", ""},
		{"a a b", "a"}, {"b a a", "a"}, {"a - b", ""}, {"a - -", ""}, {"- a a", "a"}, {"- - a", ""},
		{"a a b b", ""}, {"a a a b", "a"}, {"b a b - b", "b"}, {"b a b - -", ""},
	} {
		votes := strings.Fields(row.votes)
		for i := range votes {
			votes[i] = strings.Trim(votes[i], "-")
		}
		if got, ok := elect(votes); got != row.want || ok != (row.want != "") {
			t.Errorf("%s: %q", row.votes, got)
		}
	}
}

func TestAddressesAreSpelledInOneWay(t *testing.T) {
	for _, row := range []struct{ host, port, want string }{
		{"10.0.0.1", "6379", "10.0.0.1:6379"}, {"::ffff:10.0.0.1", "6379", "10.0.0.1:6379"},
		{"FE80:0::1", "1", "[fe80::1]:1"}, {"Redis-0.Test", "6379", "redis-0.test:6379"}, {"10.0.0.1", "006379", "10.0.0.1:6379"},
		{"", "6379", ""}, {"10.0.0.1", "", ""}, {"10.0.0.1", "0", ""}, {"10.0.0.1", "65536", ""}, {"10.0.0.1", "-1", ""},
		{strings.Repeat("a", 254), "1", ""}, {"a]:b", "1", ""}, {"a\nb", "1", ""},
		{"\xff", "1", ""},
	} {
		if got, err := spelled(row.host, row.port); got != row.want || (err != nil) != (row.want == "") {
			t.Errorf("%s %s: %q, %v", row.host, row.port, got, err)
		}
	}
}

// Only the majority of all Sentinels moves anything: not one that lies, hangs, or is cut off and believes in what was.
func TestAMajorityOfAllSentinelsDecides(t *testing.T) {
	a, b := serve(t), serve(t)
	c := serveCouncil(t, a.addr(), a.addr(), a.addr())
	p := following(t, SentinelSettings{Sentinels: append(c.addrs, c.addrs[2])}) // one is named twice
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

// A Sentinel that never stops talking hastens nobody beyond measure.
func TestATalkativeSentinel(t *testing.T) {
	a := serve(t)
	c := serveCouncil(t, a.addr(), a.addr(), a.addr())
	p := following(t, SentinelSettings{Sentinels: c.addrs})
	p.writable()
	from := time.Now()
	for time.Since(from) < 10*voteSoonest {
		c.fakes[0].push <- strings.Repeat("+news\r\n", 10)
	}
	asked, most := c.fakes[1].count("sentinel get-master-addr-by-name"), int(time.Since(from)/voteSoonest)+3
	if p.writable(); asked > most {
		t.Errorf("asked %d times", asked)
	}
}

// The Monitor and the prober together.
func TestAMonitorOverSentinels(t *testing.T) {
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

func FuzzSpelled(f *testing.F) {
	f.Add("127.0.0.1", "6379")
	f.Add("::1%eth0", "1")
	f.Add("a]:b", "65535")
	f.Add(strings.Repeat("\xff", 200), "1")
	f.Fuzz(func(t *testing.T, host, port string) {
		at, err := spelled(host, port)
		if err != nil {
			return
		}
		host, port, err = net.SplitHostPort(at)
		if err != nil {
			t.Fatalf("%q is no address", at)
		}
		if again, err := spelled(host, port); err != nil || again != at {
			t.Fatalf("%q, then %q, %v", at, again, err)
		}
	})
}

// The new primary is to say that it is one: a replica that takes writes is none.
func TestAReplicaThatTakesWrites(t *testing.T) {
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

// Nor is one that lies believed for being the quickest, where the others answer soon.
func TestTheFirstAddressIsWaitedFor(t *testing.T) {
	no := voter{asked: true, err: errNotKnown}
	says := func(at string) voter { return voter{vote: at, asked: true} }
	for _, row := range []struct {
		name   string
		voters []voter
		since  time.Duration
		want   string
	}{
		{"nobody has answered", []voter{{}, {}, {}}, time.Hour, ""},
		{"the first answer", []voter{{}, says("b"), {}}, firstOf - 1, ""},
		{"the others take long", []voter{{}, says("b"), {}}, firstOf, "b"},
		{"the others do not know", []voter{no, says("b"), no}, 0, "b"},
		{"nobody knows", []voter{no, no, no}, time.Hour, ""},
		{"two are enough", []voter{says("a"), says("a"), {}}, 0, "a"},
		{"two overrule", []voter{says("b"), says("a"), says("a")}, time.Hour, "a"},
		{"no two agree", []voter{says("b"), no, says("a")}, 0, "b"},
	} {
		now := time.Now()
		p := NewSentinel(SentinelSettings{})
		p.begun = now.Add(-row.since)
		for _, v := range row.voters {
			p.voters = append(p.voters, &voter{vote: v.vote, asked: v.asked, node: New(Settings{})})
		}
		p.count(now)
		if p.at != row.want || p.former != nil || p.current != nil {
			t.Errorf("%s: %q, %+v", row.name, p.at, p.former)
		}
		_ = p.Close()
	}
}

func TestNoSentinelEver(t *testing.T) {
	c := serveCouncil(t, "", "hang", "")
	gone := "127.0.0.1:" + freePort(t)
	p := following(t, SentinelSettings{Sentinels: []string{c.addrs[0], c.addrs[1], gone}})
	p.timeout = 100 * time.Millisecond
	p.until("the errors of all", func(e store.Evidence) bool {
		if e.State != shed.Unknown || e.Cause != shed.CauseUnknown || e.Err == nil {
			t.Fatalf("%+v", e)
		}
		return errors.Is(e.Err, errNotKnown) && errors.Is(e.Err, context.DeadlineExceeded) && strings.Contains(e.Err.Error(), gone)
	}, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if e := p.Greet(ctx); e.State != shed.Unknown || e.Err == nil {
		t.Errorf("%+v", e)
	}
}

func TestAClosedSentinel(t *testing.T) {
	p := NewSentinel(SentinelSettings{Master: "m", Sentinels: []string{"127.0.0.1:1"}})
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if e := p.Probe(t.Context(), 64); !errors.Is(e.Err, errClosed) || e.State != shed.Unknown {
		t.Errorf("%+v", e)
	}
}

func TestACancelledProbeOfASentinelReturnsAtOnce(t *testing.T) {
	c := serveCouncil(t, "hang", "hang", "hang")
	p := following(t, SentinelSettings{Sentinels: c.addrs})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	time.AfterFunc(20*time.Millisecond, cancel)
	from := time.Now()
	if e := p.Probe(ctx, 64); e.State != shed.Unknown || !errors.Is(e.Err, context.Canceled) || time.Since(from) > 5*time.Second {
		t.Errorf("%+v after %v", e, time.Since(from))
	}
}

func TestSentinelsOverTLS(t *testing.T) {
	a := newAuthority(t)
	p, port, s := a.issue("store", time.Now().Add(day)), freePort(t), serve(t)
	serveSentinel(t, s.port, "tls-port "+port+"\ntls-cert-file "+p.cert+"\ntls-key-file "+p.key+"\ntls-ca-cert-file "+a.file+
		"\ntls-auth-clients no\n")
	following(t, SentinelSettings{Sentinels: []string{"127.0.0.1:" + port}, TLS: &TLS{CAFile: a.file}}).untilWritable()
	doubted := following(t, SentinelSettings{Sentinels: []string{"127.0.0.1:" + port}, TLS: &TLS{CAFile: newAuthority(t).file}})
	doubted.timeout = 200 * time.Millisecond
	doubted.until("not believed", func(e store.Evidence) bool { return e.State == shed.Unknown && errors.Is(e.Err, errHandshake) }, nil)
}

// A real Sentinel with a password of its own.
func TestASentinelWithAPassword(t *testing.T) {
	a := serve(t)
	s := serveSentinel(t, a.port, "requirepass secret\n")
	p := following(t, SentinelSettings{Sentinels: []string{s.addr()}, Password: func() (string, error) { return "secret", nil }})
	p.untilWritable()
	wrong := following(t, SentinelSettings{Sentinels: []string{s.addr()}, Password: func() (string, error) { return "wrong", nil }})
	wrong.timeout = 200 * time.Millisecond
	wrong.until("refused", func(e store.Evidence) bool {
		return e.State == shed.Unknown && strings.Contains(e.Err.Error(), "WRONGPASS")
	}, nil)
}

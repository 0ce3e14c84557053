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
		if p.at != row.want || p.nodes.former != nil || p.nodes.current != nil {
			t.Errorf("%s: %q, %+v", row.name, p.at, p.nodes.former)
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

package probe

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// fleet is a primary with two replicas, and the three Sentinels that watch over them as m.
type fleet struct {
	nodes, sentinels []*server
}

func serveFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{nodes: []*server{serve(t, "--repl-diskless-sync-delay", "0")}}
	for range 2 {
		f.nodes = append(f.nodes, serve(t, "--repl-diskless-sync-delay", "0", "--replicaof", "127.0.0.1 "+f.nodes[0].port))
	}
	for _, replica := range f.nodes[1:] {
		replica.eventually("a replica", func() bool {
			return strings.Contains(replica.do("info", "replication").(string), "master_link_status:up")
		})
	}
	for range 3 {
		f.sentinels = append(f.sentinels, serveSentinel(t, f.nodes[0].port, ""))
	}
	for _, s := range f.sentinels {
		s.eventually("three Sentinels that know two replicas", func() bool {
			about := map[string]string{}
			said := s.do("sentinel", "master", "m").([]any)
			for i := 0; i+1 < len(said); i += 2 {
				about[said[i].(string)] = said[i+1].(string)
			}
			return about["num-slaves"] == "2" && about["num-other-sentinels"] == "2" && s.try("sentinel", "ckquorum", "m") == nil
		})
	}
	return f
}

func serveSentinel(t *testing.T, of, more string) *server {
	t.Helper()
	s := &server{t: t, host: "127.0.0.1", port: freePort(t), dir: t.TempDir()}
	s.sentinel = filepath.Join(s.dir, "sentinel.conf")
	text := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nsentinel resolve-hostnames no\nsentinel announce-ip 127.0.0.1\n"+
		"sentinel monitor m 127.0.0.1 %s 2\nsentinel down-after-milliseconds m 1000\nsentinel failover-timeout m 5000\n%s",
		s.port, s.dir, of, more)
	if err := os.WriteFile(s.sentinel, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(s.kill)
	return s
}

// isPrimary is what a node says of itself.
func (s *server) isPrimary() bool {
	s.t.Helper()
	role, err := s.ctl.Do(context.Background(), "role").Slice()
	if err != nil { // a Sentinel cuts off every client of a node that it gives another role
		role = s.do("role").([]any)
	}
	return role[0] == "master"
}

// follower is a Sentinel that is probed as a Monitor would.
type follower struct {
	*Sentinel
	t       testing.TB
	timeout time.Duration
}

func following(t testing.TB, set SentinelSettings) *follower {
	t.Helper()
	if set.Node.Prefix == "" {
		set.Node.Prefix = "gatehouse:"
	}
	set.Master = "m"
	p := &follower{Sentinel: NewSentinel(set), t: t, timeout: time.Second}
	t.Cleanup(func() {
		from := time.Now()
		if err := p.Close(); err != nil || time.Since(from) > 5*time.Second {
			t.Errorf("closed after %v: %v", time.Since(from), err)
		}
	})
	return p
}

func (f *fleet) following() *follower {
	var all []string
	for _, s := range f.sentinels {
		all = append(all, s.addr())
	}
	return following(f.nodes[0].t, SentinelSettings{Sentinels: all})
}

// probe makes one probe and checks that it returned by its deadline, and that no switch is taken for a loss.
func (p *follower) probe() store.Evidence {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
	defer cancel()
	from := time.Now()
	e := p.Probe(ctx, 64)
	if took := time.Since(from); took > p.timeout+250*time.Millisecond {
		p.t.Errorf("returned after %v at a deadline of %v", took, p.timeout)
	}
	if e.Lost {
		p.t.Errorf("lost: %+v", e)
	}
	return e
}

func (p *follower) writable() {
	p.t.Helper()
	if e := p.probe(); e.State != shed.Writable {
		p.t.Fatalf("%v (%v): %v", e.State, e.Cause, e.Err)
	}
}

func isStale(e store.Evidence) bool {
	return e.State == shed.ReadOnly && e.Cause == shed.CauseStalePrimary && e.Definite && e.Reached && e.Err != nil
}

// until probes until so, and returns how long that took. each is called for every evidence before.
func (p *follower) until(what string, so func(store.Evidence) bool, each func(store.Evidence)) time.Duration {
	p.t.Helper()
	var e store.Evidence
	for from := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if e = p.probe(); so(e) {
			return time.Since(from)
		}
		if each != nil {
			each(e)
		}
		if time.Since(from) > 60*time.Second {
			p.t.Fatalf("never: %s: %v (%v): %v", what, e.State, e.Cause, e.Err)
		}
	}
}

func (p *follower) untilStale() time.Duration {
	p.t.Helper()
	return p.until("stale_primary", isStale, nil)
}

func (p *follower) untilWritable() time.Duration {
	p.t.Helper()
	return p.until("writable", func(e store.Evidence) bool { return e.State == shed.Writable }, nil)
}

// council is three Sentinels that say what the test has them say.
type council struct {
	fakes [3]*fake
	addrs []string

	mu    sync.Mutex
	votes [3]string // an address, "" for a primary that is not known, "hang" for no answer
}

func serveCouncil(t *testing.T, votes ...string) *council {
	c := &council{}
	c.say(votes...)
	for i := range c.fakes {
		var addr string
		c.fakes[i], addr = serveFake(t, func(words []string) string {
			switch strings.ToLower(words[0]) {
			case "subscribe":
				return "listen"
			case "sentinel":
				return c.answer(i)
			}
			return ""
		})
		c.addrs = append(c.addrs, addr)
	}
	return c
}

func (c *council) say(votes ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	copy(c.votes[:], votes)
}

func (c *council) answer(i int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch vote := c.votes[i]; vote {
	case "hang":
		return vote
	case "":
		return "*-1\r\n"
	default:
		host, port, _ := net.SplitHostPort(vote)
		return "*2\r\n" + bulk(host) + bulk(port)
	}
}

// through has every Sentinel asked twice more, and checks each evidence meanwhile.
func (c *council) through(p *follower, check func()) {
	p.t.Helper()
	const question = "sentinel get-master-addr-by-name"
	var before [3]int
	for i, f := range c.fakes {
		before[i] = f.count(question)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		check()
		asked := true
		for i, f := range c.fakes {
			asked = asked && f.count(question) >= before[i]+2
		}
		if asked {
			return
		}
		if time.Now().After(end) {
			p.t.Fatal("the Sentinels are not asked")
		}
	}
}

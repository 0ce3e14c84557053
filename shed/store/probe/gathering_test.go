package probe

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// gathering is nodes that say of their cluster what the test has them say. Each takes every key, unless it is to send them elsewhere.
type gathering struct {
	t     *testing.T
	fakes []*fake
	addrs []string

	mu    sync.Mutex
	says  []string // the table of each, with its nodes by their numbers; "hang", or an error
	keys  []string // what each answers to GET and SET; "" as a store does
	epoch int
}

func gather(t *testing.T, says ...string) *gathering {
	g := &gathering{t: t, says: says, keys: make([]string, len(says))}
	for i := range says {
		f, addr := serveFake(t, func(words []string) string {
			g.mu.Lock()
			defer g.mu.Unlock()
			switch strings.ToLower(words[0]) {
			case "cluster":
				return g.answer(i, strings.ToLower(words[1]))
			case "get", "set":
				return g.keys[i]
			}
			return ""
		})
		g.fakes, g.addrs = append(g.fakes, f), append(g.addrs, addr)
	}
	return g
}

func (g *gathering) answer(i int, what string) string {
	switch says := g.says[i]; {
	case says == "hang":
		return says
	case strings.HasPrefix(says, "-"):
		return says + "\r\n"
	case what == "info":
		return bulk(fmt.Sprintf("cluster_state:ok\r\ncluster_current_epoch:%d\r\ncluster_stats_messages_sent:%d\r\n", g.epoch, time.Now().UnixNano()))
	default:
		spans := tableOf(says)
		all := fmt.Sprintf("*%d\r\n", len(spans))
		for _, s := range spans {
			all += fmt.Sprintf("*%d\r\n:%d\r\n:%d\r\n", 3+len(s.replicas), s.first, s.last)
			for _, n := range append([]string{s.master}, s.replicas...) {
				_, port, _ := net.SplitHostPort(g.addrs[n[0]-'0'])
				all += "*3\r\n" + bulk("127.0.0.1") + ":" + port + "\r\n" + bulk(n)
			}
		}
		return all
	}
}

// say has the nodes say other tables, from the first on.
func (g *gathering) say(says ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	copy(g.says, says)
	g.epoch++
}

// send has a node answer keys so.
func (g *gathering) send(i int, answer string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keys[i] = answer
}

// through has every node that is asked at all asked twice more, and checks meanwhile.
func (g *gathering) through(f *finder, check func()) {
	g.t.Helper()
	f.mu.Lock()
	before := map[*member]uint64{}
	for _, m := range f.members {
		before[m] = m.asked
	}
	f.mu.Unlock()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		check()
		f.mu.Lock()
		asked := true
		for _, m := range f.members {
			asked = asked && m.asked >= before[m]+2
		}
		f.mu.Unlock()
		if asked {
			return
		}
		if time.Now().After(end) {
			g.t.Fatal("the nodes are not asked")
		}
	}
}

const thirds = "0-5460 0 3, 5461-10922 1, 10923-16383 2"

// What a minority says, or does not, changes nothing; what the majority says does, within moments though no canary meets anything.
func TestAMajorityOfPrimariesDecides(t *testing.T) {
	t.Parallel()
	g := gather(t, thirds, thirds, thirds, thirds)
	f := finding(t, ClusterSettings{Addresses: []string{g.addrs[2], g.addrs[2]}})
	f.gap = 200 * time.Millisecond
	f.found(3)
	f.untilWritable()
	for _, says := range [][]string{
		{"0-16383 3", thirds, thirds}, {thirds, "", thirds}, {"hang", "0-5460 3, 5461-10922 1, 10923-16383 2", thirds},
		{"-ERR no", "hang", "0-16383 3"}, {"0-16383 0", "0-16383 1", "0-16383 2"},
	} {
		g.say(says...)
		g.through(f, func() {
			if f.follow(); !writable(f.all()) || f.at(three[0]) != g.addrs[0] || len(f.names) != 3 {
				t.Fatalf("%v: %v at %s", says, show(f.all()), f.at(three[0]))
			}
		})
		g.say(thirds, thirds, thirds) // so that no two who lie after each other are taken for two
		g.through(f, func() {})
	}

	// The majority names another, which the node itself has not heard: it goes on as before.
	moved := "0-5460 3, 5461-10922 1, 10923-16383 2"
	g.say("hang", moved, moved, moved)
	stale := func(all map[string]store.Evidence) bool { return isStale(all[three[0]]) }
	t.Logf("stale_primary %v after the majority moved", f.until("stale_primary", stale, nil))
	for range 20 {
		if all := f.all(); !stale(all) || all[three[1]].State != shed.Writable || all[three[2]].State != shed.Writable {
			t.Errorf("%v", show(all))
		}
	}
	g.send(0, "-MOVED 1 "+g.addrs[3]+"\r\n")
	f.untilWritable()
	if f.at(three[0]) != g.addrs[3] {
		t.Errorf("at %s", f.at(three[0]))
	}
	// The one before is the primary again, before the others say so: it is none that should have stopped.
	g.send(0, "")
	f.until("stale_primary", stale, nil)
	g.send(3, "-MOVED 1 "+g.addrs[0]+"\r\n")
	if e := f.probe(three[0]); e.State != shed.Writable {
		t.Errorf("%+v", e)
	}
	if f.follow(); strings.Join(f.names, " ") != strings.Join(three, " ") {
		t.Error(f.names)
	}
}

// A canary that is sent elsewhere is there at once, whatever the others say yet.
func TestARedirectionIsFollowed(t *testing.T) {
	t.Parallel()
	g := gather(t, thirds, thirds, thirds, thirds)
	f := finding(t, ClusterSettings{Addresses: g.addrs[:3]})
	f.found(3)
	f.untilWritable()
	asked := g.fakes[1].count("cluster slots")
	g.send(0, "-MOVED 1 "+g.addrs[3]+"\r\n")
	if e := f.probe(three[0]); e.State != shed.Writable {
		t.Errorf("%+v", e)
	}
	if g.fakes[3].count("set gatehouse:") != 0 { // the keys have a tag, so that this is a name of none
		t.Error("a key without a tag")
	}
	for end := time.Now().Add(10 * time.Second); g.fakes[1].count("cluster slots") == asked; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the others are not asked")
		}
	}
	for from := time.Now(); time.Since(from) < detourFor+500*time.Millisecond; { // nobody says so, but the node itself
		if all := f.all(); !writable(all) {
			t.Fatal(show(all))
		}
	}

	// To another shard, or for once: it is the slot that moves.
	key := func() (slot int) {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.named(three[1]).slot
	}
	g.say(thirds, thirds, thirds)
	for _, row := range []struct{ word, to string }{{"MOVED", g.addrs[2]}, {"ASK", g.addrs[2]}, {"ASK", g.addrs[3]}} {
		slot := key()
		g.mu.Lock()
		first := fmt.Sprintf("-%s %d %s\r\n", row.word, slot, row.to)
		g.mu.Unlock()
		g.fakes[1].mu.Lock()
		say := g.fakes[1].say
		g.fakes[1].say = func(words []string) string {
			if name := strings.ToLower(words[0]); name == "get" || name == "set" {
				if Slot(words[1]) == slot {
					return first
				}
			}
			return say(words)
		}
		g.fakes[1].mu.Unlock()
		if e := f.probe(three[1]); e.State != shed.Writable || key() == slot {
			t.Errorf("%s: %+v", first, e)
		}
	}

	g.send(2, "-MOVED 1 "+g.addrs[2]+"\r\n") // to itself
	if e := f.probe(three[2]); e.State != shed.Down || e.Cause != shed.CauseClusterDown || !errors.Is(e.Err, errRound) {
		t.Errorf("%+v", e)
	}
	for _, said := range []string{"-CLUSTERDOWN The cluster is down\r\n", "-CLUSTERDOWN Hash slot not served\r\n", "-TRYAGAIN Multiple keys\r\n"} {
		g.send(2, said)
		if e := f.probe(three[2]); e.State != shed.Down || e.Cause != shed.CauseClusterDown || !e.Definite {
			t.Errorf("%s: %+v", said, e)
		}
	}
}

// More than half of the primaries are gone, and somebody has their replicas take over: they are asked, in time.
func TestOthersAreAskedWhereThePrimariesAreGone(t *testing.T) {
	t.Parallel()
	const before = "0-5460 0 3, 5461-10922 1 4, 10923-16383 2"
	g := gather(t, before, before, before, before, before)
	f := finding(t, ClusterSettings{Addresses: g.addrs[:1]})
	f.found(3)
	f.untilWritable()
	if n := g.fakes[3].count("cluster slots"); n != 0 {
		t.Errorf("a replica was asked %d times", n)
	}
	const after = "0-5460 3, 5461-10922 4, 10923-16383 2"
	g.say("hang", "hang", after, after, after)
	g.send(0, "hang")
	g.send(1, "hang")
	f.until("at the replicas", func(all map[string]store.Evidence) bool {
		return f.at(three[0]) == g.addrs[3] && f.at(three[1]) == g.addrs[4] && writable(all)
	}, nil)
	if strings.Join(f.names, " ") != strings.Join(three, " ") {
		t.Error(f.names)
	}
}

// A user that may not say what the cluster is like, but who serves what.
func TestTheTableAloneIsEnough(t *testing.T) {
	t.Parallel()
	g := gather(t, thirds, thirds, thirds, thirds)
	for _, fake := range g.fakes {
		say := fake.say
		fake.say = func(words []string) string {
			if strings.EqualFold(strings.Join(words, " "), "cluster info") {
				return "-NOPERM this user has no permissions\r\n"
			}
			return say(words)
		}
	}
	f := finding(t, ClusterSettings{Addresses: g.addrs[:1]})
	f.found(3)
	f.untilWritable()
	g.say(thirds, "0-5460 3, 5461-10922 1, 10923-16383 2", "0-5460 3, 5461-10922 1, 10923-16383 2")
	g.send(0, "hang")
	f.until("at another", func(all map[string]store.Evidence) bool { return f.at(three[0]) == g.addrs[3] && writable(all) }, nil)
	if n := g.fakes[0].count("cluster info"); n != 1 {
		t.Errorf("asked %d times for what is refused", n)
	}
}

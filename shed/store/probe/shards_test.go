package probe

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// shards is a cluster of the test's own: three primaries, each with a third of the slots, and others.
type shards struct {
	t       *testing.T
	nodes   []*server          // the primaries, then the others
	firsts  [4]int             // of each primary's slots, and the end
	members map[*server]string // their names
	bus     map[*server]string // their ports for each other
}

// serveShards starts a cluster of n nodes: the fourth to sixth are replicas, if there are six, and primaries without slots else. more
// are further arguments of each node.
func serveShards(t *testing.T, n int, more ...string) *shards {
	t.Helper()
	c := &shards{t: t, firsts: [4]int{0, 5461, 10923, Slots}, members: map[*server]string{}, bus: map[*server]string{}}
	for range n {
		port := freePort(t)
		s := serve(t, append([]string{"--cluster-enabled", "yes", "--cluster-port", port, "--cluster-node-timeout", "1500",
			"--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes"}, more...)...)
		c.bus[s] = port
		c.nodes = append(c.nodes, s)
		c.members[s] = s.do("cluster", "myid").(string)
	}
	for i, s := range c.nodes {
		s.do("cluster", "set-config-epoch", i+1)
		if i < 3 {
			s.do("cluster", "addslotsrange", c.firsts[i], c.firsts[i+1]-1)
		}
	}
	for _, s := range c.nodes[1:] {
		c.nodes[0].do("cluster", "meet", s.host, s.port, c.bus[s])
	}
	c.agree(n, 3)
	if n < 6 {
		return c
	}
	for i, s := range c.nodes[3:] {
		s.do("cluster", "replicate", c.members[c.nodes[i]])
	}
	for _, s := range c.nodes[3:] {
		s.eventually("a replica", func() bool {
			return strings.Contains(s.do("info", "replication").(string), "master_link_status:up")
		})
	}
	c.agree(n, 3)
	for _, s := range c.nodes { // that each knows whose replica is whose
		s.eventually("the replicas are known", func() bool {
			return strings.Count(s.do("cluster", "nodes").(string), "slave ") == n-3
		})
	}
	return c
}

// agree waits until all nodes know each other, and that all is well.
func (c *shards) agree(nodes, size int) {
	c.t.Helper()
	for _, s := range c.nodes {
		s.eventually("the nodes agree", func() bool {
			said := s.do("cluster", "info").(string)
			return strings.Contains(said, "cluster_state:ok") && strings.Contains(said, fmt.Sprintf("cluster_known_nodes:%d\r", nodes)) &&
				strings.Contains(said, fmt.Sprintf("cluster_size:%d\r", size))
		})
	}
}

// failover has a replica take over, and waits until it has. The cluster refuses silently where the last failover is not long ago.
func (c *shards) failover(heir *server) {
	c.t.Helper()
	heir.eventually("it is a replica that has everything", func() bool {
		return strings.Contains(heir.do("info", "replication").(string), "master_link_status:up")
	})
	var tried time.Time
	heir.eventually("it is the primary", func() bool {
		is, err := heir.ctl.Do(context.Background(), "role").Slice()
		if err == nil && is[0] == "master" {
			return true
		}
		if time.Since(tried) > time.Second {
			tried = time.Now()
			_ = heir.try("cluster", "failover")
		}
		return false
	})
}

// finder is a Cluster whose parts are probed, as a Group would.
type finder struct {
	*Cluster
	t       *testing.T
	timeout time.Duration
	changed <-chan struct{}
	names   []string
	probers map[string]store.Prober

	forgives bool // a shard may be lost
	lost     atomic.Int32
}

func finding(t *testing.T, set ClusterSettings) *finder {
	t.Helper()
	if set.Node.Prefix == "" {
		set.Node.Prefix = "gatehouse:"
	}
	f := &finder{Cluster: NewCluster(set), t: t, timeout: time.Second, probers: map[string]store.Prober{}}
	f.take()
	t.Cleanup(func() {
		from := time.Now()
		for _, p := range f.probers {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := f.Close(); err != nil || time.Since(from) > 5*time.Second {
			t.Errorf("closed after %v: %v", time.Since(from), err)
		}
	})
	return f
}

// finding is a Finder that knows but one node.
func (c *shards) finding() *finder {
	c.t.Helper()
	f := finding(c.t, ClusterSettings{Addresses: []string{c.nodes[1].addr()}})
	f.found(3)
	return f
}

// take takes in the parts that there are.
func (f *finder) take() {
	parts, changed := f.Parts()
	f.changed, f.names = changed, nil
	are := map[string]store.Prober{}
	for _, p := range parts {
		f.names = append(f.names, p.Name)
		if are[p.Name] = f.probers[p.Name]; are[p.Name] == nil {
			are[p.Name] = p.Prober
		}
	}
	for name, p := range f.probers {
		if are[name] == nil {
			_ = p.Close()
		}
	}
	f.probers = are
}

// follow takes in the parts if they have changed.
func (f *finder) follow() {
	select {
	case <-f.changed:
		f.take()
	default:
	}
}

// found probes until there are n shards.
func (f *finder) found(n int) {
	f.t.Helper()
	for end := time.Now().Add(20 * time.Second); f.names[0] == whole || len(f.names) != n; f.follow() {
		for _, name := range f.names {
			if e := f.probe(name); f.names[0] == whole && e.State != shed.Unknown {
				f.t.Logf("%s: %v (%v): %v", name, e.State, e.Cause, e.Err)
			}
		}
		if time.Now().After(end) {
			f.t.Fatalf("found %v", f.names)
		}
	}
}

func (f *finder) probe(name string) store.Evidence {
	f.t.Helper()
	p := f.probers[name]
	if p == nil {
		f.t.Fatalf("no part %s: %v", name, f.names)
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.timeout)
	defer cancel()
	from := time.Now()
	e := p.Probe(ctx, 64)
	if took := time.Since(from); took > f.timeout+250*time.Millisecond {
		f.t.Errorf("%s: returned after %v at a deadline of %v", name, took, f.timeout)
	}
	if e.Lost {
		f.lost.Add(1)
	}
	if e.Lost && !f.forgives {
		f.t.Errorf("%s: lost: %+v", name, e)
	}
	return e
}

// all is the evidence of every part.
func (f *finder) all() map[string]store.Evidence {
	var mu sync.Mutex
	all := map[string]store.Evidence{}
	var work sync.WaitGroup
	for _, name := range f.names {
		work.Go(func() {
			e := f.probe(name)
			mu.Lock()
			defer mu.Unlock()
			all[name] = e
		})
	}
	work.Wait()
	return all
}

// until probes all parts, as they are by then, until so, and returns how long that took. each is called for what was before.
func (f *finder) until(what string, so func(map[string]store.Evidence) bool, each func(map[string]store.Evidence)) time.Duration {
	f.t.Helper()
	for from := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		f.follow()
		all := f.all()
		if so(all) {
			return time.Since(from)
		}
		if each != nil {
			each(all)
		}
		if time.Since(from) > 30*time.Second {
			f.t.Fatalf("never: %s: %v", what, show(all))
		}
	}
}

func (f *finder) untilWritable() time.Duration {
	f.t.Helper()
	return f.until("all are writable", writable, nil)
}

func writable(all map[string]store.Evidence) bool {
	for _, e := range all {
		if e.State != shed.Writable {
			return false
		}
	}
	return true
}

func show(all map[string]store.Evidence) string {
	var b strings.Builder
	for name, e := range all {
		fmt.Fprintf(&b, "%s: %v (%v): %v; ", name, e.State, e.Cause, e.Err)
	}
	return b.String()
}

// at is where a shard is believed to be.
func (f *finder) at(name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.named(name); s != nil {
		return s.master
	}
	return ""
}

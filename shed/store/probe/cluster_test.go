package probe

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

var three = []string{"shard-0", "shard-5461", "shard-10923"}

// Scenario 20: one shard hangs. It is seen at once, the others are not touched until the cluster itself closes all.
func TestAShardHangs(t *testing.T) {
	t.Parallel()
	c := serveShards(t, 3)
	f := c.finding()
	if !slices.Equal(f.names, three) {
		t.Fatal(f.names)
	}
	f.timeout = 100 * time.Millisecond
	f.untilWritable()
	for _, row := range []struct{ key, want string }{{"foo", "shard-10923"}, {"bar", "shard-0"}, {"sess:{foo}", "shard-10923"}} {
		if name, ok := f.Of(row.key); !ok || name != row.want {
			t.Errorf("%s: %s, %v", row.key, name, ok)
		}
	}
	c.nodes[1].signal(syscall.SIGSTOP)
	from := time.Now()
	f.until("the shard fails", func(all map[string]store.Evidence) bool { return all[three[1]].State == shed.Down }, nil)
	t.Logf("seen after %v", time.Since(from))
	f.until("the cluster is down", func(all map[string]store.Evidence) bool {
		return all[three[0]].Cause == shed.CauseClusterDown && all[three[2]].Cause == shed.CauseClusterDown
	}, func(all map[string]store.Evidence) {
		for i, name := range three {
			switch e := all[name]; {
			case i == 1 && e.State != shed.Down:
				t.Errorf("%s: %v (%v): %v", name, e.State, e.Cause, e.Err)
			case i != 1 && e.State != shed.Writable && e.Cause != shed.CauseClusterDown:
				t.Logf("%s: %v (%v): %v", name, e.State, e.Cause, e.Err) // two busy cores
			}
		}
	})
	t.Logf("all down after %v", time.Since(from))
	c.nodes[1].signal(syscall.SIGCONT)
	t.Logf("writable %v after it goes on", f.untilWritable())
	if !slices.Equal(f.names, three) {
		t.Error(f.names)
	}
}

// A failover that somebody asks for is no loss, and the shard stays the same.
func TestAShardFailsOver(t *testing.T) {
	t.Parallel()
	c := serveShards(t, 6)
	f := c.finding()
	f.untilWritable()
	old, heir := c.nodes[0], c.nodes[3]
	c.failover(heir)
	from := time.Now()
	f.until("at the replica", func(all map[string]store.Evidence) bool { return f.at(three[0]) == heir.addr() && writable(all) },
		func(all map[string]store.Evidence) {
			for name, e := range all {
				if e.State != shed.Writable {
					t.Logf("after %v: %s: %v (%v): %v", time.Since(from), name, e.State, e.Cause, e.Err)
				}
			}
		})
	t.Logf("followed after %v", time.Since(from))
	if !slices.Equal(f.names, three) {
		t.Error(f.names)
	}

	old.eventually("it is a replica", func() bool {
		return strings.Contains(fmt.Sprint(old.ctl.Do(t.Context(), "info", "replication").Val()), "master_link_status:up")
	})

	// The killed one is replaced, and comes back as a replica.
	heir.kill()
	from = time.Now()
	f.until("the shard fails", func(all map[string]store.Evidence) bool { return all[three[0]].State == shed.Down }, nil)
	f.until("back at the first", func(all map[string]store.Evidence) bool { return f.at(three[0]) == old.addr() && writable(all) }, nil)
	t.Logf("at the promoted replica %v after the kill", time.Since(from))
	heir.start()
	stale := 0
	f.until("it is a replica", func(map[string]store.Evidence) bool {
		return strings.Contains(fmt.Sprint(heir.ctl.Do(t.Context(), "role").Val()), "slave")
	}, func(all map[string]store.Evidence) {
		if isStale(all[three[0]]) {
			stale++
		}
	})
	t.Logf("stale_primary %d times while it came back", stale)
	f.untilWritable()
	if !slices.Equal(f.names, three) {
		t.Error(f.names)
	}
}

// A frozen primary that thaws after another took its place.
func TestAShardsPrimaryThaws(t *testing.T) {
	t.Parallel()
	c := serveShards(t, 6)
	f := c.finding()
	f.timeout = 200 * time.Millisecond
	f.untilWritable()
	c.nodes[2].signal(syscall.SIGSTOP)
	f.until("the shard fails", func(all map[string]store.Evidence) bool { return all[three[2]].State == shed.Down }, nil)
	t.Logf("writable at the replica %v after that", f.until("at the replica", func(all map[string]store.Evidence) bool {
		return f.at(three[2]) == c.nodes[5].addr() && writable(all)
	}, nil))
	c.nodes[2].signal(syscall.SIGCONT)
	stale := 0
	f.until("it is a replica", func(map[string]store.Evidence) bool {
		return strings.Contains(fmt.Sprint(c.nodes[2].ctl.Do(t.Context(), "role").Val()), "slave")
	}, func(all map[string]store.Evidence) {
		if isStale(all[three[2]]) {
			stale++
		}
	})
	t.Logf("stale_primary %d times while it thawed", stale)
	f.untilWritable()
	if !slices.Equal(f.names, three) {
		t.Error(f.names)
	}
}

// Facts, row 22: without full coverage the cluster says that all is well, and a third of the keys fail. It restarts empty, too.
func TestAShardIsGone(t *testing.T) {
	t.Parallel()
	c := serveShards(t, 3, "--cluster-require-full-coverage", "no")
	f := c.finding()
	f.untilWritable()
	vitals := map[string]bool{}
	f.until("vitals of each", func(all map[string]store.Evidence) bool {
		for name, e := range all {
			vitals[name] = vitals[name] || e.Vitals != nil && e.Vitals.MemoryUsed > 0
		}
		return vitals[three[0]] && vitals[three[1]] && vitals[three[2]]
	}, nil)
	c.nodes[1].kill()
	others := func(all map[string]store.Evidence) {
		if all[three[0]].State != shed.Writable || all[three[2]].State != shed.Writable {
			t.Error(show(all))
		}
	}
	f.until("the shard is gone", func(all map[string]store.Evidence) bool {
		others(all)
		e := all[three[1]]
		return e.State == shed.Down && e.Cause == shed.CauseRefused && e.Definite
	}, nil)
	c.nodes[0].eventually("the cluster has noticed", func() bool {
		others(f.all())
		said := c.nodes[0].do("cluster", "info").(string)
		return strings.Contains(said, "cluster_state:ok") && strings.Contains(said, "cluster_slots_fail:5462")
	})
	if f.follow(); !slices.Equal(f.names, three) {
		t.Error(f.names)
	}
	f.forgives = true
	c.nodes[1].start()
	f.untilWritable()
	for range 3 {
		f.all()
	}
	if f.lost.Load() != 1 {
		t.Errorf("lost %d times", f.lost.Load())
	}
}

// Each Gatehouse asks which shard holds the key of a request, for each request.
func TestOf(t *testing.T) {
	g := gather(t, thirds, thirds, thirds, thirds)
	f := finding(t, ClusterSettings{Addresses: g.addrs[:1]})
	if name, ok := f.Of("foo"); ok || name != "" {
		t.Errorf("%s of nothing", name)
	}
	f.found(3)
	if n := testing.AllocsPerRun(100, func() { f.Of("sess:0123456789") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	g.say("0-5460 0 3, 10923-16383 2", "0-5460 0 3, 10923-16383 2", "0-5460 0 3, 10923-16383 2")
	for end := time.Now().Add(20 * time.Second); ; f.all() {
		if f.follow(); len(f.names) == 2 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("a shard that nobody names stays")
		}
	}
	for slot, want := range map[int]string{5460: three[0], 5461: "", 10922: "", 10923: three[2]} {
		if name, ok := f.Of(keyIn(slot)); name != want || ok != (want != "") {
			t.Errorf("%d: %s", slot, name)
		}
	}
}

// Its parts may outlive a Cluster, and it may outlive them; whoever has none yet, or has closed them, is told.
func TestAClusterIsClosed(t *testing.T) {
	t.Parallel()
	g := gather(t, thirds, thirds, thirds, thirds)
	c := NewCluster(ClusterSettings{Addresses: g.addrs[:1]})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	parts, _ := c.Parts()
	if e := parts[0].Prober.Probe(t.Context(), 64); e.State != shed.Unknown || !errors.Is(e.Err, errClosed) {
		t.Errorf("%+v", e)
	}
	f := finding(t, ClusterSettings{Addresses: g.addrs[:1]})
	f.found(3)
	f.untilWritable()
	_ = f.Cluster.Close()
	for _, p := range f.probers {
		if e := p.Probe(t.Context(), 64); e.State != shed.Unknown || !errors.Is(e.Err, errClosed) {
			t.Errorf("%+v", e)
		}
		if e := p.Greet(t.Context()); e.State != shed.Unknown || !errors.Is(e.Err, errClosed) {
			t.Errorf("%+v", e)
		}
	}
}

// A new connection to a shard is tried at its node, beside its probes.
func TestAShardIsGreeted(t *testing.T) {
	t.Parallel()
	g := gather(t, thirds, thirds, thirds, thirds)
	f := finding(t, ClusterSettings{Addresses: g.addrs[:1]})
	f.found(3)
	var work sync.WaitGroup
	defer work.Wait()
	for _, p := range f.probers {
		for range 3 {
			work.Go(func() {
				if e := p.Greet(t.Context()); e.State != shed.Writable {
					t.Errorf("%+v", e)
				}
			})
		}
	}
	f.untilWritable()
}

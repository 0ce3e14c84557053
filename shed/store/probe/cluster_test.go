package probe

import (
	"fmt"
	"slices"
	"strings"
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
	c := serveShards(t, false)
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
	c := serveShards(t, true)
	f := c.finding()
	f.untilWritable()
	old, heir := c.nodes[0], c.nodes[3]
	heir.do("cluster", "failover")
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
	c := serveShards(t, true)
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

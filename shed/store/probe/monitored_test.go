package probe

import (
	"syscall"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// told is a transition of a shard's Monitor.
type told struct {
	shard string
	store.Transition
}

// monitored has a Monitor watch each shard, and returns once all are writable what they tell from then on.
func (f *finder) monitored() <-chan told {
	f.t.Helper()
	news := make(chan told, 256)
	first := make(chan told, 256)
	for _, name := range f.names {
		p := f.probers[name]
		delete(f.probers, name)
		well := false
		m := store.New(p, store.Settings{
			Interval: 50 * time.Millisecond, Timeout: 200 * time.Millisecond, Payload: 4096, Rise: 3, After: 100 * time.Millisecond,
		}, func(t store.Transition) {
			if well {
				news <- told{name, t}
				return
			}
			well = t.To == shed.Writable
			first <- told{name, t}
		})
		f.t.Cleanup(m.Close)
		m.Start()
	}
	for n := 0; n < len(f.names); {
		select {
		case t := <-first:
			if t.To == shed.Writable {
				n++
			}
		case <-time.After(20 * time.Second):
			f.t.Fatal("never writable")
		}
	}
	return news
}

// Monitors over the shards: that which hangs closes, and the others only when the cluster itself says that it is down.
func TestMonitorsOverShards(t *testing.T) {
	t.Parallel()
	c := serveShards(t, 3)
	news := c.finding().monitored()
	c.nodes[1].signal(syscall.SIGSTOP)
	from := time.Now()
	down, back, on := 0, 0, false
	for back < 3 {
		var n told
		select {
		case n = <-news:
		case <-time.After(20 * time.Second):
			t.Fatalf("%d are down, %d back", down, back)
		}
		t.Logf("after %v: %s: %v (%v)", n.At.Sub(from), n.shard, n.To, n.Cause)
		switch {
		case n.Lost:
			t.Errorf("lost: %+v", n)
		case n.To == shed.Writable && on:
			back++
		case n.From != n.To && down == 0 && n.shard != three[1]:
			t.Errorf("the first that closes: %+v", n)
		case n.From != n.To && n.shard != three[1] && n.Cause != shed.CauseClusterDown:
			t.Errorf("%+v", n)
		case n.From == shed.Writable:
			if down++; down == 3 {
				on, from = true, time.Now()
				c.nodes[1].signal(syscall.SIGCONT)
			}
		}
	}
}

// A failover that somebody asks for, and back, is nothing that a Monitor tells of.
func TestMonitorsOverAFailover(t *testing.T) {
	t.Parallel()
	c := serveShards(t, 6)
	f := c.finding()
	news := f.monitored()
	for _, heir := range []*server{c.nodes[3], c.nodes[0]} {
		c.failover(heir)
		heir.eventually("the cluster has another primary", func() bool {
			return f.at(three[0]) == heir.addr()
		})
		select {
		case n := <-news:
			t.Errorf("%s: %+v", n.shard, n.Transition)
		default:
		}
	}
}

// One node with a user that has no more rights than it must: the canary's keys begin with the prefix, whatever slot they fall in.
func TestAClusterOfOneAndTheRightsItTakes(t *testing.T) {
	t.Parallel()
	s := serve(t, "--cluster-enabled", "yes")
	s.do("cluster", "addslotsrange", 0, Slots-1)
	s.do("acl", "setuser", "probe", "reset", "on", ">secret", "~gatehouse:*", "+get", "+set", "+cluster|slots")
	f := finding(t, ClusterSettings{Addresses: []string{s.addr()}, Node: Settings{
		Username: "probe", Password: func() (string, error) { return "secret", nil }}})
	f.found(1)
	f.untilWritable()
	if f.names[0] != three[0] || f.at(three[0]) != s.addr() {
		t.Errorf("%v at %s", f.names, f.at(three[0]))
	}
	s.do("acl", "setuser", "probe", "-set")
	f.until("what is refused", func(all map[string]store.Evidence) bool {
		e := all[three[0]]
		return e.State == shed.Unknown && e.Cause == shed.CauseProberAuth
	}, nil)
}

package test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"gatehouse/shed/store/probe"
)

// cluster is six real redis-servers on loopback: three primaries, each with a third of the slots, and a replica of each.
type cluster struct {
	t     *testing.T
	nodes []*redisServer // the primaries in the order of their slots, then their replicas in the same order
	ids   []string
	cli   *redis.ClusterClient // the test's own
}

// firstSlots are the lowest slots of the shards, and the end.
var firstSlots = [...]int{0, 5461, 10923, probe.Slots}

// shardName is how Gatehouse names the i-th shard.
func shardName(i int) string { return fmt.Sprintf("shard-%d", firstSlots[i]) }

// startCluster starts one. Coverage says whether no slot is served while one of them is not (cluster-require-full-coverage).
func startCluster(t *testing.T, coverage string) *cluster {
	t.Helper()
	c := &cluster{t: t}
	var bus []string
	for range 6 {
		port := freePort(t)
		n := startRedis(t, "--cluster-enabled", "yes", "--cluster-port", port, "--cluster-node-timeout", "1500",
			"--cluster-replica-validity-factor", "0", "--cluster-require-full-coverage", coverage)
		id, err := n.cli.ClusterMyID(context.Background()).Result()
		if err != nil {
			t.Fatal(err)
		}
		c.nodes, c.ids, bus = append(c.nodes, n), append(c.ids, id), append(bus, port)
	}
	for i, n := range c.nodes {
		n.do("CLUSTER", "SET-CONFIG-EPOCH", fmt.Sprint(i+1))
		if i < 3 {
			n.do("CLUSTER", "ADDSLOTSRANGE", fmt.Sprint(firstSlots[i]), fmt.Sprint(firstSlots[i+1]-1))
		}
	}
	for i, n := range c.nodes[1:] {
		c.nodes[0].do("CLUSTER", "MEET", n.host, n.port, bus[i+1])
	}
	c.agree("cluster_known_nodes:6")
	for i, n := range c.nodes[3:] {
		n.do("CLUSTER", "REPLICATE", c.ids[i])
	}
	for _, n := range c.nodes {
		eventually(t, 30*time.Second, "the replicas are known and have caught up", func() bool {
			said, err := n.cli.ClusterNodes(context.Background()).Result()
			if err != nil || strings.Count(said, "slave ") != 3 {
				return false
			}
			info, err := n.cli.Info(context.Background(), "replication").Result()
			return err == nil && (strings.Contains(info, "master_link_status:up") || strings.Contains(info, "connected_slaves:1"))
		})
	}
	c.agree("cluster_state:ok")
	c.cli = c.client()
	t.Cleanup(func() { _ = c.cli.Close() })
	return c
}

// agree waits until every node says so of the cluster.
func (c *cluster) agree(what string) {
	c.t.Helper()
	for _, n := range c.nodes {
		eventually(c.t, 30*time.Second, "every node says "+what, func() bool {
			said, err := n.cli.ClusterInfo(context.Background()).Result()
			return err == nil && strings.Contains(said, what+"\r")
		})
	}
}

func (c *cluster) addresses() (all []string) {
	for _, n := range c.nodes {
		all = append(all, n.address())
	}
	return all
}

// client is a client of all of it, as an app has one.
func (c *cluster) client() *redis.ClusterClient {
	return redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: c.addresses(), DialTimeout: 300 * time.Millisecond, ReadTimeout: 400 * time.Millisecond, WriteTimeout: 400 * time.Millisecond,
		DialerRetries: 1, MaxRetries: -1, PoolSize: 200, ContextTimeoutEnabled: true, ClusterStateReloadInterval: time.Second,
	})
}

// shard is which of the three holds a session, as the slots were dealt at first.
func (c *cluster) shard(session string) int {
	slot := probe.Slot("sess:" + session)
	return slices.IndexFunc(firstSlots[1:], func(first int) bool { return slot < first })
}

// has reports whether there is such a key, wherever it is kept by now.
func (c *cluster) has(key string) bool {
	c.t.Helper()
	n, err := c.cli.Exists(context.Background(), key).Result()
	if err != nil {
		c.t.Fatal(err)
	}
	return n == 1
}

// heals waits until every shard takes writes again, by whichever node, and returns when.
func (c *cluster) heals() time.Time {
	c.t.Helper()
	ctx := context.Background()
	eventually(c.t, 60*time.Second, "the cluster is whole", func() bool {
		for i := range 3 {
			if c.cli.Set(ctx, "{"+c.tag(i)+"}tried", "1", time.Minute).Err() != nil {
				c.cli.ReloadState(ctx)
				return false
			}
		}
		return true
	})
	return time.Now()
}

// tag is a hash tag whose keys are the i-th shard's.
func (c *cluster) tag(i int) string {
	for n := 0; ; n++ {
		if tag := fmt.Sprint(n); probe.Slot(tag) >= firstSlots[i] && probe.Slot(tag) < firstSlots[i+1] {
			return tag
		}
	}
}

// frozen is the shard that scenarios break.
const frozen = 1

// signalShard sends a signal to the primary of the shard that is broken, and to its replica, so that nobody takes its place.
func (c *cluster) signalShard(s syscall.Signal) {
	c.t.Helper()
	c.nodes[frozen].signal(s)
	c.nodes[frozen+3].signal(s)
}

// setCluster builds a stage of a cluster; minShards is what the file says of it.
func setCluster(coverage, minShards string) func(*stage) {
	return setClusterOf(ordinary, coverage, minShards)
}

// setClusterOf is setCluster, with apps of that framework.
func setClusterOf(f framework, coverage, minShards string) func(*stage) {
	return func(st *stage) {
		st.t.Helper()
		c := startCluster(st.t, coverage)
		st.cluster, st.keeps = c, c.has
		st.app, st.bare = startAppBy(st.t, c.client(), f), startAppBy(st.t, c.client(), f)
		st.file = site{
			backend: st.app.URL,
			place: fmt.Sprintf(`cluster: {addresses: [%s], min_shards: %s, key: "sess:{id}"}`,
				`"`+strings.Join(c.addresses()[:3], `", "`)+`"`, minShards),
		}.text()
		st.with, st.without = startGatehouse(st.t, st.file), startGatehouse(st.t, site{backend: st.bare.URL}.text())
		eventually(st.t, patience, "every shard is known to be well", func() bool {
			for i := range 3 {
				if st.with.stateOf(st.t, shardName(i)) != "writable" {
					return false
				}
			}
			return true
		})
	}
}

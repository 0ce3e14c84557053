package test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// What is promised of a cluster of which a shard fails.
const (
	shardMarked = 800 * time.Millisecond
	clusterBack = 5 * time.Second // once it is whole
)

// clusterFaults are the ways in which a part of a cluster says no, or is away, while the others work.
func clusterFaults() []*scenario {
	return []*scenario{
		frozenShard("cluster: shard frozen", "all", true),
		frozenShard("cluster: shard frozen, two are enough", "2", false),
		fullShard(),
		wholeClusterDown(),
		promoted(),
		plannedFailover(),
		{
			name: "cluster: resharded under load", state: "writable", reads: true, lasts: time.Second,
			honest: clientsFollow,
			build:  setCluster("yes", "all"),
			breaks: func(st *stage) { st.cluster.reshard(300) },
			mend:   func(st *stage) { st.cluster.heals(); st.mended = time.Now() },
			check: func(t *testing.T, st *stage, _ seen) {
				st.steady(t)
				held := st.cluster.nodes[0].keys("gatehouse:*")
				if len(held) == 0 || len(st.cluster.nodes[frozen].keys("gatehouse:*")) == 0 {
					t.Errorf("both nodes are to be probed still; the one holds %v", held)
				}
			},
		},
	}
}

const clientsFollow = "nothing: the cluster's own clients follow. It can fail by a shard that is taken for impaired, or for empty"

// plannedFailover has a replica take over from a primary that lives and knows of it.
func plannedFailover() *scenario {
	return &scenario{
		name: "cluster: planned failover", state: "writable", reads: true, honest: clientsFollow,
		build:  setCluster("no", "all"),
		breaks: func(st *stage) { st.cluster.nodes[frozen+3].do("CLUSTER", "FAILOVER") },
		mend: func(st *stage) {
			eventually(st.t, patience, "the replica has taken over", func() bool {
				info, err := st.cluster.nodes[frozen+3].cli.Info(context.Background(), "replication").Result()
				return err == nil && strings.Contains(info, "role:master")
			})
			st.mended = time.Now()
		},
		check: func(t *testing.T, st *stage, _ seen) { st.steady(t) },
	}
}

// frozenShard is scenario 20: one shard says nothing, its replica neither. Whoever has his session in another is served.
func frozenShard(name, minShards string, quick bool) *scenario {
	s := &scenario{
		name: name, quick: quick, first: silentSignIn, member: silentMember, again: clusterBack,
		causes: []string{"hung"}, state: "down", off: []harm{bareErrors, signOuts},
		build:  setCluster("no", minShards),
		breaks: func(st *stage) { st.cluster.signalShard(syscall.SIGSTOP) },
		mend: func(st *stage) {
			st.shown(st.t)
			st.cluster.signalShard(syscall.SIGCONT)
			st.mended = st.cluster.heals()
			st.wellAgain()
		},
		check: func(t *testing.T, st *stage, _ seen) {
			st.marked(t)
			st.othersServed(t, st.mended)
			st.noLoss(t)
		},
	}
	if minShards != "all" {
		// The whole is not taken for impaired: sign-ins go on, and one of three meets the shard that is away.
		s.causes, s.state, s.first = nil, "writable", -1
		mend := s.mend
		s.mend = func(st *stage) {
			st.joined(st.t)
			mend(st)
		}
		s.check = func(t *testing.T, st *stage, _ seen) {
			st.marked(t)
			st.othersServed(t, st.mended)
			st.noLoss(t)
			st.thirdConverted(t)
		}
	}
	return s
}

// fullShard has one shard take no writes of an app that says to everybody that he is signed in. Two shards are enough.
func fullShard() *scenario {
	return &scenario{
		name: "cluster: shard full, two are enough", app: php, state: "writable", first: -1, reads: true, off: []harm{falseSignIns},
		build:  setClusterOf(php, "no", "2"),
		breaks: func(st *stage) { st.cluster.nodes[frozen].do("CONFIG", "SET", "maxmemory", "1000") },
		mend: func(st *stage) {
			st.thirdConverted(st.t)
			st.cluster.nodes[frozen].do("CONFIG", "SET", "maxmemory", "0")
			st.mended = time.Now()
		},
		check: func(t *testing.T, st *stage, _ seen) {
			st.noLoss(t)
			for _, c := range st.with.changesOf(shardName(frozen)) {
				if c.closes() && c.cause != "full" {
					t.Errorf("the shard closed for %s; want full", c.cause)
				}
			}
		},
	}
}

// wellAgain waits until the shard that was broken is known to be well.
func (st *stage) wellAgain() {
	st.t.Helper()
	eventually(st.t, patience, "the shard is known to be well", func() bool { return st.with.stateOf(st.t, shardName(frozen)) == "writable" })
	st.t.Logf("the shard is well %v after the cluster was whole; promised %v", time.Since(st.mended).Round(time.Millisecond), clusterBack)
}

// thirdConverted fails the test where sign-ins since the fault did not work, but for those that met the shard that is broken, or
// where these were not the page.
func (st *stage) thirdConverted(t *testing.T) {
	t.Helper()
	all := st.guarded.between(st.broken, time.Now(), signIns)
	if !st.mended.IsZero() {
		all = st.guarded.between(st.broken, st.mended, signIns)
	}
	in, pages := count(all, hit.admitted), count(all, func(h hit) bool { return h.became("converted") })
	t.Logf("%d of %d sign-ins during the fault worked, %d became the page: %v", in, len(all), pages, outcomes(all))
	if in < len(all)/3 || pages == 0 || in+pages < len(all) {
		t.Errorf("of %d sign-ins %d worked and %d became the page; want two of three, and the third", len(all), in, pages)
	}
}

// joined has another Gatehouse begin in the middle of it: it knows no better, and serves whom it can.
func (st *stage) joined(t *testing.T) {
	t.Helper()
	g := startGatehouse(t, st.file)
	eventually(t, patience, "a Gatehouse that begins during the fault knows the shard for what it is, and the others", func() bool {
		parts := g.parts(t)
		return len(parts) == 3 && parts[0].State == "writable" && parts[frozen].State == "down" && parts[2].State == "writable"
	})
	l := &load{base: g.url, client: st.guarded.client}
	for _, id := range st.guarded.members {
		h := l.read(id)
		if st.cluster.shard(id) != frozen && !h.ok() {
			t.Errorf("a member whose shard works, at a Gatehouse that began during the fault: %d %s", h.status, h.outcome)
		}
		if h.bare() || h.signedOut {
			t.Errorf("a member at a Gatehouse that began during the fault: %+v", h)
		}
	}
}

// wholeClusterDown freezes a shard of a cluster that serves all slots or none: once the others have noticed, nothing works.
func wholeClusterDown() *scenario {
	return &scenario{
		name: "cluster: shard frozen, all or nothing", first: silentSignIn, member: silentMember, again: clusterBack, lasts: 5 * time.Second,
		causes: []string{"hung"}, state: "down", off: []harm{bareErrors, signOuts},
		build:  setCluster("yes", "all"),
		breaks: func(st *stage) { st.cluster.signalShard(syscall.SIGSTOP) },
		mend: func(st *stage) {
			eventually(st.t, patience, "every shard is known to be down", func() bool {
				return !slices.ContainsFunc([]int{0, 1, 2}, func(i int) bool { return st.with.stateOf(st.t, shardName(i)) != "down" })
			})
			st.cluster.signalShard(syscall.SIGCONT)
			st.mended = st.cluster.heals()
		},
		check: func(t *testing.T, st *stage, _ seen) {
			st.marked(t)
			st.noLoss(t)
			closed := st.mended
			for _, i := range []int{0, 2} {
				for _, c := range st.with.changesOf(shardName(i)) {
					if c.closes() && c.at.Before(closed) {
						closed = c.at
					}
					if c.closes() && c.cause != "cluster_down" {
						t.Errorf("%s closed for %s; want cluster_down", shardName(i), c.cause)
					}
				}
			}
			t.Logf("the other shards are known to be down %v after the fault", closed.Sub(st.broken).Round(time.Millisecond))
			if closed.Equal(st.mended) {
				t.Error("the other shards were never found to be down: the cluster had no need of all slots")
			}
			st.othersServed(t, closed.Add(-time.Second)) // the nodes themselves do not notice at the same moment
		},
	}
}

// promoted has a primary die: its replica takes its place by itself, and the shard is the same one still.
func promoted() *scenario {
	return &scenario{
		name: "cluster: primary killed, replica promoted", first: definite, member: definite, again: clusterBack, lasts: 300 * time.Millisecond,
		causes: []string{"refused", "hung"}, state: "down", off: []harm{bareErrors},
		build:  setCluster("no", "all"),
		breaks: func(st *stage) { st.cluster.nodes[frozen].kill() },
		mend: func(st *stage) {
			st.shown(st.t)
			st.mended = st.cluster.heals()
			st.wellAgain()
		},
		check: func(t *testing.T, st *stage, _ seen) {
			st.marked(t)
			st.othersServed(t, st.mended)
			st.noLoss(t)
		},
	}
}

// shown fails the test where /status does not show the one shard as it is, and the others as they are.
func (st *stage) shown(t *testing.T) {
	t.Helper()
	for i := range 3 {
		want := "writable"
		if i == frozen {
			want = "down"
		}
		if p := st.with.part(t, shardName(i)); p.State != want || p.PartOf != wholeStore {
			t.Errorf("/status shows %s %q, a part of %q; want %s", shardName(i), p.State, p.PartOf, want)
		}
		if state := st.with.stateOf(t, shardName(i)); state != want {
			t.Errorf("gatehouse_store_state shows %s %s; want %s", shardName(i), state, want)
		}
	}
}

// marked fails the test where the shard that is broken was not found to be so in time.
func (st *stage) marked(t *testing.T) {
	t.Helper()
	for _, c := range st.with.changesOf(shardName(frozen)) {
		if c.closes() {
			took := c.at.Sub(st.broken)
			t.Logf("the shard was marked %v after the fault; promised %v", took.Round(time.Millisecond), shardMarked)
			if took > shardMarked*busy {
				t.Errorf("the shard was marked %v after the fault; promised %v", took, shardMarked)
			}
			return
		}
	}
	t.Error("the shard was never marked")
}

// busy is how much more than a promise the checks of parts allow, on a machine that has other things to do.
const busy = 4

// othersServed fails the test where a member whose session is in a shard that works was not served from the fault until then.
func (st *stage) othersServed(t *testing.T, until time.Time) {
	t.Helper()
	elsewhere := func(h hit) bool { return st.cluster.shard(h.session) != frozen }
	all := st.guarded.between(st.broken, until, reads)
	n, bad := count(all, elsewhere), func(h hit) bool { return h.kind == reads && elsewhere(h) && !h.ok() && h.at.Before(until) }
	there := func(h hit) bool { return !elsewhere(h) && h.ok() }
	t.Logf("%d of %d members' requests to the shards that work were served, and %d of %d to the other", n-count(all, bad), n,
		count(all, there), len(all)-n)
	if n == 0 || len(all) == n {
		t.Fatal("no member of the shard, or none of the others, came")
	}
	if count(all, bad) > 0 {
		t.Errorf("members whose shard works were not served: %s", some(st, st.guarded, bad))
	}
}

// noLoss fails the test where a shard was taken for one that came back empty.
func (st *stage) noLoss(t *testing.T) {
	t.Helper()
	for i := range 3 {
		if all := st.with.changesOf(shardName(i)); slices.ContainsFunc(all, func(c change) bool { return c.cause == "session_loss" }) {
			t.Errorf("%s was taken for empty: %v", shardName(i), all)
		}
	}
}

// steady fails the test where anything of the cluster was taken for impaired or empty, or a shard came or went.
func (st *stage) steady(t *testing.T) {
	t.Helper()
	st.noLoss(t)
	for i := range 3 {
		if all := st.with.changesOf(shardName(i)); slices.ContainsFunc(all, change.closes) {
			t.Errorf("%s was taken for impaired: %v", shardName(i), all)
		}
	}
	if parts := st.with.parts(t); len(parts) != 3 {
		t.Errorf("/status shows %d shards", len(parts))
	}
}

// reshard moves that many slots, and those in which the canaries are, from the one shard to that before it, key by key.
func (c *cluster) reshard(n int) {
	c.t.Helper()
	from, to := c.nodes[frozen], c.nodes[0]
	slots := map[int]bool{}
	for _, key := range from.keys("gatehouse:*") {
		slot, err := from.cli.ClusterKeySlot(context.Background(), key).Result()
		if err != nil {
			c.t.Fatal(err)
		}
		slots[int(slot)] = true
	}
	if len(slots) == 0 {
		c.t.Fatal("the shard is not probed")
	}
	for slot := firstSlots[frozen]; len(slots) < n; slot++ {
		slots[slot] = true
	}
	for slot := range slots {
		at := fmt.Sprint(slot)
		to.do("CLUSTER", "SETSLOT", at, "IMPORTING", c.ids[frozen])
		from.do("CLUSTER", "SETSLOT", at, "MIGRATING", c.ids[0])
		for {
			keys, err := from.cli.ClusterGetKeysInSlot(context.Background(), slot, 100).Result()
			if err != nil {
				c.t.Fatal(err)
			}
			if len(keys) == 0 {
				break
			}
			from.do(append([]string{"MIGRATE", to.host, to.port, "", "0", "5000", "KEYS"}, keys...)...)
		}
		to.do("CLUSTER", "SETSLOT", at, "NODE", c.ids[0])
		from.do("CLUSTER", "SETSLOT", at, "NODE", c.ids[0])
		c.nodes[2].do("CLUSTER", "SETSLOT", at, "NODE", c.ids[0])
	}
}

// keys are those of that pattern.
func (r *redisServer) keys(pattern string) []string {
	r.t.Helper()
	all, err := r.cli.Keys(context.Background(), pattern).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		r.t.Fatal(err)
	}
	return all
}

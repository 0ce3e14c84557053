package probe

import (
	"os"
	"strings"
	"testing"
	"time"

	"gatehouse/shed/store"
)

func TestWhatInfoSays(t *testing.T) {
	real, err := os.ReadFile("testdata/info-7.0.15.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := func(s ...string) string { return strings.Join(s, "\r\n") + "\r\n" }
	for _, row := range []struct {
		name, info string
		want       *store.Vitals
	}{
		{"Redis 7.0.15: a primary with a replica and an append-only file", string(real), &store.Vitals{
			MemoryUsed: 1060952 - 112, MemoryMax: 50 << 20, Clients: 1, ClientsMax: 10000, Replicated: true, Good: 1,
		}},
		{"nothing", "", nil},
		{"nothing that is known", lines("# Server", "engine:another", "hello", ":", "db", "slave0"), nil},
		{"an old server: no line on what does not count, on slots, on the last write", lines(
			"# Server", "redis_version:2.8.0", "# Clients", "connected_clients:3", "# Memory", "used_memory:1000",
			"# Persistence", "rdb_last_bgsave_status:ok", "aof_last_bgrewrite_status:ok", "# Stats", "rejected_connections:1",
			"evicted_keys:2", "# Keyspace", "db0:keys=5,expires=0"),
			&store.Vitals{MemoryUsed: 1000, Clients: 3, Rejected: 1, Evicted: 2}},
		{"what does not count is left out", lines("used_memory:1000", "mem_not_counted_for_evict:300", "maxmemory:900"),
			&store.Vitals{MemoryUsed: 700, MemoryMax: 900}},
		{"more that does not count than is used", lines("mem_not_counted_for_evict:300", "used_memory:200"), &store.Vitals{}},
		{"no eviction", lines("maxmemory_policy:noeviction"), &store.Vitals{Refuses: true}},
		{"any key is evicted", lines("maxmemory_policy:allkeys-lru", "# Keyspace", "db0:keys=9,expires=0"), &store.Vitals{}},
		{"only keys that expire, and there are", lines("maxmemory_policy:volatile-ttl", "db0:keys=900,expires=900,avg_ttl=7"),
			&store.Vitals{}},
		{"in another database", lines("maxmemory_policy:volatile-ttl", "db0:keys=900,expires=0", "db3:keys=900,expires=200"),
			&store.Vitals{}},
		{"only keys that expire, and none does", lines("maxmemory_policy:volatile-lru", "# Keyspace", "db0:keys=90,expires=0"),
			&store.Vitals{Refuses: true}},
		{"none but ours", lines("maxmemory_policy:volatile-lru", "db0:keys=90,expires=2"), &store.Vitals{Refuses: true}},
		{"none but those of many of us", lines("maxmemory_policy:volatile-lru", "db0:keys=9000,expires=80"),
			&store.Vitals{Refuses: true}},
		{"no keys", lines("maxmemory_policy:volatile-lru", "# Keyspace"), &store.Vitals{Refuses: true}},
		{"only keys that expire, and it does not say which", lines("maxmemory_policy:volatile-lru"), &store.Vitals{}},
		{"a failed save", lines("rdb_last_bgsave_status:err", "aof_last_write_status:ok"), &store.Vitals{SaveFailed: true}},
		{"a failed rewrite", lines("rdb_last_bgsave_status:ok", "aof_last_bgrewrite_status:err"), &store.Vitals{SaveFailed: true}},
		{"a failed write", lines("aof_last_write_status:err", "rdb_last_bgsave_status:ok", "aof_delayed_fsync:4"),
			&store.Vitals{SaveFailed: true, Delayed: 4}},
		{"replicas: the worst of those that are online", lines("min_slaves_good_slaves:2",
			"slave0:ip=a,port=1,state=online,offset=1,lag=1", "slave1:ip=b,port=1,state=online,offset=1,lag=4",
			"slave2:ip=c,port=1,state=wait_bgsave,offset=0,lag=60", "slave3:ip=d,port=1,state=send_bulk,lag=70"),
			&store.Vitals{Replicated: true, Good: 2, Lag: 4 * time.Second}},
		{"no good replica", lines("min_slaves_good_slaves:0"), &store.Vitals{Replicated: true}},
		{"replicas nobody waits for", lines("slave0:state=online,lag=3"), &store.Vitals{Lag: 3 * time.Second}},
		{"numbers that are none", lines("used_memory:-1", "maxmemory:1e3", "evicted_keys:", "connected_clients: 3",
			"maxclients:99999999999999999999999", "min_slaves_good_slaves:x", "slave0:state=online,lag=-1"), &store.Vitals{}},
		{"numbers that are too many", lines("min_slaves_good_slaves:18446744073709551615",
			"slave0:state=online,lag=18446744073709551615", "db0:keys=18446744073709551615,expires=9",
			"db1:keys=18446744073709551615,expires=18446744073709551615"),
			&store.Vitals{Replicated: true, Good: most, Lag: most * time.Second}},
		{"lines that end as Unix has it", "used_memory:7\nmaxmemory:8\n", &store.Vitals{MemoryUsed: 7, MemoryMax: 8}},
	} {
		got := vitals(row.info)
		if (got == nil) != (row.want == nil) || got != nil && *got != *row.want {
			t.Errorf("%s: %+v, want %+v", row.name, got, row.want)
		}
	}
	if r := reported(string(real)); r.run != "7c144a9876d7d890146994ef795053e9f09badae" || r.keys != 11 || r.evicted != 0 {
		t.Errorf("%+v", r)
	}
}

func TestEvictedOrLost(t *testing.T) {
	was := report{run: "a", evicted: 7, keys: 1000}
	for _, row := range []struct {
		name        string
		before, now *report
		want        bool
	}{
		{"evicted since", &was, &report{run: "a", evicted: 8, keys: 1000}, true},
		{"evicted since, and many have expired", &was, &report{run: "a", evicted: 8, keys: 501}, true},
		{"nothing was evicted since", &was, &report{run: "a", evicted: 7, keys: 1000}, false},
		{"another run", &was, &report{run: "b", evicted: 8, keys: 1000}, false},
		{"another run that has evicted less", &was, &report{run: "b", evicted: 1, keys: 1}, false},
		{"statistics were reset", &was, &report{run: "a", evicted: 2, keys: 1000}, false},
		{"flushed in between", &was, &report{run: "a", evicted: 8, keys: 1}, false},
		{"hardly a key before, and flushed", &report{run: "a", evicted: 7, keys: 3}, &report{run: "a", evicted: 8, keys: 1}, false},
		{"it does not count its keys", &report{run: "a", evicted: 7}, &report{run: "a", evicted: 8}, true},
		{"it does not name its run", &report{evicted: 7, keys: 9}, &report{evicted: 8, keys: 9}, false},
		{"it says nothing", &was, nil, false},
		{"it had said nothing", nil, &report{run: "a", evicted: 8, keys: 1000}, false},
	} {
		if got := evicted(row.before, row.now); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

func FuzzVitals(f *testing.F) {
	real, err := os.ReadFile("testdata/info-7.0.15.txt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(real))
	f.Add("used_memory:5\r\nmem_not_counted_for_evict:9\r\nslave0:state=online,lag=4294967296\r\ndb0:keys=1,expires=2\r\n")
	f.Add("# Keyspace\r\nmaxmemory_policy:volatile-lru\r\nmin_slaves_good_slaves:99999999999\r\n")
	f.Fuzz(func(t *testing.T, info string) {
		v := vitals(info)
		if v == nil {
			return
		}
		if v.Lag < 0 || v.Good < 0 || !v.Replicated && v.Good > 0 {
			t.Fatalf("%+v", v)
		}
		if strings.TrimSpace(info) == "" {
			t.Fatalf("%+v of nothing", v)
		}
	})
}

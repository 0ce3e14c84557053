package probe

import (
	"strconv"
	"strings"
	"time"

	"gatehouse/shed/store"
)

// report is what a server said of itself, once.
type report struct {
	run     string // which run of the server this is; empty where it does not say
	evicted uint64 // keys, since the run began
	keys    uint64 // in all databases
	vitals  *store.Vitals
}

// vitals reads the text that INFO answers with. Lines that it does not know, and values that make no sense, are passed over;
// nil is a text without a single line that it knows.
func vitals(info string) *store.Vitals { return reported(info).vitals }

// reported reads the text that INFO answers with.
func reported(info string) report {
	var (
		r                   report
		v                   store.Vitals
		used, uncounted     uint64
		policy              string
		expiring            uint64
		keyspace, knowsSome bool
	)
	for line := range strings.Lines(info) {
		line = strings.TrimRight(line, "\r\n")
		if line == "# Keyspace" {
			keyspace = true
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		known := true
		switch key {
		case "run_id":
			r.run = value
		case "used_memory":
			known = number(value, &used)
		case "mem_not_counted_for_evict":
			known = number(value, &uncounted)
		case "maxmemory":
			known = number(value, &v.MemoryMax)
		case "maxmemory_policy":
			policy = value
		case "evicted_keys":
			known = number(value, &v.Evicted)
		case "connected_clients":
			known = number(value, &v.Clients)
		case "maxclients":
			known = number(value, &v.ClientsMax)
		case "rejected_connections":
			known = number(value, &v.Rejected)
		case "min_slaves_good_slaves":
			var good uint64
			v.Replicated = number(value, &good)
			known, v.Good = v.Replicated, int(min(good, most))
		case "rdb_last_bgsave_status", "aof_last_bgrewrite_status", "aof_last_write_status":
			v.SaveFailed = v.SaveFailed || value == "err"
		case "aof_delayed_fsync":
			known = number(value, &v.Delayed)
		default:
			switch {
			case numbered(key, "slave"):
				v.Lag = max(v.Lag, lag(value))
			case numbered(key, "db"):
				keyspace = true
				var keys, expires uint64
				number(field(value, "keys"), &keys)
				number(field(value, "expires"), &expires)
				r.keys, expiring = added(r.keys, keys), added(expiring, expires)
			default:
				known = false
			}
		}
		knowsSome = knowsSome || known
	}
	if !knowsSome {
		return r
	}
	v.MemoryUsed = used - min(used, uncounted)
	v.Refuses = policy == "noeviction" || strings.HasPrefix(policy, "volatile-") && keyspace && few(expiring, r.keys)
	r.evicted, r.vitals = v.Evicted, &v
	return r
}

// most bounds what is counted, so that no arithmetic on it overflows: replicas, seconds.
const most = 1 << 30

// few reports whether the keys that expire are so few that evicting them makes no room: our own always expire, two for each
// Gatehouse.
func few(expiring, keys uint64) bool { return expiring <= max(2, keys/100) }

// lag is how far behind a replica is, by its line; zero where it is not online.
func lag(line string) time.Duration {
	var seconds uint64
	if field(line, "state") != "online" || !number(field(line, "lag"), &seconds) {
		return 0
	}
	return time.Duration(min(seconds, most)) * time.Second
}

// number reads a number, and reports whether there is one.
func number(s string, into *uint64) bool {
	n, err := strconv.ParseUint(s, 10, 64)
	if err == nil {
		*into = n
	}
	return err == nil
}

// added is a sum that does not overflow.
func added(a, b uint64) uint64 {
	if a+b < a {
		return ^uint64(0)
	}
	return a + b
}

// field returns a value of a line such as keys=3,expires=0.
func field(line, key string) string {
	for part := range strings.SplitSeq(line, ",") {
		if k, v, ok := strings.Cut(part, "="); ok && k == key {
			return v
		}
	}
	return ""
}

// numbered reports whether s is word with a number behind it.
func numbered(s, word string) bool {
	rest, ok := strings.CutPrefix(s, word)
	var n uint64
	return ok && number(rest, &n)
}

// evicted reports whether a canary that is missing was evicted, by what the server said before it was last seen and what it
// says now: the same run has evicted keys since, and kept more than half of them all. What emptied the store is no eviction,
// even where keys were evicted before that. Where the server said nothing, it is not known to have evicted.
func evicted(before, now *report) bool {
	return before != nil && now != nil && now.run != "" && now.run == before.run && now.evicted > before.evicted &&
		(before.keys == 0 || now.keys > before.keys/2)
}

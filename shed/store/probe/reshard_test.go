package probe

import (
	"slices"
	"strings"
	"testing"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// Slots move, those of the canaries among them, to a shard that is there, to a new one, and away until one has none. Nothing of it is
// a loss, and each shard keeps its name.
func TestSlotsMove(t *testing.T) {
	t.Parallel()
	c := serveShards(t, 4)
	f := c.finding()
	f.untilWritable()
	calm := func(all map[string]store.Evidence) {
		for name, e := range all {
			if e.State != shed.Writable && e.State != shed.Unknown {
				t.Errorf("%s: %v (%v): %v", name, e.State, e.Cause, e.Err)
			}
		}
	}
	canary := func(name string) (slot int) {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.named(name).slot
	}

	slot := canary(three[0])
	c.begin(slot, c.nodes[0], c.nodes[1])
	calm(f.all())
	if canary(three[0]) == slot {
		t.Error("a canary in a slot that moves")
	}
	c.end(slot, c.nodes[0], c.nodes[1])
	f.until("the slot is the other's", func(map[string]store.Evidence) bool {
		name, _ := f.Of(keyIn(slot))
		return name == three[1]
	}, calm)
	if !slices.Equal(f.names, three) {
		t.Error(f.names)
	}

	// A primary without slots is no shard, until it has one.
	fresh := c.nodes[3]
	slot = canary(three[2])
	c.begin(slot, c.nodes[2], fresh)
	c.end(slot, c.nodes[2], fresh)
	f.until("a fourth shard", func(all map[string]store.Evidence) bool { return len(f.names) == 4 && len(all) == 4 && writable(all) }, calm)
	fourth := f.names[3]
	if name, _ := f.Of(keyIn(slot)); name != fourth || !strings.HasPrefix(fourth, "shard-") || f.at(fourth) != fresh.addr() {
		t.Errorf("%v: %s at %s", f.names, name, f.at(fourth))
	}
	if !slices.Equal(f.names[:3], three) {
		t.Error(f.names)
	}
	c.begin(slot, fresh, c.nodes[0])
	if e := f.probe(fourth); e.State != shed.Unknown || e.Err == nil {
		t.Errorf("its only slot moves, and %+v", e)
	}
	c.end(slot, fresh, c.nodes[0])
	f.until("three again", func(all map[string]store.Evidence) bool { return len(f.names) == 3 && len(all) == 3 && writable(all) }, calm)
	if !slices.Equal(f.names, three) {
		t.Error(f.names)
	}
}

// begin begins to move a slot, and moves its keys.
func (c *shards) begin(slot int, from, to *server) {
	c.t.Helper()
	to.do("cluster", "setslot", slot, "importing", c.members[from])
	from.do("cluster", "setslot", slot, "migrating", c.members[to])
	for _, key := range from.do("cluster", "getkeysinslot", slot, 1000).([]any) {
		from.do("migrate", to.host, to.port, key, 0, 5000)
	}
}

// end makes it the other's.
func (c *shards) end(slot int, from, to *server) {
	c.t.Helper()
	to.do("cluster", "setslot", slot, "node", c.members[to])
	if err := from.try("cluster", "setslot", slot, "node", c.members[to]); err != nil && !strings.Contains(err.Error(), "only with masters") {
		c.t.Fatal(err) // one that has heard of it already, and has no slots left, is a replica by now
	}
}

// keyIn is a key that falls in slot.
func keyIn(slot int) string {
	tag, _ := tagIn([]span{{first: slot, last: slot}}, nil)
	return tag
}

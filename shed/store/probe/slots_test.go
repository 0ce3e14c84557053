package probe

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestSlot(t *testing.T) {
	for key, want := range map[string]int{ // as redis-server 7.0 has them
		"foo": 12182, "bar": 5061, "": 0, "123456789": 12739, "a{foo}b": 12182, "{}foo": 9500, "{foo": 13308,
		"{foo}{bar}": 12182, "{{foo}}": 13308, "foo{}{bar}": 8363, "\xff\x00": 1023,
	} {
		if got := Slot(key); got != want {
			t.Errorf("%q: %d, want %d", key, got, want)
		}
	}
	for _, prefix := range []string{"gatehouse:", "", "{mine}:", "a{b", "}"} {
		for tag := range 100 {
			if key := tagged(prefix, fmt.Sprint(tag)) + "probe:{x}"; Slot(key) != Slot(fmt.Sprint(tag)) {
				t.Errorf("%s: %d", key, Slot(key))
			}
		}
	}
	if n := testing.AllocsPerRun(100, func() { Slot("sess:{0123456789abcdef}") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// table reads "0-5460 a r1 r2, 5461-10922 b"; "hung" is a node that does not answer.
func tableOf(text string) []span {
	if text == "hung" {
		return nil
	}
	all := []span{}
	for _, part := range strings.Split(text, ",") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		s := span{master: words[1], replicas: words[2:]}
		if n, _ := fmt.Sscanf(words[0], "%d-%d", &s.first, &s.last); n == 1 {
			s.last = s.first
		}
		if len(s.replicas) == 0 {
			s.replicas = nil
		}
		all = append(all, s)
	}
	return all
}

func TestAgreed(t *testing.T) {
	for _, row := range []struct {
		name, before string
		votes        []string
		want         string
	}{
		{"nothing is known", "", []string{"0-9 a, 10-19 b"}, "0-9 a, 10-19 b"},
		{"all agree", "0-9 a", []string{"0-9 a", "0-9 a", "0-9 a"}, "0-9 a"},
		{"a failover", "0-9 a r, 10-19 b, 20-29 c", []string{"hung", "0-9 r, 10-19 b, 20-29 c", "0-9 r, 10-19 b, 20-29 c"},
			"0-9 r, 10-19 b, 20-29 c"},
		{"one that lies", "0-9 a, 10-29 b", []string{"0-29 x", "0-9 a, 10-29 b", "0-9 a, 10-29 b"}, "0-9 a, 10-29 b"},
		{"one that knows of nothing", "0-9 a, 10-29 b", []string{"", "0-9 a, 10-29 b", "0-9 a, 10-29 b"}, "0-9 a, 10-29 b"},
		{"one that has not heard yet", "0-9 a, 10-29 b", []string{"0-9 a, 10-29 b", "0-4 a, 5-29 b", "0-4 a, 5-29 b"}, "0-4 a, 5-29 b"},
		{"no two agree", "0-9 a", []string{"0-9 x", "0-9 y", "0-9 z"}, "0-9 a"},
		{"half", "0-9 a", []string{"0-9 b", "0-9 b", "hung", "hung"}, "0-9 a"},
		{"more than half hang", "0-9 a", []string{"0-9 b", "hung", "hung"}, "0-9 a"},
		{"nobody serves them any more", "0-9 a, 10-19 b", []string{"10-19 b", "10-19 b", "0-9 a, 10-19 b"}, "10-19 b"},
		{"new ones", "0-9 a", []string{"0-9 a, 16383 b", "0-9 a, 16383 b", "0-9 a"}, "0-9 a, 16383 b"},
		{"pieces that meet", "0-9 a", []string{"0-4 a, 5-9 a", "0-4 a, 5-9 a", "0-4 a, 5-9 a"}, "0-9 a"},
		{"replicas are theirs who agree", "0-9 a r", []string{"0-9 x q", "0-9 a s", "0-9 a s"}, "0-9 a s"},
	} {
		var votes [][]span
		for _, v := range row.votes {
			votes = append(votes, tableOf(v))
		}
		if got, want := agreed(tableOf(row.before), votes), tableOf(row.want); !slices.EqualFunc(got, want, span.same) {
			t.Errorf("%s: %v, want %v", row.name, got, want)
		}
	}
}

func TestKin(t *testing.T) {
	for _, row := range []struct{ name, before, now, want string }{
		{"all stay", "0-9 a, 10-19 b", "0-9 a, 10-19 b", "a b"},
		{"a failover", "0-9 a, 10-19 b", "0-9 r, 10-19 b", "a b"},
		{"slots move", "0-9 a, 10-19 b", "0 a, 1-19 b", "a b"},
		{"slots move to a new one", "0-9 a, 10-19 b", "0 d, 1-9 a, 10-19 b", "- a b"},
		{"nearly all of them", "0-9 a, 10-19 b", "0-8 d, 9 a, 10-19 b", "- a b"},
		{"all of them", "0-9 a, 10-19 b", "0-9 d, 10-19 b", "a b"},
		{"one goes", "0-9 a, 10-19 b", "0-19 b", "b"},
		{"two fail over at once", "0-9 a, 10-19 b", "0-9 r, 10-19 s", "a b"},
		{"a failover while slots move", "0-9 a, 10-19 b", "0-4 r, 5-19 b", "a b"},
		{"they have changed places", "0-9 a, 10-19 b", "0-9 b, 10-19 a", "a b"},
		{"one splits", "0-19 a", "0-4 x, 5-19 y", "- a"},
	} {
		var before []*shard
		for _, group := range grouped(tableOf(row.before)) {
			before = append(before, &shard{name: group[0].master, master: group[0].master, spans: group})
		}
		var got []string
		for _, s := range kin(before, grouped(tableOf(row.now))) {
			if s == nil {
				s = &shard{name: "-"}
			}
			got = append(got, s.name)
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%s: %v, want %s", row.name, got, row.want)
		}
	}
}

func TestATagFallsInItsShard(t *testing.T) {
	for _, text := range []string{"0-16383 a", "0-5460 a", "7 a", "16383 a", "1 a, 3 a, 5-6 a"} {
		spans := tableOf(text)
		var not []avoided
		for range 4 {
			tag, slot := tagIn(spans, not)
			if tag == "" {
				break
			}
			if Slot(tag) != slot || !holds(spans, slot) || slices.ContainsFunc(not, func(a avoided) bool { return a.slot == slot }) {
				t.Errorf("%s: %q falls in %d", text, tag, slot)
			}
			not = append(not, avoided{slot: slot})
		}
		if len(not) == 0 {
			t.Errorf("%s: none", text)
		}
	}
	if tag, _ := tagIn(tableOf("7 a"), []avoided{{slot: 7}}); tag != "" {
		t.Errorf("%q", tag)
	}
	if tag, _ := tagIn(nil, []avoided{{slot: 7}}); tag != "" {
		t.Errorf("%q", tag)
	}
}

func TestNamesOfShards(t *testing.T) {
	taken := []string{"shard-0", "shard-0-2", "shard-5"}
	in := func(name string) bool { return slices.Contains(taken, name) }
	for lowest, want := range map[int]string{0: "shard-0-3", 5: "shard-5-2", 1: "shard-1"} {
		if got := nameFor(lowest, in); got != want {
			t.Errorf("%d: %s, want %s", lowest, got, want)
		}
	}
}

func TestRedirections(t *testing.T) {
	for text, want := range map[string]redirection{
		"MOVED 3999 127.0.0.1:6381":     {3999, "127.0.0.1:6381", false},
		"ASK 0 redis-1.Test:6381":       {0, "redis-1.test:6381", true},
		"MOVED 16383 :6381":             {16383, "10.0.0.9:6381", false},
		"MOVED 1 fe80::1:6381":          {1, "[fe80::1]:6381", false},
		"MOVED 1 ?:6381":                {},
		"MOVED 16384 127.0.0.1:6381":    {},
		"MOVED -1 127.0.0.1:6381":       {},
		"MOVED 1 127.0.0.1":             {},
		"MOVED 1 127.0.0.1:0":           {},
		"MOVED":                         {},
		"READONLY You can't":            {},
		"CLUSTERDOWN Hash slot a:1":     {},
		"MOVED 1 127.0.0.1:6381 a b :c": {},
	} {
		for _, err := range []error{answer(text), answered(text), fmt.Errorf("there: %w", answer(text))} {
			if got, ok := redirected(err, "10.0.0.9:1"); got != want || ok != (want != redirection{}) {
				t.Errorf("%s: %+v", text, got)
			}
		}
	}
	if _, ok := redirected(errors.New("MOVED 1 127.0.0.1:1"), ""); ok {
		t.Error("nobody's answer")
	}
}

func FuzzRedirected(f *testing.F) {
	f.Add("MOVED 3999 127.0.0.1:6381", "127.0.0.1:1")
	f.Add("ASK 1 :6381", "[::1]:1")
	f.Fuzz(func(t *testing.T, text, asked string) {
		r, ok := redirected(answer(text), asked)
		if !ok {
			return
		}
		if again, ok := redirected(answered(fmt.Sprintf("MOVED %d %s", r.slot, r.to)), ""); !ok || again.slot != r.slot || again.to != r.to {
			t.Errorf("%q: %+v, then %+v", text, r, again)
		}
	})
}

func TestSlotsIn(t *testing.T) {
	for _, row := range []struct{ said, want string }{
		{`[]`, ""},
		{`[[0, 5460, ["10.0.0.1", 6379, "id"]], [5461, 16383, ["10.0.0.2", 6379, "id", []], ["10.0.0.3", 6379, "id"]]]`,
			"0-5460 10.0.0.1:6379, 5461-16383 10.0.0.2:6379 10.0.0.3:6379"},
		{`[[5, 5, ["10.0.0.1", 6379]], [0, 4, ["10.0.0.2", 6379]]]`, "0-4 10.0.0.2:6379, 5-5 10.0.0.1:6379"},
		{`[[0, 1, ["", 6379]], [2, 3, [null, 6380]]]`, "0-1 10.0.0.9:6379, 2-3 10.0.0.9:6380"},
		{`[[0, 1, ["?", 6379, "id", ["ip", "10.0.0.4"]]]]`, "0-1 10.0.0.4:6379"},
		{`[[0, 1, ["redis-0.test", 6379, "id", ["ip", "10.0.0.4"]], ["?", 6379, "id"]]]`, "0-1 redis-0.test:6379"},
		{`[[0, 1, ["?", 6379, "id"]]]`, "hung"},
		{`[[0, 16384, ["10.0.0.1", 6379]]]`, "hung"},
		{`[[2, 1, ["10.0.0.1", 6379]]]`, "hung"},
		{`[[-1, 1, ["10.0.0.1", 6379]]]`, "hung"},
		{`[[0, 5, ["10.0.0.1", 6379]], [5, 9, ["10.0.0.2", 6379]]]`, "hung"},
		{`[[0, 5]]`, "hung"}, {`[7]`, "hung"}, {`[["a", 5, ["10.0.0.1", 6379]]]`, "hung"}, {`[[0, 5, ["10.0.0.1", "6379"]]]`, "hung"},
		{`[[0, 5, [7, 6379]]]`, "hung"}, {`[[0, 5, []]]`, "hung"}, {`[[0, 5, "10.0.0.1"]]`, "hung"},
	} {
		got, err := slotsIn(said(t, row.said), "10.0.0.9:1")
		if want := tableOf(row.want); !slices.EqualFunc(got, want, span.same) || (err != nil) != (want == nil) {
			t.Errorf("%s: %v, %v", row.said, got, err)
		}
	}
}

// said is what go-redis makes of an answer, here written as JSON.
func said(t testing.TB, text string) []any {
	var said any
	if json.Unmarshal([]byte(text), &said) != nil {
		return nil
	}
	all, _ := integers(said).([]any)
	return all
}

func integers(v any) any {
	switch v := v.(type) {
	case float64:
		return int64(v)
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	}
	return v
}

func FuzzSlotsIn(f *testing.F) {
	f.Add(`[[0, 5460, ["10.0.0.1", 6379, "id"]], [5461, 16383, ["", 6379, "id", ["ip", "::1"]], ["?", 6379, "id"]]]`)
	f.Fuzz(func(t *testing.T, text string) {
		spans, err := slotsIn(said(t, text), "10.0.0.9:1")
		if err != nil {
			return
		}
		if got := agreed(nil, [][]span{spans}); len(got) > len(spans) {
			t.Errorf("%v of %v", got, spans)
		}
		last := -1
		for _, s := range spans {
			if s.first <= last || s.last < s.first || s.last >= Slots || s.master == "" {
				t.Fatalf("%v", spans)
			}
			last = s.last
		}
		groups := grouped(spans)
		if len(spans) > 0 && reflect.DeepEqual(groups, [][]span(nil)) {
			t.Errorf("no groups of %v", spans)
		}
		for _, group := range groups {
			if tag, slot := tagIn(group, nil); !holds(group, slot) || Slot(tag) != slot {
				t.Errorf("%q falls in %d, which is not in %v", tag, slot, group)
			}
		}
	})
}

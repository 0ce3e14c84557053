package session

import (
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestProofLife(t *testing.T) {
	s := NewSeal()
	value := s.Proof(sid, now)
	for _, c := range []struct {
		after       time.Duration
		good, renew bool
	}{
		{0, true, false}, {12*time.Hour - 1, true, false}, {12 * time.Hour, true, true}, {24*time.Hour - time.Millisecond, true, true},
		{24 * time.Hour, false, false}, {24 * time.Hour * 365, false, false}, {-5 * time.Second, true, false},
		{-5*time.Second - time.Millisecond, false, false}, {-24 * time.Hour * 365, false, false},
	} {
		if good, renew := s.Proves(value, sid, now.Add(c.after)); good != c.good || renew != c.renew {
			t.Errorf("after %v: %v, %v", c.after, good, renew)
		}
	}
}

func TestAProofIsOfOneSession(t *testing.T) {
	s := NewSeal()
	for _, c := range []struct {
		of, with string
		want     bool
	}{
		{sid, sid, true}, {sid, "", false}, {sid, `""`, false}, {sid, sid[1:], false}, {sid, sid + " ", false}, {sid, strings.ToUpper(sid), false},
		{sid, `"` + sid + `"`, true}, {`"` + sid + `"`, sid, true}, {sid, `""` + sid + `""`, false},
		{"s%3Aq1.a%2Fb", "s:q1.a/b", true}, {"s%3Aq1.a%2Fb", `"s%3aq1%2Ea/b"`, true}, {"s%3Aq1", "s%253Aq1", false},
		{"100%", "100%25", true}, {"100%", "100%", true}, {"%4", "%254", true}, {"%zz", "%25zz", true}, {"%zz", "zz", false},
		{"a", "b", false}, {"Bearer q", "Bearer%20q", true},
		{strings.Repeat("a", 5000), strings.Repeat("%61", 5000), true}, {strings.Repeat("a", 5000), strings.Repeat("a", 4999), false},
		{strings.Repeat("a", 511) + "%62c", strings.Repeat("a", 511) + "bc", true},
	} {
		value := s.Proof(c.of, now)
		if good, _ := s.Proves(value, c.with, now); good != c.want {
			t.Errorf("of %.40q with %.40q: %v", c.of, c.with, good)
		}
	}
	for _, id := range []string{"", `""`} {
		if value := s.Proof(id, now); value != "" {
			t.Errorf("%q: %q proves no session", id, value)
		}
		if good, _ := s.Proves("", id, now); good {
			t.Errorf("%q: nothing proves it", id)
		}
	}
	// Nor is an id an address: what is bound to both must not be mixed up.
	if good, _ := s.Proves(s.Place(now, 7, office), "\x04\xcb\x00\x71", now); good {
		t.Error("a place is a proof of a session that is spelled like its network")
	}
}

func TestAdmissionLife(t *testing.T) {
	s := NewSeal()
	value := s.Admission(office, now)
	for after, want := range map[time.Duration]bool{
		0: true, 10*time.Minute - time.Millisecond: true, 10 * time.Minute: false, 24 * time.Hour: false,
		-5 * time.Second: true, -5*time.Second - time.Millisecond: false, -time.Hour: false,
	} {
		at, id, ok := s.Admitted(value, office, now.Add(after))
		if ok != want || ok && (!at.Equal(now.Truncate(time.Millisecond)) || id == 0) || !ok && (id != 0 || !at.IsZero()) {
			t.Errorf("after %v: %v, %v, %v", after, at, id, ok)
		}
	}
	ids := map[uint64]bool{}
	for range 1000 {
		_, id, _ := s.Admitted(s.Admission(office, now), office, now)
		ids[id] = true
	}
	if len(ids) != 1000 || ids[0] {
		t.Errorf("%d different ids of 1000", len(ids))
	}
}

func TestPlaceSaysWhatItWasGiven(t *testing.T) {
	s := NewSeal()
	for _, c := range []struct {
		seen time.Time
		id   uint64
	}{
		{now, 7}, {now, 0}, {now, math.MaxUint64}, {time.UnixMilli(0), 1}, {now.Add(-1000 * time.Hour), 1}, {now.Add(1000 * time.Hour), 1},
		{time.UnixMilli(1<<56 - 1), 1},
	} {
		seen, id, ok := s.Placed(s.Place(c.seen, c.id, office), office)
		if !ok || id != c.id || !seen.Equal(c.seen.Truncate(time.Millisecond)) {
			t.Errorf("%v, %d: %v, %d, %v", c.seen, c.id, seen, id, ok)
		}
	}
	for _, seen := range []time.Time{{}, time.UnixMilli(-1), time.UnixMilli(1 << 56), time.UnixMilli(math.MaxInt64)} {
		if value := s.Place(seen, 1, office); value != "" {
			t.Errorf("%v: %q", seen, value)
		}
		if s.Proof(sid, seen) != "" || s.Admission(office, seen) != "" {
			t.Errorf("%v: a proof or an admission", seen)
		}
	}
}

// Whoever changes his address within what one site has keeps his place; whoever shares his cookie with the world has shared
// nothing.
func TestBoundToTheNetwork(t *testing.T) {
	s := NewSeal()
	addresses := []struct {
		network int
		address string
	}{
		{1, "203.0.113.7"}, {1, "203.0.113.255"}, {1, "::ffff:203.0.113.9"}, {2, "203.0.114.7"}, {3, "203.1.113.7"}, {4, "113.0.203.7"},
		{5, "2001:db8:1::1"}, {5, "2001:db8:1:ffff::1"}, {5, "2001:db8:1::1%eth0"}, {6, "2001:db8:2::1"}, {7, "2001:db9:1::1"},
		{8, "::"}, {8, "::cb00:7107"}, {9, "0.0.0.0"}, {10, ""}, {11, "cb00:7100::"}, {12, "fe80::1%a"}, {12, "fe80::2%b"},
	}
	parse := func(s string) netip.Addr {
		a, _ := netip.ParseAddr(s)
		return a
	}
	for _, given := range addresses {
		admission, place := s.Admission(parse(given.address), now), s.Place(now, 7, parse(given.address))
		for _, from := range addresses {
			_, _, admitted := s.Admitted(admission, parse(from.address), now)
			_, _, placed := s.Placed(place, parse(from.address))
			if want := given.network == from.network; admitted != want || placed != want {
				t.Errorf("given to %q, from %q: admitted %v, placed %v", given.address, from.address, admitted, placed)
			}
		}
	}
}

func TestAskingASealAllocatesNothing(t *testing.T) {
	s := &Seal{keys: []*keyed{newKeyed([]byte("a key of other days, that is 32 bytes")), newKeyed([]byte("the one that signs, 32 bytes long"))}}
	old := &Seal{keys: s.keys[1:]}
	proof, long, admission, place := old.Proof(sid, now), strings.Repeat("%41b", 1000), old.Admission(office, now), old.Place(now, 7, office)
	var f Fields = fields{"Cookie": {"a=1; gatehouse_proof=x; gatehouse_proof=" + proof}}
	for name, ask := range map[string]func() bool{
		"Proves":       func() bool { good, _ := s.Proves(proof, sid, now); return good },
		"a forged one": func() bool { good, _ := s.Proves(proof, "another", now); return !good },
		"what is none": func() bool { good, _ := s.Proves("x", sid, now); return !good },
		"of a long id": func() bool { good, _ := s.Proves(proof, long, now); return !good },
		"Admitted":     func() bool { _, _, ok := s.Admitted(admission, office, now); return ok },
		"Placed":       func() bool { _, _, ok := s.Placed(place, office); return ok },
		"Own":          func() bool { return Own("Gatehouse_Place") && !Own("gatehouse") },
		"StripOwn":     func() bool { return StripOwn("a=1; b=2; theme=dark") != "" },
		"one among others": func() bool {
			for value := range Cookies(f, ProofCookie) {
				if good, _ := s.Proves(value, sid, now); good {
					return true
				}
			}
			return false
		},
	} {
		if !ask() {
			t.Errorf("%s: another answer", name)
		}
		if n := testing.AllocsPerRun(1000, func() { ask() }); n != 0 {
			t.Errorf("%s: %v allocations; want 0", name, n)
		}
	}
}

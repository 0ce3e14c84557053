package quota

import (
	"net/netip"
	"testing"
)

func TestAddrKey(t *testing.T) {
	key := func(s string) Key { return AddrKey(netip.MustParseAddr(s)) }
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::1%eth1", true},
		{"0.0.0.1", "::1", false},
		{"0.0.0.0", "::", false},
	} {
		if got := key(c.a) == key(c.b); got != c.same {
			t.Errorf("%s and %s: same key = %v, want %v", c.a, c.b, got, c.same)
		}
	}
	if AddrKey(netip.Addr{}) != (Key{}) {
		t.Error("no address is not the zero key")
	}
	if key("0.0.0.0") == (Key{}) || TextKey("") == (Key{}) {
		t.Error("a key that is somebody's is the zero key")
	}
}

func TestNetworkSharesAPlace(t *testing.T) {
	place := func(s string) uint64 { return AddrKey(netip.MustParseAddr(s)).place() }
	if place("2001:db8:1:2::1") != place("2001:db8:1:ffff::9") {
		t.Error("two /64 of one /48 have different places")
	}
	if place("2001:db8:1::1") == place("2001:db8:2::1") {
		t.Error("two /48 have the same place")
	}
}

func TestTextKey(t *testing.T) {
	seen := make(map[Key]bool)
	for _, s := range []string{"", "a", "b", "aa", "a\x00", "A", "192.0.2.1"} {
		if k := TextKey(s); seen[k] || k != TextKey(s) {
			t.Errorf("%q has no key of its own", s)
		} else {
			seen[k] = true
		}
	}
}

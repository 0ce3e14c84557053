package quota

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
)

// The keys of a store are the same in every process, today and after an update: what they are is written down here.
func TestSharedKeysAreTheSameEverywhere(t *testing.T) {
	for want, k := range map[string]Key{
		"p:sign-in:none:" + "ucSJuGoAOQW7j9nEib2Rzw": {},
		"p:sign-in:v4:" + "8n2MPzIKu2YpcH7tJmVdaw":   AddrKey(netip.MustParseAddr("192.0.2.1")),
		"p:sign-in:v6:" + "JjWvmVEfCi0ps5eK4pkdTg":   AddrKey(netip.MustParseAddr("2001:db8::1")),
		"p:sign-in:text:" + "T69mD8vTtvFSGsohJfaK7g": TextKey("a"),
	} {
		if got := k.shared("p:", "sign-in"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	same := func(a, b string) bool {
		return AddrKey(netip.MustParseAddr(a)).shared("", "q") == AddrKey(netip.MustParseAddr(b)).shared("", "q")
	}
	if !same("192.0.2.1", "::ffff:192.0.2.1") || !same("2001:db8::1", "2001:db8::2") || same("2001:db8::1", "2001:db8:0:1::1") ||
		same("0.0.0.1", "::1") {
		t.Error("an address counts otherwise than alone")
	}
}

// Whatever a stranger sends as a cookie: the key is of the same length, shows nothing of it, and is his alone.
func FuzzSharedKey(f *testing.F) {
	f.Add("sign-in", "a", "b")
	f.Add("", "", "\x00")
	f.Add("a:text", "a\x00text", "192.0.2.1")
	f.Add("q", strings.Repeat("x", 5000), strings.Repeat("x", 5001))
	f.Add("q", "\r\nFLUSHALL\r\n", "*1\r\n$8\r\nFLUSHALL\r\n")
	f.Fuzz(func(t *testing.T, name, a, b string) {
		const prefix = "gatehouse:quota:"
		key := TextKey(a).shared(prefix, name)
		head := prefix + name + ":text:"
		hash, ok := strings.CutPrefix(key, head)
		if raw, err := base64.RawURLEncoding.DecodeString(hash); !ok || err != nil || len(raw) != 16 {
			t.Fatalf("%q", key)
		}
		if len(a) > 3 && strings.Contains(hash, a) {
			t.Errorf("%q shows %q", key, a)
		}
		if key != TextKey(strings.Clone(a)).shared(prefix, name) {
			t.Error("the same text has two keys")
		}
		if a != b && key == TextKey(b).shared(prefix, name) {
			t.Errorf("%q and %q have one key", a, b)
		}
		if addr, err := netip.ParseAddr(a); err == nil && AddrKey(addr).shared(prefix, name) == key {
			t.Errorf("%q is one as a text and as an address", a)
		}
		// A name and a text that are cut elsewhere are others.
		if a != "" && TextKey(a[1:]).shared(prefix, name+a[:1]) == key {
			t.Errorf("%q of %q is another's", a, name)
		}
	})
}

package intake

import (
	"net/netip"
	"testing"

	"gatehouse/proxy/h1"
)

func TestForwardedIsBelievedWhereNothingElseCame(t *testing.T) {
	trusted := Trusted{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		head   h1.Head
		client string
		told   h1.Head
		proto  string
	}{
		{
			head("Forwarded: for=203.0.113.9;proto=HTTPS;host=b.example, for=10.0.0.2"), "203.0.113.9",
			head("X-Forwarded-For: 203.0.113.9, 10.0.0.2, 10.0.0.1", "X-Forwarded-Proto: HTTPS", "X-Forwarded-Host: b.example",
				"Forwarded: for=203.0.113.9;host=b.example;proto=HTTPS, for=10.0.0.2, for=10.0.0.1;host=a;proto=http", "X-Request-Id: id"),
			"https",
		},
		{
			head(`Forwarded: For="[2001:db8::1]:4711"`), "2001:db8::1",
			head("X-Forwarded-For: [2001:db8::1]:4711, 10.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: a",
				`Forwarded: for="[2001:db8::1]:4711", for=10.0.0.1;host=a;proto=http`, "X-Request-Id: id"),
			"",
		},
		{ // a proxy that writes the one lets the other pass as the visitor sent it
			head("Forwarded: for=1.2.3.4;proto=https", "X-Forwarded-For: 203.0.113.9"), "203.0.113.9",
			head("X-Forwarded-For: 203.0.113.9, 10.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: a",
				"Forwarded: for=203.0.113.9, for=10.0.0.1;host=a;proto=http", "X-Request-Id: id"),
			"",
		},
		{ // neither a comma nor a semicolon in quotes ends anything
			head(`Forwarded: for="_a,\"b;c";proto=http`, "Forwarded: for=203.0.113.9"), "203.0.113.9",
			head(`X-Forwarded-For: unknown, 203.0.113.9, 10.0.0.1`, "X-Forwarded-Proto: http", "X-Forwarded-Host: a",
				`Forwarded: for="_a,\"b;c";proto=http, for=203.0.113.9, for=10.0.0.1;host=a;proto=http`, "X-Request-Id: id"),
			"http",
		},
		{head("Forwarded: for=unknown"), "10.0.0.1", nil, ""},
		{head("Forwarded: for=203.0.113.9, for=_hidden"), "10.0.0.1", nil, ""},
		{head("Forwarded: "), "10.0.0.1", nil, ""},
	} {
		peer := netip.MustParseAddr("10.0.0.1")
		if got := trusted.Client(peer, c.head); got.String() != c.client {
			t.Errorf("%v: the client is %v, want %s", c.head, got, c.client)
		}
		if got := Proto(c.head); got != c.proto {
			t.Errorf("%v: the scheme is %q, want %q", c.head, got, c.proto)
		}
		told := append(h1.Head{}, c.head...)
		Origin{Peer: peer, Trusted: true, Host: "a", ID: "id"}.Tell(&told)
		if c.told != nil && !sameSet(told, c.told) {
			t.Errorf("%v became %v, want %v", c.head, told, c.told)
		}
	}
	var told h1.Head
	Origin{Peer: netip.MustParseAddr("2001:db8::1"), Secure: true, Host: "a", ID: "id"}.Tell(&told)
	if got, want := told.Get("Forwarded"), `for="[2001:db8::1]";host=a;proto=https`; got != want {
		t.Errorf("Forwarded is %s, want %s", got, want)
	}
}

// sameSet compares without order.
func sameSet(a, b h1.Head) bool {
	if len(a) != len(b) {
		return false
	}
	for _, l := range a {
		if v, ok := b.Field(l.Name, 0); !ok || v != l.Value {
			return false
		}
	}
	return true
}

func FuzzForwarded(f *testing.F) {
	for _, s := range []string{"for=1.2.3.4", `for="[::1]:1";proto=https;host="a\"b", for=x`, `for="`, ";;==,,", `for="\`} {
		f.Add(s)
	}
	trusted := Trusted{netip.MustParsePrefix("10.0.0.0/8")}
	peer := netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, s string) {
		if !h1.ValidValue(s) {
			return
		}
		h := h1.Head{{Name: "Forwarded", Value: s}}
		client := trusted.Client(peer, h)
		Origin{Peer: peer, Trusted: true, Host: "a", ID: "id"}.Tell(&h)
		if !h1.ValidValue(h.Get("Forwarded")) || !h1.ValidValue(h.Get("X-Forwarded-For")) {
			t.Fatalf("%q became %v", s, h)
		}
		again := h1.Head{{Name: "Forwarded", Value: h.Get("Forwarded")}}
		if got := trusted.Client(netip.MustParseAddr("10.9.9.9"), again); got != client {
			t.Fatalf("%q says %v, and with us behind it %v: %v", s, client, got, h)
		}
	})
}

func TestAnnounced(t *testing.T) {
	for list, want := range map[string]string{
		"": "", "X-Sum, grpc-status": "X-Sum, grpc-status", "X-Sum,, Content-Length ,Cookie": "X-Sum", "Trailer, Host, X_Y, Gatehouse-X": "",
		"a b, X-Sum": "X-Sum", "X-Forwarded-For": "",
	} {
		if got := Announced(list, false); got != want {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}

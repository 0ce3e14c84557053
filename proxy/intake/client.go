package intake

import (
	"net/netip"
	"slices"
	"strings"

	"gatehouse/proxy/h1"
)

// Trusted are the proxies in front of us whose word about the visitor is believed. The zero value trusts nobody.
type Trusted []netip.Prefix

// Trusts reports whether a is one of them. An IPv4 address is the same however it is written.
func (t Trusted) Trusts(a netip.Addr) bool {
	a = a.Unmap()
	for _, p := range t {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Client returns the visitor's own address: the peer's, or, where the peer is trusted, the first address from the right of
// X-Forwarded-For that is not; of Forwarded (RFC 7239) where only that came. An entry that is no address ends the walk at the last one that was believed.
func (t Trusted) Client(peer netip.Addr, head h1.Head) netip.Addr {
	peer = peer.Unmap().WithZone("")
	if !t.Trusts(peer) {
		return peer
	}
	if !head.Has("X-Forwarded-For") && head.Has("Forwarded") {
		return t.walk(peer, before(head))
	}
	n := 0
	for _, ok := head.Field("X-Forwarded-For", n); ok; _, ok = head.Field("X-Forwarded-For", n) {
		n++
	}
	client := peer
	for n--; n >= 0; n-- {
		line, _ := head.Field("X-Forwarded-For", n)
		for line != "" {
			i := strings.LastIndexByte(line, ',')
			a, ok := forwarded(line[i+1:])
			if !ok {
				return client
			}
			if client = a; !t.Trusts(a) {
				return client
			}
			line = line[:max(i, 0)]
		}
	}
	return client
}

func (t Trusted) walk(client netip.Addr, said []hopBefore) netip.Addr {
	for _, h := range slices.Backward(said) {
		a, ok := forwarded(h.node)
		if !ok {
			return client
		}
		if client = a; !t.Trusts(a) {
			return client
		}
	}
	return client
}

// forwarded reads one entry of X-Forwarded-For, or a node of Forwarded: an address, or one with a port as some balancers write it.
func forwarded(s string) (netip.Addr, bool) {
	s = trim(s)
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if inner, bracketed := strings.CutPrefix(s, "["); bracketed { // as Forwarded writes an IPv6 address
		if a, err := netip.ParseAddr(strings.TrimSuffix(inner, "]")); err == nil {
			return a.Unmap().WithZone(""), true
		}
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

package quota

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
)

// Key names one caller. It is comparable, of fixed size, and holds nothing that must be kept alive or secret. The zero value
// is the key of callers who have no address.
type Key struct {
	kind   kind
	hi, lo uint64
}

type kind uint8

const (
	kindNone kind = iota
	kindV4
	kindV6
	kindText
)

// The seeds live as long as the process: a key means the same to every Limiter in it, and nothing outside of it.
var seedHigh, seedLow, seedPlace = maphash.MakeSeed(), maphash.MakeSeed(), maphash.MakeSeed()

// AddrKey returns the key of an address. An IPv4 address counts alone, also when it is written as IPv6; IPv6 addresses count
// by their /64, which is the smallest piece of network that one customer gets; zones are ignored. An invalid address, such as
// that of a Unix socket, gives the zero Key.
func AddrKey(a netip.Addr) Key {
	switch a = a.Unmap(); {
	case a.Is4():
		b := a.As4()
		return Key{kind: kindV4, hi: uint64(binary.BigEndian.Uint32(b[:]))}
	case a.Is6():
		b := a.As16()
		return Key{kind: kindV6, hi: binary.BigEndian.Uint64(b[:8])}
	default:
		return Key{}
	}
}

// TextKey returns the key of a text, such as a cookie's value or a route's name. Only a seeded hash of 128 bits is kept, so
// that a key costs the same whatever a stranger sends, and so that nobody can aim at another's key.
func TextKey(s string) Key {
	return Key{kind: kindText, hi: maphash.String(seedHigh, s), lo: maphash.String(seedLow, s)}
}

// place spreads keys over shards and spill buckets. All of an IPv6 /48 has the same place.
func (k Key) place() uint64 {
	if k.kind == kindV6 {
		k.hi &^= 0xffff
	}
	return maphash.Comparable(seedPlace, k)
}

package quota

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/maphash"
	"net/netip"
)

// Key names one caller. It is comparable and of fixed size. That of a text refers to the text and is good for as long as that
// is; no Limiter keeps the text. The zero value is the key of callers who have no address.
type Key struct {
	id
	text string // for a shared store
}

// id is a key within this process: it holds nothing that must be kept alive or secret.
type id struct {
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

var kindWords = [...]string{kindNone: "none", kindV4: "v4", kindV6: "v6", kindText: "text"}

// The seeds live as long as the process: a key means the same to every Limiter in it, and nothing outside of it.
var seedHigh, seedLow, seedPlace = maphash.MakeSeed(), maphash.MakeSeed(), maphash.MakeSeed()

// AddrKey returns the key of an address. An IPv4 address counts alone, also when it is written as IPv6; IPv6 addresses count
// by their /64, which is the smallest piece of network that one customer gets; zones are ignored. An invalid address, such as
// that of a Unix socket, gives the zero Key.
func AddrKey(a netip.Addr) Key {
	switch a = a.Unmap(); {
	case a.Is4():
		b := a.As4()
		return Key{id: id{kind: kindV4, hi: uint64(binary.BigEndian.Uint32(b[:]))}}
	case a.Is6():
		b := a.As16()
		return Key{id: id{kind: kindV6, hi: binary.BigEndian.Uint64(b[:8])}}
	default:
		return Key{}
	}
}

// TextKey returns the key of a text, such as a cookie's value or a route's name. Only a seeded hash of 128 bits is remembered,
// so that a key costs the same whatever a stranger sends, and so that nobody can aim at another's key.
func TextKey(s string) Key {
	return Key{id{kindText, maphash.String(seedHigh, s), maphash.String(seedLow, s)}, s}
}

// place spreads keys over shards and spill buckets. All of an IPv6 /48 has the same place.
func (k id) place() uint64 {
	switch k.kind {
	case kindText:
		return k.lo // a seeded hash already
	case kindV6:
		k.hi &^= 0xffff
	}
	return maphash.Comparable(seedPlace, k)
}

// shared returns the key under which every process counts k for a quota: the prefix, the quota's name, the kind of key, and
// 128 bits of SHA-256 over name, kind and value. So a store that is read by a stranger shows no cookie. An address has so few
// bits that whoever has the store can find it by trial, as he could in any log.
func (k Key) shared(prefix, name string) string {
	// The name's length comes first: of two that are different, no value makes one.
	hashed := make([]byte, 0, 256)
	hashed = binary.BigEndian.AppendUint64(hashed, uint64(len(name)))
	hashed = append(hashed, name...)
	hashed = append(hashed, byte(k.kind))
	if k.kind == kindText {
		hashed = append(hashed, k.text...)
	} else {
		hashed = binary.BigEndian.AppendUint64(hashed, k.hi)
	}
	sum := sha256.Sum256(hashed)
	word := kindWords[k.kind]
	key := make([]byte, 0, 128)
	key = append(key, prefix...)
	key = append(key, name...)
	key = append(key, ':')
	key = append(key, word...)
	key = append(key, ':')
	return string(base64.RawURLEncoding.AppendEncode(key, sum[:16]))
}

package session

import (
	"net/netip"
	"time"
)

// Place returns the value of a cookie that says: this visitor was first turned away then, and stands in line since. seen is kept
// to the millisecond, id tells apart those who came in the same one. A time before 1970, such as the zero time, is nobody's, and
// the value is "".
func (s *Seal) Place(seen time.Time, id uint64, from netip.Addr) string {
	said, ok := stamped(seen)
	if !ok {
		return ""
	}
	said.add(id)
	to := network(from)
	return s.seal(ofPlace, &said, &to)
}

// Placed reads such a value, and returns false for one that is not genuine, or was given to somebody in another network: another
// /24 of IPv4, another /48 of IPv6; all who come without an address, as through a Unix socket, are in one. It allocates nothing.
//
// The time may be any: whether it is one of this closure, or to be believed at all, is the line's to say.
func (s *Seal) Placed(value string, from netip.Addr) (seen time.Time, id uint64, ok bool) {
	to := network(from)
	said, ok := s.open(ofPlace, value, 16, &to)
	if !ok {
		return time.Time{}, 0, false
	}
	return said.time(), said.id(), true
}

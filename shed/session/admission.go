package session

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// AdmissionLife is how long a visitor who was admitted to sign in may take for it.
const AdmissionLife = 10 * time.Minute

// Admission returns the value of a cookie that says: this visitor was let in to sign in, so the steps of that one journey (a
// form, what it sends, a callback) are not counted again. It is bound to the network of its visitor's address (see Placed), and
// carries a random id by which it can be counted how often it was used: within its time it can be copied.
func (s *Seal) Admission(from netip.Addr, now time.Time) string {
	said, ok := stamped(now)
	if !ok {
		return ""
	}
	said.add(1 + rand.Uint64N(1<<64-1))
	to := network(from)
	return s.seal(ofAdmission, &said, &to)
}

// Admitted reads such a value, and returns false for one that is not genuine, was given to somebody in another network, is ten
// minutes old, or comes more than five seconds from the future (another machine's clock may be ahead by less). at is when it was
// given; id is never 0 in one that is good. It allocates nothing.
func (s *Seal) Admitted(value string, from netip.Addr, now time.Time) (at time.Time, id uint64, ok bool) {
	to := network(from)
	said, ok := s.open(ofAdmission, value, 16, &to)
	if !ok {
		return time.Time{}, 0, false
	}
	at = said.time()
	if _, ok = fresh(at, now, AdmissionLife); !ok {
		return time.Time{}, 0, false
	}
	return at, said.id(), true
}

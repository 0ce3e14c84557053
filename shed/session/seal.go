package session

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"time"
)

// kind is what a cookie of Gatehouse's own is for: a word that is signed with it, so that none passes as one of another kind.
// It ends in a zero byte, so that no word begins another.
type kind string

const (
	ofProof     kind = "gatehouse proof\x00"
	ofAdmission kind = "gatehouse admission\x00"
	ofPlace     kind = "gatehouse place\x00"
)

// A cookie's value is these bytes in unpadded base64url (RFC 4648 section 5), whose alphabet is safe in Cookie and Set-Cookie:
//
//	1      version
//	7      time, in milliseconds since 1970
//	0 or 8 id
//	16     HMAC-SHA256, truncated (RFC 2104 section 5), of the kind's word, what stands before, and what the cookie is bound to
const (
	version = 1
	tagSize = 16
	maxBody = 16
	maxSize = maxBody + tagSize
	maxText = (maxSize*8 + 5) / 6
)

// strict refuses the second spellings that base64 has for a value: bits after its end.
var strict = base64.RawURLEncoding.Strict()

// body is what a cookie says, in bytes.
type body struct {
	bytes [maxBody]byte
	n     int
}

// stamped returns a body with a time, and false for one that cannot be written: before 1970, or millions of years from now.
func stamped(at time.Time) (b body, ok bool) {
	ms := at.UnixMilli()
	binary.BigEndian.PutUint64(b.bytes[:], uint64(ms)|version<<56)
	b.n = 8
	return b, ms >= 0 && ms < 1<<56
}

func (b *body) add(id uint64) {
	binary.BigEndian.PutUint64(b.bytes[b.n:], id)
	b.n += 8
}

func (b *body) time() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b.bytes[:]) & (1<<56 - 1)))
}

func (b *body) id() uint64 { return binary.BigEndian.Uint64(b.bytes[8:]) }

// bond is what a cookie is bound to: a session, or the network that an address is in.
type bond struct {
	id      string
	network [1 + 6]byte
	n       int // of network; 0: a session
}

// network returns the bond to an address: IPv4's /24 and IPv6's /48, which is what one site has (RFC 6177). A visitor whose
// address changes within it keeps what he has. What is no address, as of a Unix socket, is a network of its own.
func network(from netip.Addr) bond {
	b := bond{n: 1}
	switch from = from.Unmap(); {
	case from.Is4():
		a := from.As4()
		b.network[0], b.n = 4, 1+copy(b.network[1:], a[:3])
	case from.Is6():
		a := from.As16()
		b.network[0], b.n = 6, 1+copy(b.network[1:], a[:6])
	}
	return b
}

// sign writes what the signature is of.
func (h *hasher) sign(k kind, said *body, to *bond) []byte {
	h.write(string(k))
	h.writeBytes(said.bytes[:said.n])
	if to.n > 0 {
		h.writeBytes(to.network[:to.n])
	} else {
		h.writeID(to.id)
	}
	return h.tag()
}

// seal returns a cookie's value, and "" where there is no key.
func (s *Seal) seal(k kind, said *body, to *bond) string {
	if len(s.keys) == 0 {
		return ""
	}
	var all [maxSize]byte
	n := copy(all[:], said.bytes[:said.n])
	h := s.keys[0].take()
	n += copy(all[n:], h.sign(k, said, to))
	s.keys[0].give(h)
	return strict.EncodeToString(all[:n])
}

// open reads a cookie's value with a body of that many bytes. It allocates nothing, and looks no further than the length where
// that is wrong.
func (s *Seal) open(k kind, value string, size int, to *bond) (said body, ok bool) {
	var text [maxText]byte
	var all [maxSize]byte
	if len(value) != strict.EncodedLen(size+tagSize) {
		return body{}, false
	}
	n, err := strict.Decode(all[:], text[:copy(text[:], value)])
	if err != nil || n != size+tagSize || all[0] != version {
		return body{}, false
	}
	said.n = copy(said.bytes[:], all[:size])
	for _, key := range s.keys {
		h := key.take()
		ok = hmac.Equal(h.sign(k, &said, to), all[size:n])
		key.give(h)
		if ok {
			return said, true
		}
	}
	return body{}, false
}

// skew is how far ahead the clock of another Gatehouse may be.
const skew = 5 * time.Second

// fresh reports whether what began at a time, good for so long, is good now, and how old it is.
func fresh(at, now time.Time, life time.Duration) (age time.Duration, ok bool) {
	age = now.Sub(at)
	return age, age >= -skew && age < life
}

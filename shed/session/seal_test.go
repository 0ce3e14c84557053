package session

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	office = netip.MustParseAddr("203.0.113.7")
	sid    = "8x5ufuv5mqv1c7wv3fjz9k2h"
)

// each calls check with a value of every kind and a function that reads it as that kind, and says whether it was believed.
func each(s *Seal, check func(kind, value string, believes func(s *Seal, value string) bool)) {
	check("proof", s.Proof(sid, now), func(s *Seal, v string) bool { good, _ := s.Proves(v, sid, now); return good })
	check("admission", s.Admission(office, now), func(s *Seal, v string) bool { _, _, ok := s.Admitted(v, office, now); return ok })
	check("place", s.Place(now, 7, office), func(s *Seal, v string) bool { _, _, ok := s.Placed(v, office); return ok })
}

func TestSeal(t *testing.T) {
	s := NewSeal()
	each(s, func(kind, value string, believes func(*Seal, string) bool) {
		if !believes(s, value) {
			t.Errorf("%s: %q is not believed", kind, value)
		}
		if believes(NewSeal(), value) || believes(new(Seal), value) {
			t.Errorf("%s: believed without the key", kind)
		}
		if strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%s: %q is not safe in a cookie", kind, value)
		}
	})
	each(new(Seal), func(kind, value string, _ func(*Seal, string) bool) {
		if value != "" {
			t.Errorf("%s: %q was signed without a key", kind, value)
		}
	})
}

// A value that passes must be, byte for byte, one that was given out: whatever is changed in it, and however little.
func TestNothingForgedIsBelieved(t *testing.T) {
	s := NewSeal()
	each(s, func(kind, value string, believes func(*Seal, string) bool) {
		for i := range len(value) {
			for bit := range 8 {
				forged := []byte(value)
				forged[i] ^= 1 << bit
				if believes(s, string(forged)) {
					t.Errorf("%s: believed with bit %d of character %d turned", kind, bit, i)
				}
			}
			for _, forged := range []string{value[:i], value[i:], value[:i] + value[i+1:], value[:i] + "\n" + value[i+1:], value[:i] + "\n" + value[i:], value[:i] + "A" + value[i:]} {
				if forged != value && believes(s, forged) {
					t.Errorf("%s: %q is believed for %q", kind, forged, value)
				}
			}
		}
		raw, err := base64.RawURLEncoding.DecodeString(value)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 * len(raw) {
			forged := bytes.Clone(raw)
			forged[i/8] ^= 1 << (i % 8)
			if believes(s, base64.RawURLEncoding.EncodeToString(forged)) {
				t.Errorf("%s: believed with bit %d turned", kind, i)
			}
		}
		for _, forged := range []string{
			value + "=", value + "A", value + value, `"` + value + `"`, " " + value, base64.StdEncoding.EncodeToString(raw) + ".",
			base64.RawURLEncoding.EncodeToString(make([]byte, len(raw))),
		} {
			if believes(s, forged) {
				t.Errorf("%s: %q is believed for %q", kind, forged, value)
			}
		}
	})
}

// What a visitor was given as one thing is no other thing, even where both are as long and say as much.
func TestNoKindPassesAsAnother(t *testing.T) {
	s := NewSeal()
	each(s, func(of, value string, _ func(*Seal, string) bool) {
		each(s, func(as, _ string, believes func(*Seal, string) bool) {
			if got := believes(s, value); got != (of == as) {
				t.Errorf("a %s as %s: %v", of, as, got)
			}
		})
	})
	if len(s.Place(now, 7, office)) != len(s.Admission(office, now)) {
		t.Error("a place and an admission differ in length, so that the words in the signatures are not proved by this")
	}
}

// The bytes are an agreement between Gatehouses of different versions: what is signed here is computed anew.
func TestWhatIsSigned(t *testing.T) {
	key := []byte("an example of a key, 32 bytes or more")
	s, err := ParseKeys([]byte(base64.StdEncoding.EncodeToString(key)))
	if err != nil {
		t.Fatal(err)
	}
	at := time.UnixMilli(1_790_000_000_123)
	body := append([]byte{1}, binary.BigEndian.AppendUint64(nil, 1_790_000_000_123)[1:]...)
	place := append(bytes.Clone(body), 0, 0, 0, 0, 0, 0, 1, 2)
	want := func(word string, body, bond []byte) string {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte("gatehouse " + word + "\x00"))
		mac.Write(body)
		mac.Write(bond)
		return base64.RawURLEncoding.EncodeToString(append(bytes.Clone(body), mac.Sum(nil)[:16]...))
	}
	for _, c := range []struct{ name, got, want string }{
		{"proof", s.Proof(sid, at), want("proof", body, []byte(sid))},
		{"proof of a long id", s.Proof(strings.Repeat("%41b", 1000), at), want("proof", body, bytes.Repeat([]byte("Ab"), 1000))},
		{"place", s.Place(at, 258, office), want("place", place, []byte{4, 203, 0, 113})},
		{"place of IPv6", s.Place(at, 258, netip.MustParseAddr("2001:db8:1:2::3")), want("place", place, []byte{6, 0x20, 0x01, 0x0d, 0xb8, 0, 1})},
		{"place of nobody's address", s.Place(at, 258, netip.Addr{}), want("place", place, []byte{0})},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
	if got, want := s.Proof("sid", at), "AQABoMRQbHuRFsCDgNALe66Eayp6bgWO"; got != want {
		t.Errorf("%q, want %q as ever", got, want)
	}
	a, _ := base64.RawURLEncoding.DecodeString(s.Admission(office, at))
	if got := base64.RawURLEncoding.EncodeToString(a); !bytes.HasPrefix(a, body) || got != want("admission", a[:16], []byte{4, 203, 0, 113}) {
		t.Errorf("admission: %q", got)
	}
}

// A later version may say other things in as many bytes.
func TestAnotherVersionIsNotRead(t *testing.T) {
	s := NewSeal()
	for _, v := range []byte{0, 1, 2, 255} {
		said, _ := stamped(now)
		said.bytes[0] = v
		if good, _ := s.Proves(s.seal(ofProof, &said, &bond{id: sid}), sid, now); good != (v == 1) {
			t.Errorf("version %d: %v", v, good)
		}
	}
}

// Hashes are lent to one at a time, also where there are more askers than spare ones.
func TestManyAtOnce(t *testing.T) {
	s := NewSeal()
	proofs := [2]string{s.Proof("a", now), s.Proof("b", now)}
	var all sync.WaitGroup
	for g := range 4 * spares {
		all.Go(func() {
			for range 200 {
				right, _ := s.Proves(proofs[g%2], "ab"[g%2:g%2+1], now)
				wrong, _ := s.Proves(proofs[g%2], "ba"[g%2:g%2+1], now)
				if !right || wrong {
					t.Errorf("right %v, wrong %v", right, wrong)
					return
				}
			}
		})
	}
	all.Wait()
}

func FuzzSealed(f *testing.F) {
	key := bytes.Repeat([]byte("0123456789abcdef"), 2)
	s := &Seal{keys: []*keyed{newKeyed([]byte("of another Gatehouse, as it were")), newKeyed(key)}}
	each(&Seal{keys: []*keyed{newKeyed(key)}}, func(_, value string, _ func(*Seal, string) bool) { f.Add(value, sid) })
	f.Add("", "")
	f.Add(strings.Repeat("A", 34), `"%41"`)
	f.Add("AQ"+strings.Repeat("\n", 41), "%")
	f.Add("AQ"+strings.Repeat("\n", 32), sid)
	f.Fuzz(func(t *testing.T, value, id string) {
		good, renew := s.Proves(value, id, now)
		at, n, admitted := s.Admitted(value, office, now)
		_, _, placed := s.Placed(value, office)
		if renew && !good || admitted && placed || admitted && good || placed && good {
			t.Errorf("%q: proves %v and to be renewed %v, admits %v, places %v", value, good, renew, admitted, placed)
		}
		if !admitted && (n != 0 || !at.IsZero()) {
			t.Errorf("%q: says %v, %v", value, at, n)
		}
		// Nobody who has not got the key makes a value with another body than those above.
		raw, err := base64.RawURLEncoding.DecodeString(value)
		if (good || admitted || placed) && (err != nil || base64.RawURLEncoding.EncodeToString(raw) != value || raw[0] != 1) {
			t.Errorf("%q is believed", value)
		}
	})
}

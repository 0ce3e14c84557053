package session

import (
	"iter"
	"strconv"
	"strings"
	"time"
)

// The names of Gatehouse's own cookies. Backends never see them.
const (
	ProofCookie     = "gatehouse_proof"
	AdmissionCookie = "gatehouse_admission"
	PlaceCookie     = "gatehouse_place"
)

// maxTried is how many cookies of one name are looked at.
const maxTried = 8

// Cookies yields the values of the cookies of that name, at most eight, in the order in which they came. A site next door can
// set cookies for this one, and a browser sends them all: who wants one that is signed tries each. The strings are part of the
// header.
func Cookies(f Fields, name string) iter.Seq[string] {
	return func(yield func(value string) bool) {
		tried := 0
		for n, value := range cookies(f) {
			if n != name {
				continue
			}
			if tried++; !yield(value) || tried == maxTried {
				return
			}
		}
	}
}

// SetCookie returns the value of a Set-Cookie field (RFC 6265 section 4.1) for one of Gatehouse's own cookies, good for the
// whole host and for nobody else: no Domain, no script. life is rounded up to seconds; 0 deletes the cookie. secure says that
// the visitor came by https. crossSite says that requests from another site's page must carry it, as the POST of an identity
// provider does; browsers allow that by https alone, and without it the cookie still comes with links that lead here.
func SetCookie(name, value string, life time.Duration, secure, crossSite bool) string {
	seconds := int64(0)
	if life > 0 {
		seconds = int64((life-1)/time.Second) + 1
	} else {
		value = ""
	}
	b := make([]byte, 0, 160)
	b = append(append(append(b, name...), '='), value...)
	b = append(b, "; Path=/; Max-Age="...)
	b = strconv.AppendInt(b, seconds, 10)
	b = append(b, "; HttpOnly"...)
	if secure {
		b = append(b, "; Secure"...)
	}
	if secure && crossSite {
		b = append(b, "; SameSite=None"...)
	} else {
		b = append(b, "; SameSite=Lax"...)
	}
	return string(b)
}

// Own reports whether a name is that of one of Gatehouse's own cookies, whatever its case: what a visitor cannot have been given
// is not passed on either.
func Own(name string) bool {
	if len(name) < len(PlaceCookie) || name[0]|0x20 != 'g' { // nearly every one
		return false
	}
	return strings.EqualFold(name, ProofCookie) || strings.EqualFold(name, AdmissionCookie) || strings.EqualFold(name, PlaceCookie)
}

// StripOwn returns the value of a Cookie field without Gatehouse's own cookies. Every other cookie stays byte for byte, in its
// place, and where there is none of ours so does the whole string. "" means that nothing is left, and that the field should go.
func StripOwn(cookieLine string) string {
	return strip(cookieLine, func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return Own(trim(name))
	})
}

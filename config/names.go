package config

import (
	"net/netip"
	"net/textproto"
	"regexp"
	"strings"
)

// label checks a name that becomes a metric label.
func (v value) label(s string) {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`).MatchString(s) {
		v.fail("%s is no name; a lower-case letter or digit, then at most 62 of a-z, 0-9, _ and - are wanted", quote(s))
	}
}

// named returns the entries of a mapping whose keys are the operator's own names. Those that are wrong are among them, so
// that what refers to them is not wrong, too.
func (v value) named(wanted string) []entry {
	entries, _ := v.entries(wanted)
	for _, e := range entries {
		e.key.label(e.name)
	}
	return entries
}

// isToken reports whether s is a token (RFC 9110 section 5.6.2): the name of a field, a cookie or a method.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != "" && len(s) <= 256
}

// cookieName accepts the name of a cookie (RFC 6265 section 4.1.1).
func (v value) cookieName(s string) (string, bool) {
	if !isToken(s) || strings.Contains(s, "*") {
		v.fail("%s is no cookie's name; letters, digits and the signs of an HTTP token are wanted", quote(s))
		return "", false
	}
	return s, true
}

// notOwn complains of a name, or a pattern of names, that takes in a cookie of Gatehouse's own. The app never sees those, so
// none is its session's, and that one is there proves nothing: anybody can send it. Like whoever strips them, it takes no heed of
// case.
func (v value) notOwn(s string) bool {
	for _, own := range []string{"gatehouse_proof", "gatehouse_admission", "gatehouse_place"} {
		if patternsMeet(strings.ToLower(s), own) {
			v.fail("%s takes in %s, a cookie of Gatehouse's own; a name of the app's is wanted", v.shown(), own)
			return false
		}
	}
	return true
}

// appCookie accepts the name of a cookie that is the app's.
func (v value) appCookie(s string) (string, bool) {
	s, ok := v.cookieName(s)
	return s, ok && v.notOwn(s)
}

// fieldName accepts the name of a header field and returns it in its canonical form.
func (v value) fieldName(s string) (string, bool) {
	if !isToken(s) {
		v.fail("%s is no header's name; letters, digits and the signs of an HTTP token are wanted", quote(s))
		return "", false
	}
	return textproto.CanonicalMIMEHeaderKey(s), true
}

// isHostName reports whether s, in lower case, is a name of hosts as DNS and browsers write it, or an address.
func isHostName(s string) bool {
	if _, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return strings.Contains(s, ":") == strings.HasPrefix(s, "[") && !strings.Contains(s, "%")
	}
	return len(s) <= 253 && regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$`).MatchString(s)
}

// isDialName is isHostName for connecting, where a dot at the end keeps a resolver from trying its search list.
func isDialName(s string) bool { return isHostName(strings.TrimSuffix(s, ".")) }

// local reads a path that leads back to this site: a single "/" first, so that no browser can take it for another host, and
// nothing that a header could not carry.
func (v value) local(to *string) {
	const wanted = "a path that begins with a single /"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	bad := s[0] != '/' || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\#") || len(s) > 2048
	for i := 0; i < len(s); i++ {
		bad = bad || s[i] <= ' ' || s[i] >= 0x7f
	}
	if bad {
		v.fail("%s; %s, without \\, #, spaces and control characters, is wanted", v.shown(), wanted)
		return
	}
	*to = s
}

package intake

import (
	"net/netip"
	"strings"
)

// Target is a request target taken apart (RFC 9112 section 3.2).
type Target struct {
	Host    string // lower case, without the port
	Port    string // "" when none was given
	RawPath string // as it came
	Query   string // without the question mark
	Asked   bool   // there was a question mark, even if nothing follows it

	whole string // RawPath and Query as they were read, in one piece; only where there is a query
}

// Origin returns the target in origin form, byte for byte as it came.
func (t Target) Origin() string {
	if !t.Asked {
		return t.RawPath
	}
	if n := len(t.RawPath); len(t.whole) == n+1+len(t.Query) && t.whole[:n] == t.RawPath && t.whole[n+1:] == t.Query {
		return t.whole
	}
	return t.RawPath + "?" + t.Query
}

// ReadTarget takes a request target and the Host field apart. Origin form is read as it is, absolute form only when its
// authority agrees with Host; everything else, "*" included (there is no one backend to ask), is a *Refusal.
func ReadTarget(method, target, host string) (Target, error) {
	var t Target
	switch method {
	case "CONNECT", "TRACE", "":
		return t, ErrMethod
	}
	var ok bool
	if t.Host, t.Port, ok = splitHost(host); !ok {
		return t, ErrHost
	}
	switch {
	case strings.HasPrefix(target, "/"):
	default:
		rest, found := cutScheme(target)
		if !found {
			return t, ErrTarget
		}
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		h, p, ok := splitHost(rest[:end])
		if !ok {
			return t, ErrTarget
		}
		if h != t.Host || p != t.Port {
			return t, ErrHosts
		}
		if target = rest[end:]; !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
	}
	for i := range len(target) {
		if !targetBytes[target[i]] {
			return t, ErrTarget
		}
	}
	if t.RawPath, t.Query, t.Asked = strings.Cut(target, "?"); t.Asked {
		t.whole = target
	}
	return t, nil
}

// targetBytes are those that a target may hold.
var targetBytes = func() (set [256]bool) {
	for c := range set {
		set[c] = c > ' ' && c != 0x7f && c != '#'
	}
	return set
}()

func cutScheme(target string) (string, bool) {
	for _, scheme := range [...]string{"http://", "https://"} {
		if len(target) >= len(scheme) && strings.EqualFold(target[:len(scheme)], scheme) {
			return target[len(scheme):], true
		}
	}
	return "", false
}

// splitHost takes host[:port] apart. It knows names, IPv4 and bracketed IPv6 addresses, and nothing else: no userinfo, no
// path, no empty name.
func splitHost(s string) (host, port string, ok bool) {
	host = s
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", false
		}
		addr, err := netip.ParseAddr(s[1:end])
		if err != nil || !addr.Is6() {
			return "", "", false
		}
		host, s = s[:end+1], s[end+1:]
		if s == "" {
			return strings.ToLower(host), "", true
		}
		if s[0] != ':' {
			return "", "", false
		}
		port = s[1:]
	} else {
		if i := strings.IndexByte(s, ':'); i >= 0 {
			host, port = s[:i], s[i+1:]
			if port == "" {
				return "", "", false
			}
		}
		if host == "" || len(host) > 253 {
			return "", "", false
		}
		for i := range len(host) {
			if !nameByte(host[i]) {
				return "", "", false
			}
		}
	}
	if len(port) > 5 {
		return "", "", false
	}
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' {
			return "", "", false
		}
	}
	return strings.TrimSuffix(strings.ToLower(host), "."), port, strings.Trim(host, ".") != ""
}

func nameByte(c byte) bool { return nameBytes[c] }

// nameBytes are letters, digits, dots, dashes and underscores.
var nameBytes = func() (set [256]bool) {
	for c := byte(0); c < 0x80; c++ {
		set[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_'
	}
	return set
}()

package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// knowsHost reports whether a request names a host that is meant. A page of another site can make a browser ask a loopback
// address under that site's own name (DNS rebinding) and read the answer; the name gives it away. A Unix socket is out of a
// browser's reach, and whoever sends no Host at all is no browser.
func (h *handler) knowsHost(r *http.Request) bool {
	if isUnix(r) || r.Host == "" {
		return true
	}
	name := hostName(r.Host)
	if name == "localhost" {
		return true
	}
	for _, known := range h.set.Hosts {
		if name == hostName(known) {
			return true
		}
	}
	addr, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	return addr.IsLoopback() || addr.WithZone("").Unmap() == localAddr(r)
}

// hostName returns a Host field's name or address, in lower case, without port, brackets and final dot.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	} else if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// localAddr returns the address that a request came in on; invalid when there is none.
func localAddr(r *http.Request) netip.Addr {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return netip.Addr{}
	}
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().WithZone("").Unmap()
}

// trusts reports whether a request has the token, where one is asked for: as a bearer token, or as the password of basic
// authentication, which a browser can ask a person for.
func (h *handler) trusts(r *http.Request) bool {
	if h.set.Token == "" {
		return true
	}
	given, ok := bearer(r.Header.Get("Authorization"))
	if !ok {
		_, given, ok = r.BasicAuth()
	}
	// Both are hashed first, so that not even the length shows in the time it takes.
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(h.set.Token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && ok
}

func bearer(field string) (string, bool) {
	scheme, rest, ok := strings.Cut(field, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

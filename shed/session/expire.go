package session

import (
	"net/netip"
	"slices"
	"strings"
)

// What Expire answers is bounded, because names and path are a stranger's.
const (
	maxExpired = 8    // cookies
	maxLines   = 8    // for each of them
	maxName    = 256  // bytes; longer names are left alone
	maxSegment = 1024 // bytes; browsers leave a longer attribute unread
)

// Expire returns the Set-Cookie values that take every marked cookie that request carries away from the browser. host is the
// request's, with or without a port, path its path as it came, and secure says that the browser came by https.
//
// A browser takes a cookie away only by the Domain and Path with which it was given, and it does not send them. So each name
// gets several lines: without a Domain, and for host and each parent of at least two labels (for an address or a single label,
// none), with Path=/ and the first segment of path. A Domain that is not the site's own (co.uk) browsers leave unread. Where
// there are more than 8 lines the parents' paths go first. A cookie that lies deeper in the path than its first segment, or is
// Partitioned, stays; so do names that cannot be written into a Set-Cookie, and cookies after the eighth.
func (m *Marks) Expire(request Fields, host, path string, secure bool) []string {
	var names, lines []string
	for name := range cookies(request) {
		if m.mark(name) < 0 || !settable(name) || slices.Contains(names, name) {
			continue
		}
		if names = append(names, name); len(names) == maxExpired {
			break
		}
	}
	if len(names) == 0 {
		return nil
	}
	places := reaches(host, path)
	for _, name := range names {
		if hasPrefix(name, "__Host-") {
			lines = append(lines, name+"=; Path=/"+expired+"; Secure")
			continue
		}
		end := expired
		if secure || hasPrefix(name, "__Secure-") {
			end += "; Secure"
		}
		for _, place := range places {
			lines = append(lines, name+"="+place+end)
		}
	}
	return lines
}

const expired = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly"

// reaches returns the Path and Domain attributes with which a cookie may have been given, the likely ones first.
func reaches(host, path string) []string {
	places := []string{"; Path=/"}
	below := ""
	if s := firstSegment(path); s != "" {
		below = "; Path=" + s
		places = append(places, below)
	}
	all := domains(host)
	for _, d := range all {
		places = append(places, "; Path=/; Domain="+d)
	}
	if below != "" {
		for _, d := range all {
			places = append(places, below+"; Domain="+d)
		}
	}
	return places[:min(len(places), maxLines)]
}

// domains returns the host and its parents of at least two labels, and none where a Domain means nothing.
func domains(host string) []string {
	host = strings.ToLower(hostname(host))
	if _, err := netip.ParseAddr(host); err == nil || len(host) > 253 {
		return nil
	}
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if !isLabel(l) {
			return nil
		}
	}
	// Browsers read a name that ends in a number as an address.
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return nil
	}
	var all []string
	for ; len(labels) >= 2 && len(all) < maxLines; labels = labels[1:] {
		all = append(all, strings.Join(labels, "."))
	}
	return all
}

func isLabel(l string) bool {
	for i := range len(l) {
		if c := l[i]; !digit(c) && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return l != ""
}

// firstSegment returns the beginning of a path up to its second slash, or "" where there is none that an attribute can hold.
func firstSegment(path string) string {
	if path == "" || path[0] != '/' {
		return ""
	}
	end := strings.IndexAny(path[1:], "/?#") + 1
	if end == 0 {
		end = len(path)
	}
	if end < 2 || end > maxSegment || !visible(path[:end], ";") {
		return ""
	}
	return path[:end]
}

// settable reports whether a cookie of that name can be set by a line.
func settable(name string) bool {
	return name != "" && len(name) <= maxName && visible(name, ";,=")
}

// visible reports whether s holds nothing but visible ASCII, and nothing of without.
func visible(s, without string) bool {
	for i := range len(s) {
		if c := s[i]; c <= 0x20 || c >= 0x7f || strings.IndexByte(without, c) >= 0 {
			return false
		}
	}
	return true
}

// hasPrefix reports whether a cookie's name has one of the prefixes that browsers watch over, which they read in any case.
func hasPrefix(name, prefix string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

package intake

import (
	"cmp"
	"net/netip"
	"strings"

	"gatehouse/proxy/h1"
)

// hopBefore is one element of what proxies in front say: who asked there, and how. Any of it may be "".
type hopBefore struct{ node, proto, host string }

// before is what the proxies in front say, the first of them first. X-Forwarded-For is believed before Forwarded (RFC 7239): a proxy
// that writes the one lets the other pass as the visitor sent it.
func before(head h1.Head) []hopBefore {
	var all []hopBefore
	if head.Has("X-Forwarded-For") {
		for entry := range entries(head, "X-Forwarded-For", false) {
			all = append(all, hopBefore{node: entry})
		}
		if proto := head.Get("X-Forwarded-Proto"); len(all) > 0 {
			all[0].proto, all[0].host = proto, head.Get("X-Forwarded-Host")
		}
		return all
	}
	for element := range entries(head, "Forwarded", true) {
		var h hopBefore
		for rest := element; rest != ""; {
			var pair string
			pair, rest = cutOutside(rest, ';')
			name, value, _ := strings.Cut(pair, "=")
			switch value = unquote(trim(value)); strings.ToLower(trim(name)) {
			case "for":
				h.node = value
			case "proto":
				h.proto = value
			case "host":
				h.host = value
			}
		}
		all = append(all, h)
	}
	return all
}

// Proto is the scheme by which the visitor came to the first proxy in front, as it says; "" where it does not. It is for those
// whose peer is trusted.
func Proto(head h1.Head) string {
	if proto := head.Get("X-Forwarded-Proto"); proto != "" || head.Has("X-Forwarded-For") {
		return strings.ToLower(proto)
	}
	if all := before(head); len(all) > 0 {
		return strings.ToLower(all[0].proto)
	}
	return ""
}

// entries yields the elements of a list field that are not empty.
func entries(head h1.Head, name string, quotes bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := 0; ; i++ {
			line, ok := head.Field(name, i)
			if !ok {
				return
			}
			for line != "" {
				var entry string
				if quotes {
					entry, line = cutOutside(line, ',')
				} else {
					entry, line, _ = strings.Cut(line, ",")
				}
				if entry = trim(entry); entry != "" && !yield(entry) {
					return
				}
			}
		}
	}
}

// cutOutside cuts s at the first sep that no quoted string holds (RFC 9110 section 5.6.4).
func cutOutside(s string, sep byte) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == sep && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// unquote takes the quotes off a quoted string.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	if !strings.Contains(s, `\`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

// appendElement writes one element of Forwarded.
func appendElement(b []byte, h hopBefore) []byte {
	sep := ""
	for _, p := range [...]struct{ name, value string }{{"for", cmp.Or(node(h.node), "unknown")}, {"host", h.host}, {"proto", h.proto}} {
		if p.value == "" {
			continue
		}
		b = append(append(append(b, sep...), p.name...), '=')
		b = appendValue(b, p.value)
		sep = ";"
	}
	return b
}

// node is who asked, as Forwarded writes it: an IPv6 address stands in brackets (RFC 7239 section 6).
func node(s string) string {
	if a, err := netip.ParseAddr(s); err == nil && a.Is6() {
		return "[" + s + "]"
	}
	return s
}

// appendValue writes a token as it is, and anything else as a quoted string.
func appendValue(b []byte, s string) []byte {
	for i := range len(s) {
		if !nameByte(s[i]) {
			b = append(b, '"')
			for i := range len(s) {
				if s[i] == '"' || s[i] == '\\' {
					b = append(b, '\\')
				}
				b = append(b, s[i])
			}
			return append(b, '"')
		}
	}
	return append(b, s...)
}

// entry is who asked, as X-Forwarded-For writes it: what could be taken for more than one is nobody who is known.
func entry(s string) string {
	for i := range len(s) {
		if !nameByte(s[i]) && s[i] != ':' && s[i] != '[' && s[i] != ']' {
			return "unknown"
		}
	}
	return cmp.Or(s, "unknown")
}

package page

import "strings"

// maxRestart bounds a path that is repeated; a longer one is not worth an answer of its size.
const maxRestart = 1024

// restart returns where the page leads: p without its query, if p is the path of this host and nothing else, and "/"
// otherwise. Browsers read "//host", "/\host" and "/<tab>/host" as another host. Bytes that have no place in a path (RFC 3986
// section 3.3) are percent-encoded, so that what is left means nothing to HTML but "&" and "'".
func restart(p string) string {
	if i := strings.IndexByte(p, '?'); i >= 0 {
		p = p[:i]
	}
	if i := strings.IndexByte(p, '#'); i >= 0 {
		p = p[:i]
	}
	if p == "" || len(p) > maxRestart || p[0] != '/' || len(p) > 1 && p[1] == '/' {
		return "/"
	}
	foreign := 0
	for i := range len(p) {
		switch c := p[i]; {
		case c < 0x20 || c == 0x7f || c == '\\':
			return "/"
		case !inPath(c):
			foreign++
		}
	}
	if foreign == 0 {
		return p
	}
	b := make([]byte, 0, len(p)+2*foreign)
	for i := range len(p) {
		if c := p[i]; inPath(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(b)
}

const upperHex = "0123456789ABCDEF"

func inPath(c byte) bool { return pathBytes[c] }

// pathBytes and idBytes are what stays as it is in a path and in a request's id.
var pathBytes, idBytes = lettersAnd("/-._~!$&'()*+,;=:@%"), lettersAnd("-_.:+/=")

func lettersAnd(others string) (set [256]bool) {
	for c := range set {
		set[c] = alphanumeric(byte(c)) || strings.IndexByte(others, byte(c)) >= 0
	}
	return set
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// identifier returns id if it can be shown anywhere as it is, and "" otherwise.
func identifier(id string) string {
	if len(id) > 80 {
		return ""
	}
	for i := range len(id) {
		if !idBytes[id[i]] {
			return ""
		}
	}
	return id
}

// attribute escapes what restart returned for an HTML attribute.
func attribute(p string) string {
	if strings.IndexByte(p, '&') < 0 && strings.IndexByte(p, '\'') < 0 {
		return p
	}
	return strings.NewReplacer("&", "&amp;", "'", "&#39;").Replace(p)
}

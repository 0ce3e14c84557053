package intake

import (
	"strings"

	"gatehouse/proxy/h1"
)

// Facts is what the field lines that are not passed on said.
type Facts struct {
	Websocket bool // the visitor asks to upgrade to websocket; any other upgrade is dropped
	Trailers  bool // the visitor says TE: trailers
}

// never are fields that a visitor may not send to a backend. Some frameworks route by the first group, which would undo our
// routing; the last is turned into an environment variable that HTTP clients obey ("httpoxy", CVE-2016-5385).
var never = [...]string{
	"X-Original-Url", "X-Rewrite-Url", "X-Original-Uri", "X-Original-Host", "Proxy",
}

// hop are the fields that belong to one connection (RFC 9110 section 7.6.1). Trailer goes on: trailers do.
var hop = [...]string{
	"Connection", "Proxy-Connection", "Keep-Alive", "TE", "Transfer-Encoding", "Content-Length", "Upgrade",
	"Proxy-Authenticate", "Proxy-Authorization", "HTTP2-Settings", "Expect",
}

// Clean takes out of a request's head, in place, what ends here or is not believed: the fields of the connection and those
// that Connection names, names with an underscore (a backend may read X_User as X-User), Gatehouse-*, those that rewrite the
// route, and, unless the peer is trusted, what only a trusted proxy may say. It returns what it learned, or a *Refusal.
//
// allow are names that pass although they hold an underscore.
func Clean(head *h1.Head, trusted bool, allow []string) (Facts, error) {
	var f Facts
	var named []string
	for _, l := range *head {
		switch {
		case is(l.Name, "Connection"):
			for v := l.Value; v != ""; {
				var word string
				word, v, _ = strings.Cut(v, ",")
				if word = trim(word); word == "" {
					continue
				}
				if vital(word) {
					return f, ErrConnection
				}
				named = append(named, word)
			}
		case is(l.Name, "Expect"):
			if !strings.EqualFold(l.Value, "100-continue") {
				return f, ErrExpect
			}
		case is(l.Name, "TE"):
			f.Trailers = f.Trailers || hasWord(l.Value, "trailers")
		case is(l.Name, "Upgrade"):
			f.Websocket = f.Websocket || strings.EqualFold(l.Value, "websocket")
		}
	}
	f.Websocket = f.Websocket && isAny("Upgrade", named)
	bad := false
	head.DelFunc(func(l h1.Line) bool {
		bad = bad || !h1.ValidValue(l.Value)
		switch known := suspect(l.Name); {
		case known && (isAny(l.Name, hop[:]) || isAny(l.Name, never[:]) || ours(l.Name)), isAny(l.Name, named):
			return true
		case strings.IndexByte(l.Name, '_') >= 0:
			return !isAny(l.Name, allow)
		case !trusted:
			return known && onlyTrusted(l.Name)
		}
		return false
	})
	if bad {
		return f, ErrField
	}
	return f, nil
}

// suspect reports whether a name begins as one of hop, never, ours or onlyTrusted does. Most names do not, and need not be compared
// with each of those.
func suspect(name string) bool {
	if name == "" {
		return false
	}
	switch name[0] | 0x20 { // no two letters become one by this, and nothing else becomes one of these that a name may hold
	case 'c':
		return len(name) > len("Cookie") && hasPrefix(name, "Con") || hasPrefix(name, "Client-")
	case 'e':
		return len(name) == len("Expect")
	case 'f':
		return len(name) == len("Forwarded")
	case 'h':
		return len(name) == len("HTTP2-Settings")
	case 's':
		return hasPrefix(name, "Ssl-")
	case 'u':
		return len(name) == len("Upgrade")
	case 'g', 'k', 'p', 't', 'x':
		return true
	}
	return false
}

// early are fields that mean something only before the body: who asks, for what, and what the body is.
var early = [...]string{
	"Host", "Cookie", "Set-Cookie", "Authorization", "Content-Type", "Content-Encoding", "Content-Range", "Cache-Control", "Range",
}

// CleanTrailer takes out of a request's trailer, in place, what Clean would take out of its head, and what no backend should
// meet so late: a trailer must not say who is asking, or what for (RFC 9110 section 6.5.1).
func CleanTrailer(trailer *h1.Head, trusted bool) {
	if _, err := Clean(trailer, trusted, nil); err != nil {
		*trailer = nil
		return
	}
	trailer.DelFunc(func(l h1.Line) bool { return isAny(l.Name, early[:]) || onlyTrusted(l.Name) })
}

// Announced returns those names of a request's Trailer field whose lines CleanTrailer would leave.
func Announced(list string, trusted bool) string {
	if list == "" {
		return ""
	}
	var all h1.Head
	for name := range strings.SplitSeq(list, ",") {
		if name = trim(name); h1.ValidName(name) && !is(name, "Trailer") {
			all = append(all, h1.Line{Name: name})
		}
	}
	CleanTrailer(&all, trusted)
	names := make([]string, len(all))
	for i, l := range all {
		names[i] = l.Name
	}
	return strings.Join(names, ", ")
}

// CleanAnswer takes out of a backend's head, in place, what ends here: the fields of the connection, and Gatehouse-*, which
// only Gatehouse may say.
func CleanAnswer(head *h1.Head) {
	var named []string
	for _, l := range *head {
		if is(l.Name, "Connection") {
			for word := range strings.SplitSeq(l.Value, ",") {
				if word = trim(word); word != "" && !vital(word) {
					named = append(named, word)
				}
			}
		}
	}
	head.DelFunc(func(l h1.Line) bool {
		return suspect(l.Name) && (isAny(l.Name, hop[:]) || ours(l.Name)) || isAny(l.Name, named)
	})
}

// vital reports whether a field must not be named by Connection: dropping it would change what the request means.
func vital(name string) bool {
	return is(name, "Host") || is(name, "Cookie") || is(name, "Authorization") || hasPrefix(name, "Content-") ||
		hasPrefix(name, "X-Forwarded-") || is(name, "Forwarded")
}

func onlyTrusted(name string) bool {
	return hasPrefix(name, "X-Forwarded-") || is(name, "Forwarded") || is(name, "X-Real-Ip") || is(name, "X-Client-Ip") ||
		is(name, "True-Client-Ip") || is(name, "X-Request-Id") || ofCertificate(name)
}

// ofCertificate reports whether a field says who a visitor is by his certificate: RFC 9440 section 4 has it taken out where it was not made,
// and so have the others that are in use.
func ofCertificate(name string) bool {
	return hasPrefix(name, "Client-Cert") || hasPrefix(name, "X-Client-Cert") || hasPrefix(name, "X-Ssl-Client-") || hasPrefix(name, "Ssl-Client-")
}

func ours(name string) bool { return hasPrefix(name, "Gatehouse-") }

func is(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

func isAny(name string, set []string) bool {
	for _, s := range set {
		if is(name, s) {
			return true
		}
	}
	return false
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && is(s[:len(prefix)], prefix) }

func hasWord(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if is(trim(w), word) {
			return true
		}
	}
	return false
}

// trim returns s without blanks and tabs around it. strings.Trim makes a set of them each time.
func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

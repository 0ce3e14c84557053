package routing

import (
	"errors"
	"slices"
	"strings"
)

func readHost(text string) (string, error) {
	host := strings.ToLower(strings.TrimSuffix(text, "."))
	bare := strings.TrimPrefix(host, "*.")
	switch {
	case bare == "" || strings.HasPrefix(bare, "."):
		return host, errors.New("it is empty; want a name or *.name")
	case strings.Contains(bare, "*"):
		return host, errors.New("a * stands for whole labels in front; want *.example.com")
	case strings.ContainsAny(bare, "/ @?#"):
		return host, errors.New("it is not a host; want a name without scheme, port or path")
	case strings.Count(bare, ":") == 1:
		return host, errors.New("a host is matched without its port; want the name alone")
	}
	return unbracketed(host), nil
}

// unbracketed spares both sides the question whether an IPv6 address comes in brackets.
func unbracketed(host string) string {
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}

// hasHost reports whether one of the rule's hosts takes the bare one.
func (r *rule) hasHost(host string) bool {
	for _, want := range r.Hosts {
		if below, ok := strings.CutPrefix(want, "*"); ok {
			if n := len(host) - len(below); n > 0 && host[0] != '.' && equalASCIIFold(host[n:], below) {
				return true
			}
		} else if equalASCIIFold(host, want) {
			return true
		}
	}
	return false
}

// fewestHosts returns the sorted hosts without those that others of them cover, so that one request is taken by one of them
// at most.
func fewestHosts(hosts []string) []string {
	wild := map[string]bool{}
	for _, h := range hosts {
		if below, ok := strings.CutPrefix(h, "*"); ok {
			wild[below] = true
		}
	}
	var kept []string
	for _, h := range hosts {
		if !covered(strings.TrimPrefix(h, "*"), wild) {
			kept = append(kept, h)
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

// covered reports whether a proper end of the name, from a dot on, is among those given.
func covered(name string, wild map[string]bool) bool {
	for i := 1; i < len(name); i++ {
		if name[i] == '.' && wild[name[i:]] {
			return true
		}
	}
	return false
}

// putHost adds a group to the tree of hosts, whose keys are names backwards.
func putHost(t *tree[*group], host string, g *group) {
	if below, ok := strings.CutPrefix(host, "*"); ok {
		t.put(string(appendBackwards(nil, below, len(below))), borderNone, everyReading, g)
		return
	}
	t.put(string(appendBackwards(nil, host, len(host))), borderEnd, everyReading, g)
}

// appendBackwards appends the last bytes of a name, the last one first and letter case folded.
func appendBackwards(dst []byte, name string, most int) []byte {
	for i := len(name) - 1; i >= 0 && most > 0; i, most = i-1, most-1 {
		dst = append(dst, foldByte(name[i]))
	}
	return dst
}

// appendGroups appends the groups that take the bare host; those of rules that demand no host are not among them.
func appendGroups(dst []*group, t *tree[*group], host string) []*group {
	// No host begins with a dot, and none that does is below another.
	if t.longest == 0 || host == "" || host[0] == '.' {
		return dst
	}
	var room [128]byte
	for w := t.walk(appendBackwards(room[:0], host, t.enough())); w.at != nil; w.descend() {
		for i := range w.at.lists {
			if l := &w.at.lists[i]; l.border.allows(w.rest) {
				dst = append(dst, l.values...)
			}
		}
	}
	return dst
}

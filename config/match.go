package config

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// match reads what a route demands, and returns where each of its paths stands.
func (v value) match(to *Match) (paths []value) {
	v.fields(
		field{name: "host", read: func(v value) { v.strings(&to.Host, "a host name", value.hostPattern) }},
		field{name: "path", read: func(v value) { paths = v.strings(&to.Path, "a path such as /login or /oauth/*", value.pathPattern) }},
		field{name: "path_regexp", read: func(v value) { v.strings(&to.PathRegexp, "an expression", value.expression) }},
		field{name: "method", read: func(v value) { v.strings(&to.Method, "a method", value.method) }},
		field{name: "header", read: func(v value) { v.pairs(&to.Header, "a header's name", value.headerName) }},
		field{name: "cookie", read: func(v value) { v.pairs(&to.Cookie, "a cookie's name", value.appCookie) }},
		field{name: "query", read: func(v value) { v.pairs(&to.Query, "a parameter's name", value.parameter) }},
	)
	return paths
}

// strings reads one or several items, each by accept, and returns where those stand that were accepted.
func (v value) strings(to *[]string, wanted string, accept func(value, string) (string, bool)) (at []value) {
	for _, item := range v.each(wanted) {
		s, ok := item.text(wanted)
		if !ok {
			continue
		}
		if s, ok = accept(item, s); !ok {
			continue
		}
		if before := len(*to); len(item.added(to, s)) > before {
			at = append(at, item)
		}
	}
	return at
}

func (v value) added(to *[]string, s string) []string {
	*to = v.once(*to, s)
	return *to
}

// hostPattern accepts a host's name, or "*." and one.
func (v value) hostPattern(s string) (string, bool) {
	s = strings.ToLower(s)
	if !isHostName(strings.TrimPrefix(s, "*.")) {
		v.fail("%s; a name without port, such as example.com or *.example.com, in ASCII, is wanted", v.shown())
		return "", false
	}
	return s, true
}

// pathPattern accepts "/login" and "/oauth/*". A slash at the end says nothing more, "/login" is "/login/" too, so it is
// taken off.
func (v value) pathPattern(s string) (string, bool) {
	body, below := strings.CutSuffix(s, "/*")
	odd := strings.Contains(body, "//") || strings.ContainsAny(body, "\\?#")
	for part := range strings.SplitSeq(body, "/") {
		odd = odd || part == "." || part == ".."
	}
	for i := 0; i < len(s); i++ {
		odd = odd || s[i] < ' ' || s[i] == 0x7f
	}
	switch {
	case body != "" && body[0] != '/' || body == "" && !below:
		v.fail("%s does not begin with /; a path such as /login or /oauth/* is wanted", v.shown())
	case strings.Contains(body, "*"):
		v.fail("%s has its * elsewhere than after the last /; /oauth/* or path_regexp is wanted", v.shown())
	case odd || below && strings.HasSuffix(body, "/"):
		v.fail("%s is what no request's path is like once it was read; no //, dot segments, \\, ?, # and control characters are wanted", v.shown())
	case below || s == "/":
		return s, true
	default:
		return strings.TrimSuffix(s, "/"), true
	}
	return "", false
}

// expression accepts an RE2 expression. Whoever uses it anchors it at both ends.
func (v value) expression(s string) (string, bool) {
	const most = 1000
	if len(s) > most {
		v.fail("an expression of %d bytes; at most %d are wanted", len(s), most)
		return "", false
	}
	if _, err := regexp.Compile(s); err != nil {
		code := "cannot be read"
		if bad := (*syntax.Error)(nil); errors.As(err, &bad) {
			code = bad.Code.String()
		}
		v.fail("%s: %s; an expression of RE2 is wanted", v.shown(), code)
		return "", false
	}
	return s, true
}

// method accepts a method. Methods are case-sensitive (RFC 9110 section 9.1), and all in use are in capitals.
func (v value) method(s string) (string, bool) {
	if !isToken(s) || s != strings.ToUpper(s) {
		v.fail("%s is no method; one in capitals, such as GET, is wanted", v.shown())
		return "", false
	}
	return s, true
}

// headerName accepts the name of a header field that a route may look at.
func (v value) headerName(s string) (string, bool) {
	s, ok := v.fieldName(s)
	if ok && strings.Contains(s, "_") {
		v.fail("no header with an underscore reaches a route: it is dropped at the door; a name with dashes is wanted")
		return "", false
	}
	if ok && s == "Host" {
		v.fail("the header Host is read by the key host; match.host is wanted")
		return "", false
	}
	return s, ok
}

// parameter accepts the name of a query's parameter.
func (v value) parameter(s string) (string, bool) {
	if s == "" || len(s) > 256 {
		v.fail("a parameter's name of %d bytes; 1 to 256 are wanted", len(s))
		return "", false
	}
	return s, true
}

// has reports whether name is one of the pair's.
func (p Pair) has(name string) bool { return p.Name == name || slices.Contains(p.Or, name) }

// pairs reads a name, a list of names any of which will do, or a mapping of names to the values they may have, all of which are
// demanded.
func (v value) pairs(to *[]Pair, wanted string, accept func(value, string) (string, bool)) {
	add := func(at value, name string, values []string) {
		name, ok := accept(at, name)
		if !ok {
			return
		}
		if slices.ContainsFunc(*to, func(p Pair) bool { return p.has(name) }) {
			at.fail("%s is there already; each name is wanted once", quote(name))
			return
		}
		if v.node.Kind != yaml.MappingNode && len(*to) > 0 {
			(*to)[0].Or = append((*to)[0].Or, name)
			return
		}
		*to = append(*to, Pair{Name: name, Values: values})
	}
	if v.node.Kind == yaml.MappingNode {
		entries, _ := v.entries(wanted)
		if len(v.node.Content) == 0 {
			v.fail("an empty mapping; %s is wanted, or no key at all", wanted)
		}
		for _, e := range entries {
			if e.value.readable() {
				add(e.key, e.name, e.value.pairValues())
			}
		}
		return
	}
	for _, item := range v.each(wanted) {
		if s, ok := item.text(wanted); ok {
			add(item, s, nil)
		}
	}
}

// pairValues reads the values that a name may have; nil where being there is enough, which is written "*".
func (v value) pairValues() (list []string) {
	const wanted = "a value, or * where being there is enough,"
	items := v.each(wanted)
	for _, item := range items {
		s, ok := item.text(wanted)
		switch {
		case !ok:
		case s == "*" && len(items) > 1:
			item.fail("* beside other values; either * or a list of values is wanted")
		case s != "*":
			list = item.once(list, s)
		}
	}
	return list
}

package routing

import "strings"

// Pair is a name and the values it may have; no values means that being there is enough. Or holds further names that will do
// as well.
type Pair struct {
	Name   string
	Values []string
	Or     []string
}

// names returns a fresh list of all names.
func (p *Pair) names() []string { return append([]string{p.Name}, p.Or...) }

// any reports whether has holds for one of the pair's names.
func (p *Pair) any(has func(p *Pair, name string) bool) bool {
	if has(p, p.Name) {
		return true
	}
	for _, name := range p.Or {
		if has(p, name) {
			return true
		}
	}
	return false
}

func (p *Pair) inHeader(f Fields) bool {
	return p.any(func(p *Pair, name string) bool { return p.isHeader(f, name) })
}

func (p *Pair) inCookies(f Fields) bool {
	return p.any(func(p *Pair, name string) bool { return p.isCookie(f, name) })
}

func (p *Pair) inQuery(query string) bool {
	return p.any(func(p *Pair, name string) bool { return p.isParameter(query, name) })
}

// maxPairs bounds how many cookies, query parameters or lines of one field are looked at for one rule. Those past it are
// not there.
const maxPairs = 1024

// wants reports whether a value that came is one of the pair's.
func (p *Pair) wants(value string) bool {
	if len(p.Values) == 0 {
		return true
	}
	for _, v := range p.Values {
		if v == value {
			return true
		}
	}
	return false
}

// isHeader compares whole field lines.
func (p *Pair) isHeader(f Fields, field string) bool {
	if f == nil {
		return false
	}
	for i := range maxPairs {
		value, ok := f.Field(field, i)
		if !ok {
			return false
		}
		if p.wants(value) {
			return true
		}
	}
	return false
}

// isCookie reads the Cookie lines as browsers write them, and is no stricter than the apps behind: names are compared with
// case, space around names and values is dropped, and so is one pair of double quotes around a value.
func (p *Pair) isCookie(f Fields, wanted string) bool {
	if f == nil {
		return false
	}
	seen := 0
	for i := range maxPairs {
		line, ok := f.Field("Cookie", i)
		if !ok {
			return false
		}
		for more := true; more; {
			if seen++; seen > maxPairs {
				return false
			}
			var cookie string
			cookie, line, more = strings.Cut(line, ";")
			name, value, _ := strings.Cut(cookie, "=")
			if strings.Trim(name, " \t") != wanted {
				continue
			}
			value = strings.Trim(value, " \t")
			if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
				value = value[1 : len(value)-1]
			}
			if p.wants(value) {
				return true
			}
		}
	}
	return false
}

// isParameter compares decoded names and values, as forms are written: & between parameters, + for a space. An escape that is
// none stands for itself.
func (p *Pair) isParameter(query, wanted string) bool {
	for range maxPairs {
		parameter, rest, more := strings.Cut(query, "&")
		name, value, _ := strings.Cut(parameter, "=")
		if parameter != "" && decodesTo(name, wanted) {
			if len(p.Values) == 0 {
				return true
			}
			for _, v := range p.Values {
				if decodesTo(value, v) {
					return true
				}
			}
		}
		if !more {
			return false
		}
		query = rest
	}
	return false
}

func decodesTo(raw, want string) bool {
	n := 0
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			if v, ok := unhex(raw, i); ok {
				c, i = v, i+2
			}
		}
		if n == len(want) || want[n] != c {
			return false
		}
		n++
	}
	return n == len(want)
}

// canonicalName returns a field name as Fields wants it: "Accept-Language".
func canonicalName(name string) string {
	b := []byte(strings.ToLower(name))
	for i, c := range b {
		if c >= 'a' && c <= 'z' && (i == 0 || b[i-1] == '-') {
			b[i] = c - ('a' - 'A')
		}
	}
	return string(b)
}

// isName reports whether s can be a method or the name of a field or cookie (RFC 9110 section 5.6.2).
func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

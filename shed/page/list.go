package page

import "strings"

const (
	maxList    = 4096 // bytes of a negotiation field that are read
	maxMembers = 64   // members of it
)

// members calls yield with each member of a comma-separated field (RFC 9110 section 5.6.1): its value without parameters, its
// quality in thousandths, and whether parameters came before the quality that the value depends on. Members that cannot be
// read are left out, and so is whatever is beyond the bounds. It allocates nothing.
func members(field string, yield func(value string, q int, params bool)) {
	if len(field) > maxList {
		field = field[:maxList]
		// The last member may have been cut in half.
		field = field[:max(strings.LastIndexByte(field, ','), 0)]
	}
	for range maxMembers {
		if field == "" {
			return
		}
		var member string
		member, field = cut(field, ',')
		value, rest := cut(member, ';')
		value = trim(value)
		if q, params, ok := quality(rest); ok && value != "" {
			yield(value, q, params)
		}
	}
}

// cut splits s at the first sep outside of a quoted string.
func cut(s string, sep byte) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == sep && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// quality reads parameters up to q. What follows q is an extension that nobody uses (RFC 9110 section 12.5.1). A charset that
// is ours changes nothing.
func quality(s string) (q int, params, ok bool) {
	for s != "" {
		var p string
		p, s = cut(s, ';')
		name, value, _ := strings.Cut(p, "=")
		name, value = trim(name), trim(value)
		switch {
		case name == "":
		case strings.EqualFold(name, "q"):
			q, ok = thousandths(value)
			return q, params, ok
		case strings.EqualFold(name, "charset") && strings.EqualFold(strings.Trim(value, `"`), "utf-8"):
		default:
			params = true
		}
	}
	return 1000, params, true
}

// thousandths reads a qvalue: 0, 1, and up to three digits in between.
func thousandths(s string) (int, bool) {
	if s == "" || len(s) > 5 || s[0] != '0' && s[0] != '1' || len(s) > 1 && s[1] != '.' {
		return 0, false
	}
	q, unit := int(s[0]-'0')*1000, 100
	for i := 2; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		q += int(s[i]-'0') * unit
		unit /= 10
	}
	return q, q <= 1000
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

package session

import (
	"strings"
	"time"
)

// setCookie is what a browser makes of a Set-Cookie line. Its strings are parts of the line.
type setCookie struct {
	name, value  string // the value with its quotes
	domain, path string // in the browser's store a cookie is known by name, domain and path; "" for none
	gone         bool   // the line takes the cookie away
}

// readSetCookie reads the value of a Set-Cookie line as leniently as browsers do (RFC 6265 section 5.2), and returns false for
// what they leave unread. A cookie that is past its time or has no value takes the one before it away. What browsers hold
// against the page's own address (a Domain that is somebody else's, a prefix that is not lived up to) is taken as valid.
func readSetCookie(line string, now time.Time) (setCookie, bool) {
	pair, rest, _ := strings.Cut(line, ";")
	name, value, found := strings.Cut(pair, "=")
	c := setCookie{name: trim(name), value: trim(value)}
	if !found || c.name == "" {
		return setCookie{}, false
	}
	var expires, ages, old, past bool
	for rest != "" {
		var attribute string
		attribute, rest, _ = strings.Cut(rest, ";")
		key, text, _ := strings.Cut(attribute, "=")
		key, text = trim(key), trim(text)
		switch {
		case strings.EqualFold(key, "Max-Age"):
			if gone, ok := maxAge(text); ok {
				ages, old = true, gone
			}
		case strings.EqualFold(key, "Expires"):
			if at, ok := cookieDate(text); ok {
				expires, past = true, !at.After(now)
			}
		case strings.EqualFold(key, "Domain"):
			if text != "" {
				c.domain = strings.TrimPrefix(text, ".")
			}
		case strings.EqualFold(key, "Path"):
			if c.path = ""; strings.HasPrefix(text, "/") {
				c.path = text
			}
		}
	}
	// Max-Age wins over Expires (RFC 6265 section 5.3, step 3).
	c.gone = unquoted(c.value) == "" || old || !ages && expires && past
	return c, true
}

// replaces reports whether a browser that gets c after d keeps only c.
func (c *setCookie) replaces(d *setCookie) bool {
	return c.name == d.name && c.path == d.path && strings.EqualFold(c.domain, d.domain)
}

// maxAge reads a Max-Age and reports whether it is over at once (RFC 6265 section 5.2.2).
func maxAge(s string) (gone, ok bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" {
		return false, false
	}
	for i := range len(digits) {
		if !digit(digits[i]) {
			return false, false
		}
	}
	return len(digits) < len(s) || strings.Trim(digits, "0") == "", true
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

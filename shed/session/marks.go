// Package session knows what carries a session: the cookies and fields of a request by which it is recognised, and what a
// backend's answer does to them. And it signs what Gatehouse itself gives a visitor to carry: that his session was seen to
// exist, that he was let in to sign in, and since when he stands in line.
//
// It decides and does nothing: nobody is asked, no clock is read, and no message is changed here. SignedOut alone remembers; what
// a Seal signs, the visitor does.
package session

import (
	"iter"
	"strings"
)

// Fields is a header that can be looked at: the i-th value of the field with that canonical name, false past the last.
type Fields interface {
	Field(name string, i int) (string, bool)
}

// Marks are the names by which a session is recognised. The zero value recognises none. Marks are only read, so they are
// safe for concurrent use.
//
// A cookie belongs to the first mark that names it, and to Remember only where none of Cookies does.
type Marks struct {
	Cookies  []string // cookie names, compared with their case; a trailing * stands for any ending
	Headers  []string // canonical names of fields that carry a session, such as Authorization
	Remember []string // names, like Cookies, of what signs a visitor in again without a session: remember-me
}

// Carried returns the session id that a request carries, and whether it carries one. A mark without a value is none. It says
// nothing about whether the session exists. The id is part of the header: it is valid as long as that is.
func (m *Marks) Carried(f Fields) (id string, ok bool) {
	for name, value := range cookies(f) {
		if match(m.Cookies, name) >= 0 {
			return value, true
		}
	}
	for _, name := range m.Headers {
		for i := 0; ; i++ {
			v, ok := f.Field(name, i)
			if !ok {
				break
			}
			if v != "" {
				return v, true
			}
		}
	}
	return "", false
}

// Remembered reports whether a request carries a remember-me cookie that has a value.
func (m *Marks) Remembered(f Fields) bool {
	if len(m.Remember) == 0 {
		return false
	}
	for name := range cookies(f) {
		if match(m.Remember, name) >= 0 && match(m.Cookies, name) < 0 {
			return true
		}
	}
	return false
}

// IDs yields everything by which a request could be taken for somebody's: every session cookie and remember-me cookie, then
// the values of Headers, each with its name. It is what SignedOut wants to be asked about: a stranger who sends two sessions must
// not be able to hide one behind the other. The strings are part of the header, like Carried's.
func (m *Marks) IDs(f Fields) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) { m.ids(f, yield) }
}

func (m *Marks) ids(f Fields, yield func(name, value string) bool) {
	for name, value := range cookies(f) {
		if m.mark(name) >= 0 && !yield(name, value) {
			return
		}
	}
	for _, name := range m.Headers {
		for i := 0; ; i++ {
			v, ok := f.Field(name, i)
			if !ok {
				break
			}
			if v != "" && !yield(name, v) {
				return
			}
		}
	}
}

// Cookie returns the value of the first cookie of that name that has one.
func Cookie(f Fields, name string) (value string, ok bool) {
	for n, v := range cookies(f) {
		if n == name {
			return v, true
		}
	}
	return "", false
}

// cookies yields the cookies that have a value (RFC 6265 section 5.4, read as leniently as servers do).
func cookies(f Fields) func(yield func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		for i := 0; ; i++ {
			line, ok := f.Field("Cookie", i)
			if !ok {
				return
			}
			for line != "" {
				var pair string
				pair, line, _ = strings.Cut(line, ";")
				name, value, _ := strings.Cut(pair, "=")
				value = trim(value)
				if value != "" && value != `""` && !yield(trim(name), value) {
					return
				}
			}
		}
	}
}

// match returns the first of marks that names the cookie, and -1 where none does.
func match(marks []string, name string) int {
	for i, mark := range marks {
		if name == mark {
			return i
		}
		if stem, any := strings.CutSuffix(mark, "*"); any && strings.HasPrefix(name, stem) {
			return i
		}
	}
	return -1
}

// mark returns the mark that a cookie belongs to, those of Remember counted on from those of Cookies, and -1 for none.
func (m *Marks) mark(name string) int {
	if i := match(m.Cookies, name); i >= 0 {
		return i
	}
	if i := match(m.Remember, name); i >= 0 {
		return len(m.Cookies) + i
	}
	return -1
}

// remembers reports whether a mark that m.mark returned is one of Remember.
func (m *Marks) remembers(mark int) bool { return mark >= len(m.Cookies) }

// unquoted returns a cookie's value without the quotes that some servers put around it and others take off.
func unquoted(value string) string {
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
		return value[1 : n-1]
	}
	return value
}

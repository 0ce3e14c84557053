// Package session knows how a session is recognised: which cookies and fields of a request carry one.
package session

import "strings"

// Fields is a header that can be looked at: the i-th value of the field with that canonical name, false past the last.
type Fields interface {
	Field(name string, i int) (string, bool)
}

// Marks are the names by which a session is recognised. The zero value recognises none. Marks are only read, so they are
// safe for concurrent use.
type Marks struct {
	Cookies []string // cookie names, compared with their case; a trailing * stands for any ending
	Headers []string // canonical names of fields that carry a session, such as Authorization
}

// Carried returns the session id that a request carries, and whether it carries one. A mark without a value is none. It says
// nothing about whether the session exists. The id is part of the header: it is valid as long as that is.
func (m *Marks) Carried(f Fields) (id string, ok bool) {
	for name, value := range cookies(f) {
		if m.cookie(name) {
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
				value = strings.Trim(value, " \t")
				if value != "" && value != `""` && !yield(strings.Trim(name, " \t"), value) {
					return
				}
			}
		}
	}
}

func (m *Marks) cookie(name string) bool {
	for _, mark := range m.Cookies {
		if stem, any := strings.CutSuffix(mark, "*"); any && strings.HasPrefix(name, stem) || name == mark {
			return true
		}
	}
	return false
}

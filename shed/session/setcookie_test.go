package session

import (
	"testing"
	"time"
)

func TestSetCookieParts(t *testing.T) {
	for _, c := range []struct {
		line string
		want setCookie
	}{
		{"a=b", setCookie{name: "a", value: "b"}},
		{" a = b=c ;Path=/x; Secure", setCookie{name: "a", value: "b=c", path: "/x"}},
		{`a="b"; DOMAIN=.x.y; path=z`, setCookie{name: "a", value: `"b"`, domain: "x.y"}},
		{"a=b; path=/x; path=; domain=x; domain=", setCookie{name: "a", value: "b", domain: "x"}},
		{"a=b;;;=;Max-Age;Expires=;Max-Age=", setCookie{name: "a", value: "b"}},
		{"a=b; Max-Age=-", setCookie{name: "a", value: "b"}},
		{"a=b; Max-Age=000", setCookie{name: "a", value: "b", gone: true}},
		{"a=b; Max-Age=-5", setCookie{name: "a", value: "b", gone: true}},
		{"a=b; Max-Age=99999999999999999999999999", setCookie{name: "a", value: "b"}},
	} {
		if got, ok := readSetCookie(c.line, now); got != c.want || !ok {
			t.Errorf("%q: %+v, %v", c.line, got, ok)
		}
	}
}

// The dates of RFC 6265 section 5.1.1 that real servers have sent.
func TestCookieDate(t *testing.T) {
	day := func(y int, m time.Month, d, h, min, s int) time.Time {
		return time.Date(y, m, d, h, min, s, 0, time.UTC)
	}
	for s, want := range map[string]time.Time{
		"Thu, 01 Jan 1970 00:00:00 GMT":             day(1970, 1, 1, 0, 0, 0),
		"Thu, 01-Jan-1970 00:00:01 GMT":             day(1970, 1, 1, 0, 0, 1),
		"Thu, 1 Jan 1970 00:00:00 -0000":            day(1970, 1, 1, 0, 0, 0),
		"Thursday, 01-Jan-70 00:00:10 GMT":          day(1970, 1, 1, 0, 0, 10),
		"Thu Jan  1 00:00:00 1970":                  day(1970, 1, 1, 0, 0, 0),
		"Mon, 01-Jan-01 2:3:4 UTC":                  day(2001, 1, 1, 2, 3, 4),
		"2038-Jan-19 03:14:07":                      day(2038, 1, 19, 3, 14, 7),
		"19 jAnUaRy 2038 03:14:07":                  day(2038, 1, 19, 3, 14, 7),
		"Fri, 31 Dec 9999 23:59:59 GMT":             day(9999, 12, 31, 23, 59, 59),
		"Mon Oct 13 2025 10:00:00 GMT+0200 (CEST)":  day(2025, 10, 13, 10, 0, 0),
		"13/Oct/2025 10:00:00x":                     day(2025, 10, 13, 10, 0, 0),
		"Sat, 29 Feb 2020 00:00:00 GMT":             day(2020, 2, 29, 0, 0, 0),
		"Sat, 30 Feb 2020 00:00:00 GMT":             {},
		"Thu, 32 Jan 1970 00:00:00 GMT":             {},
		"Thu, 00 Jan 1970 00:00:00 GMT":             {},
		"Thu, 01 Jan 1600 00:00:00 GMT":             {},
		"Thu, 01 Jan 1970 24:00:00 GMT":             {},
		"Thu, 01 Jan 1970 00:60:00 GMT":             {},
		"Thu, 01 Jan 1970 00:00 GMT":                {},
		"Thu, 01 Jan 1970 000:00:00 GMT":            {},
		"Thu, 01 1970 00:00:00 GMT":                 {},
		"Thu, 01 Jan 19701 00:00:00 GMT":            {},
		"0":                                         {},
		"-1":                                        {},
		"":                                          {},
		"1970-01-01T00:00:00Z":                      {},
		"Thu, 01 Jan 1970 00:00:00:00 GMT":          day(1970, 1, 1, 0, 0, 0),
		"Tue, 15 Apr 69 12:00:00 GMT":               day(2069, 4, 15, 12, 0, 0),
		"\x00Thu\xff, 01 Jan 1970 00:00:00\x7f GMT": day(1970, 1, 1, 0, 0, 0),
	} {
		if got, ok := cookieDate(s); ok == want.IsZero() || ok && !got.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", s, got, ok, want)
		}
	}
}

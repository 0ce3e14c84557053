package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestExpire(t *testing.T) {
	m := Marks{Cookies: []string{"sid", "__Host-sid", "__secure-*"}, Headers: []string{"Authorization"}, Remember: []string{"remember"}}
	const end = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly"
	for _, c := range []struct {
		name, cookies, host, path string
		secure                    bool
		want                      []string
	}{
		{"nothing carried", "a=b; sid=", "example.com", "/", true, nil},
		{"a short host", "sid=a", "localhost:80", "/", false, []string{"sid=; Path=/" + end}},
		{"an address", "sid=a", "192.0.2.1", "/a/b", false, []string{"sid=; Path=/" + end, "sid=; Path=/a" + end}},
		{"an address of another kind", "sid=a", "[2001:db8::1]:443", "/", true, []string{"sid=; Path=/" + end + "; Secure"}},
		{"a number", "sid=a", "127.1", "/", false, []string{"sid=; Path=/" + end}},
		{"a host", "sid=a; sid=b; c=d", "App.Example.com:8080", "/in/out?x", false, []string{
			"sid=; Path=/" + end, "sid=; Path=/in" + end,
			"sid=; Path=/; Domain=app.example.com" + end, "sid=; Path=/; Domain=example.com" + end,
			"sid=; Path=/in; Domain=app.example.com" + end, "sid=; Path=/in; Domain=example.com" + end}},
		{"prefixes", "__Host-sid=a; __secure-x=b", "example.com", "/", false, []string{
			"__Host-sid=; Path=/" + end + "; Secure",
			"__secure-x=; Path=/" + end + "; Secure", "__secure-x=; Path=/; Domain=example.com" + end + "; Secure"}},
		{"remember-me", "remember=a", "example", "", true, []string{"remember=; Path=/" + end + "; Secure"}},
		{"a host that is none", "sid=a", "exa mple.com", "/", false, []string{"sid=; Path=/" + end}},
		{"a host with a dot at its end", "sid=a", "example.com.", "/", false, []string{"sid=; Path=/" + end}},
		{"no host", "sid=a", "", "/", false, []string{"sid=; Path=/" + end}},
		{"a path that no attribute can hold", "sid=a", "x", "/a;b/c", false, []string{"sid=; Path=/" + end}},
		{"a path that is none", "sid=a", "x", "*", false, []string{"sid=; Path=/" + end}},
	} {
		if got := m.Expire(fields{"Cookie": {c.cookies}}, c.host, c.path, c.secure); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	if got := m.Expire(fields{"Authorization": {"Bearer a"}}, "example.com", "/", true); got != nil {
		t.Errorf("a field is expired: %q", got)
	}
}

func TestExpireIsBounded(t *testing.T) {
	m := Marks{Cookies: []string{"s*"}}
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "s%d=a; ", i)
	}
	got := m.Expire(fields{"Cookie": {b.String()}}, strings.Repeat("a.", 100)+"example.com", "/a/b", true)
	if len(got) != 64 {
		t.Errorf("%d lines, want 64", len(got))
	}
	if got := m.Expire(fields{"Cookie": {strings.Repeat("s", 300) + "=a"}}, "example.com", "/", true); got != nil {
		t.Errorf("%q", got)
	}
}

func FuzzExpire(f *testing.F) {
	f.Add("sid=a; sid\r\n=b; s;=", "example.com", "/a/b")
	f.Add("s\"<x=1", "a.b:80", "/a;Domain=x/b")
	f.Add("s=1", "[::1", "/\x7f/")
	m := Marks{Cookies: []string{"s*"}, Remember: []string{"*"}}
	f.Fuzz(func(t *testing.T, cookie, host, path string) {
		lines := m.Expire(fields{"Cookie": {cookie}}, host, path, true)
		if len(lines) > maxExpired*maxLines {
			t.Errorf("%d lines", len(lines))
		}
		for _, line := range lines {
			if len(line) > 2500 || !visible(strings.ReplaceAll(line, " ", ""), "") || strings.Count(line, ";") > 6 {
				t.Errorf("%q", line)
			}
			c, ok := readSetCookie(line, now)
			if !ok || !c.gone || m.mark(c.name) < 0 {
				t.Errorf("%q takes nothing away", line)
			}
		}
	})
}

package routing

import (
	"errors"
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{"/", "/"},
		{"/login", "/login"},
		{"/login/", "/login/"},
		{"/LOGIN", "/LOGIN"},
		{"//login", "/login"},
		{"///", "/"},
		{"/./login", "/login"},
		{"/x/../login", "/login"},
		{"/x/..", "/"},
		{"/x/y/..", "/x/"},
		{"/x/y/.", "/x/y/"},
		{"/..", "/"},
		{"/../../login", "/login"},
		{"/%2e%2E/login", "/login"},
		{"/a//../login", "/login"},
		{"/%6cogin", "/login"},
		{"/log%69n/x", "/login/x"},
		{"/projects/group%2fname", "/projects/group%2Fname"},
		{"/projects/group%2Fname", "/projects/group%2Fname"},
		{"/a%2f../login", "/a%2F../login"},
		{"/%252e", "/%252e"},
		{"/100%25", "/100%25"},
		{"/caf%C3%A9", "/café"},
		{"/café", "/café"},
		{"/a%20b", "/a b"},
		{"/%3fa%23", "/?a#"},
		{"/a%3Bb;c", "/a;b;c"},
		{"/a%5cb", `/a\b`},
		{"/%c3%80", "/À"},
		{"/%e0%a4%85", "/अ"},
		{"/...", "/..."},
	} {
		got, err := Canonical(c.raw)
		if err != nil || got != c.want {
			t.Errorf("Canonical(%q) = %q, %v; want %q", c.raw, got, err, c.want)
		}
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want error
	}{
		{"", ErrRelative},
		{"*", ErrRelative},
		{"login", ErrRelative},
		{"%2flogin", ErrRelative},
		{"http://x/login", ErrRelative},
		{"/login%00", ErrControl},
		{"/login%0a", ErrControl},
		{"/login%1F", ErrControl},
		{"/login%7f", ErrControl},
		{"/login\x00", ErrControl},
		{"/login\t", ErrControl},
		{"/login\x7f", ErrControl},
		{"/%", ErrEscape},
		{"/%4", ErrEscape},
		{"/%zz", ErrEscape},
		{"/%u002f", ErrEscape},
		{"/%c0%af", ErrOverlong},
		{"/\xc0\xaf", ErrOverlong},
		{"/%C1\x9c", ErrOverlong},
		{"/%e0%80%af", ErrOverlong},
		{"/" + strings.Repeat("a", MaxPath), ErrTooLong},
	} {
		if got, err := Canonical(c.raw); !errors.Is(err, c.want) || got != "" {
			t.Errorf("Canonical(%.20q) = %q, %v; want %v", c.raw, got, err, c.want)
		}
	}
	if _, err := Canonical("/" + strings.Repeat("a", MaxPath-1)); err != nil {
		t.Errorf("the longest path: %v", err)
	}
}

func FuzzCanonical(f *testing.F) {
	for _, raw := range hostile {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		path, err := Canonical(raw)
		if err != nil {
			return
		}
		if path == "" || path[0] != '/' || len(path) > len(raw) {
			t.Fatalf("Canonical(%q) = %q", raw, path)
		}
		for _, segment := range strings.Split(path, "/") {
			if segment == "." || segment == ".." {
				t.Fatalf("Canonical(%q) = %q keeps a dot segment", raw, path)
			}
		}
		if strings.Contains(path, "//") {
			t.Fatalf("Canonical(%q) = %q keeps two slashes", raw, path)
		}
		if again, err := Canonical(path); err != nil || again != path {
			t.Fatalf("Canonical(%q) = %q, and of that %q, %v", raw, path, again, err)
		}
		if again, err := Canonical(escaped(path)); len(escaped(path)) <= MaxPath && (err != nil || again != path) {
			t.Fatalf("Canonical(%q) = %q, and of its escaped form %q, %v", raw, path, again, err)
		}
	})
}

// escaped writes everything but slashes and existing escapes as escapes.
func escaped(path string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '/':
			b.WriteByte(c)
		case c == '%':
			b.WriteString(path[i : i+3])
			i += 2
		default:
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

package h1

import (
	"bytes"
	"strings"
	"testing"
)

func TestValid(t *testing.T) {
	for _, tt := range []struct {
		s                   string
		name, value, target bool
	}{
		{"", false, true, false},
		{"Accept", true, true, true},
		{"x_y", true, true, true},
		{"!#$%&'*+-.^_`|~", true, true, true},
		{"a b", false, true, false},
		{"a\tb", false, true, false},
		{"a:b", false, true, true},
		{"a\rb", false, false, false},
		{"a\nb", false, false, false},
		{"a\x00b", false, false, false},
		{"a\x7fb", false, false, false},
		{"é", false, true, true},
		{"\xff", false, true, true},
		{"/x|y\"z", false, true, true},
	} {
		if got := ValidName(tt.s); got != tt.name {
			t.Errorf("ValidName(%q) = %v", tt.s, got)
		}
		if got := ValidValue(tt.s); got != tt.value {
			t.Errorf("ValidValue(%q) = %v", tt.s, got)
		}
		if got := ValidTarget(tt.s); got != tt.target {
			t.Errorf("ValidTarget(%q) = %v", tt.s, got)
		}
	}
}

// A value is looked at eight bytes at a time: wherever the wrong one lies, it is seen, and a tab anywhere is not one.
func TestEveryByteOfAValueIsLookedAt(t *testing.T) {
	for size := 1; size < 40; size++ {
		for at := range size {
			for c := range 256 {
				b := bytes.Repeat([]byte("x"), size)
				b[at] = byte(c)
				want := c >= ' ' && c != 0x7f || c == '\t'
				if got := ValidValue(string(b)); got != want {
					t.Fatalf("%q is valid: %v, want %v", b, got, want)
				}
				b[size/2] = '\t'
				if got := ValidValue(string(b)); got != want && at != size/2 {
					t.Fatalf("%q is valid: %v, want %v", b, got, want)
				}
				b[size/2] = 'x'
				b[at] = byte(c)
				want = c < 0x80 && (c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", byte(c)) >= 0)
				if got := ValidName(string(b)); got != want {
					t.Fatalf("%q is a name: %v, want %v", b, got, want)
				}
			}
		}
	}
}

package h1

import "testing"

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

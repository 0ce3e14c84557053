package session

import (
	"strings"
	"testing"
)

func TestStrip(t *testing.T) {
	for in, want := range map[string]string{
		"":                           "",
		"a=1":                        "a=1",
		"a=1;b=2 ;  d3; c3":          "a=1;b=2 ;  d3",
		"sid=x":                      "",
		"sid=":                       "",
		"sid":                        "",
		"sid=x; sid=y; rem=z; keep1": "",
		"sid=x;":                     "",
		"sid=x; a=1; b=2":            "a=1; b=2",
		"a=1; sid=x; b=2":            "a=1; b=2",
		"a=1; b=2; sid=x":            "a=1; b=2",
		"a=1 ;sid=x;b= 2 ; rem=r":    "a=1 ;b= 2 ",
		"a=sid=x; SID=y; sidx=z":     "a=sid=x; SID=y; sidx=z",
		`a="x; c1=y; z"`:             `a="x; z"`,
		"\tsid = x;\ta=\xff\x00":     "a=\xff\x00",
		"a=1;; sid=x;":               "a=1;;",
	} {
		if got := few.Strip(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { few.Strip("a=1; b=2; theme=dark") }); n != 0 {
		t.Errorf("%v allocations where nothing is stripped; want 0", n)
	}
}

func FuzzStrip(f *testing.F) {
	f.Add("a=1; sid=x; b=2")
	f.Add(";;sid;=; sid=\"a;c=\" rem=")
	f.Fuzz(func(t *testing.T, value string) {
		got := few.Strip(value)
		left := fields{"Cookie": {got}}
		if _, carries := few.Carried(left); carries || few.Remembered(left) || few.keeps(left) {
			t.Errorf("%q still carries: %q", value, got)
		}
		if again := few.Strip(got); again != got {
			t.Errorf("%q, and again %q", got, again)
		}
		var want, kept []string
		for name, v := range cookies(fields{"Cookie": {value}}) {
			if few.mark(name) < 0 {
				want = append(want, name+"="+v)
			}
		}
		for name, v := range cookies(left) {
			kept = append(kept, name+"="+v)
		}
		if strings.Join(kept, ";") != strings.Join(want, ";") {
			t.Errorf("%q: %q are left, want %q", value, kept, want)
		}
	})
}

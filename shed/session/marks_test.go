package session

import (
	"slices"
	"testing"
)

type fields map[string][]string

func (f fields) Field(name string, i int) (string, bool) {
	if v := f[name]; i < len(v) {
		return v[i], true
	}
	return "", false
}

func TestCarried(t *testing.T) {
	m := Marks{Cookies: []string{"sid", "wp_*"}, Headers: []string{"Authorization"}}
	for _, c := range []struct {
		name string
		f    fields
		id   string
	}{
		{"nothing", fields{}, ""},
		{"the cookie", fields{"Cookie": {"sid=abc"}}, "abc"},
		{"among others, any spacing", fields{"Cookie": {"a=1;sid=abc ;b=2"}}, "abc"},
		{"in a second line", fields{"Cookie": {"a=1", "sid=abc"}}, "abc"},
		{"a value with an equals sign", fields{"Cookie": {"sid=abc=="}}, "abc=="},
		{"a prefix", fields{"Cookie": {"wp_77=x"}}, "x"},
		{"names keep their case", fields{"Cookie": {"SID=abc"}}, ""},
		{"only its own name", fields{"Cookie": {"xsid=1; sid2=2"}}, ""},
		{"an empty value carries nothing", fields{"Cookie": {`sid=; sid=""`}}, ""},
		{"a name without a value", fields{"Cookie": {"sid"}}, ""},
		{"empty first, real second", fields{"Cookie": {"sid=; sid=b"}}, "b"},
		{"a field", fields{"Authorization": {"Bearer q"}}, "Bearer q"},
		{"an empty field", fields{"Authorization": {""}}, ""},
	} {
		id, ok := m.Carried(c.f)
		if id != c.id || ok != (c.id != "") {
			t.Errorf("%s: %q, %v; want %q", c.name, id, ok, c.id)
		}
	}
	if _, ok := new(Marks).Carried(fields{"Cookie": {"sid=abc"}}); ok {
		t.Error("the zero value recognised a session")
	}
}

func TestRemembered(t *testing.T) {
	m := Marks{Cookies: []string{"sid", "both"}, Remember: []string{"rem", "keep_*", "both"}}
	for line, want := range map[string]bool{
		"": false, "sid=a": false, "rem=a": true, "a=1; rem=b": true, "keep_1=a": true, "keep=a": false, "rem=": false, `rem=""`: false, "REM=a": false,
		"both=a": false,
	} {
		if got := m.Remembered(fields{"Cookie": {line}}); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
	if _, ok := m.Carried(fields{"Cookie": {"rem=a"}}); ok || new(Marks).Remembered(fields{"Cookie": {"rem=a"}}) {
		t.Error("remember-me is a session, or the zero value knows it")
	}
}

func TestIDs(t *testing.T) {
	m := Marks{Cookies: []string{"sid", "wp_*"}, Headers: []string{"Authorization", "X-Session"}, Remember: []string{"rem"}}
	f := fields{"Cookie": {"a=1; sid=x; rem=y", "wp_1=z; sid=w; sid="}, "Authorization": {"", "Bearer q"}, "X-Session": {"v"}}
	want := []string{"x", "z", "w", "Bearer q", "v"}
	if got := slices.Collect(m.IDs(f)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for i := range want {
		n := 0
		for id := range m.IDs(f) {
			if id != want[n] {
				t.Errorf("%q, want %q", id, want[n])
			}
			if n++; n > i {
				break
			}
		}
	}
	if first, _ := m.Carried(f); first != want[0] {
		t.Errorf("Carried says %q", first)
	}
	if got := slices.Collect(new(Marks).IDs(f)); got != nil {
		t.Errorf("the zero value yields %q", got)
	}
}

func TestMarksAllocateNothing(t *testing.T) {
	m := Marks{Cookies: []string{"sid"}, Headers: []string{"Authorization"}, Remember: []string{"rem"}}
	var f Fields = fields{"Cookie": {"a=1; b=2; sid=abc"}, "Authorization": {"Bearer q"}}
	s := NewSignedOut()
	for name, ask := range map[string]func(){
		"Carried":    func() { m.Carried(f) },
		"Remembered": func() { m.Remembered(f) },
		"IDs": func() {
			for id := range m.IDs(f) {
				if s.Has(id, now) {
					return
				}
			}
		},
	} {
		if n := testing.AllocsPerRun(100, ask); n != 0 {
			t.Errorf("%s: %v allocations; want 0", name, n)
		}
	}
}

func BenchmarkMarks(b *testing.B) {
	m := Marks{Cookies: []string{"sid", "wp_*"}, Headers: []string{"Authorization"}, Remember: []string{"rem"}}
	var f Fields = fields{"Cookie": {"a=1; theme=dark; lang=de; sid=8x5ufuv5mqv1c7wv3fjz9k2h"}}
	b.Run("Carried", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Carried(f)
		}
	})
	b.Run("Remembered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Remembered(f)
		}
	})
}

func FuzzCarried(f *testing.F) {
	f.Add("sid=abc; b=2")
	f.Add(";;=;sid==")
	m := Marks{Cookies: []string{"sid"}}
	f.Fuzz(func(t *testing.T, line string) {
		id, ok := m.Carried(fields{"Cookie": {line}})
		if ok != (id != "") {
			t.Errorf("%q: %q, %v", line, id, ok)
		}
	})
}

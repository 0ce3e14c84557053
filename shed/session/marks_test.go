package session

import "testing"

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

func TestCarriedAllocatesNothing(t *testing.T) {
	m := Marks{Cookies: []string{"sid"}, Headers: []string{"Authorization"}}
	var f Fields = fields{"Cookie": {"a=1; b=2; sid=abc"}}
	if n := testing.AllocsPerRun(100, func() { m.Carried(f) }); n != 0 {
		t.Errorf("%v allocations; want 0", n)
	}
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

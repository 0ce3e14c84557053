package page

import (
	"strings"
	"testing"
	"unicode"
)

// Every text is there, in its own letters, and every sentence is one.
func TestCatalogue(t *testing.T) {
	seen := map[string]string{}
	for _, l := range catalogue {
		texts := []string{l.signedIn, l.unsure, l.itself, l.yourself, l.kept, l.next, l.one, l.ahead}
		for k := range kinds {
			if l.title[k] == "" || strings.HasSuffix(l.title[k], l.stop) {
				t.Errorf("%s: title %q", l.tag, l.title[k])
			}
			if k == Limited {
				continue
			}
			texts = append(texts, l.lead[k])
		}
		for _, s := range texts {
			if !strings.HasSuffix(s, l.stop) || strings.Contains(s, "  ") || strings.ContainsAny(s, `'"!`) || strings.IndexFunc(s, unicode.IsControl) >= 0 {
				t.Errorf("%s: %q", l.tag, s)
			}
			if other, twice := seen[s]; twice {
				t.Errorf("%q stands in %s and in %s", s, other, l.tag)
			}
			seen[s] = l.tag
		}
		for _, s := range []string{l.itself, l.yourself, l.ahead} {
			if strings.Count(s, "{n}") != 1 {
				t.Errorf("%s: %q", l.tag, s)
			}
		}
		if strings.Contains(l.kept+l.next+l.one, "{n}") || strings.ContainsAny(l.thousands, "0123456789 ") || l.thousands == "" {
			t.Errorf("%s: kept %q, next %q, one %q, thousands %q", l.tag, l.kept, l.next, l.one, l.thousands)
		}
		if l.again == "" || l.start == "" || l.onward == "" || l.onward == l.again || l.onward == l.start || !strings.ContainsAny(l.reference, ":：") {
			t.Errorf("%s: again %q, start %q, onward %q, reference %q", l.tag, l.again, l.start, l.onward, l.reference)
		}
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		tag  string
		want map[int]string
	}{
		{"en", map[int]string{1: " second", 2: " seconds", 21: " seconds"}},
		{"fr", map[int]string{1: " seconde", 2: " secondes"}},
		{"pl", map[int]string{1: " sekundę", 2: " sekundy", 4: " sekundy", 5: " sekund", 12: " sekund", 14: " sekund", 21: " sekund", 22: " sekundy", 112: " sekund", 123: " sekundy"}},
		{"ja", map[int]string{1: "秒", 5: "秒"}},
	} {
		for n, want := range c.want {
			if got := catalogue[find(c.tag)].unit(n); got != want {
				t.Errorf("%s: %d%s, want %s", c.tag, n, got, want)
			}
		}
	}
}

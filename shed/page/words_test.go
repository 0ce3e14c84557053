package page

import (
	"fmt"
	"strings"
	"testing"
	"time"
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
			if got := catalogue[find(c.tag)].inSeconds(n); got != want {
				t.Errorf("%s: %d%s, want %s", c.tag, n, got, want)
			}
		}
	}
}

// Nobody counts in hundreds of seconds, and whoever comes when he was told to must not be early.
func TestLongWaitsAreInMinutes(t *testing.T) {
	for seconds, want := range map[int]string{1: "1 second", 119: "119 seconds", 120: "2 minutes", 121: "3 minutes", 180: "3 minutes", 240: "4 minutes", 86_400: "1440 minutes"} {
		if n, unit := wordsEN.told(seconds); fmt.Sprint(n, unit) != want {
			t.Errorf("%d s: %d%s, want %s", seconds, n, unit, want)
		}
	}
	m := maker(t, Settings{})
	own := maker(t, Settings{Template: "<p>{{.Body}} {{.Seconds}}"})
	for tag, want := range map[string]string{
		"en": "by itself in 4 minutes.", "de": "in 4 Minuten von", "fr": "dans 4 minutes.", "es": "dentro de 4 minutos.", "pt": "dentro de 4 minutos.",
		"it": "tra 4 minuti.", "nl": "over 4 minuten vanzelf", "pl": "za 4 minuty.", "ja": "4分後に", "zh": "在 4 分钟后",
	} {
		a := Ask{Kind: LinedUp, Accept: "text/html", Language: tag, Wait: 240 * time.Second, Refresh: true, Restart: "/login"}
		page := m.Make(a)
		if d := parseDocument(t, page.Body); !strings.Contains(d.text["main"], want) || d.meta["refresh"] != "240;url=/login" || field(t, page, "Retry-After") != "240" {
			t.Errorf("%s: %s", tag, page.Body)
		}
		if text := string(own.Make(a).Body); !strings.Contains(text, want) || !strings.HasSuffix(text, " 240") {
			t.Errorf("%s: the operator's page: %s", tag, text)
		}
		unit := catalogue[find(tag)].minutes[1]
		a.Accept = "text/plain"
		if text := string(m.Make(a).Body); !strings.Contains(text, "4"+unit) || strings.Contains(text, "240") {
			t.Errorf("%s: %s", tag, text)
		}
		a.Accept = "application/json"
		if problem := string(m.Make(a).Body); strings.Contains(problem, "4"+unit) || !strings.Contains(problem, `"retry_after":240`) {
			t.Errorf("%s: %s", tag, problem)
		}
	}
	if _, unit := wordsPL.told(5 * 60); unit != " minut" {
		t.Errorf("pl: 5%s", unit)
	}
}

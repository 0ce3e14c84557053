package page

import (
	"crypto/sha256"
	"encoding/base64"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestPolicyAllowsTheStyle computes the hash from what a browser would, not from what the page was made of.
func TestPolicyAllowsTheStyle(t *testing.T) {
	m := maker(t, Settings{})
	everyAnswer(func(a Ask, f form, l *words) {
		if f != formHTML {
			return
		}
		made := m.Make(a)
		policy := field(t, made, "Content-Security-Policy")
		if css, styled := parseDocument(t, made.Body).text["style"]; styled {
			sum := sha256.Sum256([]byte(css))
			if !strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"';") {
				t.Errorf("%s in %s: the policy does not allow the page's style: %s", a.Kind, l.tag, policy)
			}
		} else if a.Kind != Limited {
			t.Errorf("%s in %s: no style", a.Kind, l.tag)
		}
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") ||
			!strings.Contains(policy, "form-action 'none'") || !strings.Contains(policy, "base-uri 'none'") {
			t.Errorf("%s in %s: policy %q", a.Kind, l.tag, policy)
		}
	})
}

func TestStyleLoadsNothing(t *testing.T) {
	if err := allowedStyle(style); err != nil || strings.Contains(style, "url(") || strings.Contains(style, "<") {
		t.Errorf("the style loads something: %v", err)
	}
}

// variables returns the colours of light and of dark.
func variables(t *testing.T) (light, dark map[string]string) {
	t.Helper()
	found := regexp.MustCompile(`:root\{([^}]*)\}`).FindAllStringSubmatch(style, -1)
	if len(found) != 2 || !strings.Contains(style, "@media(prefers-color-scheme:dark){"+found[1][0]) {
		t.Fatalf("%d palettes, want one for light and one for dark", len(found))
	}
	read := func(s string) map[string]string {
		of := map[string]string{}
		for _, v := range regexp.MustCompile(`--(\w+):(#[0-9a-f]{6})`).FindAllStringSubmatch(s, -1) {
			of[v[1]] = v[2]
		}
		return of
	}
	return read(found[0][1]), read(found[1][1])
}

// luminance is WCAG 2's relative luminance.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil || len(colour) != 7 {
		t.Fatalf("colour %q", colour)
	}
	of := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*of(16) + 0.7152*of(8) + 0.0722*of(0)
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast holds every colour against what it stands on (WCAG 2.2, 1.4.3 and 1.4.11). Which stands on which is checked by
// the rules' own words, so that a new colour does not slip through.
func TestContrast(t *testing.T) {
	if c := contrast(t, "#000000", "#ffffff"); math.Abs(c-21) > 1e-9 {
		t.Fatalf("black on white is %v, want 21", c)
	}
	for rule, on := range map[string]string{
		"body{": "background:var(--bg);color:var(--ink)", "main{": "background:var(--card)",
		"a{": "background:var(--accent);color:var(--on)", ".when,.ref{": "color:var(--soft)",
	} {
		_, after, found := strings.Cut(style, "\n"+rule)
		block, _, _ := strings.Cut(after, "}")
		if !found || !strings.Contains(block, on) {
			t.Errorf("%s does not hold %s: mend the pairs below", rule, on)
		}
	}
	light, dark := variables(t)
	for name, of := range map[string]map[string]string{"light": light, "dark": dark} {
		for _, pair := range [][2]string{{"ink", "bg"}, {"ink", "card"}, {"soft", "card"}, {"on", "accent"}} {
			c := contrast(t, of[pair[0]], of[pair[1]])
			t.Logf("%s: %s on %s: %.1f", name, pair[0], pair[1], c)
			if c < 4.5 {
				t.Errorf("%s: %s on %s: %.2f, at least 4.5", name, pair[0], pair[1], c)
			}
		}
		for _, pair := range [][2]string{{"focus", "card"}, {"accent", "card"}} {
			if c := contrast(t, of[pair[0]], of[pair[1]]); c < 3 {
				t.Errorf("%s: %s on %s: %.2f, at least 3", name, pair[0], pair[1], c)
			}
		}
	}
	used := regexp.MustCompile(`color:var\(--(\w+)\)`).FindAllStringSubmatch(style, -1)
	for _, u := range used {
		if !strings.Contains("ink soft on accent", u[1]) {
			t.Errorf("colour %s is not among those that are checked", u[1])
		}
	}
}

func TestAccessibleMovement(t *testing.T) {
	// WCAG 2.2, 2.2.2: what moves for longer than five seconds must have a way to be stopped.
	if strings.Contains(style, "infinite") || !strings.Contains(style, "prefers-reduced-motion:no-preference") {
		t.Error("the page moves for ever, or for people who asked that nothing moves")
	}
}

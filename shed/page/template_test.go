package page

import (
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

const own = `<!doctype html>
<html lang="{{.Language}}"><head><title>{{.Title}}</title>
<style>body{background:#fff url("data:image/png;base64,AA==")}</style>
{{if .Refresh}}<meta http-equiv="refresh" content="{{.Seconds}};url={{.Restart}}">{{end}}
{{if eq .Kind "degraded"}}<style>h1{color:#900}</style>{{end}}</head>
<body><main><h1>{{.Title}}</h1><p>{{.Lead}}</p><p>{{.Body}}</p><a href="{{.Restart}}">{{.Label}}</a>
<svg><use href="#gate"/></svg><img alt="" src="data:image/gif;base64,AA==">{{with .RequestID}}<code>{{.}}</code>{{end}} {{.Status}} {{.Reason}}{{if .Carries}} in{{end}}{{if .InLine}} ({{.Ahead}} after {{.Waited}}){{end}}</main></body></html>`

func TestOperatorsPage(t *testing.T) {
	m := maker(t, Settings{Template: own})
	everyAnswer(func(a Ask, f form, l *words) {
		if f != formHTML || a.Kind == Limited {
			return
		}
		made := m.Make(a)
		d := parseDocument(t, made.Body)
		if d.text["h1"] != l.title[a.Kind] || d.lang != l.tag || !strings.HasPrefix(d.text["main"], l.title[a.Kind]+l.lead[a.Kind]) {
			t.Fatalf("%s in %s: %s", a.Kind, l.tag, made.Body)
		}
		if a.Kind == SignedOut && (unescaped(d.href) != a.Restart || d.text["a"] != l.onward || made.Status == 200 && !strings.Contains(d.text["main"], " 200 ")) {
			t.Errorf("signed_out in %s: link %q to %q: %s", l.tag, d.text["a"], d.href, made.Body)
		}
		if err := mentions(d.text["main"], a, l, false); err != "" {
			t.Errorf("%s in %s: %s: %q", a.Kind, l.tag, err, d.text["main"])
		}
		if seconds, _, found := strings.Cut(d.meta["refresh"], ";url="); found != (a.Refresh && a.Kind.traits().again) || found && seconds != field(t, made, "Retry-After") {
			t.Errorf("%s in %s: refresh %q", a.Kind, l.tag, d.meta["refresh"])
		}
		// Each of the page's styles is allowed by its own hash.
		policy := field(t, made, "Content-Security-Policy")
		for _, css := range regexp.MustCompile(`<style>([^<]*)</style>`).FindAllSubmatch(made.Body, -1) {
			if !strings.Contains(policy, styleSource(string(css[1]))) {
				t.Errorf("%s in %s: %s is blocked by %s", a.Kind, l.tag, css[1], policy)
			}
		}
	})
}

func TestOperatorsPageIsNotForTheOtherForms(t *testing.T) {
	m := maker(t, Settings{Template: "MARK"})
	everyAnswer(func(a Ask, f form, _ *words) {
		if has := strings.Contains(string(m.Make(a).Body), "MARK"); has != (f == formHTML && a.Kind != Limited) {
			t.Errorf("%s as %s: the operator's page: %v", a.Kind, contentTypes[f], has)
		}
	})
}

func TestBadTemplates(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"syntax", "{{if}}", "page:1"},
		{"unclosed action", "{{.Title", "unclosed action"},
		{"unknown field", "{{.Host}}", "Host"},
		{"unknown function", "{{env `HOME`}}", "env"},
		{"fails for one kind", `{{if eq .Kind "failed"}}{{index .Title 5000}}{{end}}`, "for failed in en"},
		{"fails without a reason", `{{slice .Reason 0 3}}`, "for degraded in en"},
		{"too large", "{{range 70000}}x{{end}}", "larger than 64 KiB"},
		{"not UTF-8", "<p>\xff", "UTF-8"},
		{"unclosed quote", `<a href="{{.Restart}}>x</a>`, "html/template"},
		{"unclosed style", `<style>a{`, "non-text"},
		{"unclosed title", `<title>a`, "non-text"},
		{"script", "<script>1</script>", "<script>"},
		{"script in capitals", "<SCRIPT\n>1</SCRIPT>", "<script>"},
		{"script for one kind", `{{if eq .Kind "internal"}}<script src="/x.js"></script>{{end}}`, "for internal in en: <script>"},
		{"iframe", `<iframe src="/x"></iframe>`, "<iframe>"},
		{"object", `<object data="/x"></object>`, "<object>"},
		{"form", `<form action="/x"></form>`, "<form>"},
		{"base", `<base href="/x">`, "<base>"},
		{"video", `<video src="data:,"></video>`, "<video>"},
		{"stylesheet", `<link rel="stylesheet" href="data:text/css,">`, "stylesheet"},
		{"far stylesheet", `<link href=/x.css rel=StyleSheet>`, "loads from elsewhere"},
		{"far icon", `<link rel="icon" href="/favicon.ico">`, "loads from elsewhere"},
		{"style attribute", `<p style="color:red">`, "style="},
		{"handler", `<body onload="x()">`, "onload"},
		{"javascript link", `<a href=" JavaScript:x()">a</a>`, "no scripts"},
		{"far image", `<img src="https://cdn.example/x.png">`, "loads from elsewhere"},
		{"own image", `<img alt="" src=/logo.png>`, "loads from elsewhere"},
		{"image without quotes", `<img alt=a src=logo.png/>`, "loads from elsewhere"},
		{"far SVG", `<svg><use xlink:href="/x.svg#a"/></svg>`, "loads from elsewhere"},
		{"import", `<style>@import "x.css";</style>`, "@import"},
		{"far background", `<style>a{background:url( '/x.png' )}</style>`, "loads from elsewhere"},
		{"second background", `<style>a{background:url(data:,),URL(//cdn/x.png)}</style>`, "loads from elsewhere"},
		{"style of a visitor", `<style>a{width:{{.Seconds}}px}</style>`, "must not depend"},
		{"style of a place", `<style>a{width:{{.Ahead}}px}</style>`, "must not depend"},
		{"style of a status", `<style>a{width:{{.Status}}px}</style>`, "must not depend"},
		{"too many styles", `<style>{{range 5}}.a{}{{end}}.{{.Language}}{}.{{.Kind}}{}</style>`, "different <style>"},
	} {
		m, err := New(Settings{Template: c.text})
		if !errors.Is(err, ErrTemplate) || m != nil {
			t.Errorf("%s: accepted, or another error: %v", c.name, err)
			continue
		}
		if !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q does not say %q in one line", c.name, err, c.says)
		}
	}
}

func TestGoodTemplates(t *testing.T) {
	for name, text := range map[string]string{
		"words":            "{{.Title}} {{.Lead}}",
		"comments":         "<!-- <script> --><p>a</p><!---->",
		"less than":        "<p>1 < 2, <3</p>",
		"titles":           "<title>a <script> b</title><textarea><img src=x></textarea>",
		"closing of style": "<style>a{}</style ><p>b</p>",
		"data icon":        `<link rel="icon" href="data:,">`,
		"data font":        `<style>@font-face{font-family:x;src:url(data:font/woff2;base64,AA==)}</style>`,
		"branches":         `{{if .Carries}}a{{else}}b{{end}}{{range .Status}}{{end}}`,
		"a place":          `{{if .InLine}}{{if ge .Ahead 0}}{{.Ahead}} before you{{end}}, since {{.Waited}} s{{end}}`,
		"a link":           `<a href="/status">a</a><a href="https://status.example/">b</a>`,
		"style of a kind":  `<style>.{{.Kind}}{}</style>`,
	} {
		if _, err := New(Settings{Template: text}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Editors on some systems end lines in other ways, and begin a file with a mark. A browser hashes what it reads.
func TestStyleOfOtherLineEnds(t *testing.T) {
	m := maker(t, Settings{Template: "\ufeff<!doctype html>\r\n<style>\r\na{}\rb{}\r\n</style>\r\n"})
	a := m.Make(Ask{Accept: "text/html"})
	if !strings.Contains(field(t, a, "Content-Security-Policy"), styleSource("\na{}\nb{}\n")) {
		t.Error("the style is blocked")
	}
	if !strings.HasPrefix(string(a.Body), "<!doctype html>\n") {
		t.Errorf("%q", a.Body)
	}
}

// A template that fails for what no proof foresaw costs the visitor nothing but the operator's look.
func TestTemplateThatFailsAfterAll(t *testing.T) {
	m := maker(t, Settings{Template: `<p>own</p>{{if eq .Reason "unforeseen"}}{{index .Title 5000}}{{end}}{{if eq .Reason "large"}}{{range 70000}}x{{end}}{{end}}`})
	builtIn := maker(t, Settings{})
	for _, head := range []bool{false, true} {
		for _, reason := range []string{"unforeseen", "large"} {
			a := Ask{Accept: "text/html", Reason: reason, Head: head, Wait: time.Second}
			if got, want := m.Make(a), builtIn.Make(a); !reflect.DeepEqual(got, want) {
				t.Errorf("%+v\nwant %+v", got, want)
			}
		}
	}
	if a := m.Make(Ask{Accept: "text/html", Reason: "full"}); !strings.HasPrefix(string(a.Body), "<p>own</p>") {
		t.Errorf("%s", a.Body)
	}
}

// Whoever writes a template has the type's comments to read: every field has one.
func TestEveryFieldOfTheViewIsDescribed(t *testing.T) {
	source, err := os.ReadFile("template.go")
	if err != nil {
		t.Fatal(err)
	}
	for f := range reflect.TypeFor[View]().Fields() {
		if !regexp.MustCompile(`(?m)^\t` + f.Name + ` +\w+ +// \S`).Match(source) {
			t.Errorf("View.%s has no comment", f.Name)
		}
	}
}

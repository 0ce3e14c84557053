package page

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// hostile are strings that mean something to somebody.
var hostile = []string{
	"//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n//evil.example", "https://evil.example/", "HTTPS:evil",
	"javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "evil.example", "@evil.example", ":80/", "?next=//evil.example",
	"/a?next=//evil.example", "/a#//evil.example", "/a;url=//evil.example", "/a\"><script>alert(1)</script>", "/a'><img src=x onerror=alert(1)>",
	"/a' onfocus='alert(1)", "/a&quot;><b>", "/a&#34;><b>", "/a&#47;&#47;evil.example", "/&bsol;evil.example", "/&Tab;/evil.example", "/a\x00b", "/a\r\nSet-Cookie: a=b", "/a\x7f", "/\x1b[31mred", "/a\u2028b", "/\xff\xfe",
	"/a b", "/a{{.}}", "/a{n}", "/" + strings.Repeat("a", 5000), "/" + strings.Repeat("\"", 1000), "", "/</title></style></script><script>",
	`/","status":200,"x":"`, "///evil.example", "/.//evil.example", "/..//evil.example", "/%2f/evil.example", "/%5cevil.example", "./", "*",
}

func TestRestart(t *testing.T) {
	for in, want := range map[string]string{
		"/": "/", "/a": "/a", "/a/b.html": "/a/b.html", "/projects/group%2Fname": "/projects/group%2Fname", "/a//b": "/a//b",
		"/a;p=1/b,c:@!$&'()*+=-._~": "/a;p=1/b,c:@!$&'()*+=-._~", "/a?b=c": "/a", "/a?next=//x": "/a", "/a#b": "/a", "/%2f/evil": "/%2f/evil",
		"/a b": "/a%20b", "/ü": "/%C3%BC", "/a\"<>`{|}^[]": "/a%22%3C%3E%60%7B%7C%7D%5E%5B%5D", "/\xff": "/%FF", "/a\u2028": "/a%E2%80%A8",
		"": "/", "a": "/", "*": "/", "//evil": "/", "///": "/", "/\\evil": "/", "/a\\b": "/", "https://x": "/", "/\t/evil": "/", "/\n": "/",
		"/a\x00": "/", "/a\x7f": "/", "?a": "/", "#": "/", "//": "/", "/" + strings.Repeat("a", 1024): "/",
		"/" + strings.Repeat("a", 1023): "/" + strings.Repeat("a", 1023),
	} {
		if got := restart(in); got != want {
			t.Errorf("%.80q: %q, want %q", in, got, want)
		}
	}
}

func TestIdentifier(t *testing.T) {
	for in, want := range map[string]string{
		"0a1b-2c": "0a1b-2c", "A/b+c=:._-": "A/b+c=:._-", strings.Repeat("a", 80): strings.Repeat("a", 80), strings.Repeat("a", 81): "",
		"<b>": "", "a b": "", "a\n": "", "é": "", `"`: "", "a&b": "", "'": "", "": "",
	} {
		if got := identifier(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// staysHere says why following ref from a page of here would leave it, as browsers read it, and "" if it would not.
func staysHere(ref string) string {
	if strings.ContainsAny(ref, "\\\t\r\n\x00 ") {
		return "holds what browsers change or drop"
	}
	u, err := url.Parse(ref)
	if err != nil {
		// net/url is stricter about escapes than browsers are, which take them as they are.
		if u, err = url.Parse(strings.ReplaceAll(ref, "%", "%25")); err != nil {
			return err.Error()
		}
	}
	if !strings.HasPrefix(ref, "/") || strings.HasPrefix(ref, "//") {
		return "not an absolute path"
	}
	base, _ := url.Parse("https://here.example/x")
	if to := base.ResolveReference(u); to.Host != "here.example" || to.Scheme != "https" || to.RawQuery != "" {
		return "leads to " + to.String()
	}
	return ""
}

// unescaped makes paths comparable that differ in what they escape without need.
func unescaped(path string) string {
	if p, err := url.PathUnescape(path); err == nil {
		return p
	}
	return path
}

// shape is a page's elements, with their attributes' names but without values and text.
func shape(body []byte) string {
	var b strings.Builder
	z := html.NewTokenizer(bytes.NewReader(body))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			tok := z.Token()
			b.WriteString(tok.Data)
			for _, a := range tok.Attr {
				b.WriteString(" " + a.Key)
			}
			b.WriteByte('\n')
		}
	}
}

const mark = "Zq7Zq7Zq7" // of a field that must not come back

// checkHostile makes the answer to a in every form, and holds it against the answer to a harmless request of the same kind.
func checkHostile(t *testing.T, m *Maker, a Ask) {
	t.Helper()
	for f := range forms {
		a.Accept = accepts[f] + ", x/" + mark + ";" + mark + "=1;q=0.1"
		harmless := a
		harmless.Restart, harmless.RequestID, harmless.Outcome, harmless.Reason = "/a", "", "", ""
		if identifier(a.RequestID) != "" {
			harmless.RequestID = "1"
		}
		if word(a.Reason, "") != "" {
			harmless.Reason = "x"
			if a.Reason == "session_loss" {
				harmless.Reason = a.Reason
			}
		}
		got, want := m.Make(a), m.Make(harmless)
		if len(got.Lines) != len(want.Lines) || got.Status != want.Status {
			t.Fatalf("%+v: the head has another shape", a)
		}
		for _, l := range got.Lines {
			if strings.Contains(l.Value, mark) {
				t.Errorf("%s: %q", l.Name, l.Value)
			}
			for i := range len(l.Value) {
				if l.Value[i] < 0x20 || l.Value[i] > 0x7e {
					t.Errorf("%s: byte %#x in %q", l.Name, l.Value[i], l.Value)
				}
			}
		}
		if bytes.Contains(got.Body, []byte(mark)) {
			t.Errorf("the page repeats the request: %s", got.Body)
		}
		if got.Length > 16<<10 {
			t.Errorf("%d bytes", got.Length)
		}
		switch f {
		case formHTML:
			if shape(got.Body) != shape(want.Body) {
				t.Errorf("%+v: broke out:\n%s", a, got.Body)
			}
			d := parseDocument(t, got.Body)
			if why := staysHere(d.href); d.href != "" && why != "" {
				t.Errorf("link %q: %s", d.href, why)
			}
			if _, to, found := strings.Cut(d.meta["refresh"], ";url="); found {
				if why := staysHere(to); why != "" || unescaped(to) != unescaped(d.href) {
					t.Errorf("refresh %q, link %q: %s", to, d.href, why)
				}
			}
		case formProblem:
			var members map[string]any
			if err := json.Unmarshal(got.Body, &members); err != nil {
				t.Fatalf("%v: %s", err, got.Body)
			}
			if members["status"] != float64(got.Status) || members["type"] != "about:blank" {
				t.Errorf("%s", got.Body)
			}
		case formText:
			if bytes.ContainsAny(got.Body, "<>\x1b\r\x00") {
				t.Errorf("%q", got.Body)
			}
		}
	}
}

func TestNothingHostileComesBack(t *testing.T) {
	own := maker(t, Settings{Template: `<!doctype html><html lang="{{.Language}}"><title>{{.Title}}</title>` +
		`{{if .Refresh}}<meta http-equiv="refresh" content="{{.Seconds}};url={{.Restart}}">{{end}}` +
		`<main><h1>{{.Title}}</h1><p>{{.Lead}} {{.Body}} {{.Reason}}</p><a href="{{.Restart}}">{{.Label}}</a><code>{{.RequestID}}</code></main>`})
	for _, m := range []*Maker{maker(t, Settings{}), own} {
		for _, s := range hostile {
			for _, k := range Kinds {
				checkHostile(t, m, Ask{
					Kind: k, InLine: true, Ahead: len(s), Restart: s, RequestID: s, Outcome: s, Reason: s, Wait: time.Second, Refresh: true, Carries: true,
					Language: mark + ", " + s, ContentType: "text/" + mark + s,
				})
			}
		}
	}
}

func FuzzAnswer(f *testing.F) {
	for i, s := range hostile {
		f.Add(s, hostile[(i+1)%len(hostile)], s, s, byte(i), i%2 == 0, int64(time.Second)*int64(i), i%3 == 0, i*i*i)
	}
	f.Add("/a", "0a1b", "degraded", "read_only", byte(0), true, int64(time.Second), true, -1)
	m := maker(f, Settings{})
	f.Fuzz(func(t *testing.T, path, id, outcome, reason string, kind byte, refresh bool, wait int64, inLine bool, ahead int) {
		checkHostile(t, m, Ask{Kind: Kind(kind % byte(kinds+1)), Restart: path, RequestID: id, Outcome: outcome, Reason: reason,
			Refresh: refresh, Wait: time.Duration(wait), Language: mark, ContentType: mark, InLine: inLine, Ahead: ahead, Waited: time.Duration(wait)})
	})
}

// What was asked for in a gRPC call's type comes back from a closed set only.
func TestHostileContentType(t *testing.T) {
	m := maker(t, Settings{})
	for _, s := range hostile {
		a := m.Make(Ask{ContentType: "application/grpc+" + mark + s})
		for _, l := range a.Lines {
			if strings.Contains(l.Value, mark) {
				t.Errorf("%s: %q", l.Name, l.Value)
			}
		}
	}
}

package page

import (
	"strings"
	"testing"
)

const (
	firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	chrome  = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)

func TestNegotiate(t *testing.T) {
	for _, c := range []struct {
		accept string
		want   form
	}{
		// What clients send.
		{"", formText},
		{"*/*", formText},
		{firefox, formHTML},
		{chrome, formHTML},
		{"text/html, */*", formHTML},
		{"image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", formText},
		{"text/css,*/*;q=0.1", formText},
		{"application/json, text/plain, */*", formProblem},
		{"application/json", formProblem},
		{"application/json, text/javascript, */*; q=0.01", formProblem},
		{"application/vnd.api+json", formProblem},
		{"application/vnd.github+json;q=0.9, text/html;q=0.1", formProblem},
		{"application/problem+json", formProblem},
		{"text/plain", formText},
		{"text/event-stream", formText},
		{"application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", formText},

		// Qualities.
		{"text/html;q=0.4, application/json;q=0.6", formProblem},
		{"text/html;q=0.6, application/json;q=0.4", formHTML},
		{"text/html;q=0.001, */*;q=0", formHTML},
		{"text/html;q=0, */*", formText},
		{"text/html;q=0, text/plain;q=0, */*", formProblem},
		{"text/plain;q=0, application/json;q=0, */*", formHTML},
		{"text/plain;q=0.5, text/html;q=0.5", formHTML},
		{"text/plain, application/json, text/html", formHTML},
		{"text/plain, application/json", formProblem},
		{"text/html;q=1.000, text/plain;q=0.999", formHTML},
		{"TEXT/HTML;Q=0.9, text/plain;q=0.8", formHTML},
		{"text/html ; q=0.3 , text/plain ; q=0.4", formText},
		{"text/html;q=0.3,\ttext/plain;q=0.4", formText},

		// The closer range decides, wherever it stands and whatever its quality.
		{"*/*, text/plain;q=0.1, text/html;q=0.2, application/json;q=0.3", formProblem},
		{"text/*;q=0.5, text/html;q=0.1", formText},
		{"text/*, text/plain;q=0.1", formHTML},
		{"application/json;q=0.9, application/problem+json;q=0.1, text/plain;q=0.5", formText},
		{"text/*", formText},
		{"application/*", formProblem},
		{"application/*;q=0.9, text/*;q=0.8", formProblem},
		{"text/html;level=1;q=0.3, text/html;q=0.7, text/plain;q=0.5", formHTML},
		{"text/html;level=1, text/html;q=0.2, text/plain;q=0.5", formText},
		{"text/html;level=1, text/plain;q=0.5", formHTML},
		{"text/html;charset=utf-8;q=0.9, text/html;q=0.1, text/plain;q=0.5", formHTML},
		{`application/json;profile="a,b;q=0";q=0.9, text/html;q=0.5`, formProblem},
		{`application/json;profile="\",text/html";q=0.9, text/plain;q=0.5`, formProblem},
		{"text/html;q=0.5;ext=1, text/plain;q=0.4", formHTML},

		// Nothing that we have: the status matters more than the form.
		{"image/png", formText},
		{"*/*;q=0", formText},
		{"text/html;q=0", formText},
		{"text/html;q=0, application/json;q=0, text/plain;q=0", formText},

		// What cannot be read is left out, and nothing else with it.
		{"text/html;q=2, text/plain;q=0.1", formText},
		{"text/html;q=-1, application/json;q=0.1", formProblem},
		{"text/html;q=0.1234, application/json;q=0.1", formProblem},
		{"text/html;q=1.001, application/json;q=0.1", formProblem},
		{"text/html;q=, application/json;q=0.1", formProblem},
		{"text/html;q=.5, application/json;q=0.1", formProblem},
		{"text/html;q=NaN, application/json;q=0.1", formProblem},
		{"html, application/json;q=0.1", formProblem},
		{"*/html, application/json;q=0.1", formProblem},
		{",,, ,text/html,,", formHTML},
		{";;;,application/json", formProblem},
		{`"text/html", application/json`, formProblem},
		{`text/html;a="unclosed, application/json`, formHTML},
		{strings.Repeat("a/b,", maxMembers) + "text/html", formText},
		{"text/html," + strings.Repeat("a/b;"+strings.Repeat("x", 500)+",", 100), formHTML},
		{strings.Repeat(" ", maxList) + "text/html", formText},
		{"application/json," + strings.Repeat(" ", maxList-len("application/json,")-len("text/ht")) + "text/html", formProblem},
	} {
		if got := negotiate(c.accept); got != c.want {
			t.Errorf("%.120q: form %d, want %d", c.accept, got, c.want)
		}
	}
}

func TestQuality(t *testing.T) {
	for s, want := range map[string]int{
		"0": 0, "1": 1000, "0.": 0, "1.": 1000, "0.5": 500, "0.05": 50, "0.005": 5, "1.0": 1000, "1.000": 1000, "0.999": 999,
		"": -1, "2": -1, "1.1": -1, "0.0005": -1, "1.0000": -1, "0,5": -1, "00": -1, "+1": -1, "0.5x": -1, "-0": -1, " 1": -1,
	} {
		q, ok := thousandths(s)
		if !ok {
			q = -1
		}
		if q != want {
			t.Errorf("%q: %d, want %d", s, q, want)
		}
	}
}

func TestGRPCType(t *testing.T) {
	for in, want := range map[string]string{
		"application/grpc":                           "application/grpc",
		"application/grpc+proto":                     "application/grpc+proto",
		"Application/GRPC+Proto; charset=utf-8":      "application/grpc+proto",
		"application/grpc+thrift":                    "application/grpc",
		"application/grpc;v=1":                       "application/grpc",
		"application/grpc-web":                       "application/grpc-web",
		"application/grpc-web+proto":                 "application/grpc-web+proto",
		"application/grpc-web-text":                  "application/grpc-web-text",
		"application/grpc-web-text+proto":            "application/grpc-web-text+proto",
		"application/grpc-web+custom":                "application/grpc-web",
		"application/grpc-web-text+x\r\nSet-Cookie:": "application/grpc-web-text",
		"application/grpc-other":                     "",
		"application/grpcx":                          "",
		"application/json":                           "",
		"":                                           "",
	} {
		if got := grpcType(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct{ field, want string }{
		{"", "en"}, {"en", "en"}, {"de", "de"}, {"DE", "de"}, {"de-AT", "de"}, {"de-CH-1996", "de"}, {"zh-Hant-TW", "zh"},
		{"pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7", "pt"}, {"ja,en-US;q=0.9,en;q=0.8", "ja"},
		{"fr;q=0.4, es;q=0.6", "es"}, {"it, nl", "it"}, {"nl, it", "nl"}, {"sv, pl;q=0.5", "pl"}, {"sv", "en"},
		{"*", "en"}, {"*, de;q=0.5", "en"}, {"de, *;q=0.5", "de"}, {"de;q=0, fr;q=0.1", "fr"}, {"de;q=0", "en"},
		{"de-AT;q=0, de", "de"}, {"de;q=x, fr;q=0.5", "fr"}, {"deu", "en"}, {"d", "en"}, {"-de", "en"}, {",,de", "de"},
		{"en;q=0.5, en-GB;q=0.9, de;q=0.8", "en"}, {"de_DE", "en"}, {"C", "en"},
	} {
		if got := catalogue[language(c.field)].tag; got != c.want {
			t.Errorf("%q: %s, want %s", c.field, got, c.want)
		}
	}
}

func TestNegotiationAllocatesNothing(t *testing.T) {
	long := strings.Repeat("a/b;q=0.3,", 1000)
	for _, accept := range []string{chrome, long} {
		if n := testing.AllocsPerRun(100, func() { negotiate(accept); language(accept); grpcType(accept) }); n != 0 {
			t.Errorf("%.40q: %v allocations", accept, n)
		}
	}
}

// FuzzAccept holds the choice against what follows from the rules without the parser.
func FuzzAccept(f *testing.F) {
	for _, s := range []string{"", "*/*", chrome, firefox, `a/b;c="d,e";q=0.5`, "text/html;q=0,*/*;q=0.1", ",;,=\"\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got := negotiate(accept)
		if got >= forms {
			t.Fatal("no form")
		}
		lower := strings.ToLower(accept)
		if got == formHTML && !strings.Contains(lower, "text/") && !strings.Contains(lower, "*/*") {
			t.Error("HTML for who never asked for it")
		}
		if got == formProblem && !strings.Contains(lower, "application/") && !strings.Contains(lower, "*/*") {
			t.Error("JSON for who never asked for it")
		}
		if len(accept) < 1000 && strings.Count(accept, ",") < maxMembers-2 {
			if again := negotiate("x/y;q=0.7, " + accept); again != got {
				t.Errorf("an unknown type changed the choice from %d to %d", got, again)
			}
			if again := negotiate(",\t," + accept); again != got {
				t.Errorf("empty members changed the choice from %d to %d", got, again)
			}
		}
	})
}

func FuzzAcceptLanguage(f *testing.F) {
	for _, s := range []string{"", "*", "de-AT,de;q=0.9,en;q=0.8", "zh-Hans;q=0.5", "de;q=0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		i := language(field)
		if i < 0 || i >= languages {
			t.Fatal("no language")
		}
		if i != english && !strings.Contains(strings.ToLower(field), catalogue[i].tag) {
			t.Errorf("%s for who never asked for it", catalogue[i].tag)
		}
	})
}

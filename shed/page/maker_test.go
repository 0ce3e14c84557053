package page

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// accepts names each form the shortest way.
var accepts = [forms]string{formHTML: "text/html", formProblem: "application/json", formText: "text/plain"}

func maker(t testing.TB, s Settings) *Maker {
	t.Helper()
	m, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// field returns the one line of this name, and fails where there are more.
func field(t testing.TB, a Answer, name string) string {
	t.Helper()
	value, n := "", 0
	for _, l := range a.Lines {
		if strings.EqualFold(l.Name, name) {
			value, n = l.Value, n+1
		}
	}
	if n > 1 {
		t.Errorf("%d lines of %s", n, name)
	}
	return value
}

// visitors are asks that differ in everything that a body depends on but kind, form and language.
var visitors = []Ask{
	{Restart: "/"},
	{Restart: "/a/b", Wait: time.Second, Reason: "down"},
	{Restart: "/a/b", Wait: 7 * time.Second, Refresh: true, Carries: true, Reason: "read_only", RequestID: "0a-1b"},
	{Restart: "/it's&copy;&co", Wait: 59_000_000_001, Carries: true, RequestID: "x=/+:._-", Status: 500, Outcome: "shed"},
	{Restart: "/a", Wait: 22 * time.Second, Refresh: true, Carries: true, Reason: "session_loss"},
	{Restart: "/", Wait: 9 * time.Second, Refresh: true, InLine: true, Ahead: -1},
	{Restart: "/", Wait: 9 * time.Second, InLine: true, Ahead: 0, Waited: 999 * time.Millisecond},
	{Restart: "/", Wait: 9 * time.Second, Refresh: true, Carries: true, InLine: true, Ahead: 1, Waited: -time.Second},
	{Restart: "/", Wait: 9 * time.Second, Refresh: true, InLine: true, Ahead: 7, Waited: 61 * time.Second},
	{Restart: "/", Wait: 9 * time.Second, Refresh: true, InLine: true, Ahead: 12_345, Waited: 1000 * time.Hour, RequestID: "9"},
	{Restart: "/", Wait: 9 * time.Second, Refresh: true, Ahead: 7, Waited: time.Minute},
	{Restart: "/login", Wait: 121 * time.Second, Refresh: true, InLine: true, Ahead: 12_345, Waited: time.Minute},
	{Restart: "/", Wait: 20 * time.Minute},
}

// everyAnswer calls yield with each visitor in each kind, form and language.
func everyAnswer(yield func(Ask, form, *words)) {
	for _, a := range visitors {
		for _, k := range Kinds {
			for f := range forms {
				for _, l := range catalogue {
					a.Kind, a.Accept, a.Language = k, accepts[f], l.tag
					yield(a, f, l)
				}
			}
		}
	}
}

func TestEveryAnswerCarries(t *testing.T) {
	m := maker(t, Settings{})
	everyAnswer(func(a Ask, f form, l *words) {
		got := m.Make(a)
		media := contentTypes[f]
		if f == formProblem && got.Status == 200 {
			media = "application/json"
		}
		for name, want := range map[string]string{
			"Content-Type": media, "Content-Language": l.tag, "Cache-Control": "no-store", "CDN-Cache-Control": "no-store",
			"Vary": "Accept, Accept-Language", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"X-Robots-Tag": "noindex", "Location": "", "Set-Cookie": "", "Refresh": "", "Content-Length": "",
		} {
			if v := field(t, got, name); v != want {
				t.Errorf("%+v: %s: %q, want %q", a, name, v, want)
			}
		}
		if (field(t, got, "Content-Security-Policy") != "") != (f == formHTML) {
			t.Errorf("%+v: a policy where there is no HTML, or none where there is", a)
		}
		if want := a.Status; want != 0 && got.Status != want || want == 0 && got.Status != a.Kind.traits().status {
			t.Errorf("%+v: status %d", a, got.Status)
		}
		if retry := field(t, got, "Retry-After"); (retry != "") != (a.Wait > 0 && a.Kind != SignedOut) {
			t.Errorf("%+v: Retry-After: %q", a, retry)
		}
		if got.Length != len(got.Body) || got.Length == 0 {
			t.Errorf("%+v: length %d of %d bytes", a, got.Length, len(got.Body))
		}
	})
}

func TestOutcomeLine(t *testing.T) {
	m := maker(t, Settings{})
	for _, c := range []struct {
		ask  Ask
		want string
	}{
		{Ask{}, "degraded"},
		{Ask{Outcome: "degraded", Reason: "read_only"}, "degraded; reason=read_only"},
		{Ask{Kind: LinedUp, Reason: "ramp"}, "lined_up; reason=ramp"},
		{Ask{Kind: Limited, Reason: "page_rate"}, "limited; reason=page_rate"},
		{Ask{Kind: NotFound}, "rejected"},
		{Ask{Kind: SignedOut, Reason: "signed_out"}, "degraded; reason=signed_out"},
		{Ask{Kind: Failed, Outcome: "converted"}, "converted"},
		{Ask{Outcome: "x\r\nSet-Cookie: a=b", Reason: "a;b"}, "degraded"},
		{Ask{Outcome: strings.Repeat("a", 41), Reason: strings.Repeat("a", 41)}, "degraded"},
		{Ask{Kind: kinds + 3}, "error"},
		{Ask{ContentType: "application/grpc", Reason: "full"}, "degraded; reason=full"},
	} {
		if got := field(t, m.Make(c.ask), "Gatehouse-Outcome"); got != c.want {
			t.Errorf("%+v: %q, want %q", c.ask, got, c.want)
		}
	}
}

func TestHeadIsGetWithoutItsBody(t *testing.T) {
	own := maker(t, Settings{Template: `<title>{{.Title}}</title><p>{{.Lead}} {{.Restart}} {{.RequestID}}`})
	for _, m := range []*Maker{maker(t, Settings{}), own} {
		everyAnswer(func(a Ask, _ form, _ *words) {
			get := m.Make(a)
			a.Head = true
			head := m.Make(a)
			if head.Body != nil {
				t.Fatalf("%+v: HEAD has a body", a)
			}
			if head.Length != get.Length || head.Status != get.Status {
				t.Errorf("%+v: HEAD says %d, %d bytes; GET %d, %d", a, head.Status, head.Length, get.Status, get.Length)
			}
			if len(head.Lines) != len(get.Lines) {
				t.Fatalf("%+v: HEAD has %d lines, GET %d", a, len(head.Lines), len(get.Lines))
			}
			for i := range get.Lines {
				if head.Lines[i] != get.Lines[i] {
					t.Errorf("%+v: HEAD has %v, GET %v", a, head.Lines[i], get.Lines[i])
				}
			}
		})
	}
}

func TestGRPC(t *testing.T) {
	m := maker(t, Settings{})
	for kind, want := range map[Kind]string{
		Degraded: "14", LinedUp: "14", Shed: "14", Failed: "14", Limited: "8", Rejected: "13", NotFound: "12", Internal: "13", SignedOut: "0",
	} {
		pushback, retry := "2000", "2"
		if kind == SignedOut {
			pushback, retry = "", ""
		}
		for _, ct := range []string{"application/grpc", "application/grpc+proto", "application/grpc-web", "application/grpc-web-text+proto"} {
			for _, accept := range append(accepts[:], "", "*/*") {
				a := m.Make(Ask{Kind: kind, ContentType: ct, Accept: accept, Wait: 1500 * time.Millisecond})
				if a.Status != 200 || a.Body != nil || a.Length != 0 {
					t.Errorf("%s %s: status %d, %d bytes", kind, ct, a.Status, a.Length)
				}
				for name, want := range map[string]string{
					"Content-Type": ct, "grpc-status": want, "grpc-retry-pushback-ms": pushback, "Retry-After": retry,
					"Cache-Control": "no-store", "Content-Security-Policy": "",
				} {
					if got := field(t, a, name); got != want {
						t.Errorf("%s %s: %s: %q, want %q", kind, ct, name, got, want)
					}
				}
				// The value is percent-encoded on the wire where it holds anything else (gRPC over HTTP/2, Responses).
				for _, c := range []byte(field(t, a, "grpc-message")) {
					if c < 0x20 || c > 0x7e || c == '%' {
						t.Errorf("%s: byte %q in grpc-message", kind, c)
					}
				}
			}
		}
	}
	if v := field(t, m.Make(Ask{ContentType: "application/grpc"}), "grpc-retry-pushback-ms"); v != "" {
		t.Errorf("a pushback of %q that nobody asked for", v)
	}
}

func TestLimitedIsSmall(t *testing.T) {
	m := maker(t, Settings{Template: "<p>" + strings.Repeat("long ", 500)})
	for f := range forms {
		for _, l := range catalogue {
			for _, wait := range []time.Duration{0, time.Second, 1 << 62} {
				a := m.Make(Ask{Kind: Limited, Accept: accepts[f], Language: l.tag, Wait: wait, Carries: true, Restart: "/" + strings.Repeat("a", 900),
					RequestID: strings.Repeat("1", 80), Reason: "page_rate"})
				if a.Length >= 200 {
					t.Errorf("%s in %s: %d bytes: %s", contentTypes[f], l.tag, a.Length, a.Body)
				}
			}
		}
	}
}

func TestWaitInWholeSeconds(t *testing.T) {
	m := maker(t, Settings{})
	for wait, want := range map[time.Duration]string{
		-time.Second: "", 0: "", 1: "1", time.Second: "1", time.Second + 1: "2", 59*time.Second + 999: "60", 1 << 62: "86400",
		700 * time.Second: "700",
	} {
		for f, accept := range accepts {
			a := m.Make(Ask{Wait: wait, Accept: accept})
			if got := field(t, a, "Retry-After"); got != want {
				t.Errorf("%v: Retry-After: %q, want %q", wait, got, want)
			}
			said := " " + want + " second"
			if minutes := map[string]string{"700": "12", "86400": "1440"}[want]; minutes != "" && form(f) != formProblem {
				said = " " + minutes + " minutes"
			}
			if want != "" && !strings.Contains(string(a.Body), said) {
				t.Errorf("%v: the body does not speak of%s", wait, said)
			}
		}
	}
}

func TestStatusPhrases(t *testing.T) {
	m := maker(t, Settings{})
	for _, status := range []int{200, 400, 404, 413, 421, 429, 431, 499, 500, 502, 503, 504, 599, 999} {
		a := m.Make(Ask{Status: status, Accept: "application/json"})
		if p := phrase(status); p == "" || !strings.Contains(string(a.Body), `"title":"`+p+`","status":`+strconv.Itoa(status)+`,`) {
			t.Errorf("%d: %s", status, a.Body)
		}
	}
}

// A page costs a bounded number of pieces of memory: during an incident it is what most requests cost.
func TestMakeCost(t *testing.T) {
	m := maker(t, Settings{})
	for f, most := range [forms]float64{formHTML: 3, formProblem: 3, formText: 3} {
		a := incident(form(f))
		if n := testing.AllocsPerRun(200, func() { m.Make(a) }); n > most {
			t.Errorf("%s: %v allocations, at most %v", contentTypes[f], n, most)
		}
		a.Kind, a.InLine, a.Ahead, a.Waited = LinedUp, true, 345, time.Minute
		if n := testing.AllocsPerRun(200, func() { m.Make(a) }); n > most {
			t.Errorf("%s in line: %v allocations, at most %v", contentTypes[f], n, most)
		}
		a.Ahead, a.Waited = 12_345, time.Hour // numbers that nobody keeps ready
		if n := testing.AllocsPerRun(200, func() { m.Make(a) }); n > most+3 {
			t.Errorf("%s in a long line: %v allocations, at most %v", contentTypes[f], n, most+3)
		}
	}
}

// incident is what most visitors are told during one.
func incident(f form) Ask {
	a := visitors[2]
	a.Language = "de-DE,de;q=0.9,en;q=0.8"
	if a.Accept = accepts[f]; f == formHTML {
		a.Accept = chrome
	}
	return a
}

func BenchmarkMake(b *testing.B) {
	m := maker(b, Settings{})
	for f := range forms {
		b.Run(contentTypes[f], func(b *testing.B) {
			a := incident(f)
			b.ReportAllocs()
			for b.Loop() {
				m.Make(a)
			}
		})
	}
	b.Run("again", func(b *testing.B) {
		a := incident(formHTML)
		var made Answer
		b.ReportAllocs()
		for b.Loop() {
			m.MakeInto(&made, a)
		}
	})
	b.Run("operator's", func(b *testing.B) {
		m := maker(b, Settings{Template: `<!doctype html><title>{{.Title}}</title><style>b{color:red}</style><p>{{.Lead}} <a href="{{.Restart}}">{{.Label}}</a>`})
		a := incident(formHTML)
		b.ReportAllocs()
		for b.Loop() {
			m.Make(a)
		}
	})
}

// A gRPC service is one client, and its calls are to come again: what is one page too many says what the page would have said. Those
// whose time is over are not.
func TestWhichCallsMayComeAgain(t *testing.T) {
	m := maker(t, Settings{})
	for reason, want := range map[string]string{"page_rate": "14", "quota": "8", "call_deadline": "4", "backend_late": "14"} {
		kind := Limited
		if want == "4" || reason == "backend_late" {
			kind = Failed
		}
		a := m.Make(Ask{ContentType: "application/grpc", Kind: kind, Reason: reason, Status: 429})
		for _, l := range a.Lines {
			if l.Name == "grpc-status" && l.Value != want {
				t.Errorf("%s: grpc-status %s, want %s", reason, l.Value, want)
			}
		}
	}
}

package record

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gatehouse/shed"
)

func testSeries(route, pool string) *Series {
	return &Series{route: &routeParts{name: route}, pool: &poolParts{name: pool}, names: names(route, pool)}
}

func TestLine(t *testing.T) {
	e := usual()
	e.Arrived = time.Date(2026, 3, 4, 5, 6, 7, 890_123_000, time.FixedZone("x", 3600))
	e.Outcome, e.Reason, e.Attempts, e.Err = Converted, "read_only", 2, "EOF"
	e.Observed, e.Guard = shed.ReadOnly, "deletion_held"
	want := `{"time":"2026-03-04T04:06:07.890123Z","level":"INFO","msg":"request","id":"01J9ZK3W5T8Q","client":"203.0.113.7",` +
		`"peer":"10.0.0.2","method":"GET","scheme":"http","host":"intranet.example","path":"/members/list","query_bytes":6,` +
		`"proto":"HTTP/1.1","route":"app","pool":"web","backend":"http://10.0.1.11:8080","attempts":2,"outcome":"converted",` +
		`"reason":"read_only","status":200,"bytes_in":0,"bytes_out":5120,"store":"writable","cause":"ok","observed":"read-only","guard":"deletion_held",` +
		`"ms":{"decide":0.041,"queue":0.019,"backend":3.910,"deliver":0.500,"total":4.500},` +
		`"user_agent":"Mozilla/5.0 (X11; Linux x86_64)","referer":"https://intranet.example/","error":"EOF"}` + "\n"
	if got := string(appendLine(nil, testSeries("app", "web"), &e)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	e.TLS = &TLS{Version: "1.3", Cipher: "TLS_AES_128_GCM_SHA256", ServerName: "intranet.example", Client: "CN=\"x\""}
	m := decoded(t, appendLine(nil, testSeries("app", "web"), &e))
	for key, want := range map[string]string{
		"tls_version": "1.3", "tls_cipher": "TLS_AES_128_GCM_SHA256", "server_name": "intranet.example", "client_certificate": "CN=\"x\"",
	} {
		if m[key] != want {
			t.Errorf("%s: %v, want %v", key, m[key], want)
		}
	}
}

func TestLineOfAnEmptyEntry(t *testing.T) {
	m := decoded(t, appendLine(nil, testSeries(Unmatched, Unmatched), &Entry{}))
	keys := slices.Sorted(maps.Keys(m))
	want := []string{"bytes_in", "bytes_out", "id", "level", "ms", "msg", "outcome", "pool", "route", "status", "time"}
	if !slices.Equal(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
}

func TestTimeIsThatOfTheLayout(t *testing.T) {
	for _, at := range []time.Time{
		{}, time.Unix(0, 0), time.Unix(1<<31, 999_999_999), time.Date(2028, 2, 29, 23, 59, 59, 1000, time.UTC),
		time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		for range 50 {
			if got, want := string(appendTime(nil, at.UTC())), at.UTC().Format(timeLayout); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			at = at.Add(31*time.Hour + 1_001_001_001)
		}
	}
}

// Each byte in each place of eight and of what is left.
func TestWhatIsEscapedIsFoundEverywhere(t *testing.T) {
	for c := range 256 {
		for at := range 19 {
			s := []byte("abcdefghijklmnopqrs")
			s[at] = byte(c)
			want := c >= ' ' && c <= '~' && c != '"' && c != '\\'
			if asItIs(s) != want {
				t.Fatalf("%q: %t", s, !want)
			}
			if s[(at+1)%len(s)] = 0xff; asItIs(s) {
				t.Fatalf("%q: true", s)
			}
		}
	}
}

func TestTargetKeepsNoSecret(t *testing.T) {
	for _, c := range []struct {
		target, path string
		query        int
	}{
		{"/login?token=s3cret", "/login", 12},
		{"/login", "/login", 0},
		{"/a?", "/a", 0},
		{"/a#s3cret", "/a", 6},
		{"/go/http://x@y", "/go/http://x@y", 0},
		{"http://user:s3cret@host/a?b=s3cret", "/a", 8},
		{"http://user:s3cret@host", "/", 0},
		{"user:s3cret@host:443", "host:443", 0},
		{"*", "*", 0},
		{"", "", 0},
	} {
		if path, query := splitTarget(c.target); path != c.path || query != c.query {
			t.Errorf("splitTarget(%q) = %q, %d; want %q, %d", c.target, path, query, c.path, c.query)
		}
	}
	for ref, want := range map[string]string{
		"https://a/b?code=s3cret":     "https://a/b",
		"https://u:s3cret@a/b#s3cret": "a/b",
		"https://a/b@c":               "https://a/b@c",

		"android-app://com.example/a?b": "android-app://com.example/a",
	} {
		if got := bareReferer(ref); got != want {
			t.Errorf("bareReferer(%q) = %q, want %q", ref, got, want)
		}
	}
}

func TestStringsAreHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                "plain",
		"a\"b\\c":              `a\"b\\c`,
		"\x00\n\r\t\x1b[31m":   `\u0000\u000a\u000d\u0009\u001b[31m`,
		"\x7f":                 `\u007f`,
		"\u009b31m":            `\u009b31m`,
		"\x9b31m":              "\uFFFD31m",
		"a\u2028b\u2029c":      `a\u2028b\u2029c`,
		"\u202Egpj.exe":        `\u202egpj.exe`,
		"\ufeffx\u200bx\u00ad": `\ufeffx\u200bx\u00ad`,
		"grüße 😀 日本":           "grüße 😀 日本",
		"\xff\xfe":             "\uFFFD\uFFFD",
		"\xed\xa0\x80":         "\uFFFD\uFFFD\uFFFD",
	} {
		if got := string(appendString(nil, in, 100)); got != `"`+want+`"` {
			t.Errorf("%q became %s, want %s", in, got, want)
		}
	}
	if got := string(appendString(nil, "aé", 2)); got != `"a…"` {
		t.Errorf("cut inside a rune: %s", got)
	}
	if got := string(appendString(nil, strings.Repeat("\x80", 9), 5)); !utf8.ValidString(got) {
		t.Errorf("cut among stray bytes: %q", got)
	}
}

func TestStageNeverNegative(t *testing.T) {
	at := Stages{Decided: 3 * time.Second, Queued: time.Second, Claimed: 4 * time.Second, Done: time.Second}
	if got := string(appendStages(nil, &at)); strings.Contains(got, "-") {
		t.Errorf("a stage took less than no time: %s", got)
	}
}

// harmlessBytes reports whether a line holds nothing but its own line feed that a terminal or a line splitter obeys.
func harmlessBytes(line []byte) bool {
	body, ok := bytes.CutSuffix(line, []byte("\n"))
	if !ok || !utf8.Valid(body) {
		return false
	}
	return !strings.ContainsFunc(string(body), func(r rune) bool { return r < ' ' || r == 0x7f || obeyed(r) })
}

func FuzzLine(f *testing.F) {
	f.Add("GET", "/login?next=/", "h", "curl/8", "x\x1b]0;pwn\a", "203.0.113.7", 200, uint8(1))
	f.Add("\x00", "\xff\u2028\"\\\n", "\u202e", strings.Repeat("é", 300), "\xed\xa0\x80", "fe80::1%\x1b[31m", -7, uint8(200))
	f.Fuzz(func(t *testing.T, method, target, host, agent, text, addr string, status int, n uint8) {
		e := Entry{
			Arrived: time.Unix(int64(status), 0), RequestID: text, Method: method, Scheme: text, Proto: host, Host: host,
			Target: target, Backend: text, Reason: text, UserAgent: agent, Referer: agent, Err: text,
			Outcome: Outcome(n), State: shed.State(n), Cause: shed.Cause(n), Observed: shed.State(n >> 4), Guard: host, Class: shed.Class(n), Classed: n%2 == 0, Status: status, BytesIn: int64(status),
			At: Stages{Decided: time.Duration(status), Queued: time.Duration(n), Claimed: time.Duration(n), Done: 1},
		}
		e.Client, _ = netip.ParseAddr(addr)
		e.Peer = netip.AddrPortFrom(e.Client, uint16(n))
		line := appendLine(nil, testSeries(text, host), &e)
		if !harmlessBytes(line) {
			t.Fatalf("not one harmless line: %q", line)
		}
		var got struct {
			ID     string `json:"id"`
			Method string `json:"method"`
			Host   string `json:"host"`
			Path   string `json:"path"`
			Agent  string `json:"user_agent"`
			Status int    `json:"status"`
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		path, _ := splitTarget(target)
		same := func(name, got, sent string, limit int) {
			cut, was := shorten(sent, limit)
			want := strings.ToValidUTF8(eachInvalid(cut), "")
			if was {
				want += cutMark
			}
			if got != want {
				t.Errorf("%s came back as %q, want %q", name, got, want)
			}
		}
		same("id", got.ID, text, maxID)
		same("method", got.Method, method, maxMethod)
		same("host", got.Host, host, maxHost)
		same("path", got.Path, path, maxPath)
		same("user agent", got.Agent, agent, maxAgent)
		if got.Status != status {
			t.Errorf("status %d, want %d", got.Status, status)
		}
	})
}

// eachInvalid replaces every byte that is not UTF-8 by one U+FFFD.
func eachInvalid(s string) string { return string([]rune(s)) }

func BenchmarkLine(b *testing.B) {
	e, s := usual(), testSeries("app", "web")
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = appendLine(buf[:0], s, &e)
	}
}

func TestLineAllocatesNothing(t *testing.T) {
	e, s := usual(), testSeries("app", "web")
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(1000, func() { buf = appendLine(buf[:0], s, &e) }); n != 0 {
		t.Errorf("%v allocations a line, want 0", n)
	}
}

func TestEntryOfAnUpgradeEndsWithItsHead(t *testing.T) {
	e := Entry{Status: 101, At: Stages{Claimed: 1, Head: time.Millisecond, Done: time.Hour}}
	if e.total() != time.Millisecond {
		t.Errorf("an upgrade took %v", e.total())
	}
	e.Status = 200
	if e.total() != time.Hour {
		t.Errorf("a long answer took %v", e.total())
	}
}

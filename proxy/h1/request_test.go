package h1

import (
	"strings"
	"testing"
)

func TestRequests(t *testing.T) {
	long := strings.Repeat("a", 300)
	for _, tt := range []struct{ raw, want string }{
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 a [] none"},
		{"GET /a%2Fb//c;d?x=1?y&z=%zz HTTP/1.1\r\nhOST:a:80\r\nB: 1\r\nb:\t2 \t\r\nA:\r\nB: x y\tz \r\n\r\n",
			"GET /a%2Fb//c;d?x=1?y&z=%zz 1.1 a:80 [B=1|b=2|A=|B=x y\tz] none"},
		{"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\xc3\xa9 \"<>\\\r\n\r\n", "GET / 1.1 a [X=\xff\xc3\xa9 \"<>\\] none"},
		{"M-SEARCH /\xc3\xa9\\ HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "M-SEARCH /\xc3\xa9\\ 1.1 [::1]:80 [] none"},
		{"get / HTTP/1.1\r\nHost: \r\n\r\n", "get / 1.1  [] none"},

		// Blank lines before the request line.
		{"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 a [] none"},
		{"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 a [] none"},
		{"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "!start_line"},
		{"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "!bare_lf"},
		{"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "!bare_cr"},
		{" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "!method"},

		// The request line.
		{"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "!start_line"},
		{"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "!start_line"},
		{"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "!start_line"},
		{"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "!method"},
		{"GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET / x HTTP/1.1\r\nHost: a\r\n\r\n", "!start_line"},
		{"GET / http/1.1\r\nHost: a\r\n\r\n", "!start_line"},
		{"GET / HTTP/1.1\nHost: a\r\n\r\n", "!bare_lf"},
		{"GET / HTTP/1.1\r\rHost: a\r\n\r\n", "!bare_cr"},
		{"GET /\r\n\r\n", "!start_line"},
		{"GET\r\n\r\n", "!start_line"},
		{"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "!method"},
		{strings.Repeat("M", 32) + " / HTTP/1.1\r\nHost: a\r\n\r\n", strings.Repeat("M", 32) + " / 1.1 a [] none"},
		{strings.Repeat("M", 33) + " / HTTP/1.1\r\nHost: a\r\n\r\n", "!method"},
		{"\x16\x03\x01\x02\x00\x01", "!method"}, // TLS

		// Its target.
		{"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET /#f HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET a HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET evil:80 HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET ?x HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET * HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * 1.1 a [] none"},
		{"OPTIONS */ HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://b/x 1.1 a [] none"},
		{"GET s3+x.y://b HTTP/1.1\r\nHost: b\r\n\r\n", "GET s3+x.y://b 1.1 b [] none"},
		{"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET http:/x HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET 3://b HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET ://b HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET \x80://b HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "CONNECT a:443 1.1 a:443 [] none"},
		{"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"CONNECT http://a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},
		{"GET /" + long + " HTTP/1.1\r\nHost: a\r\n\r\n", "!target_size"},
		{"GET /" + long + "\x00 HTTP/1.1\r\nHost: a\r\n\r\n", "!target_size"},
		{"GET /" + long[:255] + " HTTP/1.1\r\nHost: a\r\n\r\n", "GET /" + long[:255] + " 1.1 a [] none"},

		// Its version.
		{"GET / HTTP/1.0\r\n\r\n", "GET / 1.0  [] none close"},
		{"GET / HTTP/1.2\r\nHost: a\r\n\r\n", "!version"},
		{"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "!version"},
		{"GET / HTTP/0.9\r\n\r\n", "!version"},
		{"GET / HTTP/1.10\r\nHost: a\r\n\r\n", "!start_line"},
		{"GET / HTTP/01.1\r\nHost: a\r\n\r\n", "!start_line"},
		{"GET / HTTP/1\r\nHost: a\r\n\r\n", "!start_line"},
		{"GET / HTTP/1,1\r\nHost: a\r\n\r\n", "!start_line"},
		{"GET / HTTPS/1.1\r\nHost: a\r\n\r\n", "!start_line"},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "!http2_preface"},
		{"PRI * HTTP/1.1\r\nHost: a\r\n\r\n", "!request_target"},

		// The end of lines, and what is in them.
		{"GET / HTTP/1.1\r\nHost: a\n\r\n", "!bare_lf"},
		{"GET / HTTP/1.1\r\nHost: a\r\n\n", "!bare_lf"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA\n\r\n", "!field_name"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA: b\rc\r\n\r\n", "!bare_cr"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\r\n\r\n", "!bare_cr"},
		{"GET / HTTP/1.1\r\nHost: a\r\n\rA: b\r\n\r\n", "!bare_cr"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA: b\nc: d\r\n\r\n", "!bare_lf"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA: b\x00c\r\n\r\n", "!field_value"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA: 0123456789abcde\x7f\r\n\r\n", "!field_value"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA: \x0b\r\n\r\n", "!field_value"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", "!folded_line"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\tc: d\r\n\r\n", "!folded_line"},
		{"GET / HTTP/1.1\r\n Host: a\r\n\r\n", "!folded_line"},
		{"GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n", "!folded_line"},
		{"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "!field_name"},
		{"GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", "!field_name"},
		{"GET / HTTP/1.1\r\n: a\r\nHost: a\r\n\r\n", "!field_name"},
		{"GET / HTTP/1.1\r\nHost: a\r\nAb\r\n\r\n", "!field_name"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n", "!field_name"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA\x00: c\r\n\r\n", "!field_name"},
		{"GET / HTTP/1.1\r\nHost: a\r\n\xc3\xa9: c\r\n\r\n", "!field_name"},
		{"GET / HTTP/1.1\r\nHost: a\r\n\"A\": c\r\n\r\n", "!field_name"},
		{"GET / HTTP/1.1\r\nHost: a\r\nX_Y: c:d\r\n\r\n", "GET / 1.1 a [X_Y=c:d] none"},

		// Host.
		{"GET / HTTP/1.1\r\n\r\n", "!host"},
		{"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "!hosts"},
		{"GET / HTTP/1.0\r\nHost: a\r\nX: y\r\nhost: b\r\n\r\n", "!hosts"},
		{"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "!host"},
		{"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "!host"},
		{"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "!host"},
		{"GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", "!host"},
		{"GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n", "!host"},

		// Whether the connection stays, and Expect.
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET / 1.1 a [Connection=close] none close"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: X, \tCLOSE ,y\r\n\r\n", "GET / 1.1 a [Connection=X, \tCLOSE ,y] none close"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", "GET / 1.1 a [Connection=closed] none"},
		{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / 1.0  [Connection=keep-alive] none"},
		{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nConnection: close\r\n\r\n", "GET / 1.0  [Connection=Keep-Alive|Connection=close] none close"},
		{"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: close\r\nProxy-Connection: close\r\n\r\n", "GET / 1.1 a [User-Agent=close|Proxy-Connection=close] none"},
		{"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx", `PUT / 1.1 a [Expect=100-Continue] 1 continue "x"`},
		{"PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", `PUT / 1.0  [Expect=100-continue] 1 close "x"`},
		{"PUT / HTTP/1.1\r\nHost: a\r\nExpect: y 100-continue\r\nContent-Length: 0\r\n\r\n", `PUT / 1.1 a [Expect=y 100-continue] 0 ""`},

		// One after the other.
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b", `GET / 1.1 a [] none rest "GET /b"`},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /b", `GET / 1.1 a [] 3 "abc" rest "GET /b"`},
		{"GET / HTTP/1.1\r\nHost: a\r\n", "more"},
		{"", "more"},
	} {
		everyCut(t, tt.raw, func(cuts ...int) {
			if got := readRequest(t, tt.raw, Limits{Target: 256}, cuts...); got != tt.want {
				t.Errorf("%q cut at %v:\n got %s\nwant %s", tt.raw, cuts, got, tt.want)
			}
		})
	}
}

func TestRequestLimits(t *testing.T) {
	const begin, end = "GET / HTTP/1.1\r\nHost: a\r\n", "\r\n"
	room := 1000 - len(begin) - len(end)
	line := func(n int) string { return "A: " + strings.Repeat("b", n-5) + "\r\n" }
	for _, tt := range []struct{ name, raw, want string }{
		{"as long as may be", begin + line(room) + end, "GET / 1.1 a [A=" + strings.Repeat("b", room-5) + "] none"},
		{"and something behind it", begin + line(room) + end + "x", "GET / 1.1 a [A=" + strings.Repeat("b", room-5) + "] none rest \"x\""},
		{"one byte too many", begin + line(room+1) + end, "!head_size"},
		{"never-ending", begin + strings.Repeat(line(20), 100), "!head_size"},
		{"never-ending method", strings.Repeat("A", 2000), "!method"},
		{"never-ending target", "GET /" + strings.Repeat("a", 2000), "!target_size"},
		{"wrong before it is too long", begin + "A b\r\n" + strings.Repeat(line(20), 100), "!field_name"},
		{"blank lines count", "\r\n" + begin + line(room) + end, "!head_size"},
		{"as many lines as may be", begin + strings.Repeat("A:\r\n", 49) + end, "GET / 1.1 a [A=" + strings.Repeat("|A=", 48) + "] none"},
		{"a line too many", begin + strings.Repeat("A:\r\n", 50) + end, "!head_size"},
		{"lines that are not kept count", begin + strings.Repeat("A:\r\n", 49) + "Content-Length: 0\r\n" + end, "!head_size"},
	} {
		everyCut(t, tt.raw, func(cuts ...int) {
			if got := readRequest(t, tt.raw, Limits{Head: 1000, Lines: 50, Target: 500}, cuts...); got != tt.want {
				t.Errorf("%s, cut at %v:\n got %s\nwant %s", tt.name, cuts, got, tt.want)
			}
		})
	}
}

func TestRequestDefaultLimits(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		{"GET /" + strings.Repeat("a", 16<<10) + " HTTP/1.1\r\n", "!target_size"},
		{"GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("A:\r\n", 200) + "\r\n", "!head_size"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA: " + strings.Repeat("a", 64<<10) + "\r\n", "!head_size"},
	} {
		if got := readRequest(t, tt.raw, Limits{}); got != tt.want {
			t.Errorf("%.20q: %.100s; want %s", tt.raw, got, tt.want)
		}
	}
}

func TestRequestHeadIsUsedAgain(t *testing.T) {
	var m RequestHead
	first := []byte("POST /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 3\r\nA: 1\r\n\r\n")
	second := []byte("GET /b HTTP/1.1\r\nHost: b\r\n\r\n")
	if _, err := m.Parse(first[:20], Limits{}); err != ErrMore {
		t.Fatal(err)
	}
	if n, err := m.Parse(first, Limits{}); n != len(first) || err != nil {
		t.Fatal(n, err)
	}
	if n, err := m.Parse(second, Limits{}); n != len(second) || err != nil {
		t.Fatal(n, err)
	}
	if m.Method != "GET" || m.Target != "/b" || m.Host != "b" || m.Minor != 1 || len(m.Head) != 0 || m.Framing != (Framing{}) || !m.Persistent || m.Continue {
		t.Errorf("%+v still has something of the first", m)
	}
	if _, err := m.Parse([]byte("GET /c HTTP/1.1\r\nHost : b\r\n"), Limits{}); err != ErrName || m.Method != "GET" || m.Target != "/c" || m.Host != "" {
		t.Errorf("%v, %+v after a refusal", err, m)
	}
	whole := m.Head[:cap(m.Head)]
	if _, err := m.Parse(first[:20], Limits{}); err != ErrMore {
		t.Fatal(err)
	}
	m.Reset()
	for _, l := range whole {
		if l != (Line{}) {
			t.Errorf("Reset leaves %v", l)
		}
	}
	if n, err := m.Parse(second, Limits{}); n != len(second) || err != nil {
		t.Errorf("after Reset: %d, %v", n, err)
	}
}

// TestHeadIsReadWhenItIsThere pins that bytes that come one by one do not each cost a look at all of them.
func TestHeadIsReadWhenItIsThere(t *testing.T) {
	for raw, want := range map[string]int{
		browser:                                 2, // the first byte, and the end
		"\r\n\r\n" + browser:                    3, // blank lines look like an end
		"GET / HTTP/1.1\r\n" + "A: b\nC: d\r\n": 2, // a bare LF is told at once; here it is made to go on
		strings.Repeat("a", 2000):               2, // the last one is too much
	} {
		var w watch
		looks := 0
		for k := 1; k <= len(raw); k++ {
			if buf := []byte(raw[:k]); w.due(buf, 2000) {
				looks++
				_ = w.done(buf, 1<<20, ErrMore)
			}
		}
		if looks != want {
			t.Errorf("%.40q was looked at %d times, want %d", raw, looks, want)
		}
	}
}

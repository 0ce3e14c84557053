package edge

import (
	"io"
	"slices"
	"strings"
	"testing"

	"gatehouse/proxy/h1"
)

// The fate of what a hostile visitor sends, as raw bytes. Whatever is refused is refused with all that follows, told so in a few
// bytes that can be read, and never reaches the handler.
func TestHostileHeads(t *testing.T) {
	const host = "Host: a\r\n"
	s := start(t, Settings{}, func(v Visitor) { t.Errorf("%s %s came through", v.Method(), v.Target()) })
	for _, tt := range []struct {
		name, sent string
		status     string // "": the connection ends without a word
		reason     string
	}{
		{"CL and TE", "POST / HTTP/1.1\r\n" + host + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", "both_framings"},
		{"TE and CL", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", "400", "both_framings"},
		{"bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n", "400", "bare_lf"},
		{"bare LF in one line", "GET / HTTP/1.1\r\n" + host + "A: b\nC: d\r\n\r\n", "400", "bare_lf"},
		{"bare LF at the end", "GET / HTTP/1.1\r\n" + host + "\n", "400", "bare_lf"},
		{"bare CR in a value", "GET / HTTP/1.1\r\n" + host + "A: b\rC: d\r\n\r\n", "400", "bare_cr"},
		{"NUL in a value", "GET / HTTP/1.1\r\n" + host + "A: b\x00c\r\n\r\n", "400", "field_value"},
		{"a folded line", "GET / HTTP/1.1\r\n" + host + "A: b\r\n c\r\n\r\n", "400", "folded_line"},
		{"a folded Transfer-Encoding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "501", "coding"},
		{"HEAD", "HEAD / HTTP/1.1\r\n" + host + "A B: c\r\n\r\n", "400", "field_name"},
		{"a folded first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400", "folded_line"},
		{"a space before the colon", "POST / HTTP/1.1\r\n" + host + "Content-Length : 4\r\n\r\nabcd", "400", "field_name"},
		{"a space in a name", "GET / HTTP/1.1\r\n" + host + "A B: c\r\n\r\n", "400", "field_name"},
		{"a line without a colon", "GET / HTTP/1.1\r\n" + host + "A\r\n\r\n", "400", "field_name"},
		{"TE on HTTP/1.0", "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", "old_coding"},
		{"TE xchunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501", "coding"},
		{"TE twice", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501", "coding"},
		{"TE chunked, identity", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "501", "coding"},
		{"equal CL twice", "POST / HTTP/1.1\r\n" + host + "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", "400", "content_lengths"},
		{"CLs that differ", "POST / HTTP/1.1\r\n" + host + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", "400", "content_lengths"},
		{"CL 04", "POST / HTTP/1.1\r\n" + host + "Content-Length: 04\r\n\r\nabcd", "400", "content_length"},
		{"CL +4", "POST / HTTP/1.1\r\n" + host + "Content-Length: +4\r\n\r\nabcd", "400", "content_length"},
		{"CL -1", "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\nabcd", "400", "content_length"},
		{"CL 0x4", "POST / HTTP/1.1\r\n" + host + "Content-Length: 0x4\r\n\r\nabcd", "400", "content_length"},
		{"CL 1_0", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1_0\r\n\r\nabcd", "400", "content_length"},
		{"CL empty", "POST / HTTP/1.1\r\n" + host + "Content-Length:\r\n\r\nabcd", "400", "content_length"},
		{"CL a list", "POST / HTTP/1.1\r\n" + host + "Content-Length: 4, 4\r\n\r\nabcd", "400", "content_length"},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", "400", "host"},
		{"two Hosts", "GET / HTTP/1.1\r\n" + host + "Host: b\r\n\r\n", "400", "hosts"},
		{"a malformed Host", "GET / HTTP/1.1\r\nHost: a/login?\r\n\r\n", "400", "host"},
		{"authority form", "GET evil:80 HTTP/1.1\r\nHost: evil:80\r\n\r\n", "400", "request_target"},
		{"a fragment", "GET /a#b HTTP/1.1\r\n" + host + "\r\n", "400", "request_target"},
		{"a control character in the target", "GET /a\x01 HTTP/1.1\r\n" + host + "\r\n", "400", "request_target"},
		{"HTTP/0.9", "GET /\r\n\r\n", "400", "start_line"},
		{"a tab in the request line", "GET\t/ HTTP/1.1\r\n" + host + "\r\n", "400", "method"},
		{"two spaces in the request line", "GET  / HTTP/1.1\r\n" + host + "\r\n", "400", "start_line"},
		{"HTTP/1.2", "GET / HTTP/1.2\r\n" + host + "\r\n", "505", "version"},
		{"HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", "505", "version"},
		{"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", ""},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400", "method"},
		{"a long target", "GET /" + strings.Repeat("x", 17<<10) + " HTTP/1.1\r\n" + host + "\r\n", "414", "target_size"},
		{"a long line", "GET / HTTP/1.1\r\n" + host + "A: " + strings.Repeat("x", 33<<10) + "\r\n\r\n", "431", "head_size"},
		{"many lines", "GET / HTTP/1.1\r\n" + host + strings.Repeat("A: b\r\n", 300) + "\r\n", "431", "head_size"},
	} {
		c := dial(t, s)
		io.WriteString(c, tt.sent+"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n") // it may be refused before all of it is sent
		got, err := io.ReadAll(c.br)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if tt.status == "" {
			if len(got) > 0 {
				t.Errorf("%s: %q", tt.name, got)
			}
			continue
		}
		head, body, _ := strings.Cut(string(got), "\r\n\r\n")
		lines := strings.Split(head, "\r\n")
		if !strings.HasPrefix(lines[0], "HTTP/1.1 "+tt.status+" ") {
			t.Errorf("%s: %q, want %s", tt.name, lines[0], tt.status)
		}
		for _, want := range []string{"Gatehouse-Outcome: rejected; reason=" + tt.reason, "Cache-Control: no-store", "Connection: close"} {
			if !slices.Contains(lines, want) {
				t.Errorf("%s: %q, want %q", tt.name, lines, want)
			}
		}
		want := strings.TrimPrefix(lines[0], "HTTP/1.1 ") + "\n"
		if strings.HasPrefix(tt.sent, "HEAD ") {
			want = ""
		}
		if body != want {
			t.Errorf("%s: body %q", tt.name, body)
		}
	}
}

// What is let through is seen as what it is, and what follows it as the next request.
func TestOddRequestsThatAreClear(t *testing.T) {
	type seen struct {
		method, target, body string
		head                 h1.Head
	}
	requests := make(chan seen, 4)
	s := start(t, Settings{}, func(v Visitor) {
		body, err := io.ReadAll(v.Body())
		if err != nil {
			t.Error(err)
		}
		requests <- seen{v.Method(), v.Target(), string(body), slices.Clone(*v.Head())}
		reply(v, "")
	})
	for _, tt := range []struct {
		sent string
		want seen
	}{
		{"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", seen{"GET", "/", "", nil}},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", seen{"GET", "/", "abc", nil}},
		{"OPTIONS / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3 ;a=b\r\nabc\r\n0;c\r\n\r\n", seen{"OPTIONS", "/", "abc", nil}},
		{"GET / HTTP/1.1\r\nHost: a\r\nExpect: y 100-continue\r\n\r\n", seen{"GET", "/", "", h1.Head{{Name: "Expect", Value: "y 100-continue"}}}},
		{"GET / HTTP/1.1\r\nhost:a\r\nX_User:  b \r\n\r\n", seen{"GET", "/", "", h1.Head{{Name: "X_User", Value: "b"}}}},
		{"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", seen{"CONNECT", "a:443", "", nil}},
		{"GET http://b/x?a;b HTTP/1.1\r\nHost: a\r\nTrailer: X\r\n\r\n", seen{"GET", "http://b/x?a;b", "", nil}},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 31\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a", seen{"POST", "/", "GET /smuggled HTTP/1.1\r\nHost: a", nil}},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", seen{"POST", "/", "", nil}},
	} {
		c := dial(t, s)
		if _, err := io.WriteString(c, tt.sent+"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		got := wait(t, requests)
		if got.method != tt.want.method || got.target != tt.want.target || got.body != tt.want.body || !slices.Equal(got.head, tt.want.head) {
			t.Errorf("%q: %q", tt.sent, got)
		}
		if got = wait(t, requests); got.target != "/next" {
			t.Errorf("%q: then %q", tt.sent, got)
		}
		c.answer("GET")
		c.answer("GET")
		c.ended()
	}
}

package edge

import (
	"io"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

// The fate of heads on HTTP/2 that HTTP/1 would not let through, or could not say. None of them reaches the handler.
func TestHostileHeadsOfHTTP2(t *testing.T) {
	const reset = "PROTOCOL_ERROR"
	var told refusals
	s := startH2(t, false, Settings{Refused: told.add}, func(v Visitor) {
		if v.Target() == "/body" {
			if _, err := io.ReadAll(v.Body()); err == nil {
				t.Error("a body whose length is not that looks whole")
			}
			if v.Context().Err() == nil {
				t.Error("whoever sends such a body is waited for")
			}
			v.Abort()
			return
		}
		t.Errorf("%s %s at %s came through: %q", v.Method(), v.Target(), v.Host(), *v.Head())
	})
	pseudo := func(more ...string) []string {
		return append([]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/"}, more...)
	}
	with := func(name, value string) []string {
		f := pseudo()
		for i := 0; i < len(f); i += 2 {
			if f[i] == name {
				f[i+1] = value
			}
		}
		return f
	}
	for _, tt := range []struct {
		name   string
		fields []string
		fate   string // a status, or a code; with a status,
		reason string // and why; "" where the server says it
		data   string // behind the head; "": it ends the stream
	}{
		{"Host that differs", pseudo("host", "b"), reset, "", ""},
		{"two Hosts", pseudo("host", "a", "host", "a"), reset, "", ""},
		{"userinfo", with(":authority", "u@a"), reset, "", ""},
		{"an authority with a path", with(":authority", "a/login?"), reset, "", ""},
		{"an absolute path", with(":path", "http://evil/login"), reset, "", ""},
		{"a path without a slash", with(":path", "login"), reset, "", ""},
		{"no path", with(":path", ""), reset, "", ""},
		{"a path with a space", with(":path", "/a b"), "400", "request_target", ""},
		{"a path with a fragment", with(":path", "/a#b"), "400", "request_target", ""},
		{"a path with a control character", with(":path", "/a\x01"), reset, "", ""},
		{"a star", with(":path", "*"), "400", "request_target", ""},
		{"a long path", with(":path", "/"+strings.Repeat("x", 17<<10)), "414", "target_size", ""},
		{"a method with a space", with(":method", "GET / HTTP/1.1"), "400", "method", ""},
		{"a long method", with(":method", strings.Repeat("X", 33)), "400", "method", ""},
		{"another scheme", with(":scheme", "ftp"), reset, "", ""},
		{"two paths", pseudo(":path", "/b"), reset, "", ""},
		{"a late pseudo-field", append(pseudo("a", "b"), ":path", "/b"), reset, "", ""},
		{"an unknown pseudo-field", append([]string{":what", "b"}, pseudo()...), reset, "", ""},
		{":status", append([]string{":status", "200"}, pseudo()...), reset, "", ""},
		{"extended CONNECT", append([]string{":method", "CONNECT", ":protocol", "websocket"}, pseudo()[2:]...), reset, "", ""},
		{"CONNECT with a path", with(":method", "CONNECT"), reset, "", ""},
		{"upper case", pseudo("X-A", "b"), reset, "", ""},
		{"a colon in a name", pseudo("a:b", "c"), reset, "", ""},
		{"a space in a name", pseudo("a b", "c"), reset, "", ""},
		{"no name", pseudo("", "c"), reset, "", ""},
		{"CR LF in a value", pseudo("a", "b\r\nc: d"), reset, "", ""},
		{"NUL in a value", pseudo("a", "b\x00"), reset, "", ""},
		{"space before a value", pseudo("a", " b"), "400", "field_value", ""},
		{"space behind a value", pseudo("a", "b\t"), "400", "field_value", ""},
		{"Connection", pseudo("connection", "close"), "400", "", ""},
		{"Keep-Alive", pseudo("keep-alive", "1"), "400", "", ""},
		{"Proxy-Connection", pseudo("proxy-connection", "close"), "400", "", ""},
		{"Transfer-Encoding", pseudo("transfer-encoding", "chunked"), "400", "", ""},
		{"Upgrade", pseudo("upgrade", "h2c"), "400", "", ""},
		{"TE", pseudo("te", "gzip"), "400", "", ""},
		{"TE trailers and more", pseudo("te", "trailers, gzip"), "400", "", ""},
		{"lengths that differ", pseudo("content-length", "1", "content-length", "2"), "400", "content_lengths", "x"},
		{"equal lengths", pseudo("content-length", "1", "content-length", "1"), "400", "content_lengths", "x"},
		{"length +1", pseudo("content-length", "+1"), "400", "content_length", ""},
		{"length -1", pseudo("content-length", "-1"), "400", "content_length", ""},
		{"length 01", pseudo("content-length", "01"), "400", "content_length", "x"},
		{"length 0x1", pseudo("content-length", "0x1"), "400", "content_length", ""},
		{"length 1, 1", pseudo("content-length", "1, 1"), "400", "content_length", ""},
		{"an empty length", pseudo("content-length", ""), "400", "content_length", ""},
		{"a huge length", pseudo("content-length", "9999999999999999999"), "400", "content_length", ""},
		{"a length without a body", pseudo("content-length", "5"), "400", "content_length", ""},
		{"more than the length", append(with(":path", "/body"), "content-length", "1"), reset, "", "more"},
		{"less than the length", append(with(":path", "/body"), "content-length", "9"), "INTERNAL_ERROR", "", "less"},
		{"many lines", pseudo(strings.Split(strings.Repeat("a,b,", 201)[:804-1], ",")...), "431", "head_size", ""},
		{"a large head", pseudo("a", strings.Repeat("x", 16<<10), "b", strings.Repeat("x", 16<<10)), "431", "head_size", ""},
		{"a larger head", pseudo("a", strings.Repeat("x", 16<<10), "b", strings.Repeat("x", 16<<10), "c", strings.Repeat("x", 16<<10), "d", strings.Repeat("x", 16<<10)), "431", "", ""},
	} {
		r := dialRaw(t, s)
		block := r.block(tt.fields...)
		first := block[:min(len(block), frameSize)]
		r.do(r.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: first, EndStream: tt.data == "", EndHeaders: len(first) == len(block)}))
		for rest := block[len(first):]; len(rest) > 0; {
			n := min(len(rest), frameSize)
			r.do(r.fr.WriteContinuation(1, n == len(rest), rest[:n]))
			rest = rest[n:]
		}
		if tt.data != "" {
			r.do(r.fr.WriteData(1, true, []byte(tt.data)))
		}
		if got := r.fate(1); got != tt.fate {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.fate)
		}
		all := told.take()
		if (len(all) == 1) != (tt.reason != "") || len(all) == 1 && all[0].Reason != tt.reason {
			t.Errorf("%s: told %+v", tt.name, all)
		}
		r.do(r.open(3, true, "GET", "/a b")) // the connection goes on
		if got := r.fate(3); got != "400" {
			t.Errorf("%s: then %s", tt.name, got)
		}
		eventually(t, "it is told", func() bool { return len(told.take()) == 1 })
		r.Close()
	}
}

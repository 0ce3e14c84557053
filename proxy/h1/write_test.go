package h1

import (
	"net/http"
	"strings"
	"testing"
)

func TestAppendRequest(t *testing.T) {
	evil := head("A", "1", "B", "x\r\nC: y", "D\r\nE", "z", "", "z", "F G", "z", "H", "x\ny", "I", "x\x00", "J", "x\r", "Host", "b",
		"content-length", "7", "TRANSFER-ENCODING", "chunked", "Connection", "Upgrade", "Trailer", "T", "a", "2")
	for _, tt := range []struct {
		name, method, target, host string
		head                       Head
		f                          Framing
		c                          Connection
		want                       string // "": ErrUnwritable
	}{
		{"a small one", "GET", "/a?b", "h:80", head("A", "1"), Framing{}, Unsaid, "GET /a?b HTTP/1.1\r\nHost: h:80\r\nA: 1\r\n\r\n"},
		{"what cannot be written is left out", "GET", "/", "h", evil, Framing{}, Unsaid,
			"GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nConnection: Upgrade\r\nTrailer: T\r\na: 2\r\n\r\n"},
		{"by length", "PUT", "/", "h", nil, Framing{ByLength, 1e18 - 1}, Unsaid, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999999999999\r\n\r\n"},
		{"chunked, and closes", "X", "/", "h", nil, Framing{Kind: Chunked}, Close, "X / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"},
		{"no body where one is usual", "POST", "/", "", nil, Framing{}, KeepAlive, "POST / HTTP/1.1\r\nHost: \r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
		{"for all of a server", "OPTIONS", "*", "h", nil, Framing{}, Unsaid, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"method with a space", "GET /x", "/", "h", nil, Framing{}, Unsaid, ""},
		{"no method", "", "/", "h", nil, Framing{}, Unsaid, ""},
		{"target with a space", "GET", "/ HTTP/1.1", "h", nil, Framing{}, Unsaid, ""},
		{"target with a line end", "GET", "/\r\nA:", "h", nil, Framing{}, Unsaid, ""},
		{"no target", "GET", "", "h", nil, Framing{}, Unsaid, ""},
		{"target with a fragment", "GET", "/a?b#c", "h", nil, Framing{}, Unsaid, ""},
		{"half a target", "GET", "a:80", "h", nil, Framing{}, Unsaid, ""},
		{"host with a line end", "GET", "/", "h\r\nA: b", nil, Framing{}, Unsaid, ""},
		{"host with a path", "GET", "/", "h/", nil, Framing{}, Unsaid, ""},
		{"negative length", "PUT", "/", "h", nil, Framing{ByLength, -1}, Unsaid, ""},
		{"a length of 19 digits", "PUT", "/", "h", nil, Framing{ByLength, 1e18}, Unsaid, ""},
		{"to the close", "PUT", "/", "h", nil, Framing{Kind: ToClose}, Unsaid, ""},
	} {
		got, err := AppendRequest([]byte("before"), tt.method, tt.target, tt.host, tt.head, tt.f, tt.c)
		if string(got) != "before"+tt.want || (err == ErrUnwritable) != (tt.want == "") {
			t.Errorf("%s:\n got %q, %v\nwant %q", tt.name, got, err, tt.want)
		}
	}
}

func TestAppendAnswer(t *testing.T) {
	evil := head("A", "1", "B", "x\r\n\r\n<html>", "C\n", "z", "D E", "z", "Content-Length", "7", "transfer-encoding", "x", "Host", "h", "A", "")
	for _, tt := range []struct {
		name   string
		status int
		head   Head
		f      Framing
		c      Connection
		want   string
	}{
		{"a small one", 200, head("A", "1"), Framing{ByLength, 3}, Unsaid, "HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 3\r\n\r\n"},
		{"what cannot be written is left out", 503, evil, Framing{ByLength, 0}, Close,
			"HTTP/1.1 503 Service Unavailable\r\nA: 1\r\nHost: h\r\nA: \r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		{"chunked", 404, nil, Framing{Kind: Chunked}, KeepAlive, "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"},
		{"to the close", 200, nil, Framing{Kind: ToClose}, Unsaid, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"},
		{"a status without a name", 999, nil, Framing{}, Unsaid, "HTTP/1.1 999 \r\n\r\n"},
		{"one within the table", 306, nil, Framing{}, Unsaid, "HTTP/1.1 306 \r\n\r\n"},
		{"not modified", 304, nil, Framing{ByLength, 5}, Unsaid, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"},
		{"no content", 204, nil, Framing{ByLength, 0}, Close, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"},
		{"no content, to the close", 204, nil, Framing{Kind: ToClose}, Unsaid, "HTTP/1.1 204 No Content\r\n\r\n"},
		{"interim", 103, head("Link", "</a>"), Framing{Kind: Chunked}, Unsaid, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"},
		{"switch", 101, head("Connection", "Upgrade", "Upgrade", "websocket"), Framing{}, Unsaid, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
		{"continue", 100, nil, Framing{}, Unsaid, ContinueAnswer},
		{"a status too small", 99, nil, Framing{}, Unsaid, ""},
		{"one too large", 1000, nil, Framing{}, Unsaid, ""},
		{"negative length", 200, nil, Framing{ByLength, -1}, Unsaid, ""},
		{"no framing there is", 200, nil, Framing{Kind: 9}, Unsaid, ""},
	} {
		got, err := AppendAnswer([]byte("before"), tt.status, tt.head, tt.f, tt.c)
		if string(got) != "before"+tt.want || (err == ErrUnwritable) != (tt.want == "") {
			t.Errorf("%s:\n got %q, %v\nwant %q", tt.name, got, err, tt.want)
		}
	}
}

func TestAppendChunks(t *testing.T) {
	got := AppendChunkHead(nil, 0xbeef)
	got = AppendChunkHead(got, 0)
	got = AppendChunkHead(got, -1)
	got = AppendLastChunk(got, nil)
	got = AppendLastChunk(got, head("A", "1", "B", "\n", "C D", "", "Content-Length", "1", "Transfer-Encoding", "x", "Host", "h", "Connection", "x", "trailer", "a", "A", "2"))
	if want := "beef\r\n0\r\n\r\n0\r\nA: 1\r\nA: 2\r\n\r\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReasons(t *testing.T) {
	for status := -1; status < 1100; status++ {
		got, theirs := Reason(status), http.StatusText(status)
		if !ValidValue(got) || got == "" && theirs != "" && status != 418 {
			t.Errorf("%d is %q, elsewhere %q", status, got, theirs)
		}
		renamed := status == 413 || status == 414 || status == 416 || status == 422 // by RFC 9110
		if got != "" && got != theirs && !renamed {
			t.Errorf("%d is %q, elsewhere %q", status, got, theirs)
		}
	}
}

func TestRefusalsAreFitForLabels(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range []*Refusal{ErrStartLine, ErrMethod, ErrTarget, ErrLongTarget, ErrVersion, ErrPreface, ErrStatus, ErrName, ErrValue,
		ErrFold, ErrBareLF, ErrBareCR, ErrTooLarge, ErrHost, ErrHosts, ErrLength, ErrLengths, ErrCoding, ErrOldCoding, ErrFramings, ErrInterim,
		ErrChunk, ErrChunkSize, ErrUnwritable} {
		if seen[r.Reason] || strings.Trim(r.Reason, "abcdefghijklmnopqrstuvwxyz_0123456789") != "" || Reason(r.Status) == "" {
			t.Errorf("%+v", r)
		}
		seen[r.Reason] = true
	}
}

func TestAppendLine(t *testing.T) {
	for _, tt := range []struct {
		line Line
		want string
	}{
		{Line{"A", "b"}, "A: b\r\n"},
		{Line{"A", ""}, "A: \r\n"},
		{Line{"Content-Length", "1"}, "Content-Length: 1\r\n"}, // the caller's to leave out
		{Line{"", "b"}, ""},
		{Line{"A b", "c"}, ""},
		{Line{"A", "b\r\nC: d"}, ""},
	} {
		got, ok := AppendLine([]byte("x"), tt.line)
		if string(got) != "x"+tt.want || ok != (tt.want != "") {
			t.Errorf("%q: %q, %v", tt.line, got, ok)
		}
	}
}

func TestARequestInPartsIsTheSameAsInOneGo(t *testing.T) {
	head := Head{{"A", "b"}, {"C", "d"}}
	for _, f := range []Framing{{}, {ByLength, 3}, {Kind: Chunked}, {Kind: ToClose}, {ByLength, -1}} {
		for _, c := range []Connection{Unsaid, Close} {
			want, fault := AppendRequest(nil, "POST", "/x", "h", head, f, c)
			got, err := AppendRequestStart(nil, "POST", "/x", "h")
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range head {
				got, _ = AppendLine(got, l)
			}
			if got, err = AppendRequestEnd(got, "POST", f, c); err != fault || err == nil && string(got) != string(want) {
				t.Errorf("%v, %v: %q, %v; want %q, %v", f, c, got, err, want, fault)
			}
		}
	}
}

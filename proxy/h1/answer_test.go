package h1

import (
	"strings"
	"testing"
)

func TestAnswers(t *testing.T) {
	const te, chunks = "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"
	for _, tt := range []struct{ method, raw, want string }{
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nA: b\r\n\r\nabc", `200 "OK" 1.1 [A=b] 3 "abc"`},
		{"GET", "HTTP/1.1 200 OK\r\n" + te + "Set-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n1\r\nx\r\n0\r\nT: 1\r\n\r\n", `200 "OK" 1.1 [Set-Cookie=a=1|set-cookie=b=2] chunked "x" [T=1]`},
		{"GET", "HTTP/1.1 200 OK\r\nHost: a\r\n\r\nabc", `200 "OK" 1.1 [Host=a] to-close close "abc"`},

		// The status line.
		{"GET", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", `200 "" 1.1 [] 0 ""`},
		{"GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", `200 "" 1.1 [] 0 ""`},
		{"GET", "HTTP/1.1 999 \t\xc3\xa9 x\r\nContent-Length: 0\r\n\r\n", `999 "\té x" 1.1 [] 0 ""`},
		{"GET", "HTTP/1.1 099 OK\r\n\r\n", "!status"},
		{"GET", "HTTP/1.1 20 OK\r\n\r\n", "!status"},
		{"GET", "HTTP/1.1 2000 OK\r\n\r\n", "!status"},
		{"GET", "HTTP/1.1 +20 OK\r\n\r\n", "!status"},
		{"GET", "HTTP/1.1  200 OK\r\n\r\n", "!status"},
		{"GET", "HTTP/1.1 200\tOK\r\n\r\n", "!start_line"},
		{"GET", "HTTP/1.1 200OK\r\n\r\n", "!start_line"},
		{"GET", "HTTP/1.1\r\n\r\n", "!start_line"},
		{"GET", "HTTP/1.1\t200 OK\r\n\r\n", "!start_line"},
		{"GET", "HTTP/1.1 200 a\x00b\r\n\r\n", "!start_line"},
		{"GET", "HTTP/1.1 200 OK\n\r\n", "!bare_lf"},
		{"GET", "HTTP/1.1 200 OK\rX: y\r\n\r\n", "!bare_cr"},
		{"GET", "HTTP/1.2 200 OK\r\n\r\n", "!version"},
		{"GET", "HTTP/2.0 200 OK\r\n\r\n", "!version"},
		{"GET", "HTTP/2 200 OK\r\n\r\n", "!start_line"},
		{"GET", "ICY 200 OK\r\n\r\n", "!start_line"},
		{"GET", "<html>", "!start_line"},
		{"GET", "\r\nHTTP/1.1 200 OK\r\n\r\n", "!start_line"},
		{"GET", "", "more"},

		// What a hostile backend may try.
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" + te + "\r\n" + chunks, "!both_framings"},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "!content_lengths"},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "!content_lengths"},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc", "!content_length"},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc", "!content_length"},
		{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + chunks, "!coding"},
		{"GET", "HTTP/1.0 200 OK\r\n" + te + "\r\n" + chunks, "!old_coding"},
		{"GET", "HTTP/1.1 200 OK\r\nA: b\n\r\n", "!bare_lf"},
		{"GET", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "!folded_line"},
		{"GET", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "!field_name"},
		{"GET", "HTTP/1.1 200 OK\r\nA: b\x00\r\n\r\n", "!field_value"},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK", `200 "OK" 1.1 [] 1 "x" rest "HTTP/1.1 200 OK"`},
		{"GET", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 200), "!head_size"},

		// No body, whatever is announced.
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nHTTP", `200 "OK" 1.1 [] none (3) close rest "HTTP"`},
		{"HEAD", "HTTP/1.1 200 OK\r\n" + te + "\r\n", `200 "OK" 1.1 [] none close`},
		{"HEAD", "HTTP/1.1 200 OK\r\n\r\n", `200 "OK" 1.1 [] none close`},
		{"head", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", `200 "OK" 1.1 [] 1 "x"`},
		{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", `304 "Not Modified" 1.1 [] none (3) close`},
		{"GET", "HTTP/1.1 304 Not Modified\r\n" + te + "\r\n", `304 "Not Modified" 1.1 [] none close`},
		{"GET", "HTTP/1.1 204 No Content\r\n\r\n", `204 "No Content" 1.1 [] none`},
		{"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", `204 "No Content" 1.1 [] none (0)`},
		{"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", `204 "No Content" 1.1 [] none (3) close rest "abc"`},
		{"GET", "HTTP/1.1 204 No Content\r\n" + te + "\r\n" + chunks, `204 "No Content" 1.1 [] none close rest "0\r\n\r\n"`},
		{"GET", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", `205 "Reset Content" 1.1 [] 0 ""`},
		{"GET", "HTTP/1.1 205 Reset Content\r\n\r\n", `205 "Reset Content" 1.1 [] to-close close ""`},
		{"CONNECT", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", `200 "OK" 1.1 [] none (3) close rest "abc"`},
		{"CONNECT", "HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nabc", `403 "No" 1.1 [] 3 "abc"`},

		// Interim answers.
		{"GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", `100 "Continue" 1.1 [] none rest "HTTP/1.1 200 OK\r\n\r\n"`},
		{"GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", `103 "Early Hints" 1.1 [Link=</a>] none`},
		{"GET", "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n", `100 "Continue" 1.1 [] none (0)`},
		{"GET", "HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\n\r\nabc", "!interim_body"},
		{"HEAD", "HTTP/1.1 100 Continue\r\n" + te + "\r\n" + chunks, "!interim_body"},
		{"GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nabc", `101 "Switching Protocols" 1.1 [Upgrade=websocket|Connection=Upgrade] none close rest "abc"`},

		// Whether the connection stays.
		{"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", `200 "OK" 1.1 [Connection=close] 0 close ""`},
		{"GET", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", `200 "OK" 1.0 [] 0 close ""`},
		{"GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", `200 "OK" 1.0 [Connection=keep-alive] 0 ""`},
		{"GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nabc", `200 "OK" 1.0 [Connection=keep-alive] to-close close "abc"`},
		{"GET", "HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 0\r\n\r\n", `200 "OK" 1.1 [Connection=keep-alive, close] 0 close ""`},
	} {
		everyCut(t, tt.raw, func(cuts ...int) {
			if got := readAnswer(t, tt.method, tt.raw, Limits{Head: 1000}, cuts...); got != tt.want {
				t.Errorf("%q to %s, cut at %v:\n got %s\nwant %s", tt.raw, tt.method, cuts, got, tt.want)
			}
		})
	}
}

func TestAnswerHeadIsUsedAgain(t *testing.T) {
	var m AnswerHead
	first := []byte("HTTP/1.0 201 Created\r\nConnection: keep-alive\r\nContent-Length: 3\r\nA: 1\r\n\r\n")
	second := []byte("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n")
	if _, err := m.Parse(first[:20], "GET", Limits{}); err != ErrMore {
		t.Fatal(err)
	}
	for _, raw := range [][]byte{first, second} {
		if n, err := m.Parse(raw, "GET", Limits{}); n != len(raw) || err != nil {
			t.Fatal(n, err)
		}
	}
	if m.Status != 200 || m.Reason != "" || m.Minor != 1 || len(m.Head) != 0 || m.Framing != (Framing{Kind: Chunked}) || m.Length != -1 || !m.Persistent {
		t.Errorf("%+v still has something of the first", m)
	}
	whole := m.Head[:cap(m.Head)]
	m.Reset()
	for _, l := range whole {
		if l != (Line{}) {
			t.Errorf("Reset leaves %v", l)
		}
	}
}

func TestAnswerLimits(t *testing.T) {
	const begin, end = "HTTP/1.1 200 OK\r\n", "Content-Length: 0\r\n\r\n"
	for lines, want := range map[int]string{3: `200 "OK" 1.1 [A=|A=|A=] 0 ""`, 4: "!head_size"} {
		raw := begin + strings.Repeat("A:\r\n", lines) + end
		everyCut(t, raw, func(cuts ...int) {
			if got := readAnswer(t, "GET", raw, Limits{Lines: 4}, cuts...); got != want {
				t.Errorf("%d lines, cut at %v: %s; want %s", lines, cuts, got, want)
			}
		})
	}
}

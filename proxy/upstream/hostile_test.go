package upstream

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
)

// fate is what becomes of a backend's bytes, and of the connection they came on.
type fate uint8

const (
	refused fate = iota // Send returns ErrBroken
	cut                 // the head is passed on, and what came of the body; then ErrBroken
	passed              // passed on as a whole; the connection is not used again
	kept                // and it is
)

// said is what a backend says, and what becomes of it. Nothing is said after the bytes.
type said struct {
	name, method, bytes string
	fate                fate
	body                string
	ends                bool // the backend closes
}

var hostile = []said{
	{"plain", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", kept, "hi", false},
	{"no reason", "GET", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi", kept, "hi", false},
	{"chunked", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", kept, "hi", false},
	{"chunked with extension and trailer", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nA: b\r\n\r\n", kept, "hi", false},
	{"to the end", "GET", "HTTP/1.1 200 OK\r\n\r\nhi", passed, "hi", true},
	{"says close", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", passed, "hi", false},
	{"old", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", passed, "hi", false},
	{"old, keeps", "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", kept, "hi", false},
	{"head", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", passed, "", false}, // a body may follow all the same, and late
	{"head of nothing", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", kept, "", false},
	{"not modified, with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", passed, "", false},
	{"interim", "GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", kept, "", false},
	{"32 interim", "GET", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 32) + "HTTP/1.1 204 No Content\r\n\r\n", kept, "", false},

	{"33 interim", "GET", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 33) + "HTTP/1.1 204 No Content\r\n\r\n", refused, "", false},
	{"interim with a body", "GET", "HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 204 No Content\r\n\r\n", refused, "", false},
	{"two lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!", refused, "", false},
	{"two equal lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", refused, "", false},
	{"a list of lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi", refused, "", false},
	{"a signed length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi", refused, "", false},
	{"a hex length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nhi", refused, "", false},
	{"a negative length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi", refused, "", false},
	{"a huge length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhi", refused, "", false},
	{"both framings", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", refused, "", false},
	{"both framings on HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", refused, "", false},
	{"another coding", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", refused, "", false},
	{"two codings", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", refused, "", false},
	{"chunked, old", "GET", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", refused, "", false},
	{"bare LF", "GET", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", refused, "", false},
	{"one bare LF", "GET", "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 2\r\n\r\nhi", refused, "", false},
	{"bare CR", "GET", "HTTP/1.1 200 OK\r\nA: b\rC: d\r\nContent-Length: 2\r\n\r\nhi", refused, "", false},
	{"folded", "GET", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nhi", refused, "", false},
	{"a space before the colon", "GET", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi", refused, "", false},
	{"a NUL", "GET", "HTTP/1.1 200 OK\r\nA: \x00\r\nContent-Length: 2\r\n\r\nhi", refused, "", false},
	{"blank lines before", "GET", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", refused, "", false},
	{"no version", "GET", "200 OK\r\nContent-Length: 2\r\n\r\nhi", refused, "", false},
	{"HTTP/2", "GET", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", refused, "", false},
	{"a body alone", "GET", "<html>hi</html>\r\n\r\n", refused, "", false},
	{"four digits", "GET", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nhi", refused, "", false},
	{"201 lines", "GET", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 201) + "\r\n", refused, "", false},
	{"a head without an end", "GET", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: "+strings.Repeat("b", 1000)+"\r\n", 70), refused, "", false},
	{"half a head", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", refused, "", true},
	{"a switch", "GET", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", refused, "", false},

	{"short", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", cut, "hi", true},
	{"no last chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", cut, "hi", true},
	{"half a chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhi", cut, "hi", true},
	{"no end of the trailer", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n", cut, "hi", true},
	{"chunk with bare LF", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n2\nhi\r\n0\r\n\r\n", cut, "hi", false},
	{"chunk longer than it says", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi!\r\n0\r\n\r\n", cut, "hi", false},
	{"chunk size that is none", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0x2\r\nhi\r\n0\r\n\r\n", cut, "hi", false},
	{"chunk size without an end", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n" + strings.Repeat("0", 40), cut, "hi", false},
	{"trailer that is malformed", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA B: c\r\n\r\n", cut, "hi", false},
	{"trailer without an end", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: " + strings.Repeat("b", 9000), cut, "hi", false},
}

// behind has bytes behind the end of an answer. They are seen where they come together with the end.
var behind = []said{
	{"bytes after a length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", passed, "hi", false},
	{"an answer after the answer", "GET", "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", passed, "", false},
	{"bytes after the last chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n!", passed, "hi", false},
	{"a body after HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", passed, "", false},
	{"a body after 304", "GET", "HTTP/1.1 304 Not Modified\r\n\r\nhi", passed, "", false},
	{"204 with a length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi", passed, "", false},
}

// Whole, byte by byte, or in two pieces: the fate of the bytes is the same.
func TestTheFateOfABackendsBytes(t *testing.T) {
	pieces := map[string]func(net.Conn, string){
		"whole": func(c net.Conn, s string) { _, _ = io.WriteString(c, s) },
		"bytes": func(c net.Conn, s string) {
			for i := range len(s) {
				if _, err := c.Write([]byte{s[i]}); err != nil {
					return
				}
			}
		},
		"halves": func(c net.Conn, s string) {
			_, _ = io.WriteString(c, s[:len(s)/2])
			_, _ = io.WriteString(c, s[len(s)/2:])
		},
	}
	for how, write := range pieces {
		for _, tt := range hostile {
			if how == "bytes" && len(tt.bytes) > 8000 {
				continue
			}
			t.Run(tt.name+"/"+how, func(t *testing.T) { tt.meet(t, write) })
		}
	}
}

// What follows the end of an answer is never taken for a part of another one.
func TestBytesBehindTheEndAreNobodys(t *testing.T) {
	for _, tt := range behind {
		t.Run(tt.name, func(t *testing.T) { tt.meet(t, func(c net.Conn, s string) { _, _ = io.WriteString(c, s) }) })
	}
}

// meet asks twice, and looks at what becomes of the answer and of the connection.
func (tt said) meet(t *testing.T, write func(net.Conn, string)) {
	var conns atomic.Int64
	p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
		conns.Add(1)
		for {
			if _, err := readHead(br); err != nil {
				return
			}
			if write(c, tt.bytes); tt.ends {
				return
			}
		}
	}))
	for range 2 {
		a, err := claim(t, p).Send(deadline(t), &Request{Method: tt.method, Target: "/", Host: "a"})
		if (tt.fate == refused) != (err != nil) || err != nil && (!errors.Is(err, ErrBroken) || errors.Is(err, ErrConnect)) {
			t.Fatalf("Send: %v", err)
		}
		if err != nil {
			continue
		}
		got, err := io.ReadAll(a.Body)
		if a.Body.Close(); string(got) != tt.body || (tt.fate == cut) != errors.Is(err, ErrBroken) || tt.fate != cut && err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if n := conns.Load(); (n == 1) != (tt.fate == kept) {
		t.Errorf("%d connections for two requests", n)
	}
}

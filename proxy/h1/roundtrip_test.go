package h1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// What we write is read back as the one message that it was, by us and by net/http.

// written is what of a head is written at all.
func written(h Head, dropped func(name string) bool) Head {
	var out Head
	for _, l := range h {
		if ValidName(l.Name) && ValidValue(l.Value) && !dropped(l.Name) {
			out.Add(l.Name, strings.Trim(l.Value, " \t"))
		}
	}
	return out
}

func FuzzAppendRequest(f *testing.F) {
	f.Add("GET", "/", "a", "A", "b", "C", "d", uint8(0), int64(3), uint8(0))
	f.Add("POST", "http://a/?x", "[::1]:80", "Connection", "close", "D\r\nE", "f\r\n\r\nGET /", uint8(1), int64(0), uint8(1))
	f.Add("CONNECT", "a:80", "", "Content-Length", "7", "", "\x00", uint8(2), int64(-1), uint8(2))
	f.Add("POST", "/", "a", "A", "b", "C", "d", uint8(0), int64(-50), uint8(0))
	f.Fuzz(func(t *testing.T, method, target, host, name, value, name2, value2 string, kind uint8, length int64, c uint8) {
		h := head(name, value, name2, value2)
		raw, err := AppendRequest(nil, method, target, host, h, Framing{FramingKind(kind), length}, Connection(c%3))
		if err != nil {
			if len(raw) > 0 {
				t.Fatalf("%v, and %q", err, raw)
			}
			return
		}
		if len(raw) > 4<<10 {
			return
		}
		var m RequestHead
		n, err := m.Parse(raw, Limits{})
		if err != nil || n != len(raw) {
			t.Fatalf("%q: read back %d bytes, %v", raw, n, err)
		}
		want := written(h, inRequest.leaves)
		got := m.Head
		if c%3 > 0 {
			got = got[:len(got)-1]
		}
		if m.Method != method || m.Target != target || m.Host != host || !slices.Equal(got, want) {
			t.Fatalf("%q: read back %+v; want %v", raw, m, want)
		}
		if r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw))); err == nil {
			if r.Method != method || r.RequestURI != target || len(r.Header) > len(m.Head)+2 {
				t.Fatalf("%q: net/http reads %+v", raw, r)
			}
		} else if !otherwise(err) {
			t.Fatalf("%q: net/http refuses: %v", raw, err)
		}
	})
}

func FuzzAppendAnswer(f *testing.F) {
	f.Add(200, "A", "b", "C", "d", uint8(1), int64(3), uint8(0))
	f.Add(304, "Connection", "close", "D\r\nE", "f\r\n\r\nHTTP/1.1 200 OK", uint8(3), int64(0), uint8(1))
	f.Fuzz(func(t *testing.T, status int, name, value, name2, value2 string, kind uint8, length int64, c uint8) {
		h := head(name, value, name2, value2)
		raw, err := AppendAnswer(nil, status, h, Framing{FramingKind(kind), length}, Connection(c%3))
		if err != nil || len(raw) > 4<<10 {
			return
		}
		var m AnswerHead
		n, err := m.Parse(raw, "GET", Limits{})
		if err != nil || n != len(raw) {
			t.Fatalf("%q: read back %d bytes, %v", raw, n, err)
		}
		want := written(h, inAnswer.leaves)
		if m.Status != status || m.Reason != Reason(status) || len(m.Head) < len(want) || !slices.Equal(m.Head[:len(want)], want) || len(m.Head) > len(want)+1 {
			t.Fatalf("%q: read back %+v; want %v", raw, m, want)
		}
		if r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil); err == nil {
			if r.StatusCode != status || r.ContentLength != m.Length && m.Framing.Kind == ByLength {
				t.Fatalf("%q: net/http reads %+v", raw, r)
			}
		} else if !otherwise(err) {
			t.Fatalf("%q: net/http refuses: %v", raw, err)
		}
	})
}

func FuzzChunksRoundTrip(f *testing.F) {
	f.Add([]byte("some data that is long enough for a few chunks"), []byte{3, 1, 0, 20}, []byte{1, 2, 3, 4, 5}, "T", "u")
	f.Add(bytes.Repeat([]byte("0\r\n\r\n"), 100), []byte{255}, []byte{200}, "A", "b\r\n")
	f.Fuzz(func(t *testing.T, data, sizes, cuts []byte, name, value string) {
		var raw []byte
		for i, left := 0, data; len(left) > 0; i++ {
			n := len(left)
			if i < len(sizes) {
				n = min(n, int(sizes[i])+1)
			}
			raw = AppendChunkHead(raw, n)
			raw = append(raw, left[:n]...)
			raw = append(raw, ChunkEnd...)
			left = left[n:]
		}
		trailer := head(name, value)
		raw = AppendLastChunk(raw, trailer)
		raw = append(raw, "NEXT"...)
		var at []int
		for i, sum := 0, 0; i < len(cuts); i++ {
			sum += int(cuts[i])
			at = append(at, sum)
		}
		w := newWire(string(raw), at...)
		got, gotTrailer, err := w.body(t, Framing{Kind: Chunked}, Limits{})
		if len(name)+len(value) > 4<<10 {
			return
		}
		if err != nil || got != string(data) || !slices.Equal(gotTrailer, written(trailer, onlyInHead)) {
			t.Fatalf("%q: %q %v %v", raw, got, gotTrailer, err)
		}
		for w.more() {
		}
		if w.rest() != "NEXT" {
			t.Fatalf("%q: the rest is %q", raw, w.rest())
		}
	})
}

// FuzzChunks reads what a stranger calls chunks.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("3;a=b \r\nabc\r\n0\r\nA: b\r\n\r\nNEXT"), []byte{1, 1, 1, 5})
	f.Fuzz(func(t *testing.T, raw, cuts []byte) {
		whole := newWire(string(raw))
		body, trailer, err := whole.body(t, Framing{Kind: Chunked}, Limits{Trailer: 100, Lines: 5})
		var at []int
		for i, sum := 0, 0; i < len(cuts); i++ {
			sum += int(cuts[i])
			at = append(at, sum)
		}
		pieces := newWire(string(raw), at...)
		body2, trailer2, err2 := pieces.body(t, Framing{Kind: Chunked}, Limits{Trailer: 100, Lines: 5})
		if body != body2 || lines(trailer) != lines(trailer2) || err != err2 || err == nil && whole.rest() != pieces.rest() {
			t.Fatalf("%q: %q %v %v; in pieces %q %v %v", raw, body, trailer, err, body2, trailer2, err2)
		}
		if err != nil {
			return
		}
		r, rerr := http.ReadRequest(bufio.NewReaderSize(io.MultiReader(strings.NewReader("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
			bytes.NewReader(raw)), 1<<17))
		if rerr != nil {
			t.Fatal(rerr)
		}
		if theirs, err := io.ReadAll(r.Body); err != nil || string(theirs) != body {
			t.Fatalf("%q: net/http reads %q, %v; we %q", raw, theirs, err, body)
		}
	})
}

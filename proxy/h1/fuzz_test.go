package h1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Whatever we accept, net/http accepts, and reads in the same way; and it does not matter in which pieces it came.

// fields sorts lines by name as net/http does.
func fields(h Head) map[string][]string {
	m := map[string][]string{}
	for _, l := range h {
		name := textproto.CanonicalMIMEHeaderKey(l.Name)
		m[name] = append(m[name], l.Value)
	}
	return m
}

// theirs undoes what net/http does to a header beside reading it.
func theirs(h http.Header, ours map[string][]string) map[string][]string {
	m := maps.Clone(map[string][]string(h))
	delete(m, "Content-Length")
	delete(ours, "Trailer") // which it takes apart, mostly
	delete(m, "Trailer")
	if _, ok := ours["Cache-Control"]; !ok && len(ours["Pragma"]) > 0 && ours["Pragma"][0] == "no-cache" {
		delete(m, "Cache-Control")
	}
	return m
}

func equal(a, b map[string][]string) bool { return maps.EqualFunc(a, b, slices.Equal) }

// otherwise reports whether net/http's complaint is about what is none of the wire's business: what is in a path, or in the
// announcement of a trailer.
func otherwise(err error) bool {
	_, isURL := errors.AsType[*url.Error](err)
	return isURL || strings.Contains(err.Error(), "bad trailer key")
}

func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\nPOST http://a/x?y HTTP/1.0\r\nConnection: keep-alive, x\r\nContent-Length: 3\r\n\r\nabcGET",
		post + "Transfer-Encoding: chunked\r\nTrailer: T\r\nPragma: no-cache\r\nExpect: 100-continue\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: u\r\n\r\nGET",
		post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nA:b\r\na: \tc\t\r\n c\r\n\r\n",
		"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nA: b\nC\r: d\x00\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET //a/%zz HTTP/1.1\r\nHost:\r\n\r\n",
	} {
		f.Add([]byte(s), uint16(20), uint16(50))
	}
	f.Fuzz(func(t *testing.T, raw []byte, cut, cut2 uint16) {
		whole := readRequest(t, string(raw), Limits{})
		if len(raw) > 0 {
			a, b := int(cut)%len(raw), int(cut2)%len(raw)
			pieces := readRequest(t, string(raw), Limits{}, min(a, b), max(a, b))
			if pieces != whole && !(pieces == "more" && whole[0] == '!') {
				t.Fatalf("%q in pieces:\n%s\nas a whole:\n%s", raw, pieces, whole)
			}
		}
		w := newWire(string(raw))
		var m RequestHead
		if err := w.until(t, func(b []byte) (int, error) { return m.Parse(b, Limits{}) }); err != nil {
			return
		}
		for bytes.HasPrefix(raw, []byte("\r\n")) {
			raw = raw[2:]
		}
		br := bufio.NewReaderSize(bytes.NewReader(raw), 1<<17)
		r, err := http.ReadRequest(br)
		if err != nil {
			if otherwise(err) {
				return
			}
			t.Fatalf("net/http refuses %q: %v", raw, err)
		}
		if r.Method != m.Method || r.RequestURI != m.Target || r.ProtoMajor != 1 || r.ProtoMinor != m.Minor {
			t.Fatalf("%q: %s %s %s; we %+v", raw, r.Method, r.RequestURI, r.Proto, m)
		}
		if r.URL.Host == "" && r.Host != m.Host { // otherwise it takes the target's
			t.Fatalf("%q: host %q; we %q", raw, r.Host, m.Host)
		}
		if r.Close == m.Persistent {
			t.Fatalf("%q: close %v; we %+v", raw, r.Close, m)
		}
		if ours := fields(m.Head); !equal(theirs(r.Header, ours), ours) {
			t.Fatalf("%q: %q; we %q", raw, r.Header, ours)
		}
		if want := map[FramingKind]int64{NoBody: 0, ByLength: m.Framing.Length, Chunked: -1}[m.Framing.Kind]; r.ContentLength != want {
			t.Fatalf("%q: length %d; we %v", raw, r.ContentLength, m.Framing)
		}
		sameBody(t, w, m.Framing, r.Body, func() http.Header { return r.Trailer }, br)
	})
}

// sameBody compares what follows a head.
func sameBody(t *testing.T, w *wire, f Framing, body io.Reader, trailer func() http.Header, br *bufio.Reader) {
	ours, ourTrailer, err := w.body(t, f, Limits{})
	if err != nil {
		return // they may be content with less
	}
	got, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("%q: net/http cannot read its body: %v", w.raw, err)
	}
	if string(got) != ours {
		t.Fatalf("%q: body %q; we %q", w.raw, got, ours)
	}
	if f.Kind == Chunked {
		want := fields(ourTrailer)
		for name, values := range trailer() {
			if len(values) > 0 && !onlyInHead(name) && !slices.Equal(want[name], values) {
				t.Fatalf("%q: trailer %q; we %q", w.raw, trailer(), want)
			}
			delete(want, name)
		}
		if len(want) > 0 {
			t.Fatalf("%q: trailer %q; we %v", w.raw, trailer(), ourTrailer)
		}
	}
	if rest, _ := io.ReadAll(br); string(rest) != w.rest() {
		t.Fatalf("%q: the next message begins at %q; for us at %q", w.raw, rest, w.rest())
	}
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP", "HTTP/1.0 200\r\nConnection: keep-alive\r\n\r\nabc", "HTTP/1.1 204 x\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: u\r\n\r\nHTTP", "HTTP/1.1 101 \r\nUpgrade: x\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie:b\r\n c\r\n\r\n",
	} {
		f.Add([]byte(s), uint8(0), uint16(20), uint16(50))
		f.Add([]byte(s), uint8(1), uint16(5), uint16(10))
	}
	f.Fuzz(func(t *testing.T, raw []byte, which uint8, cut, cut2 uint16) {
		method := []string{"GET", "HEAD"}[which%2]
		whole := readAnswer(t, method, string(raw), Limits{})
		if len(raw) > 0 {
			a, b := int(cut)%len(raw), int(cut2)%len(raw)
			pieces := readAnswer(t, method, string(raw), Limits{}, min(a, b), max(a, b))
			if pieces != whole && !(pieces == "more" && whole[0] == '!') {
				t.Fatalf("%q in pieces:\n%s\nas a whole:\n%s", raw, pieces, whole)
			}
		}
		w := newWire(string(raw))
		var m AnswerHead
		if err := w.until(t, func(b []byte) (int, error) { return m.Parse(b, method, Limits{}) }); err != nil {
			return
		}
		br := bufio.NewReaderSize(bytes.NewReader(raw), 1<<17)
		r, err := http.ReadResponse(br, &http.Request{Method: method})
		if err != nil {
			if otherwise(err) {
				return
			}
			t.Fatalf("net/http refuses %q: %v", raw, err)
		}
		if r.StatusCode != m.Status || r.ProtoMajor != 1 || r.ProtoMinor != m.Minor || !strings.HasSuffix(strings.TrimRight(r.Status, " \t"), strings.Trim(m.Reason, " \t")) {
			t.Fatalf("%q: %s %s; we %+v", raw, r.Proto, r.Status, m)
		}
		if r.Close && m.Persistent {
			t.Fatalf("%q: they close; we %+v", raw, m)
		}
		if ours := fields(m.Head); !equal(theirs(r.Header, ours), ours) {
			t.Fatalf("%q: %q; we %q", raw, r.Header, ours)
		}
		if m.Status == 101 {
			return // what follows is no body, which they cannot say
		}
		sameBody(t, w, m.Framing, r.Body, func() http.Header { return r.Trailer }, br)
	})
}

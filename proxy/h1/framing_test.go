package h1

import (
	"strings"
	"testing"
)

const post = "POST / HTTP/1.1\r\nHost: a\r\n"

// TestSmuggling is the corpus of requests by which one proxy is made to see two requests where another sees one: whatever can
// be read in two ways is refused, and with the rest it is plain what lies behind the end.
func TestSmuggling(t *testing.T) {
	const te, chunks = "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"
	for _, tt := range []struct{ raw, want string }{
		{post + "Content-Length: 3\r\n\r\nabc", `POST / 1.1 a [] 3 "abc"`},
		{post + te + "\r\n3\r\nabc\r\n0\r\n\r\n", `POST / 1.1 a [] chunked "abc"`},
		{post + "TRANSFER-ENCODING:\t Chunked \r\n\r\n" + chunks, `POST / 1.1 a [] chunked ""`},
		{post + "\r\nGET", `POST / 1.1 a [] none rest "GET"`},

		// Both framings: CL.TE, TE.CL, and in either order.
		{post + "Content-Length: 5\r\n" + te + "\r\n" + chunks, "!both_framings"},
		{post + te + "Content-Length: 5\r\n\r\n" + chunks, "!both_framings"},
		{post + te + "Content-Length: 0\r\n\r\n" + chunks, "!both_framings"},
		{post + "content-length: 5\r\nA: b\r\ntransfer-encoding: chunked\r\n\r\n" + chunks, "!both_framings"},

		// Transfer-Encoding that some read as chunked and some do not.
		{post + "Transfer-Encoding: xchunked\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: chunkedx\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: identity, chunked\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: chunked,\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: , chunked\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: chunked;q=1\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: \"chunked\"\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: chunked chunked\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding:\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n" + chunks, "!coding"},
		{post + te + te + "\r\n" + chunks, "!coding"},
		{post + te + "Transfer-Encoding: identity\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: identity\r\n" + te + "\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: \xffchunked\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: \x0bchunked\r\n\r\n" + chunks, "!field_value"},
		{post + "Transfer-Encoding: chunked\x00\r\n\r\n" + chunks, "!field_value"},
		{post + "Transfer-Encoding : chunked\r\n\r\n" + chunks, "!field_name"},
		{post + "Transfer-Encoding\t: chunked\r\n\r\n" + chunks, "!field_name"},
		{post + "Transfer-Encoding\x00: chunked\r\n\r\n" + chunks, "!field_name"},
		{post + "Transfer-Encoding\r\n: chunked\r\n\r\n" + chunks, "!field_name"},
		{post + " Transfer-Encoding: chunked\r\n\r\n" + chunks, "!folded_line"},
		{post + "A: b\r\n Transfer-Encoding: chunked\r\n\r\n" + chunks, "!folded_line"},
		{post + "Transfer-Encoding:\r\n chunked\r\n\r\n" + chunks, "!coding"},
		{post + "Transfer-Encoding: chunked\r\n , identity\r\n\r\n" + chunks, "!folded_line"},
		{post + "A: b\nTransfer-Encoding: chunked\r\n\r\n" + chunks, "!bare_lf"},
		{post + "A: b\rTransfer-Encoding: chunked\r\n\r\n" + chunks, "!bare_cr"},
		{post + "\rTransfer-Encoding: chunked\r\n\r\n" + chunks, "!bare_cr"},
		{"POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n" + te + "\r\n" + chunks, "!old_coding"},
		// Not the field, whatever it looks like; nothing follows such a head but another.
		{post + "Transfer_Encoding: chunked\r\n\r\n" + chunks, `POST / 1.1 a [Transfer_Encoding=chunked] none rest "0\r\n\r\n"`},
		{post + "X-Transfer-Encoding: chunked\r\n\r\n", `POST / 1.1 a [X-Transfer-Encoding=chunked] none`},

		// Content-Length that is not one plain number.
		{post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "!content_lengths"},
		{post + "Content-Length: 3\r\ncontent-length: 4\r\n\r\nabc", "!content_lengths"},
		{post + "Content-Length: 3, 3\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: 3,\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: +3\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: -3\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: -0\r\n\r\n", "!content_length"},
		{post + "Content-Length: 0x3\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: 1_0\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: 3.0\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: 3e0\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: 03\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: 00\r\n\r\n", "!content_length"},
		{post + "Content-Length: 3 3\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: \"3\"\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: \xef\xbc\x93\r\n\r\nabc", "!content_length"}, // a wide digit
		{post + "Content-Length:\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: 18446744073709551619\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: 1000000000000000000\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: 999999999999999999\r\n\r\nabc", `POST / 1.1 a [] 999999999999999999 "abc" more`},
		{post + "Content-Length : 3\r\n\r\nabc", "!field_name"},
		{post + "Content-Length\x0b: 3\r\n\r\nabc", "!field_name"},
		{post + "A: b\r\n Content-Length: 3\r\n\r\nabc", "!folded_line"},
		{post + "Content-Length: \r\n 3\r\n\r\nabc", "!content_length"},
		{post + "Content-Length: 3\r\n\x00: a\r\n\r\nabc", "!field_name"},
		{post + "Content_Length: 3\r\n\r\nabc", `POST / 1.1 a [Content_Length=3] none rest "abc"`},

		// A body where one usually does not belong has its length all the same.
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 23\r\n\r\nGET /admin HTTP/1.1\r\nX:GET", `GET / 1.1 a [] 23 "GET /admin HTTP/1.1\r\nX:" rest "GET"`},
		{"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", `HEAD / 1.1 a [] 1 "x"`},
		{"OPTIONS * HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nGET", `OPTIONS * 1.1 a [] chunked "x" rest "GET"`},

		// Heads that end elsewhere for some.
		{"GET / HTTP/1.1\r\nHost: a\r\n\n\r\nGET /admin", "!bare_lf"},
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n", "!bare_cr"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\x00\r\nGET /admin HTTP/1.1\r\n\r\n", "!field_name"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\t\r\nGET /admin HTTP/1.1\r\n\r\n", "!folded_line"},
		{"GET / HTTP/1.1\r\nHost: a\r\nGET /admin HTTP/1.1\r\n\r\n", "!field_name"},
		{"GET / HTTP/1.1\r\nHost: a\r\nA: \x00\r\n\r\n", "!field_value"},
	} {
		everyCut(t, tt.raw, func(cuts ...int) {
			if got := readRequest(t, tt.raw, Limits{}, cuts...); got != tt.want {
				t.Errorf("%q cut at %v:\n got %s\nwant %s", tt.raw, cuts, got, tt.want)
			}
		})
	}
}

func TestChunked(t *testing.T) {
	const ok = `POST / 1.1 a [] chunked `
	tiny := strings.Repeat("1;abcdefghijklmnopqrstuvwxyz\r\nx\r\n", 2000)
	for _, tt := range []struct{ name, raw, want string }{
		{"several", "3\r\nabc\r\n00a\r\n0123456789\r\n0\r\n\r\n", `"abc0123456789"`},
		{"either case", "A\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n", `"01234567890123456789"`},
		{"data that looks like chunks", "a\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", `"0\r\n\r\n0\r\n\r\n"`},
		{"the next request", "1\r\nx\r\n0\r\n\r\nGET", `"x" rest "GET"`},
		{"not the whole size line", "3", `"" more`},
		{"not the whole data", "3\r\nab", `"ab" more`},
		{"no last chunk", "3\r\nabc\r\n", `"abc" more`},
		{"no empty line", "0\r\n", `"" more`},
		{"nothing", "", `"" more`},

		{"an extension", "3;a=b;c=\"d;\xff\t\"\r\nabc\r\n0;e\r\n\r\n", `"abc"`},
		{"space before one", "3 \t;a\r\nabc\r\n0 \r\n\r\n", `"abc"`},
		{"an extension that ends in LF", "3;a\nabc\r\n0\r\n\r\n", `"" !bare_lf`},
		{"one with a CR", "3;a\rb\r\nabc\r\n0\r\n\r\n", `"" !bare_cr`},
		{"one with a NUL", "3;a\x00\r\nabc\r\n0\r\n\r\n", `"" !chunk`},
		{"something else behind the size", "3 a\r\nabc\r\n0\r\n\r\n", `"" !chunk`},
		{"two numbers", "3 3\r\nabc\r\n0\r\n\r\n", `"" !chunk`},
		{"a long extension", "3;" + strings.Repeat("a", 1000) + "\r\nabc\r\n0\r\n\r\n", `"abc"`},
		{"one too long", "3;" + strings.Repeat("a", 1100) + "\r\nabc\r\n0\r\n\r\n", `"" !chunk_size`},
		{"and not even ended", "3;" + strings.Repeat("a", 1100), `"" !chunk_size`},
		{"space without end", "3" + strings.Repeat(" ", 1100), `"" !chunk_size`},
		{"more extensions than data", tiny, "!chunk_size"},
		{"bytes one by one", strings.Repeat("1\r\nx\r\n", 5000) + "0\r\n\r\n", `"` + strings.Repeat("x", 5000) + `"`},

		{"LF behind the size", "3\nabc\r\n0\r\n\r\n", `"" !bare_lf`},
		{"LF behind the data", "3\r\nabc\n0\r\n\r\n", `"abc" !bare_lf`},
		{"LF behind the last chunk", "0\n\r\n", `"" !bare_lf`},
		{"LF at the end", "0\r\n\n", `"" !bare_lf`},
		{"CR alone behind the size", "3\rabc\r\n0\r\n\r\n", `"" !bare_cr`},
		{"CR alone behind the data", "3\r\nabc\r0\r\n\r\n", `"abc" !bare_cr`},
		{"CR alone at the end", "0\r\n\rGET", `"" !bare_cr`},
		{"more data than was said", "3\r\nabcd\r\n0\r\n\r\n", `"abc" !chunk`},
		{"less data than was said", "4\r\nabc\r\n0\r\n\r\n", `"abc\r" !bare_lf`},
		{"an empty line too many", "3\r\nabc\r\n\r\n0\r\n\r\n", `"abc" !chunk`},
		{"no size", "\r\nabc\r\n0\r\n\r\n", `"" !chunk`},
		{"no size but an extension", ";a\r\nabc\r\n0\r\n\r\n", `"" !chunk`},
		{"space before the size", " 3\r\nabc\r\n0\r\n\r\n", `"" !chunk`},
		{"plus", "+3\r\nabc\r\n0\r\n\r\n", `"" !chunk`},
		{"minus", "-3\r\nabc\r\n0\r\n\r\n", `"" !chunk`},
		{"0x", "0x3\r\nabc\r\n0\r\n\r\n", `"" !chunk`},
		{"underscore", "0_3\r\nabc\r\n0\r\n\r\n", `"" !chunk`},
		{"not hexadecimal", "g\r\n\r\n0\r\n\r\n", `"" !chunk`},
		{"as large as may be", "7fffffffffffff\r\nabc", `"abc" more`},
		{"a digit too many", "0000000000000003\r\nabc\r\n0\r\n\r\n", `"" !chunk_size`},
		{"beyond 64 bits", "10000000000000003\r\nabc\r\n0\r\n\r\n", `"" !chunk_size`},

		{"a trailer", "0\r\nA: b\r\nc:\t d \r\n\r\nGET", `"" [A=b|c=d] rest "GET"`},
		{"what frames or routes comes too late", "0\r\nContent-Length: 3\r\nhost: b\r\nA: b\r\nTrailer: c\r\nTransfer-encoding: chunked\r\n\r\n", `"" [A=b]`},
		{"fold in a trailer", "0\r\nA: b\r\n c\r\n\r\n", `"" !folded_line`},
		{"fold at its start", "0\r\n A: b\r\n\r\n", `"" !folded_line`},
		{"LF in a trailer", "0\r\nA: b\n\r\n", `"" !bare_lf`},
		{"CR in a trailer", "0\r\nA: b\rc\r\n\r\n", `"" !bare_cr`},
		{"NUL in a trailer", "0\r\nA: b\x00\r\n\r\n", `"" !field_value`},
		{"a name with a space", "0\r\nA : b\r\n\r\n", `"" !field_name`},
		{"a request instead", "0\r\nGET / HTTP/1.1\r\n\r\n", `"" !field_name`},
		{"a trailer without end", "0\r\nA: b\r\n", `"" more`},
		{"a trailer as large as may be", "0\r\nA: " + strings.Repeat("b", 95) + "\r\n\r\n", `"" [A=` + strings.Repeat("b", 95) + `]`},
		{"one byte more", "0\r\nA: " + strings.Repeat("b", 96) + "\r\n\r\n", `"" !head_size`},
		{"never-ending", "0\r\nA: " + strings.Repeat("b", 2000), `"" !head_size`},
		{"too many lines", "0\r\n" + strings.Repeat("A:\r\n", 6) + "\r\n", `"" !head_size`},
	} {
		raw := post + "Transfer-Encoding: chunked\r\n\r\n" + tt.raw
		everyCut(t, raw, func(cuts ...int) {
			got := readRequest(t, raw, Limits{Trailer: 100, Lines: 5}, cuts...)
			if got != ok+tt.want && !(tt.want[0] == '!' && strings.HasSuffix(got, tt.want)) {
				t.Errorf("%s, cut at %v:\n got %.200s\nwant %.200s", tt.name, cuts, got, ok+tt.want)
			}
		})
	}
}

func TestChunksStayRefused(t *testing.T) {
	var c Chunks
	for range 2 {
		if _, n, err := c.Next([]byte("x")); n != 0 || err != ErrChunk {
			t.Errorf("%d, %v", n, err)
		}
	}
	c.Reset(Limits{})
	if data, n, err := c.Next([]byte("1\r\nx\r\n")); string(data) != "x" || n != 4 || err != nil || cap(data) != 1 {
		t.Errorf("%q, %d, %v after Reset", data, n, err)
	}
}

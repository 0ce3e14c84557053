package test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// attack is what a hostile visitor sends on one connection. In raw, {0}, {1} … are the numbered segments of its requests, and {len}
// is the length of everything behind the first head. Requests from number in on are inside something else, or behind something that
// cannot be read: nobody may ever see them. in < 0 leaves that open.
type attack struct {
	raw string
	in  int
}

// perVisit is how many numbers an attack and the victim after it have; the victim's is the last of them.
const perVisit = 10

// bytes is what is sent by the attack that has that place in the row.
func (a attack) bytes(place int) string {
	text := a.raw
	for i := range perVisit {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i), nonce(place*perVisit+i))
	}
	_, rest, _ := strings.Cut(text, "\r\n\r\n")
	return strings.ReplaceAll(text, "{len}", strconv.Itoa(len(rest)))
}

const (
	line0  = "POST /{0} HTTP/1.1\r\nHost: a\r\n"
	asks0  = "GET /{0} HTTP/1.1\r\nHost: a\r\n"
	hidden = "GET /{1} HTTP/1.1\r\nHost: a\r\n\r\n" // a whole request
	half   = "GET /{1} HTTP/1.1\r\nHost: a\r\nX: "  // takes the line of whoever comes next
	last   = "GET /{2} HTTP/1.1\r\nHost: a\r\n\r\n"
	coded  = "Transfer-Encoding: chunked\r\n"
	end0   = "0\r\n\r\n"
	whole  = "Content-Length: {len}\r\n"
)

// corpus are the rows of what is known to be hostile: first what must be refused, then what is clear and must be seen as one.
func corpus() (all []attack) {
	refused := func(raw ...string) {
		for _, r := range raw {
			all = append(all, attack{r, 0})
		}
	}
	for _, te := range []string{
		"Transfer-Encoding: chunked", "transfer-encoding:chunked", "Transfer-Encoding: Chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunkedx",
		"Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity, chunked", "Transfer-Encoding: gzip, chunked",
		"Transfer-Encoding: chunked,", "Transfer-Encoding: , chunked", "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: \"chunked\"",
		"Transfer-Encoding: chunked chunked", "Transfer-Encoding:", "Transfer-Encoding: identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "Transfer-Encoding: \x0bchunked",
		"Transfer-Encoding: \xffchunked", "Transfer-Encoding: chunked\x00", "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked",
		"Transfer-Encoding\x00: chunked", "Transfer-Encoding\r\n: chunked", " Transfer-Encoding: chunked", "A: b\r\n Transfer-Encoding: chunked",
		"Transfer-Encoding:\r\n chunked", "A: b\nTransfer-Encoding: chunked", "A: b\rTransfer-Encoding: chunked", "\rTransfer-Encoding: chunked",
	} {
		refused(line0+whole+te+"\r\n\r\n"+end0+half, line0+te+"\r\n"+whole+"\r\n"+end0+hidden)
		if te != "Transfer-Encoding: chunked" && te != "transfer-encoding:chunked" && te != "Transfer-Encoding: Chunked" {
			refused(line0 + te + "\r\n\r\n" + end0 + hidden)
		}
	}
	for _, cl := range []string{
		"{len}\r\nContent-Length: {len}", "{len}\r\ncontent-length: 0", "0\r\nContent-Length: {len}", "{len}, {len}", "{len},", "+{len}", "-{len}", "-0",
		"0x{len}", "1_0", "{len}.0", "{len}e0", "0{len}", "00", "0 0", "\"{len}\"", "\xef\xbc\x93", "", "18446744073709551616", "1000000000000000000",
		"\r\n {len}", "{len}\r\n\x00: a", "{len}\x00", "{len}\nA: b", "{len};a",
	} {
		refused(line0 + "Content-Length: " + cl + "\r\n\r\n" + hidden)
	}
	refused(line0+"Content-Length : {len}\r\n\r\n"+hidden, line0+"Content-Length\x0b: {len}\r\n\r\n"+hidden, line0+"A: b\r\n Content-Length: {len}\r\n\r\n"+hidden)
	for _, chunks := range []string{
		"3\nabc\r\n", "3\r\nabc\n", "3\rabc\r\n", "3\r\nabcd\r\n", "4\r\nabc\r\n", "3\r\nabc\r\n\r\n", "\r\nabc\r\n", ";a\r\nabc\r\n", " 3\r\nabc\r\n",
		"+3\r\nabc\r\n", "-3\r\nabc\r\n", "0x3\r\nabc\r\n", "0_3\r\nabc\r\n", "g\r\n\r\n", "10000000000000003\r\nabc\r\n", "3;a\nabc\r\n", "3;a\rb\r\nabc\r\n",
		"3;a\x00\r\nabc\r\n", "3 a\r\nabc\r\n", "2;\nxx\r\n32\r\nab\r\n0\r\n\r\n", "0\n\r\n", "0\r\n\n", "0\r\nA: b\r\n c\r\n\r\n", "0\r\nA : b\r\n\r\n",
		"0\r\nGET /{1} HTTP/1.1\r\n\r\n", "0\r\nA: b\n\r\n", "0\r\nA: b\x00\r\n\r\n",
	} {
		// The head may have gone on before this was read; what is behind it must not.
		all = append(all, attack{line0 + coded + "\r\n" + chunks + end0 + hidden, 1})
	}
	refused( // heads that end elsewhere for some, and lines that are none
		asks0+"\n"+hidden, asks0+"\r\r\n"+hidden, asks0+"A: b\r\n\x00\r\n"+hidden, asks0+"A: b\r\n\t\r\n"+hidden, asks0+"GET /{1} HTTP/1.1\r\n\r\n",
		"GET /{0} HTTP/1.1\nHost: a\n\n"+hidden, asks0+"A: b\nC: d\r\n\r\n"+hidden, asks0+"A: b\rC: d\r\n\r\n"+hidden, asks0+"A: b\x00c\r\n\r\n"+hidden,
		asks0+"A: b\r\n c\r\n\r\n"+hidden, "GET /{0} HTTP/1.1\r\n Host: a\r\n\r\n"+hidden, asks0+"A B: c\r\n\r\n"+hidden, asks0+"A\r\n\r\n"+hidden,
		asks0+": a\r\n\r\n"+hidden, asks0+"\xc3\xa9: c\r\n\r\n"+hidden, asks0+"A: \x7f\r\n\r\n"+hidden,
		"POST /{0} HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n"+coded+"\r\n"+end0+hidden,
		"GET  /{0} HTTP/1.1\r\nHost: a\r\n\r\n"+hidden, "GET /{0}  HTTP/1.1\r\nHost: a\r\n\r\n"+hidden, "GET\t/{0} HTTP/1.1\r\nHost: a\r\n\r\n"+hidden,
		"GET /{0}\tHTTP/1.1\r\nHost: a\r\n\r\n"+hidden, "GET /{0} x HTTP/1.1\r\nHost: a\r\n\r\n"+hidden, "GET /{0} http/1.1\r\nHost: a\r\n\r\n"+hidden,
		"GET /{0} HTTP/1.2\r\nHost: a\r\n\r\n"+hidden, "GET /{0} HTTP/2.0\r\nHost: a\r\n\r\n"+hidden, "GET /{0} HTTP/1.10\r\nHost: a\r\n\r\n"+hidden,
		"GET /{0} HTTPS/1.1\r\nHost: a\r\n\r\n"+hidden, "GET /{0}\r\n\r\n"+hidden, " GET /{0} HTTP/1.1\r\nHost: a\r\n\r\n"+hidden,
		"\nGET /{0} HTTP/1.1\r\nHost: a\r\n\r\n"+hidden, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+hidden, "G(T /{0} HTTP/1.1\r\nHost: a\r\n\r\n"+hidden,
		"GET /{0}#b HTTP/1.1\r\nHost: a\r\n\r\n"+hidden, "GET /{0}\x01 HTTP/1.1\r\nHost: a\r\n\r\n"+hidden, "GET /{0}\x00 HTTP/1.1\r\nHost: a\r\n\r\n"+hidden,
		"GET {0} HTTP/1.1\r\nHost: a\r\n\r\n"+hidden, "GET evil:80 HTTP/1.1\r\nHost: evil:80\r\n\r\n"+hidden, "GET ?{0} HTTP/1.1\r\nHost: a\r\n\r\n"+hidden,
		"GET http://b/{0} HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "CONNECT /{0} HTTP/1.1\r\nHost: a\r\n\r\n"+hidden,
		"GET /{0} HTTP/1.1\r\n\r\n"+hidden, "GET /{0} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"+hidden, "GET /{0} HTTP/1.1\r\nHost: a/{1}?\r\n\r\n"+hidden,
		"GET /{0} HTTP/1.1\r\nHost: a b\r\n\r\n"+hidden, "GET /{0}%0d%0aX:%20y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /{0}%00 HTTP/1.1\r\nHost: a\r\n\r\n",
		asks0+"Expect: y 100-continue\r\n\r\n", asks0+"Connection: Cookie, Host\r\n\r\n", asks0+"Connection: Content-Length\r\nContent-Length: {len}\r\n\r\n"+hidden,
		"TRACE /{0} HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"+hidden,
		asks0+"A: "+strings.Repeat("x", 33<<10)+"\r\n\r\n"+hidden, asks0+strings.Repeat("A: b\r\n", 300)+"\r\n"+hidden,
	)
	clear := func(in int, raw ...string) {
		for _, r := range raw {
			all = append(all, attack{r, in})
		}
	}
	clear(1, // a request inside a body is no request, wherever the body is
		line0+whole+"\r\n"+hidden, asks0+whole+"\r\n"+hidden, asks0+whole+"\r\n"+end0+half, "HEAD /{0} HTTP/1.1\r\nHost: a\r\n"+whole+"\r\n"+hidden,
		"OPTIONS /{0} HTTP/1.1\r\nHost: a\r\n"+whole+"\r\n"+hidden, "DELETE /{0} HTTP/1.1\r\nHost: a\r\n"+whole+"\r\n"+hidden,
		"FOO /{0} HTTP/1.1\r\nHost: a\r\n"+whole+"\r\n"+hidden, "get /{0} HTTP/1.1\r\nHost: a\r\n"+whole+"\r\n"+hidden,
		asks0+whole+"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"+hidden,
		asks0+whole+"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"+hidden,
		line0+whole+"Expect: 100-continue\r\n\r\n"+hidden, line0+whole+"Connection: close\r\n\r\n"+hidden,
		line0+"Transfer_Encoding: chunked\r\n"+whole+"\r\n"+end0+half, line0+"Content_Length: 0\r\n"+whole+"\r\n"+hidden, line0+"X-Transfer-Encoding: chunked\r\n"+whole+"\r\n"+end0+half,
		line0+whole+"Connection: Transfer-Encoding\r\n\r\n"+end0+half, line0+coded+"\r\n28\r\nGET /{1} HTTP/1.1\r\nHost: a\r\nX: yy\r\n"+end0,
		"POST /{0} HTTP/1.0\r\nHost: a\r\n"+whole+"\r\n"+hidden, "GET /{0} HTTP/1.0\r\n\r\n"+hidden,
		line0+"Content-Length: 100000\r\n\r\n"+hidden, line0+coded+"\r\n", line0+coded+"\r\nffff\r\n"+hidden, line0+coded+"\r\n3\r\nabc\r\n"+"0\r\nX: "+half,
	)
	clear(2, // two are two
		asks0+"\r\n"+hidden, "\r\n"+asks0+"\r\n"+hidden, line0+"\r\n"+hidden, line0+"Content-Length: 0\r\n\r\n"+hidden, line0+coded+"\r\n"+end0+hidden,
		line0+coded+"\r\n3 ;a=b\r\nabc\r\n0;c\r\n\r\n"+hidden,
		line0+coded+"Trailer: X\r\nTE: trailers\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\nContent-Length: 30\r\nTransfer-Encoding: chunked\r\nHost: b\r\n\r\n"+hidden,
		asks0+coded+"\r\n3\r\nabc\r\n"+end0+hidden, "HEAD /{0} HTTP/1.1\r\nHost: a\r\n"+coded+"\r\n"+end0+hidden, "OPTIONS /{0} HTTP/1.1\r\nHost: a\r\n"+coded+"\r\n3\r\nabc\r\n"+end0+hidden,
		line0+"Content-Length: 5\r\nConnection: keep-alive, X-Real, Expect\r\nX-Real: b\r\n\r\nabcde"+hidden, line0+"Content-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc"+hidden,
		"POST http://a/{0} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"+hidden, "GET /{0}?a=1;b=2&c[]=%zz HTTP/1.1\r\nHost: a\r\n\r\n"+hidden,
		asks0+"X_User: root\r\nX-Original-URL: /{9}\r\nX-Forwarded-Host: b\r\nForwarded: for=b\r\n\r\n"+hidden, asks0+"A: \xff\xc3\xa9 \"<>\\\t\r\nB:\r\n\r\n"+hidden,
		"GET /{0}/a%2Fb//c;d/%c3%a9 HTTP/1.1\r\nhOST:a:80\r\n\r\n"+hidden, line0+"Content-Length: 3\r\nX-HTTP-Method-Override: GET\r\n\r\nabc"+hidden,
		line0+"Content-Length: 70000\r\n\r\n"+strings.Repeat("GET / HT\r\n", 7000)+hidden, line0+coded+"\r\n"+strings.Repeat("1\r\nx\r\n", 3000)+end0+hidden,
		asks0+"Range: bytes=0-0,-1\r\nIf-None-Match: *\r\nAccept-Encoding: gzip\r\n\r\n"+hidden,
	)
	clear(3, asks0+"\r\n"+hidden+last, line0+"Content-Length: 4\r\n\r\n\r\n\r\n"+hidden+last, "HEAD /{0} HTTP/1.1\r\nHost: a\r\n\r\n"+hidden+last)
	return all
}

// mixtures are n attacks that chance puts together; the same for the same seed.
func mixtures(seed uint64, n int) (all []attack) {
	rnd := rand.New(rand.NewPCG(seed, 57))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	for range n {
		var raw strings.Builder
		for i := range 1 + rnd.IntN(4) {
			ends := "\r\n"
			if rnd.IntN(40) == 0 {
				ends = "\n"
			}
			target := fmt.Sprintf(pick("/{%d}", "/{%d}", "/{%d}", "/{%d}?a=b;c", "//{%d}", "/b/..%%2f{%d}", "http://a/{%d}", "/{%d};x", "/a/../{%d}", "/{%d}%%ff", "/{%d}\xe9", "/{%d}|^"), i)
			raw.WriteString(pick("GET", "GET", "GET", "POST", "POST", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "FOO", "get") + " " + target)
			raw.WriteString(pick(" HTTP/1.1", " HTTP/1.1", " HTTP/1.1", " HTTP/1.1", " HTTP/1.1", " HTTP/1.0") + ends + pick("Host: a", "Host: a", "host:a", "Host: a:80") + ends)
			for range rnd.IntN(4) {
				raw.WriteString(pick("A: b", "Connection: keep-alive", "Connection: close", "Connection: keep-alive, A", "X_Y: z", "Expect: 100-continue", "TE: trailers", "Trailer: X",
					"Upgrade: h2c", "Upgrade: websocket\r\nConnection: Upgrade", "Cookie: sid=1; sid=2", "A: \xff\"\\", "A:", "Accept: */*", "Keep-Alive: timeout=1, max=1",
					"Proxy-Connection: close", "Max-Forwards: 0", "Transfer_Encoding: chunked", "Content_Length: 1", "A : b", "A: b\r\n c") + ends)
			}
			body := pick("", "x", "0\r\n\r\n", "GET /{8} HTTP/1.1\r\nHost: a\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", strings.Repeat("y", 5000))
			length := len(strings.ReplaceAll(body, "{8}", nonce(8)))
			switch rnd.IntN(12) {
			case 0, 1, 2: // none is told
				raw.WriteString(ends)
				continue
			case 3, 4, 5, 6:
				fmt.Fprintf(&raw, "Content-Length: %d%s%s%s", length, ends, ends, body)
			case 7, 8, 9:
				raw.WriteString(coded + ends)
				for rest := body; rest != ""; {
					cut := min(len(rest), 1+rnd.IntN(40))
					if strings.Contains(rest, "{8}") {
						cut = len(rest)
					}
					fmt.Fprintf(&raw, "%x%s\r\n%s\r\n", len(strings.ReplaceAll(rest[:cut], "{8}", nonce(8))), pick("", "", ";a", " ;b=\"c\""), rest[:cut])
					rest = rest[cut:]
				}
				raw.WriteString("0\r\n" + pick("", "", "X: y\r\n", "Content-Length: 9\r\n") + "\r\n")
			case 10: // both, or a length that is not so
				fmt.Fprintf(&raw, "Content-Length: %d%s%s%s%s", length+rnd.IntN(3)-1, ends, pick("", coded), ends, body)
			case 11:
				raw.WriteString(coded + ends + body)
			}
		}
		all = append(all, attack{raw.String(), -1})
	}
	return all
}

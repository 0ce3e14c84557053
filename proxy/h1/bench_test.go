package h1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// browser is the head that a browser sends with a session.
const browser = "GET /projects/group%2Fname/board?filter=mine&page=2 HTTP/1.1\r\n" +
	"Host: intranet.example.com\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
	"Accept-Language: en-US,en;q=0.5\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Connection: keep-alive\r\n" +
	"Cookie: sid=4f2c9a7be01d4c5f9a7be01d4c5f4f2c; theme=dark\r\n" +
	"Upgrade-Insecure-Requests: 1\r\n" +
	"Sec-Fetch-Dest: document\r\n" +
	"Sec-Fetch-Mode: navigate\r\n" +
	"Sec-Fetch-Site: same-origin\r\n" +
	"Priority: u=0, i\r\n\r\n"

const page = "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/html; charset=utf-8\r\n" +
	"Content-Length: 1024\r\nCache-Control: no-cache, private\r\nSet-Cookie: sid=4f2c9a7be01d4c5f9a7be01d4c5f; Path=/; HttpOnly\r\n\r\n"

func TestNothingIsAllocated(t *testing.T) {
	var (
		request RequestHead
		answer  AnswerHead
		chunks  Chunks
		raw     = []byte(browser)
		again   = []byte(page)
		dst     = make([]byte, 0, 4<<10)
		body    = []byte("400;a=b\r\n" + strings.Repeat("x", 1024) + "\r\n0\r\nA: b\r\n\r\n")
	)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := request.Parse(raw[:100], Limits{}); err != ErrMore {
			t.Fatal(err)
		}
		if _, err := request.Parse(raw, Limits{}); err != nil {
			t.Fatal(err)
		}
		dst, _ = AppendRequest(dst[:0], request.Method, request.Target, request.Host, request.Head, request.Framing, Unsaid)
		if _, err := answer.Parse(again, request.Method, Limits{}); err != nil {
			t.Fatal(err)
		}
		dst, _ = AppendAnswer(dst[:0], answer.Status, answer.Head, answer.Framing, Unsaid)
		dst = AppendChunkHead(dst, 1024)
		dst = AppendLastChunk(dst, nil)
		chunks.Reset(Limits{})
		for in := body; ; {
			_, n, err := chunks.Next(in)
			in = in[n:]
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if len(request.Head) != 11 || len(chunks.Trailer()) != 1 {
		t.Errorf("%v, %v", request.Head, chunks.Trailer())
	}
}

func BenchmarkParseRequest(b *testing.B) {
	raw := []byte(browser)
	b.Run("h1", func(b *testing.B) {
		var m RequestHead
		b.ReportAllocs()
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			if _, err := m.Parse(raw, Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("nethttp", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(raw)))
		r := bytes.NewReader(raw)
		br := bufio.NewReader(r)
		for b.Loop() {
			r.Reset(raw)
			br.Reset(r)
			if _, err := http.ReadRequest(br); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkParseOneByOne has every byte come by itself, as the slowest of visitors send them: the time for the whole must grow
// with the bytes, not with their square.
func BenchmarkParseOneByOne(b *testing.B) {
	for _, size := range []int{1 << 10, 8 << 10, 60 << 10} {
		raw := []byte(strings.TrimSuffix(browser, "\r\n") + "X: " + strings.Repeat("x", size) + "\r\n\r\n")
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			var m RequestHead
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				for k := 1; k < len(raw); k++ {
					if _, err := m.Parse(raw[:k], Limits{}); err != ErrMore {
						b.Fatal(err)
					}
				}
				if _, err := m.Parse(raw, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseAnswer(b *testing.B) {
	raw := []byte(page)
	var m AnswerHead
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := m.Parse(raw, "GET", Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendRequest(b *testing.B) {
	var m RequestHead
	if _, err := m.Parse([]byte(browser), Limits{}); err != nil {
		b.Fatal(err)
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = AppendRequest(dst[:0], m.Method, m.Target, m.Host, m.Head, m.Framing, Unsaid)
	}
}

func BenchmarkAppendAnswer(b *testing.B) {
	var m AnswerHead
	if _, err := m.Parse([]byte(page), "GET", Limits{}); err != nil {
		b.Fatal(err)
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = AppendAnswer(dst[:0], m.Status, m.Head, m.Framing, Unsaid)
	}
}

func BenchmarkChunks(b *testing.B) {
	for _, size := range []int{16, 1024, 16 << 10} {
		var raw []byte
		for range 16 {
			raw = AppendChunkHead(raw, size)
			raw = append(raw, bytes.Repeat([]byte("x"), size)...)
			raw = append(raw, ChunkEnd...)
		}
		raw = AppendLastChunk(raw, nil)
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			var c Chunks
			b.ReportAllocs()
			for b.Loop() {
				c.Reset(Limits{})
				for in := raw; ; {
					_, n, err := c.Next(in)
					in = in[n:]
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkValid is what every line is asked before it is written.
func BenchmarkValid(b *testing.B) {
	var m RequestHead
	if _, err := m.Parse([]byte(browser), Limits{}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for i := range m.Head {
			if !ValidName(m.Head[i].Name) || !ValidValue(m.Head[i].Value) {
				b.Fatal(m.Head[i])
			}
		}
	}
}

// BenchmarkHead is looking a name up, removing one that is not there, and replacing one.
func BenchmarkHead(b *testing.B) {
	var m RequestHead
	if _, err := m.Parse([]byte(browser), Limits{}); err != nil {
		b.Fatal(err)
	}
	b.Run("get", func(b *testing.B) {
		for b.Loop() {
			if m.Head.Get("Upgrade-Insecure-Requests") == "" || m.Head.Has("Keep-Alive") {
				b.Fatal(m.Head)
			}
		}
	})
	b.Run("del", func(b *testing.B) {
		for b.Loop() {
			m.Head.Del("Trailer")
		}
	})
	b.Run("delfunc", func(b *testing.B) {
		for b.Loop() {
			m.Head.DelFunc(func(l Line) bool { return len(l.Name) == 7 })
		}
	})
	b.Run("set", func(b *testing.B) {
		for b.Loop() {
			m.Head.Set("Priority", "u=0, i")
		}
	})
}

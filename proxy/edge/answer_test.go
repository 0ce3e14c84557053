package edge

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gatehouse/proxy/h1"
)

func TestTheViewOfARequest(t *testing.T) {
	type view struct {
		method, target, host, proto string
		head                        h1.Head
		length                      int64
		peer, arrived, secure       bool
	}
	seen := make(chan view, 1)
	s := start(t, Settings{}, func(v Visitor) {
		seen <- view{v.Method(), v.Target(), v.Host(), v.Proto(), slices.Clone(*v.Head()), v.Length(), v.Peer().IsValid(), !v.Arrived().IsZero(), v.Secure()}
		reply(v, "")
	})
	for _, tt := range []struct {
		request string
		want    view
	}{
		{"GET //a/../b%2f?c=d;e HTTP/1.1\nHost: A.Example:80\nX-B: 2\nx-a: 1\nCookie: a=1\nX-B: 1\nCookie: b=2\nConnection: close, X-B\n\n",
			view{"GET", "//a/../b%2f?c=d;e", "A.Example:80", "HTTP/1.1", h1.Head{{Name: "X-B", Value: "2"}, {Name: "x-a", Value: "1"}, {Name: "Cookie", Value: "a=1"},
				{Name: "X-B", Value: "1"}, {Name: "Cookie", Value: "b=2"}, {Name: "Connection", Value: "close, X-B"}}, 0, true, true, false}},
		{"POST /x HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc", view{"POST", "/x", "a", "HTTP/1.1", h1.Head{}, 3, true, true, false}},
		{"POST /x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTrailer: X-Sum\n\n0\n\n", view{"POST", "/x", "a", "HTTP/1.1", h1.Head{}, -1, true, true, false}},
		{"GET http://b/x HTTP/1.1\nHost: a\n\n", view{"GET", "http://b/x", "a", "HTTP/1.1", h1.Head{}, 0, true, true, false}},
		{"GET http://b/x?y HTTP/1.0\n\n", view{"GET", "http://b/x?y", "b", "HTTP/1.0", h1.Head{}, 0, true, true, false}},
		{"GET http://b?y HTTP/1.0\n\n", view{"GET", "http://b?y", "b", "HTTP/1.0", h1.Head{}, 0, true, true, false}},
		{"GET /://b HTTP/1.0\n\n", view{"GET", "/://b", "", "HTTP/1.0", h1.Head{}, 0, true, true, false}},
		{"GET http://b/x HTTP/1.0\nHost: a\n\n", view{"GET", "http://b/x", "a", "HTTP/1.0", h1.Head{}, 0, true, true, false}},
		{"OPTIONS * HTTP/1.1\nHost: a\n\n", view{"OPTIONS", "*", "a", "HTTP/1.1", h1.Head{}, 0, true, true, false}},
	} {
		dial(t, s).send(tt.request)
		got := wait(t, seen)
		if !slices.Equal(got.head, tt.want.head) {
			t.Errorf("%q: head %q, want %q", tt.request, got.head, tt.want.head)
		}
		got.head, tt.want.head = nil, nil
		if got.method != tt.want.method || got.target != tt.want.target || got.host != tt.want.host || got.proto != tt.want.proto ||
			got.length != tt.want.length || got.peer != tt.want.peer || !got.arrived || got.secure {
			t.Errorf("%q: got %+v", tt.request, got)
		}
	}
}

func TestAnswers(t *testing.T) {
	page := h1.Head{{Name: "set-cookie", Value: "b=2"}, {Name: "Set-Cookie", Value: "a=1"}, {Name: "Content-Length", Value: "99"},
		{Name: "Transfer-Encoding", Value: "gzip"}, {Name: "Trailer", Value: "X"}, {Name: "Connection", Value: "X-Hop"}, {Name: "Date", Value: "then"}}
	for _, tt := range []struct {
		name, method, proto string
		status              int
		length              int64
		body                string
		want                []string // of the head, without Date and cookies
		wantBody            string
	}{
		{"with a length", "GET", "1.1", 200, 6, "<html>", []string{"Content-Length: 6"}, "<html>"},
		{"without", "GET", "1.1", 200, -1, "<html>", []string{"Transfer-Encoding: chunked"}, "6\r\n<html>\r\n0\r\n\r\n"},
		{"empty", "GET", "1.1", 404, 0, "", []string{"Content-Length: 0"}, ""},
		{"HEAD", "HEAD", "1.1", 200, 1234, "", []string{"Content-Length: 1234"}, ""},
		{"HEAD without", "HEAD", "1.1", 200, -1, "", nil, ""},
		{"204", "GET", "1.1", 204, 0, "", nil, ""},
		{"304", "GET", "1.1", 304, 0, "", nil, ""},
		{"any status", "GET", "1.1", 799, 2, "ab", []string{"Content-Length: 2"}, "ab"},
		{"HTTP/1.0", "GET", "1.0", 200, 2, "ab", []string{"Content-Length: 2", "Connection: close"}, "ab"},
		{"HTTP/1.0 without", "GET", "1.0", 200, -1, "ab", []string{"Connection: close"}, "ab"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, Settings{}, func(v Visitor) {
				if err := v.Answer(tt.status, page, tt.length, tt.length < 0); err != nil {
					t.Errorf("Answer: %v", err)
				}
				if err := v.Answer(200, nil, 0, false); err == nil {
					t.Error("answered twice")
				}
				if tt.length < 0 {
					if err := v.Flush(); err != nil {
						t.Errorf("Flush: %v", err)
					}
				}
				if tt.body != "" {
					if n, err := io.WriteString(v, tt.body); err != nil || n != len(tt.body) {
						t.Errorf("Write: %d, %v", n, err)
					}
				}
			})
			c := dial(t, s)
			c.send(tt.method + " / HTTP/" + tt.proto + "\nHost: a\n\n")
			_, head := c.head()
			if v, _ := head.Field("Set-Cookie", 1); head.Get("Set-Cookie") != "b=2" || v != "a=1" || head.Get("Date") != "then" {
				t.Errorf("head %q", head)
			}
			var got []string
			for _, l := range head {
				if !strings.EqualFold(l.Name, "Set-Cookie") && l.Name != "Date" {
					got = append(got, l.Name+": "+l.Value)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("head %q, want %q", got, tt.want)
			}
			if tt.proto == "1.1" { // the connection is kept, and nothing more came
				c.send(tt.method + " / HTTP/1.1\nHost: a\nConnection: close\n\n")
			}
			body := make([]byte, len(tt.wantBody))
			if _, err := io.ReadFull(c.br, body); err != nil || string(body) != tt.wantBody {
				t.Errorf("body %q, %v; want %q", body, err, tt.wantBody)
			}
			if tt.proto == "1.1" {
				if status, _ := c.head(); !strings.HasPrefix(status, "HTTP/1.1 ") {
					t.Errorf("then %q", status)
				}
			} else {
				c.ended()
			}
		})
	}
}

func TestAStatusThatIsNoneIsRefused(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		for _, status := range []int{-1, 0, 99, 100, 101, 199, 1000} {
			if err := v.Answer(status, nil, 0, false); !errors.Is(err, errStatus) {
				t.Errorf("Answer %d: %v", status, err)
			}
		}
		for _, status := range []int{0, 100, 101, 200} {
			if err := v.Inform(status, nil); !errors.Is(err, errStatus) {
				t.Errorf("Inform %d: %v", status, err)
			}
		}
		reply(v, "ok")
		if err := v.Inform(103, nil); err == nil {
			t.Error("informed after the answer")
		}
	})
	c := dial(t, s)
	c.send("GET / HTTP/1.1\nHost: a\n\n")
	if res, body := c.answer("GET"); res.StatusCode != 200 || body != "ok" {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
}

func TestInterimAnswersComeFirst(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		for _, link := range []string{"</a>", "</b>"} {
			if err := v.Inform(103, h1.Head{{Name: "Link", Value: link}}); err != nil {
				t.Error(err)
			}
		}
		reply(v, "ok")
	})
	c := dial(t, s)
	c.send("GET / HTTP/1.1\nHost: a\n\n")
	for _, link := range []string{"</a>", "</b>"} {
		if status, head := c.head(); status != "HTTP/1.1 103 Early Hints" || !slices.Equal(head, h1.Head{{Name: "Link", Value: link}}) {
			t.Errorf("got %q %q", status, head)
		}
	}
	if res, body := c.answer("GET"); body != "ok" || res.Header.Get("Link") != "" {
		t.Errorf("got %+v", res)
	}
	c = dial(t, s)
	c.send("GET / HTTP/1.0\n\n")
	if res, body := c.answer("GET"); res.StatusCode != 200 || body != "ok" {
		t.Errorf("HTTP/1.0 got %d %q", res.StatusCode, body)
	}
}

func TestTrailers(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		io.Copy(io.Discard, v.Body())
		came := v.Trailer()
		announced := v.Target() != "/silent"
		if err := v.Answer(200, nil, -1, announced); err != nil {
			t.Error(err)
		}
		io.WriteString(v, "body") // short, and not flushed
		came.Add("Content-Length", "3")
		if err := v.SendTrailer(came); err != nil {
			t.Error(err)
		}
	})
	c := dial(t, s)
	const request = " HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTrailer: X-Sum, X-Absent\n\n3\nabc\n0\nX-Sum: 42\nX-Late: 1\n\n"
	c.send("POST /" + request)
	res, body := c.answer("POST")
	if body != "body" || res.Trailer.Get("X-Sum") != "42" || res.Trailer.Get("X-Late") != "1" || len(res.Trailer) != 2 {
		t.Errorf("%q, trailer %v", body, res.Trailer)
	}
	c.send("POST /silent" + request)
	if res, body = c.answer("POST"); body != "body" || len(res.Trailer) != 0 {
		t.Errorf("%q, trailer %v", body, res.Trailer)
	}
}

func TestCloseAfter(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		v.CloseAfter()
		reply(v, "ok")
	})
	c := dial(t, s)
	c.send("GET / HTTP/1.1\nHost: a\n\nGET /again HTTP/1.1\nHost: a\n\n")
	if res, body := c.answer("GET"); body != "ok" || !res.Close {
		t.Errorf("got %+v", res)
	}
	c.ended()
}

func TestWhatIsBrokenEndsInAReset(t *testing.T) {
	for name, h := range map[string]handle{
		"chunked": func(v Visitor) {
			v.Answer(200, nil, -1, true)
			io.WriteString(v, "part")
			v.Flush()
			v.Abort()
		},
		"chunked, never flushed": func(v Visitor) {
			v.Answer(200, nil, -1, false)
			io.WriteString(v, "part")
			v.Abort()
		},
		"of a known length": func(v Visitor) {
			v.Answer(200, nil, 10, false)
			io.WriteString(v, "part")
			v.Flush()
			v.Abort()
		},
		"whole, but aborted": func(v Visitor) { reply(v, "part"); v.Abort() },
		"short of its length": func(v Visitor) {
			v.Answer(200, nil, 10, false)
			io.WriteString(v, "part")
		},
		"no answer":        func(v Visitor) {},
		"aborted before":   func(v Visitor) { v.Abort() },
		"a panic":          func(v Visitor) { panic("a bug") },
		"a panic midway":   func(v Visitor) { v.Answer(200, nil, -1, false); v.Flush(); panic("a bug") },
		"an abort's panic": func(v Visitor) { panic(http.ErrAbortHandler) },
	} {
		for _, proto := range []string{"HTTP/1.1", "HTTP/1.0"} {
			t.Run(name+" "+proto, func(t *testing.T) {
				s := start(t, Settings{}, h)
				c := dial(t, s)
				c.send("GET / " + proto + "\nHost: a\n\n")
				if _, body, err := c.tryAnswer("GET"); err == nil {
					t.Errorf("%q looks whole", body)
				}
			})
		}
	}
}

func TestAPanicIsLoggedAndEndsItsOwnConnectionOnly(t *testing.T) {
	var log logged
	held, release := make(chan struct{}), make(chan struct{})
	s := start(t, Settings{Log: log.logger()}, func(v Visitor) {
		if v.Target() == "/bug" {
			panic("the bug")
		}
		close(held)
		<-release
		reply(v, "fine")
	})
	other := dial(t, s)
	other.send("GET / HTTP/1.1\nHost: a\n\n")
	wait(t, held)
	c := dial(t, s)
	c.send("GET /bug HTTP/1.1\nHost: a\n\n")
	c.ended()
	close(release)
	if _, body := other.answer("GET"); body != "fine" {
		t.Errorf("the other got %q", body)
	}
	if got := log.String(); !strings.Contains(got, "the bug") || !strings.Contains(got, "answer_test.go") {
		t.Errorf("log %q", got)
	}
}

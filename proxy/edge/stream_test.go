package edge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"gatehouse/proxy/h1"
)

func TestHTTP2ShowsWhatHTTP1Does(t *testing.T) {
	for name, secure := range kinds {
		seen := make(chan bool, 1)
		s := startH2(t, secure, Settings{}, func(v Visitor) {
			defer close(seen)
			want := h1.Head{{Name: "Accept-Encoding", Value: "a"}, {Name: "Cookie", Value: "a=1; b=2"}, {Name: "X-Two", Value: "2"}, {Name: "X-Two", Value: "1"}, {Name: "X_under", Value: "x"}}
			if v.Method() != "POST" || v.Target() != "/a%2Fb//c;d?x=1?y" || v.Host() != "a.example" || v.Proto() != "HTTP/2.0" || v.Length() != 5 {
				t.Errorf("%s: %s %s %s %s %d", name, v.Method(), v.Target(), v.Host(), v.Proto(), v.Length())
			}
			if !slices.Equal(*v.Head(), want) {
				t.Errorf("%s: head %q", name, *v.Head())
			}
			if v.Secure() != secure || (v.TLS() != nil) != secure || secure && (v.TLS().Protocol != "h2" || v.TLS().ServerName != "localhost") {
				t.Errorf("%s: %v %+v", name, v.Secure(), v.TLS())
			}
			if !v.Peer().IsValid() || v.Arrived().IsZero() || v.Context().Err() != nil {
				t.Errorf("%s: %v %v %v", name, v.Peer(), v.Arrived(), v.Context().Err())
			}
			if _, _, err := v.Upgrade(nil); !errors.Is(err, ErrNoUpgrade) {
				t.Errorf("%s: Upgrade: %v", name, err)
			}
			if body, err := io.ReadAll(v.Body()); string(body) != "hello" || err != nil {
				t.Errorf("%s: %q, %v", name, body, err)
			}
			v.CloseAfter()
			reply(v, "ok")
		})
		r := dialRaw(t, s)
		r.do(r.open(1, false, "POST", "/a%2Fb//c;d?x=1?y", "content-length", "5", "cookie", "a=1", "cookie", "b=2", "x-two", "2", "x-two", "1",
			"accept-encoding", "a", "x_under", "x", "host", "a.example", "trailer", "x"))
		r.do(r.fr.WriteData(1, true, []byte("hello")))
		if got := r.fate(1); got != "200" {
			t.Errorf("%s: %s", name, got)
		}
		wait(t, seen)
	}
}

func TestHTTP2EchoesLoseNothing(t *testing.T) {
	big := strings.Repeat("0123456789", 300_000)
	for name, secure := range kinds {
		s := startH2(t, secure, Settings{}, func(v Visitor) {
			v.Answer(200, nil, v.Length(), true)
			v.Flush()
			if _, err := io.Copy(v, v.Body()); err != nil {
				t.Error(err)
				v.Abort()
			}
			v.SendTrailer(append(v.Trailer(), h1.Line{Name: "x-more", Value: "2"}, h1.Line{Name: "Content-Length", Value: "1"}))
		})
		tr := transport(t, secure)
		for _, length := range []int64{int64(len(big)), -1} {
			req, err := http.NewRequest("POST", urlOf(s, secure, "/"), io.NopCloser(strings.NewReader(big)))
			if err != nil {
				t.Fatal(err)
			}
			req.ContentLength, req.Trailer = length, http.Header{"X-Sum": {"1"}}
			res, err := tr.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || string(got) != big || res.ContentLength != length {
				t.Errorf("%s, length %d: %d bytes came back as %d, %v", name, length, len(got), res.ContentLength, err)
			}
			if len(res.Trailer) != 2 || res.Trailer.Get("X-Sum") != "1" || res.Trailer.Get("X-More") != "2" { // HTTP/2 has them behind a length, too
				t.Errorf("%s: trailer %v", name, res.Trailer)
			}
		}
	}
}

func TestHTTP2Answers(t *testing.T) {
	s := startH2(t, true, Settings{Live: Live{Health: "/ready", HSTS: "max-age=9"}}, func(v Visitor) {
		switch v.Target() {
		case "/early":
			if err := v.Inform(103, h1.Head{{Name: "Link", Value: "</a>"}}); err != nil {
				t.Error(err)
			}
			if v.Inform(101, nil) == nil || v.Inform(200, nil) == nil {
				t.Error("what is no interim answer was sent as one")
			}
			v.Answer(200, h1.Head{{Name: "X-Own", Value: "1"}, {Name: "x-own", Value: "2"}, {Name: "Connection", Value: "X-Own"}, {Name: "Transfer-Encoding", Value: "chunked"}, {Name: "Bad Name", Value: "1"}}, 2, false)
			if _, err := io.WriteString(v, "okay"); err == nil {
				t.Error("more than the length was taken")
			}
			io.WriteString(v, "ok")
			if v.Inform(103, nil) == nil || v.Answer(200, nil, 0, false) == nil {
				t.Error("answered twice")
			}
		case "/none":
			v.Answer(204, nil, 0, false)
			if _, err := io.WriteString(v, "x"); err == nil {
				t.Error("a body where there is none")
			}
		case "/same":
			v.Answer(304, h1.Head{{Name: "ETag", Value: "x"}}, 100, false)
		case "/unknown":
			v.Answer(200, nil, -1, false)
			v.Flush()
			io.WriteString(v, "ok")
		case "/silent":
		case "/short":
			v.Answer(200, nil, 10, false)
			io.WriteString(v, "short")
		case "/abort":
			v.Answer(200, nil, -1, false)
			io.WriteString(v, "half")
			v.Flush()
			v.Abort()
		case "/panic":
			panic("a bug")
		default:
			if v.Write(nil); v.Flush() != nil || v.SendTrailer(nil) == nil {
				t.Error("something was sent before the answer")
			}
			reply(v, "ok")
		}
	})
	tr := transport(t, true)
	for _, tt := range []struct {
		method, path string
		status       int
		length       int64
		body         string
	}{
		{"GET", "/", 200, 2, "ok"}, {"HEAD", "/", 200, 2, ""}, {"GET", "/early", 200, 2, "ok"}, {"HEAD", "/unknown", 200, -1, ""},
		{"GET", "/unknown", 200, -1, "ok"}, {"GET", "/none", 204, 0, ""}, {"GET", "/same", 304, 0, ""}, {"GET", "/ready", 503, 9, "draining\n"},
	} {
		var early textproto.MIMEHeader
		ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			early = h
			return nil
		}})
		req, _ := http.NewRequestWithContext(ctx, tt.method, urlOf(s, true, tt.path), nil)
		res, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", tt.path, err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != tt.status || string(body) != tt.body || res.ContentLength != tt.length {
			t.Errorf("%s %s: %d, %d bytes: %q, %v", tt.method, tt.path, res.StatusCode, res.ContentLength, body, err)
		}
		if res.Header.Get(hstsName) != "max-age=9" || res.Header.Get("Date") == "" || res.Header.Get("Content-Type") != "" && tt.path != "/ready" {
			t.Errorf("%s: %v", tt.path, res.Header)
		}
		if tt.path == "/early" && (early.Get("Link") != "</a>" || res.Header.Get("Link") != "" || len(res.Header.Values("X-Own")) != 2) {
			t.Errorf("early %v, then %v", early, res.Header)
		}
	}
	for _, path := range []string{"/silent", "/short", "/abort", "/panic"} {
		req, _ := http.NewRequest("GET", urlOf(s, true, path), nil)
		res, err := tr.RoundTrip(req)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		if err == nil {
			t.Errorf("%s looks whole", path)
		}
	}
}

func TestHTTP2RedirectsAndChallenges(t *testing.T) {
	var told refusals
	live := Live{Redirect: "https", HTTP2: true, Challenge: func(host, path string) (string, bool) {
		return host, path == "/.well-known/acme-challenge/a"
	}}
	s := start(t, Settings{Live: live, Refused: told.add}, func(Visitor) { t.Error("it came through") })
	r := dialRaw(t, s)
	r.do(r.open(1, true, "GET", "/x"))
	r.do(r.open(3, true, "POST", "/x"))
	r.do(r.open(5, true, "GET", "/.well-known/acme-challenge/a"))
	for range 3 {
		f, err := r.next(http2.FrameHeaders)
		r.do(err)
		h := f.(*http2.MetaHeadersFrame)
		want := map[uint32]string{1: "301", 3: "308", 5: "200"}[h.StreamID]
		if got := h.PseudoValue("status"); got != want {
			t.Errorf("%d: %s, want %s", h.StreamID, got, want)
		}
	}
	if all := told.take(); len(all) != 2 || all[0].Reason != "https_wanted" {
		t.Errorf("told %+v", all)
	}
}

func TestAContextEndsWithItsStream(t *testing.T) {
	for name, leave := range map[string]func(r *raw){
		"reset":             func(r *raw) { r.fr.WriteRSTStream(1, http2.ErrCodeCancel) },
		"close":             func(r *raw) { r.Close() },
		"nonsense":          func(r *raw) { r.Write(bytes.Repeat([]byte{0xff}, 100)) },
		"reset in the body": func(r *raw) { r.fr.WriteData(1, false, []byte("x")); r.fr.WriteRSTStream(1, http2.ErrCodeCancel) },
	} {
		held, gone := make(chan struct{}), make(chan error, 1)
		s := startH2(t, true, Settings{}, func(v Visitor) {
			close(held)
			_, err := io.Copy(io.Discard, v.Body())
			<-v.Context().Done()
			if _, werr := io.WriteString(v, "x"); werr == nil {
				t.Error("wrote without an answer")
			}
			v.Answer(200, nil, -1, false)
			io.WriteString(v, "x")
			if v.Flush() == nil {
				t.Errorf("%s: somebody who has gone took his answer", name)
			}
			gone <- err
		})
		r := dialRaw(t, s)
		r.do(r.open(1, false, "POST", "/"))
		wait(t, held)
		leave(r)
		if err := wait(t, gone); !errors.Is(err, errBrokenBody) {
			t.Errorf("%s: the body ended in %v", name, err)
		}
	}
}

// One connection's streams do not wait for each other.
func TestStreamsAreTakenTogether(t *testing.T) {
	const n = 50
	come, release := make(chan struct{}, n), make(chan struct{})
	s := startH2(t, false, Settings{}, func(v Visitor) {
		come <- struct{}{}
		<-release
		reply(v, "ok")
	})
	r := dialRaw(t, s)
	for i := range uint32(n) {
		r.do(r.open(2*i+1, true, "GET", "/"))
	}
	for range n {
		wait(t, come)
	}
	close(release)
	for range n {
		f, err := r.next(http2.FrameHeaders)
		r.do(err)
		if got := f.(*http2.MetaHeadersFrame).PseudoValue("status"); got != "200" {
			t.Error(got)
		}
	}
}

func TestHTTP2WhereItIsNotWanted(t *testing.T) {
	s := start(t, Settings{}, func(Visitor) { t.Error("it came through") })
	c := dial(t, s)
	io.WriteString(c, http2.ClientPreface)
	c.ended()
	s = startTLS(t, Settings{}, func(v Visitor) { reply(v, v.Proto()) })
	_, over := dial(t, s).secure(clientTLS("h2", "http/1.1"))
	if got := over.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("%q was agreed on", got)
	}
	s = startH2(t, true, Settings{}, func(v Visitor) { reply(v, v.Proto()) })
	c, _ = dial(t, s).secure(clientTLS()) // somebody who knows all the same, but did not say so
	io.WriteString(c, http2.ClientPreface)
	c.ended()
	s = startH2(t, false, Settings{}, func(v Visitor) { reply(v, v.Proto()) })
	c = dial(t, s) // the preface behind a request is none
	c.send("GET / HTTP/1.1\nHost: a\n\n")
	if _, body := c.answer("GET"); body != "HTTP/1.1" {
		t.Errorf("%q", body)
	}
	io.WriteString(c, http2.ClientPreface)
	c.ended()
}

// Whoever waits for 100 Continue gets it when somebody reads, and from a handler who does not, an answer.
func TestContinueOnHTTP2(t *testing.T) {
	s := startH2(t, false, Settings{}, func(v Visitor) {
		if v.Target() == "/read" {
			if body, err := io.ReadAll(v.Body()); string(body) != "x" || err != nil {
				t.Errorf("%q, %v", body, err)
			}
		}
		reply(v, "ok")
	})
	r := dialRaw(t, s)
	for id, path := range map[uint32]string{1: "/read", 3: "/not"} {
		r := dialRaw(t, s)
		r.do(r.open(id, false, "POST", path, "expect", "100-continue"))
		f, err := r.next(http2.FrameHeaders)
		r.do(err)
		status := f.(*http2.MetaHeadersFrame).PseudoValue("status")
		if want := map[string]string{"/read": "100", "/not": "200"}[path]; status != want {
			t.Errorf("%s: %s, want %s", path, status, want)
		}
		if status == "100" {
			r.do(r.fr.WriteData(id, true, []byte("x")))
			if got := r.fate(id); got != "200" {
				t.Errorf("%s: then %s", path, got)
			}
		}
	}
	r.Close()
}

func TestHTTP2BehindAPROXYHeader(t *testing.T) {
	for kind, secure := range kinds {
		peers := make(chan string, 1)
		s := startH2(t, secure, Settings{Live: Live{ProxyProtocol: loopback}}, func(v Visitor) {
			peers <- v.Peer().String()
			reply(v, "ok")
		})
		c := dial(t, s)
		io.WriteString(c, v1)
		if secure {
			c, _ = c.secure(clientTLS("h2"))
		}
		r := begin(t, c)
		r.do(r.open(1, true, "GET", "/"))
		if got := r.fate(1); got != "200" {
			t.Errorf("%s: %s", kind, got)
		}
		if got := wait(t, peers); got != "192.0.2.7:4711" {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

// A call may be quiet for longer than a body's pace allows, once its answer has begun; and gRPC's from the beginning.
func TestAnAnswerThatHasBegunLetsTheBodyComeAsItLikes(t *testing.T) {
	limits := Limits{BodyGrace: 50 * time.Millisecond}
	const quiet = 200 * time.Millisecond
	h := func(v Visitor) {
		if !strings.HasPrefix(v.Head().Get("Content-Type"), "application/grpc") {
			v.Answer(200, nil, -1, false)
			v.Flush()
		}
		body, err := io.ReadAll(v.Body())
		if err != nil {
			t.Error(err)
		}
		v.Answer(200, nil, -1, false)
		v.Write(body)
	}
	for _, kind := range []string{"text/plain", "application/grpc"} {
		s := startH2(t, false, Settings{Limits: limits}, h)
		r := dialRaw(t, s)
		r.do(r.open(1, false, "POST", "/", "content-type", kind))
		time.Sleep(quiet)
		r.do(r.fr.WriteData(1, true, []byte("late")))
		if got := r.fate(1); got != "200" {
			t.Errorf("%s on HTTP/2: %s", kind, got)
		}
	}
	c := dial(t, start(t, Settings{Limits: limits}, h))
	c.send("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n")
	time.Sleep(quiet)
	c.send("4\nlate\n0\n\n")
	if res, body := c.answer("POST"); res.StatusCode != 200 || body != "late" {
		t.Errorf("HTTP/1: %d %q", res.StatusCode, body)
	}
}

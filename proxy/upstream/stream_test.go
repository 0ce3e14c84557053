package upstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/proxy/h1"
)

// cleartext starts a backend of net/http's that speaks HTTP/2 without TLS.
func cleartext(t testing.TB, h http.HandlerFunc) (BackendSettings, *httptest.Server) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.ErrorLog = quiet
	s.Start()
	t.Cleanup(s.Close)
	address := s.Listener.Addr().String()
	return BackendSettings{URL: "h2c://" + address, Address: address}, s
}

// bothStreams runs f with a backend over h2c, and one over h2.
func bothStreams(t *testing.T, h http.HandlerFunc, f func(t *testing.T, p *Pool)) {
	ca := newAuthority(t)
	t.Run("h2c", func(t *testing.T) {
		b, _ := cleartext(t, h)
		f(t, ca.pool(t, TLS{}, b))
	})
	t.Run("h2", func(t *testing.T) {
		b, _ := ca.secured(t, h, nil, "h2")
		f(t, ca.pool(t, TLS{}, b))
	})
}

// links is how many connections by HTTP/2 there are to the first backend.
func links(p *Pool) int {
	s := &p.backends[0].streams
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, l := range s.links {
		if l.Err() == nil {
			n++
		}
	}
	return n
}

func TestWhatIsSentByHTTP2IsWhatCame(t *testing.T) {
	bothStreams(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		w.Header().Set("X-Path", r.RequestURI)
		w.Header().Set("X-Host", r.Host)
		w.Header()["X-Names"] = []string{strings.Join(slices.Sorted(maps.Keys(r.Header)), ",")}
		w.Header()["X-Values"] = r.Header["X-Values"]
		w.Header()["Set-Cookie"] = []string{"b=1", "a=2", "b=3"}
		w.Header().Set("X-Cookie", r.Header.Get("Cookie"))
		w.Header().Set("X-Te", r.Header.Get("Te"))
		_, _ = io.WriteString(w, "hi")
	}, func(t *testing.T, p *Pool) {
		for _, target := range []string{"/", "//two/../%2e%2f?a=b&c=%zz", "/a;b/\\c?d?e", "/\xff", "/http://x/", "/?"} {
			r := &Request{Method: "GET", Target: target, Host: "App.example:8080", Head: head("X-Values: 2", "x-values: 1", "X-Values: 3",
				"Cookie: a=1; b=2", "TE: trailers", "Connection: x", "Upgrade: y", "Keep-Alive: z", "Proxy-Connection: z", "Expect: 100-continue",
				"Trailer: q", "Host: evil", "Transfer-Encoding: chunked", "Content-Length: 5", "HTTP2-Settings: AAA")}
			a := send(t, p, r)
			if got := a.Head.Get("X-Path"); got != target || a.Status != 200 || a.Head.Get("X-Host") != "App.example:8080" ||
				a.Head.Get("X-Proto") != "HTTP/2.0" {
				t.Errorf("sent %q, arrived %q; %+v", target, got, a.Head)
			}
			if got := a.Head.Get("X-Names"); got != "Cookie,Te,X-Values" || a.Head.Get("X-Cookie") != "a=1; b=2" || a.Head.Get("X-Te") != "trailers" {
				t.Errorf("got %v", a.Head)
			}
			if got := values(a.Head, "X-Values") + values(a.Head, "Set-Cookie"); got != "2 1 3 b=1 a=2 b=3 " {
				t.Errorf("got %q", got)
			}
			if a.Length != 2 || a.Head.Has("Content-Length") || all(t, a.Body) != "hi" || len(a.Trailer()) > 0 {
				t.Errorf("got %+v", a)
			}
			a.Body.Close()
		}
		a := send(t, p, &Request{Method: "OPTIONS", Target: "*", Host: "a"})
		if a.Body.Close(); a.Status >= 300 && a.Status != 404 {
			t.Errorf("OPTIONS *: %d", a.Status)
		}
		if n := links(p); n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}

func values(h h1.Head, name string) (all string) {
	for i := 0; ; i++ {
		v, ok := h.Field(name, i)
		if !ok {
			return all
		}
		all += v + " "
	}
}

func TestWhatHTTP2CannotSend(t *testing.T) {
	b, _ := cleartext(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })
	p := pool(t, b)
	big := "X-Big: " + strings.Repeat("x", 2<<20) // beyond what Go's server takes
	for _, r := range []*Request{
		{Method: "CONNECT", Target: "/"}, {Method: "A B", Target: "/"}, {Method: "GET", Target: "x"}, {Method: "GET", Target: "/ "},
		{Method: "GET", Target: "/#a"}, {Method: "GET", Target: "*"}, {Method: "GET", Target: "/", Host: "a b"},
		{Method: "GET", Target: "/", Host: "ä"}, {Method: "GET", Target: "/", Head: h1.Head{{Name: "A", Value: "b\r\nc: d"}}},
		{Method: "GET", Target: "/", Head: h1.Head{{Name: ":path", Value: "/"}}}, {Method: "GET", Target: "/", Upgrade: "websocket"},
		{Method: "GET", Target: "/", Head: head(big)},
	} {
		if _, err := claim(t, p).Send(deadline(t), r); !errors.Is(err, ErrRequest) || errors.Is(err, ErrConnect) {
			t.Errorf("%.40q %.40q: got %v, want ErrRequest", r.Method, r.Target, err)
		}
	}
}

func TestTrailersBothWaysByHTTP2(t *testing.T) {
	bothStreams(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Saw", string(body)+" "+r.Trailer.Get("X-Sum")) // Go's server drops what was not announced
		w.Header().Set("Trailer", "X-Announced, X-Absent")
		w.WriteHeader(200)
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-Announced", "1")
		w.Header().Set(http.TrailerPrefix+"X-Sudden", "2")
	}, func(t *testing.T, p *Pool) {
		for _, body := range []io.Reader{&interruptible{strings.NewReader("abc")}, strings.NewReader("abc")} {
			a := send(t, p, &Request{Method: "POST", Target: "/", Host: "a", Length: -1, Body: body, Trailer: func() h1.Head {
				return head("X-Sum: 42", "Content-Length: 7", "Bad Name: x", "X-Break: a\nb")
			}})
			if a.Length != -1 || all(t, a.Body) != "body" || a.Head.Get("X-Saw") != "abc" || a.Head.Has("Trailer") {
				t.Errorf("got %+v", a)
			}
			if got := a.Trailer(); !slices.Equal(got, head("X-Announced: 1", "X-Sudden: 2")) {
				t.Errorf("trailer %v", got)
			}
			a.Body.Close()
		}
	})
}

func TestBodiesArriveWholeByHTTP2(t *testing.T) {
	bothStreams(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }, func(t *testing.T, p *Pool) {
		for _, size := range []int{1, 1000, maxWhole, maxWhole + 1, 3_000_000} {
			text := strings.Repeat("0123456789abcdef", size/16+1)[:size]
			for _, length := range []int64{int64(size), -1} {
				for _, body := range []io.Reader{&interruptible{strings.NewReader(text)}, strings.NewReader(text)} {
					a := send(t, p, &Request{Method: "POST", Target: "/", Host: "a", Body: body, Length: length})
					if got := all(t, a.Body); got != text {
						t.Errorf("%d bytes of %d came back", len(got), size)
					}
					a.Body.Close()
				}
			}
		}
		if n := links(p); n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}

func TestAnswersWithoutABodyByHTTP2(t *testing.T) {
	b, _ := cleartext(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(204)
		case "/304":
			w.Header().Set("Content-Length", "7")
			w.WriteHeader(304)
		case "/7":
			w.Header().Set("Content-Length", "7")
			_, _ = io.WriteString(w, "1234567")
		}
	})
	p := pool(t, b)
	for _, tt := range []struct {
		method, target string
		status         int
		length         int64
	}{{"GET", "/204", 204, 0}, {"GET", "/304", 304, 0}, {"HEAD", "/7", 200, 7}, {"GET", "/0", 200, 0}, {"HEAD", "/0", 200, -1}} {
		a := send(t, p, &Request{Method: tt.method, Target: tt.target, Host: "a"})
		if a.Status != tt.status || a.Length != tt.length && tt.target != "/0" || all(t, a.Body) != "" {
			t.Errorf("%s %s: %+v", tt.method, tt.target, a)
		}
		a.Body.Close()
	}
}

func TestInterimAnswersByHTTP2(t *testing.T) {
	b, _ := cleartext(t, func(w http.ResponseWriter, r *http.Request) {
		n := 1
		if r.URL.Path == "/many" {
			n = 40
		}
		w.Header()["Link"] = []string{"</a>", "</b>"}
		for range n {
			w.WriteHeader(103)
			w.WriteHeader(102)
		}
		w.WriteHeader(200)
	})
	p := pool(t, b)
	var got []int
	var hints h1.Head
	r := get("/")
	for range 50 { // all are told of, whether the answer is there already or not
		n := 0
		r.Inform = func(int, h1.Head) { n++ }
		if send(t, p, r).Body.Close(); n != 2 {
			t.Fatalf("informed of %d", n)
		}
	}
	r.Inform = func(status int, h h1.Head) {
		got = append(got, status)
		hints = append(hints, h...)
	}
	if a := send(t, p, r); a.Status != 200 {
		t.Errorf("got %+v", a)
	}
	if !slices.Equal(got, []int{103, 102}) || values(hints, "Link") != "</a> </b> </a> </b> " {
		t.Errorf("informed of %v with %v", got, hints)
	}
	r.Target = "/many"
	if _, err := claim(t, p).Send(deadline(t), r); !errors.Is(err, ErrBroken) {
		t.Errorf("got %v, want ErrBroken", err)
	}
}

// Each side hears at once what the other said, while both still have more to say.
func TestBothWaysAtOnceByHTTP2(t *testing.T) {
	bothStreams(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		buf := make([]byte, 100)
		for {
			n, err := r.Body.Read(buf)
			if n > 0 {
				_, _ = w.Write(bytes.ToUpper(buf[:n]))
				w.(http.Flusher).Flush()
			}
			if err != nil {
				return
			}
		}
	}, func(t *testing.T, p *Pool) {
		for _, interrupts := range []bool{true, false} {
			in, out := io.Pipe()
			var body io.Reader = in
			if interrupts {
				body = &interruptible{in}
			}
			a := send(t, p, &Request{Method: "POST", Target: "/", Host: "a", Body: body, Length: -1})
			for range 20 {
				if _, err := io.WriteString(out, "ping"); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, 4)
				if _, err := io.ReadFull(a.Body, got); err != nil || string(got) != "PING" {
					t.Fatalf("got %q, %v", got, err)
				}
			}
			out.Close()
			if got := all(t, a.Body); got != "" {
				t.Errorf("got %q at the end", got)
			}
			a.Body.Close()
		}
	})
}

// Whoever leaves, or whose body breaks: the backend is told, though it waits for the rest of a body and the answer has begun, and the
// connection goes on.
func TestTheBackendIsToldByHTTP2(t *testing.T) {
	broke := errors.New("the line is dead")
	told := make(chan error, 1)
	handler := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/begun" {
			w.(http.Flusher).Flush()
		}
		_, err := io.Copy(io.Discard, r.Body)
		if err == nil {
			<-r.Context().Done()
			err = r.Context().Err()
		}
		told <- err
	}
	bothStreams(t, handler, func(t *testing.T, p *Pool) {
		for _, target := range []string{"/", "/begun"} {
			for _, how := range []string{"cancel", "late", "close", "break", "no body", "a body that cannot be interrupted"} {
				ctx, cancel := context.WithCancelCause(context.Background())
				body, w := stalled()
				r := &Request{Method: "POST", Target: target, Host: "a", Body: body, Length: -1}
				want := ErrCancelled
				cut := func() { cancel(context.Canceled) }
				switch how {
				case "late":
					cut, want = func() { cancel(ErrLate) }, ErrLate
				case "break":
					cut, want = func() { w.CloseWithError(broke) }, ErrVisitor
				case "no body":
					r.Body = nil
				case "a body that cannot be interrupted":
					r.Body = body.Reader
				}
				if how == "close" && target == "/" {
					continue
				}
				began := make(chan struct{})
				go func() {
					if target == "/" {
						eventually(t, "the request is out", func() bool { s := &p.backends[0].streams; s.mu.Lock(); defer s.mu.Unlock(); return len(s.links) > 0 })
						if r.Body == body {
							<-body.begun
						}
					} else {
						<-began
					}
					if how != "close" {
						cut()
					}
				}()
				a, err := claim(t, p).Send(ctx, r)
				if close(began); err == nil {
					if how == "close" {
						a.Body.Close()
					} else {
						_, err = io.ReadAll(a.Body)
						a.Body.Close()
					}
				}
				if how != "close" && !errors.Is(err, want) {
					t.Errorf("%s, %s: got %v, want %v", target, how, err, want)
				}
				if target != "/" || how != "no body" && how != "a body that cannot be interrupted" { // those may not have been sent
					if err := <-told; err == nil {
						t.Errorf("%s, %s: the backend saw a whole request", target, how)
					}
				} else {
					select {
					case <-told:
					case <-time.After(100 * time.Millisecond):
					}
				}
				w.Close()
				cancel(nil)
			}
		}
		if n := links(p); n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}

// A backend that says all it has to say before it has read a request is not sent the rest.
func TestAnAnswerBeforeTheEndOfTheRequest(t *testing.T) {
	var seen atomic.Int64
	b, _ := cleartext(t, func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		if r.URL.Path == "/413" {
			w.WriteHeader(413)
		}
		_, _ = io.WriteString(w, "enough")
	})
	p := pool(t, b)
	for _, target := range []string{"/413", "/200"} {
		for range 20 {
			body := &endless{halted: make(chan struct{})}
			a := send(t, p, &Request{Method: "POST", Target: target, Host: "a", Body: body, Length: 1 << 40})
			if got := all(t, a.Body); got != "enough" {
				t.Errorf("got %q", got)
			}
			n := body.count()
			if body.count() != n {
				t.Error("the body is read on after the answer has ended")
			}
			a.Body.Close()
		}
	}
	if n := links(p); n != 1 || seen.Load() != 40 {
		t.Errorf("%d connections, %d requests", n, seen.Load())
	}
}

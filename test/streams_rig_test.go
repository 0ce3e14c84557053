package test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// streams is a backend that does one thing by the last part of each path, and waits for its test between two steps.
type streams struct {
	t *testing.T

	mu    sync.Mutex
	talks map[string]*talk
}

// talk is what one test and the backend tell each other beside the request. The query of a request names its talk.
type talk struct {
	next chan struct{} // what the backend does next it may do
	seen chan string   // what it has just seen
}

// file is what /file serves: long enough for many pieces, and no two places of it alike.
var file = func() []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < 200_000; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.Bytes()
}()

// talk returns the talk of that name, which begins when either side first asks for it.
func (s *streams) talk(name string) *talk {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.talks == nil {
		s.talks = map[string]*talk{}
	}
	c := s.talks[name]
	if c == nil {
		c = &talk{next: make(chan struct{}, 16), seen: make(chan string, 64)}
		s.talks[name] = c
	}
	return c
}

// await returns what the backend has seen next.
func (c *talk) await(t *testing.T) string {
	t.Helper()
	select {
	case s := <-c.seen:
		return s
	case <-time.After(patience):
		t.Error("the backend saw nothing")
		return ""
	}
}

// proceed waits until the test lets the backend go on, and reports whether the visitor is still there.
func (c *talk) proceed(r *http.Request) bool {
	select {
	case <-c.next:
		return true
	case <-r.Context().Done():
	case <-time.After(patience):
	}
	return false
}

func (s *streams) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.talk(r.URL.RawQuery)
	flush := http.NewResponseController(w).Flush
	switch path := r.URL.Path; path[strings.LastIndexByte(path, '/'):] {
	case "/events", "/pieces":
		w.Header().Set("Content-Type", "application/octet-stream")
		if strings.HasSuffix(path, "/events") {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		_ = flush()
		for i := 1; i <= 3 && c.proceed(r); i++ {
			fmt.Fprintf(w, "data: %d\n\n", i)
			_ = flush()
		}
	case "/forever":
		w.Header().Set("Content-Type", "text/event-stream")
		_ = flush()
		<-r.Context().Done()
		c.seen <- "gone"
	case "/upload":
		buf := make([]byte, 64<<10)
		for {
			n, err := r.Body.Read(buf)
			if n > 0 {
				c.seen <- string(buf[:n])
			}
			if err != nil {
				fmt.Fprint(w, err)
				return
			}
		}
	case "/file":
		w.Header().Set("Etag", `"1"`)
		http.ServeContent(w, r, "file.txt", time.Unix(1_700_000_000, 0), bytes.NewReader(file))
	case "/hints":
		for _, link := range []string{"</a.css>", "</b.js>"} {
			w.Header().Set("Link", link+"; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			if !c.proceed(r) {
				return
			}
		}
		w.Header().Set("Link", "</c>; rel=next")
		fmt.Fprint(w, "final")
	case "/trailers":
		w.Header().Set("Trailer", "X-Sum, X-Status")
		n, _ := io.Copy(w, r.Body)
		c.seen <- r.Trailer.Get("X-Sent")
		w.Header().Set("X-Sum", strconv.FormatInt(n, 10))
		w.Header().Set("X-Status", "0")
		w.Header().Set(http.TrailerPrefix+"X-Sudden", "late")
	case "/length":
		w.Header().Set("Content-Length", "5")
		w.Header().Set("X-Major", strconv.Itoa(r.ProtoMajor))
		fmt.Fprint(w, "hello")
		w.Header().Set(http.TrailerPrefix+"X-Behind", "it") // HTTP/1 has none behind a length
	case "/refuse":
		http.Error(w, "too much", http.StatusRequestEntityTooLarge)
	case "/seen":
		c.seen <- fmt.Sprintf("%s %s %s", r.Method, r.Host, r.RequestURI)
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Te", "Connection"} {
			c.seen <- strings.Join(r.Header.Values(name), ", ")
		}
	default:
		_, _ = io.Copy(w, r.Body)
	}
}

// front is one way into a Gatehouse.
type front struct {
	name   string
	url    string
	client *http.Client
	major  int // of the protocol's version
}

// newFront returns a way in whose visitors speak by that transport. It is left when the test ends.
func newFront(t *testing.T, name, url string, major int, transport *http.Transport) *front {
	transport.DisableCompression, transport.ExpectContinueTimeout = true, patience
	t.Cleanup(transport.CloseIdleConnections)
	return &front{name: name, url: url, major: major, client: &http.Client{
		Transport: transport, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// plainFront is HTTP/1.1 without TLS.
func plainFront(t *testing.T, address string) *front {
	return newFront(t, "HTTP/1.1", "http://"+address, 1, &http.Transport{})
}

// request returns a request by this way. Its session is one that no app knows, so that the answer is looked at like a member's.
func (f *front) request(t *testing.T, method, path string, body io.Reader, fields ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, f.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", "sid=stream")
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// do sends a request and returns the answer, whose body is to be closed. Nil where there was none; that is an error of the test.
func (f *front) do(t *testing.T, r *http.Request) *http.Response {
	t.Helper()
	res, err := f.client.Do(r)
	if err != nil {
		t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		return nil
	}
	if res.ProtoMajor != f.major {
		t.Errorf("%s %s was answered by %s", r.Method, r.URL.Path, res.Proto)
	}
	return res
}

// ask sends a request and returns the answer with its whole body.
func (f *front) ask(t *testing.T, method, path string, body io.Reader, fields ...string) (*http.Response, string) {
	t.Helper()
	res := f.do(t, f.request(t, method, path, body, fields...))
	if res == nil {
		t.FailNow()
	}
	defer res.Body.Close()
	return res, readAll(t, res)
}

// reload has the program take the file as it is now, and fails the test where it does not.
func (g *gatehouse) reload(t *testing.T) {
	t.Helper()
	res, err := client.Post(g.admin+"/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body := readAll(t, res); res.StatusCode != http.StatusOK {
		t.Fatalf("POST /reload: %d %s", res.StatusCode, body)
	}
}

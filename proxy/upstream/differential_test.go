package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gatehouse/proxy/h1"
)

// One connection, one request after the other: what is sent is seen, once and in order, and each answer is its own.
func TestOneRequestInIsOneRequestSeen(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	var conns atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		seen = append(seen, fmt.Sprint(r.Method, " ", r.RequestURI, " ", len(body), " ", r.Trailer.Get("X-End")))
		mu.Unlock()
		w.Header().Set("X-Target", r.RequestURI)
		switch r.URL.Query().Get("as") {
		case "304":
			w.WriteHeader(304)
		case "204":
			w.WriteHeader(204)
		case "chunked":
			w.(http.Flusher).Flush()
			_, _ = w.Write(body)
			_, _ = io.WriteString(w, r.RequestURI)
		case "hints":
			w.Header().Set("Link", "</a>")
			w.WriteHeader(103)
			_, _ = io.WriteString(w, r.RequestURI)
		default:
			_, _ = io.WriteString(w, strings.Repeat(r.RequestURI, 1+len(body)%5000))
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	p := pool(t, BackendSettings{URL: s.URL, Address: s.Listener.Addr().String()})
	var want []string
	for i := range 2000 {
		as := []string{"plain", "304", "204", "chunked", "hints"}[rand.IntN(5)]
		r := &Request{Method: []string{"GET", "HEAD", "POST", "PUT"}[rand.IntN(4)], Target: fmt.Sprintf("/%d?as=%s", i, as), Host: "a"}
		n, end := 0, ""
		if r.Method[0] == 'P' {
			n = rand.IntN(40_000)
			r.Body, r.Length = bytes.NewReader(make([]byte, n)), int64(n)
			switch rand.IntN(3) {
			case 0:
				r.Body = &interruptible{r.Body}
			case 1:
				end = fmt.Sprint(i)
				r.Length, r.Trailer = -1, func() h1.Head { return head("X-End: " + end) }
			}
		}
		want = append(want, fmt.Sprint(r.Method, " ", r.Target, " ", n, " ", end))
		body := map[string]string{"304": "", "204": "", "chunked": strings.Repeat("\x00", n) + r.Target, "hints": r.Target,
			"plain": strings.Repeat(r.Target, 1+n%5000)}[as]
		if r.Method == "HEAD" {
			body = ""
		}
		a, err := claim(t, p).Send(deadline(t), r)
		if err != nil {
			t.Fatalf("%s %s: %v", r.Method, r.Target, err)
		}
		if got := all(t, a.Body); got != body || a.Head.Get("X-Target") != r.Target {
			t.Fatalf("%s %s: %d bytes, want %d; the head is that of %s", r.Method, r.Target, len(got), len(body), a.Head.Get("X-Target"))
		}
		a.Body.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	for i := range want {
		if i >= len(seen) || seen[i] != want[i] {
			t.Fatalf("%d seen of %d; number %d is not %q", len(seen), len(want), i, want[i])
		}
	}
	ends := int64(1)
	for _, w := range want[:len(want)-1] {
		if strings.HasPrefix(w, "HEAD ") && !strings.Contains(w, "as=204") && !strings.Contains(w, "as=304") { // a body may follow all the same
			ends++
		}
	}
	if len(seen) != len(want) || int64(conns.Load()) != ends {
		t.Errorf("%d requests were seen of %d, over %d connections; want %d", len(seen), len(want), conns.Load(), ends)
	}
}

// Whatever a backend says: what we take for a whole answer, net/http reads the same way; and nothing hangs or leaks.
func FuzzAnswer(f *testing.F) {
	for _, tt := range append(hostile, behind...) {
		f.Add(tt.bytes, tt.method == "HEAD", uint16(len(tt.bytes)/2))
	}
	bytesOf := make(chan string, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := readHead(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, <-bytesOf)
			}
			c.Close()
		}
	}()
	p := NewPool(Settings{Name: "app", Backends: []BackendSettings{{URL: "http://" + l.Addr().String(), Address: l.Addr().String()}}}, nil)
	f.Cleanup(func() {
		p.Close()
		l.Close()
		<-done
	})
	f.Fuzz(func(t *testing.T, said string, isHead bool, room uint16) {
		method := "GET"
		if isHead {
			method = "HEAD"
		}
		bytesOf <- said
		r := &Request{Method: method, Target: "/", Host: "a"}
		c, err := p.Claim(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.End(Result{})
		x := p.backends[0].begin(deadline(t), r)
		x.anew = true // the last one's connection is about to be closed
		a, err := x.send(r)
		if err != nil {
			if !errors.Is(err, ErrBroken) {
				t.Fatalf("%q: %v", said, err)
			}
			return
		}
		defer a.Body.Close()
		var got []byte
		for buf := make([]byte, 1+int(room)%9000); ; {
			var n int
			n, err = a.Body.Read(buf)
			if got = append(got, buf[:n]...); err != nil {
				break
			}
		}
		if err != io.EOF {
			if !errors.Is(err, ErrBroken) {
				t.Fatalf("%q: %v", said, err)
			}
			return
		}
		status, head, body, err := theirs(said, method)
		if err != nil || status != a.Status || !bytes.Equal(got, body) {
			t.Fatalf("%q: we read %d and %q, net/http reads %d and %q, %v", said, a.Status, got, status, body, err)
		}
		for _, line := range a.Head {
			if len(head.Values(line.Name)) == 0 && !strings.EqualFold(line.Name, "Connection") { // which it takes out
				t.Fatalf("%q: net/http does not see %q", said, line.Name)
			}
		}
	})
}

// theirs is how net/http reads an answer.
func theirs(said, method string) (int, http.Header, []byte, error) {
	br := bufio.NewReader(strings.NewReader(said))
	for {
		res, err := http.ReadResponse(br, &http.Request{Method: method})
		if err != nil {
			return 0, nil, nil, err
		}
		if res.StatusCode >= 100 && res.StatusCode < 200 && res.StatusCode != 101 {
			continue
		}
		body, err := io.ReadAll(res.Body)
		return res.StatusCode, res.Header, body, err
	}
}

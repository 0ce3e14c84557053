package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

func TestAgain(t *testing.T) {
	connect := fmt.Errorf("%w: refused", ErrConnect)
	broken := fmt.Errorf("%w: reset", ErrBroken)
	for _, tt := range []struct {
		name    string
		methods string
		o       Attempt
		want    bool
	}{
		{"nothing was sent", "GET HEAD OPTIONS TRACE PUT DELETE POST PATCH BREW", Attempt{Err: connect}, true},
		{"nothing was sent, the body is whole", "PUT POST PATCH", Attempt{Err: connect, HasBody: true}, true},
		{"nothing was sent, the body is not whole", "GET PUT POST", Attempt{Err: connect, HasBody: true, BodyRead: true}, false},
		{"sent before", "POST PATCH BREW get", Attempt{Err: connect, Sent: true}, false},
		{"sent before, twice is once", "GET DELETE", Attempt{Err: connect, Sent: true}, true},
		{"sent before, with a body", "PUT POST", Attempt{Err: connect, Sent: true, HasBody: true}, false},

		{"broken before a head", "GET HEAD OPTIONS TRACE PUT DELETE", Attempt{Err: broken, Sent: true}, true},
		{"broken before a head", "POST PATCH BREW get", Attempt{Err: broken, Sent: true}, false},
		{"broken, nobody saw it sent", "POST PATCH", Attempt{Err: broken}, false},
		{"broken with a body", "GET PUT DELETE POST", Attempt{Err: broken, Sent: true, HasBody: true}, false},
		{"broken after the body", "GET PUT DELETE POST", Attempt{Err: broken, Sent: true, HasBody: true, BodyRead: true}, false},
		{"broken after a head", "GET PUT POST", Attempt{Err: broken, Sent: true, Status: 200}, false},
		{"broken after a bad head", "GET PUT POST", Attempt{Err: broken, Sent: true, Status: 503}, false},

		{"502", "GET HEAD PUT", Attempt{Status: 502, Sent: true}, true},
		{"503", "GET HEAD PUT", Attempt{Status: 503, Sent: true}, true},
		{"504", "GET HEAD PUT", Attempt{Status: 504, Sent: true}, true},
		{"502", "POST PATCH", Attempt{Status: 502, Sent: true}, false},
		{"503", "POST PATCH", Attempt{Status: 503, Sent: true}, false},
		{"503, never seen to be sent", "POST PATCH", Attempt{Status: 503}, false},
		{"503 with a body", "GET PUT POST", Attempt{Status: 503, Sent: true, HasBody: true}, false},
		{"deliberate 502", "GET", Attempt{Status: 502, Sent: true, RetryAfter: true}, false},
		{"deliberate 503", "GET HEAD PUT POST", Attempt{Status: 503, Sent: true, RetryAfter: true}, false},
		{"deliberate 504", "GET", Attempt{Status: 504, Sent: true, RetryAfter: true}, false},
		{"500", "GET POST", Attempt{Status: 500, Sent: true}, false},
		{"501", "GET POST", Attempt{Status: 501, Sent: true}, false},
		{"429", "GET POST", Attempt{Status: 429, Sent: true}, false},
		{"200", "GET POST", Attempt{Status: 200, Sent: true}, false},
		{"no head and no error", "GET POST", Attempt{}, false},

		{"late", "GET POST", Attempt{Err: ErrLate, Sent: true}, false},
		{"late, nothing sent", "GET POST", Attempt{Err: fmt.Errorf("%w: %w", ErrLate, ErrConnect)}, false},
		{"cancelled", "GET POST", Attempt{Err: ErrCancelled}, false},
		{"cancelled while connecting", "GET POST", Attempt{Err: errors.Join(ErrConnect, ErrCancelled)}, false},
		{"the visitor's fault", "GET POST", Attempt{Err: ErrVisitor}, false},
		{"cannot be written", "GET POST", Attempt{Err: ErrRequest}, false},
		{"no backend", "GET POST", Attempt{Err: ErrNoBackend}, false},
		{"another error", "GET POST", Attempt{Err: errors.New("other")}, false},
		{"another error after 503", "GET POST", Attempt{Err: errors.New("other"), Status: 503}, false},
	} {
		for method := range strings.FieldsSeq(tt.methods) {
			if got := Again(method, tt.o); got != tt.want {
				t.Errorf("%s: %s %+v: %v, want %v", tt.name, method, tt.o, got, tt.want)
			}
		}
	}
}

// Over everything that can be told of an attempt: whatever may have been received is sent again only if that does no harm.
func TestAgainNeverRepeatsWhatMayHaveBeenReceived(t *testing.T) {
	flag := func(i, bit int) bool { return i>>bit&1 == 1 }
	var yes int
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH", "get", ""} {
		for _, err := range []error{nil, ErrNoBackend, ErrConnect, ErrBroken, ErrLate, ErrCancelled, ErrVisitor, ErrRequest, io.EOF} {
			for status := range 600 {
				for i := range 16 {
					o := Attempt{Err: err, Status: status, RetryAfter: flag(i, 0), BodyRead: flag(i, 1), HasBody: flag(i, 2), Sent: flag(i, 3)}
					if !Again(method, o) {
						continue
					}
					yes++
					unsent := err == ErrConnect && !o.Sent
					if o.BodyRead || !unsent && (!idempotent(method) || o.HasBody || o.RetryAfter && err == nil) {
						t.Fatalf("%s is sent again after %+v", method, o)
					}
				}
			}
		}
	}
	if yes == 0 {
		t.Error("nothing is ever sent again")
	}
}

// read is a body that knows whether it was read.
type read struct {
	io.Reader
	n atomic.Int64
}

func (r *read) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n.Add(int64(n))
	return n, err
}

// persist does what a caller does: claim, send, and again as long as that is allowed. It returns the last status, 0 for none,
// and how many attempts there were.
func persist(t *testing.T, p *Pool, method, text string) (status, attempts int) {
	t.Helper()
	body := &read{Reader: strings.NewReader(text)}
	var sent atomic.Bool
	r := &Request{Method: method, Target: "/", Host: "app.example", Sending: func() { sent.Store(true) }}
	if text != "" {
		r.Body, r.Length = body, int64(len(text))
	}
	var tried Tried
	for {
		c, err := p.Claim(&tried)
		if err != nil {
			return status, attempts
		}
		attempts++
		o := Attempt{HasBody: text != ""}
		a, err := c.Send(deadline(t), r)
		if o.Err, status = err, 0; err == nil {
			_, o.RetryAfter = a.Head.Field("Retry-After", 0)
			o.Status, status = a.Status, a.Status
			a.Body.Close()
		}
		o.BodyRead, o.Sent = body.n.Load() > 0, sent.Load()
		c.End(Result{Err: err, Status: o.Status, RetryAfter: o.RetryAfter})
		if !Again(method, o) || !p.Retry() {
			return status, attempts
		}
	}
}

func TestWhatABackendReceives(t *testing.T) {
	refused := func(t *testing.T, _ *atomic.Int64) BackendSettings { return closedPort(t) }
	breaks := func(t *testing.T, received *atomic.Int64) BackendSettings {
		return raw(t, func(_ net.Conn, br *bufio.Reader) {
			if _, err := readHead(br); err == nil {
				received.Add(1)
			}
		})
	}
	answers := func(lines string) func(*testing.T, *atomic.Int64) BackendSettings {
		return func(t *testing.T, received *atomic.Int64) BackendSettings {
			return serve(t, func(w http.ResponseWriter, _ *http.Request) {
				received.Add(1)
				status := 503
				fmt.Sscan(lines, &status)
				if strings.Contains(lines, "Retry-After") {
					w.Header().Set("Retry-After", "5")
				}
				w.WriteHeader(status)
			})
		}
	}
	const backends = 4
	for _, tt := range []struct {
		name         string
		make         func(*testing.T, *atomic.Int64) BackendSettings
		method, body string
		attempts     int
		received     int64
	}{
		{"refused", refused, "GET", "", backends, 0},
		{"refused", refused, "POST", "", backends, 0},
		{"refused", refused, "POST", "amount=1", backends, 0},
		{"breaks", breaks, "GET", "", backends, backends},
		{"breaks", breaks, "DELETE", "", backends, backends},
		{"breaks", breaks, "PUT", "amount=1", 1, 1},
		{"breaks", breaks, "POST", "", 1, 1},
		{"breaks", breaks, "POST", "amount=1", 1, 1},
		{"503", answers("503"), "GET", "", backends, backends},
		{"503", answers("503"), "POST", "amount=1", 1, 1},
		{"503", answers("503"), "POST", "", 1, 1},
		{"503 that is deliberate", answers("503 Retry-After"), "GET", "", 1, 1},
		{"500", answers("500"), "GET", "", 1, 1},
		{"200", answers("200"), "GET", "", 1, 1},
	} {
		t.Run(tt.name+" "+tt.method+" "+tt.body, func(t *testing.T) {
			var received atomic.Int64
			s := Settings{Name: "app", Retries: RetrySettings{Budget: 0.2}}
			for range backends {
				s.Backends = append(s.Backends, tt.make(t, &received))
			}
			p := NewPool(s, nil)
			defer p.Close()
			_, attempts := persist(t, p, tt.method, tt.body)
			if attempts != tt.attempts || received.Load() != tt.received {
				t.Errorf("%d attempts, of which %d were received; want %d and %d", attempts, received.Load(), tt.attempts, tt.received)
			}
		})
	}
}

// closedPort is where nobody listens.
func closedPort(t *testing.T) BackendSettings {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return BackendSettings{URL: "http://" + l.Addr().String(), Address: l.Addr().String()}
}

// A connection that was used before may break because the backend closed it just then. Whether the request was read nobody
// knows, so it is sent again, once and on a new connection, only where doing it twice does no harm.
func TestWhatBreaksOnAKeptConnectionIsSentTwiceAtMost(t *testing.T) {
	for method, most := range map[string]int64{"GET": 2, "POST": 1} {
		var received, open atomic.Int64
		b := raw(t, func(c net.Conn, br *bufio.Reader) {
			open.Add(1)
			defer open.Add(-1)
			for {
				lines, err := readHead(br)
				if err != nil {
					return
				}
				if lines[0] != "GET /first HTTP/1.1" {
					received.Add(1)
					return
				}
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		})
		p := NewPool(Settings{Name: "app", Backends: []BackendSettings{b}, Retries: RetrySettings{Budget: 0.2}}, nil)
		first := send(t, p, get("/first"))
		all(t, first.Body)
		first.Body.Close()
		_, err := claim(t, p).Send(deadline(t), &Request{Method: method, Target: "/", Host: "a", Head: head("Idempotency-Key: 1")})
		p.Close()
		eventually(t, "all that was sent is received", func() bool { return open.Load() == 0 })
		if !errors.Is(err, ErrBroken) || received.Load() != most {
			t.Errorf("%s: %v, received %d times; want ErrBroken, %d", method, err, received.Load(), most)
		}
	}
}

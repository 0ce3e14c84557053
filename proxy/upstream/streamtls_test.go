package upstream

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

func TestWhoCannotBeBelievedGetsNothingByHTTP2(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	for _, tt := range []struct {
		name   string
		files  TLS
		change func(*tls.Config)
		alpn   []string
		want   string
	}{
		{"another authority", TLS{CAFile: other.file}, nil, []string{"h2"}, "is not by an authority in " + other.file},
		{"another name", TLS{ServerName: "app.internal"}, nil, []string{"h2"}, "is for another name than app.internal"},
		{"no ALPN", TLS{}, nil, nil, "does not offer HTTP/2 (ALPN h2)"},
		{"another protocol", TLS{}, nil, []string{"http/1.1"}, "no application protocol"},
		{"no client certificate", TLS{}, func(c *tls.Config) {
			c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, roots
		}, []string{"h2"}, "certificate required"},
	} {
		b, _ := ca.secured(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }, tt.change, tt.alpn...)
		if tt.alpn == nil {
			b = ca.rawTLS(t, &tls.Config{}, func(c net.Conn, br *bufio.Reader) { _, _ = io.Copy(io.Discard, br) })
		}
		b.URL = "h2://" + b.Address
		p := ca.pool(t, tt.files, b)
		_, err := claim(t, p).Send(deadline(t), &Request{Method: "POST", Target: "/", Host: "a"})
		if !errors.Is(err, ErrConnect) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

// A certificate that is replaced is taken for new connections, and those made with the one before carry nothing new.
func TestCertificatesThatChangeByHTTP2(t *testing.T) {
	ca := newAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	b, conns := ca.secured(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}, func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, roots }, "h2")
	cert, key := ca.issue("one", time.Now().Add(time.Hour))
	p := ca.pool(t, TLS{CertFile: cert, KeyFile: key}, b)
	ask := func() string {
		a := send(t, p, get("/"))
		defer a.Body.Close()
		return all(t, a.Body)
	}
	if got := ask(); got != "one" {
		t.Fatalf("got %q", got)
	}
	next, nextKey := ca.issue("two", time.Now().Add(time.Hour))
	backend := p.backends[0]
	w := backend.way.Load()
	w.trust.files = TLS{CAFile: ca.file, ServerName: "127.0.0.1", CertFile: next, KeyFile: nextKey} // as if they were replaced
	backend.renewing.Lock()
	backend.looked = time.Time{}
	backend.renewing.Unlock()
	if a, err := backend.askAnew(deadline(t), get("/")); err != nil || all(t, a.Body) != "two" {
		t.Errorf("a check: %v", err)
	} else {
		a.Body.Close()
	}
	if got := ask(); got != "two" || conns.Load() != 3 {
		t.Errorf("got %q over %d connections", got, conns.Load())
	}
}

// Many who come to a backend that does not answer wait for one connection, and whoever leaves takes nothing from the others; when
// the last has left nothing is waited for.
func TestOneConnectionIsMadeForMany(t *testing.T) {
	var conns atomic.Int64
	open := make(chan struct{})
	b := framer(t, func(f *peer) {
		for head := f.request(); head != nil; head = f.request() {
			f.head(head.StreamID, true, ":status=200")
		}
	})
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "slow.sock")) // speaks when it is let
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			<-open
			to, err := net.Dial("tcp", b.Address)
			if err != nil {
				t.Error(err)
				return
			}
			go func() { _, _ = io.Copy(to, c); to.Close() }()
			go func() { _, _ = io.Copy(c, to); c.Close() }()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-served
	})
	p := NewPool(Settings{Name: "app", DialTimeout: patience,
		Backends: []BackendSettings{{URL: "h2c://slow", Network: "unix", Address: l.Addr().String()}}}, nil)
	t.Cleanup(p.Close)
	ctx, leave := context.WithCancel(context.Background())
	results := make(chan error, 20)
	for i := range 20 {
		c := claim(t, p)
		go func() {
			ctx := ctx
			if i%2 == 0 {
				ctx = deadline(t)
			}
			a, err := c.Send(ctx, get("/"))
			if err == nil {
				a.Body.Close()
			}
			results <- err
		}()
	}
	s := &p.backends[0].streams
	waiting := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.coming == nil {
			return 0
		}
		return s.coming.waiting
	}
	eventually(t, "all wait", func() bool { return waiting() == 20 })
	leave()
	for range 10 {
		if err := <-results; !errors.Is(err, ErrCancelled) {
			t.Errorf("got %v, want ErrCancelled", err)
		}
	}
	close(open)
	for range 10 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestTheLastWhoLeavesEndsTheConnecting(t *testing.T) {
	gone := make(chan struct{}, 2)
	b := raw(t, func(c net.Conn, br *bufio.Reader) {
		_, _ = io.Copy(io.Discard, br)
		gone <- struct{}{}
	})
	b.URL = "h2c://" + b.Address
	p := NewPool(Settings{Name: "app", Backends: []BackendSettings{b}, DialTimeout: time.Hour}, nil)
	t.Cleanup(p.Close)
	for range 2 {
		if _, err := claim(t, p).Send(shortly(t, 50*time.Millisecond), get("/")); !errors.Is(err, ErrLate) {
			t.Errorf("got %v, want ErrLate", err)
		}
		<-gone
	}
}

// A server of gRPC cancels a call whose time, which the visitor gave it, is over. It is not to blame for that, and for nothing else.
func TestAVisitorsOwnDeadline(t *testing.T) {
	for _, tt := range []struct {
		timeout string
		code    http2.ErrCode
		head    bool
		want    error
	}{
		{"1n", http2.ErrCodeCancel, false, ErrLate},
		{"1n", http2.ErrCodeCancel, true, ErrLate},
		{"1n", http2.ErrCodeInternal, false, ErrBroken},
		{"1H", http2.ErrCodeCancel, false, ErrBroken},
		{"1H", http2.ErrCodeCancel, true, ErrBroken},
		{"", http2.ErrCodeCancel, true, ErrBroken},
	} {
		p := pool(t, framer(t, func(f *peer) {
			for head := f.request(); head != nil; head = f.request() {
				if tt.head {
					f.head(head.StreamID, false, ":status=200")
				}
				_ = f.WriteRSTStream(head.StreamID, tt.code)
			}
		}))
		r := &Request{Method: "POST", Target: "/", Host: "a", Head: head("Grpc-Timeout: " + tt.timeout)}
		a, err := claim(t, p).Send(deadline(t), r)
		status := 0
		if err == nil {
			status = a.Status
			_, err = io.ReadAll(a.Body)
			a.Body.Close()
		}
		if !errors.Is(err, tt.want) || ((Result{Err: err, Status: status}).judge() == bad) != (tt.want == ErrBroken) {
			t.Errorf("%+v: got %v", tt, err)
		}
	}
}

func TestTimeLimits(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"1H": time.Hour, "2M": 2 * time.Minute, "3S": 3 * time.Second, "4m": 4 * time.Millisecond, "5u": 5 * time.Microsecond, "6n": 6,
		"99999999M": 99999999 * time.Minute, "": 0, "1": 0, "S": 0, "+1S": 0, "1s": 0, "1.5S": 0, "123456789S": 0, "-1S": 0,
	} {
		if got := timeLimit(s); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
	if timeLimit("99999999H") <= 0 {
		t.Error("so many hours overflow")
	}
}

package upstream

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var quiet = log.New(io.Discard, "", 0)

func TestHTTPSIsSpokenOverOneConnection(t *testing.T) {
	ca := newAuthority(t)
	for name, change := range map[string]func(*tls.Config){
		"1.2": func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
		"1.3": func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 },
	} {
		t.Run(name, func(t *testing.T) {
			b, conns := ca.secured(t, func(w http.ResponseWriter, r *http.Request) {
				if r.TLS == nil || r.Host != "app.example" || r.ProtoMajor != 1 {
					t.Errorf("got %s for %s", r.Proto, r.Host)
				}
				_ = http.NewResponseController(w).EnableFullDuplex()
				_, _ = io.Copy(w, r.Body)
			}, change)
			p := ca.pool(t, TLS{}, b)
			big := strings.Repeat("0123456789", 50_000)
			for i := range 6 { // small bodies with the head and large ones behind it, on new connections and on kept ones
				text := []string{"abc", big}[i%2]
				var body io.Reader = &interruptible{strings.NewReader(text)}
				a := send(t, p, &Request{Method: "POST", Target: "/", Host: "app.example", Body: body, Length: int64(len(text))})
				if got := all(t, a.Body); got != text {
					t.Errorf("sent %d bytes, got %d", len(text), len(got))
				}
			}
			if n := conns.Load(); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// A backend that says goodbye, with an answer or later, is not asked again on that connection: requests that may be sent once only
// are lost by that.
func TestAFarewellOfTLSIsSeen(t *testing.T) {
	ca := newAuthority(t)
	for name, leave := range map[string]func(net.Conn){
		"close": func(c net.Conn) { c.Close() },
		"alert": func(c net.Conn) { _ = c.(*tls.Conn).CloseWrite() },
		"cut":   func(c net.Conn) { c.(*tls.Conn).NetConn().Close() },
	} {
		t.Run(name, func(t *testing.T) {
			left := make(chan struct{})
			b := ca.rawTLS(t, &tls.Config{}, func(c net.Conn, br *bufio.Reader) {
				if _, err := readHead(br); err != nil {
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
				leave(c)
				left <- struct{}{}
				_, _ = io.Copy(io.Discard, br)
			})
			p := ca.pool(t, TLS{}, b)
			for range 5 {
				a, err := claim(t, p).Send(deadline(t), &Request{Method: "POST", Target: "/", Host: "a"})
				if err != nil {
					t.Fatal(err)
				}
				if got := all(t, a.Body); got != "hi" {
					t.Errorf("got %q", got)
				}
				a.Body.Close()
				<-left
				eventually(t, "the end is seen", func() bool {
					i := &p.backends[0].idle
					c := i.take()
					if c == nil {
						return true
					}
					if c.fit(clock()) {
						i.put(c, clock()+idleTimeout)
						return false
					}
					c.Close()
					return true
				})
			}
		})
	}
}

// Tickets that come late, in the middle of nothing, are no end. (Go's server sends them with its first bytes.)
func TestWhatTLSSaysForItselfIsNoEnd(t *testing.T) {
	ca := newAuthority(t)
	b, conns := ca.secured(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }, nil)
	p := ca.pool(t, TLS{}, b)
	backend := p.backends[0]
	c, err := backend.connect(deadline(t), backend.way.Load(), nil)
	if err != nil {
		t.Fatal(err)
	}
	backend.idle.put(c, clock()+idleTimeout)
	eventually(t, "the tickets arrive", func() bool { // the look takes them in
		if !c.quiet() {
			t.Fatal("tickets are taken for an end")
		}
		_, ok := c.way.trust.config.ClientSessionCache.Get("127.0.0.1")
		return ok
	})
	a := send(t, p, &Request{Method: "POST", Target: "/", Body: &interruptible{strings.NewReader("abc")}, Length: 3})
	if got := all(t, a.Body); got != "abc" || conns.Load() != 1 {
		t.Errorf("got %q over %d connections", got, conns.Load())
	}
}

func TestSessionsAreResumed(t *testing.T) {
	ca := newAuthority(t)
	resumed := make(chan bool, 4)
	b, _ := ca.secured(t, func(w http.ResponseWriter, r *http.Request) {
		resumed <- r.TLS.DidResume
		w.Header().Set("Connection", "close")
	}, nil)
	p := ca.pool(t, TLS{}, b)
	for i := range 3 {
		a := send(t, p, get("/"))
		all(t, a.Body)
		if got := <-resumed; got != (i > 0) {
			t.Errorf("connection %d: resumed is %v", i, got)
		}
	}
}

func TestWhoCannotBeBelievedGetsNothing(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	expired := func(c *tls.Config) {
		pair, err := tls.LoadX509KeyPair(ca.issue("127.0.0.1", time.Now().Add(-time.Hour)))
		if err != nil {
			t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	asks := func(c *tls.Config) {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		c.MaxVersion = tls.VersionTLS12 // with 1.3 the refusal comes after the request
	}
	for _, tt := range []struct {
		name   string
		files  TLS
		change func(*tls.Config)
		want   string
	}{
		{"another authority", TLS{CAFile: other.file}, nil, "is not by an authority in " + other.file},
		{"another name", TLS{ServerName: "app.internal"}, nil, "is for another name than app.internal"},
		{"expired", TLS{}, expired, "is not valid"},
		{"no client certificate", TLS{}, asks, "certificate required"},
		{"a missing authority", TLS{CAFile: filepath.Join(ca.folder, "missing.pem")}, nil, "ca_file: open "},
		{"an old version", TLS{}, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }, "no handshake"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, _ := ca.secured(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }, tt.change)
			p := ca.pool(t, tt.files, b)
			body := &watched{Reader: strings.NewReader("abc"), begun: make(chan struct{}), cut: func() {}}
			c := claim(t, p)
			_, err := c.Send(deadline(t), &Request{Method: "POST", Target: "/", Body: body, Length: 3})
			if !errors.Is(err, ErrConnect) || !strings.Contains(err.Error(), tt.want) && tt.name != "no client certificate" {
				t.Errorf("got %v; want ErrConnect, %q", err, tt.want)
			}
			select {
			case <-body.begun:
				t.Error("the body was read")
			default:
			}
			c.End(Result{Err: err})
			if got := p.Status()[0].LastError; !strings.Contains(got, "tls: ") && tt.name != "a missing authority" {
				t.Errorf("the status says %q", got)
			}
		})
	}
}

func TestTheServerOfATLSBackendMayHang(t *testing.T) {
	ca := newAuthority(t)
	b := raw(t, func(c net.Conn, br *bufio.Reader) { _, _ = io.Copy(io.Discard, br) })
	b.URL = "https://" + b.Address
	p := NewPool(Settings{Name: "app", Backends: []BackendSettings{b}, TLS: &TLS{CAFile: ca.file}, DialTimeout: 50 * time.Millisecond}, nil)
	t.Cleanup(p.Close)
	if _, err := claim(t, p).Send(deadline(t), get("/")); !errors.Is(err, ErrConnect) {
		t.Errorf("got %v, want ErrConnect", err)
	}
}

// A client certificate that is replaced on disk is taken without a word, and one that cannot be used is not.
func TestCertificatesThatChange(t *testing.T) {
	ca := newAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	b, conns := ca.secured(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}, func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, roots })
	cert, key := ca.issue("one", time.Now().Add(time.Hour))
	files := TLS{CertFile: filepath.Join(ca.folder, "client.pem"), KeyFile: filepath.Join(ca.folder, "client.key")}
	place := func(cert, key string) {
		t.Helper()
		if err := errors.Join(os.Rename(cert, files.CertFile), os.Rename(key, files.KeyFile)); err != nil {
			t.Fatal(err)
		}
	}
	place(cert, key)
	if err := files.Check(); err != nil {
		t.Error(err)
	}
	p := ca.pool(t, files, b)
	ask := func() string {
		a := send(t, p, get("/"))
		defer a.Body.Close()
		return all(t, a.Body)
	}
	if got := ask(); got != "one" {
		t.Fatalf("got %q", got)
	}
	place(ca.issue("two", time.Now().Add(time.Hour)))
	backend := p.backends[0]
	anew := func() { // as a health check does
		backend.renewing.Lock()
		backend.looked = time.Time{}
		backend.renewing.Unlock()
		c, err := backend.connect(deadline(t), backend.way.Load(), nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	if got := ask(); got != "one" || conns.Load() != 1 {
		t.Errorf("got %q over %d connections before anybody looked", got, conns.Load())
	}
	anew()
	if got := ask(); got != "two" {
		t.Errorf("got %q; want the new one", got)
	}
	if err := os.WriteFile(files.CertFile, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	anew()
	if got, said := ask(), p.Status()[0].LastError; got != "two" || !strings.Contains(said, files.CertFile) {
		t.Errorf("got %q, and the status says %q", got, said)
	}
	if err := files.Check(); err == nil || !strings.Contains(err.Error(), files.CertFile) {
		t.Errorf("checked: %v", err)
	}
	place(ca.issue("three", time.Now().Add(time.Hour)))
	anew()
	if got := ask(); got != "three" {
		t.Errorf("got %q; want the newest", got)
	}
}

// One that is put in another's place is another one, though nobody can tell by its size and time.
func TestAFileInAnothersPlace(t *testing.T) {
	folder, then := t.TempDir(), time.Now()
	file := func(name string) string {
		name = filepath.Join(folder, name)
		if err := errors.Join(os.WriteFile(name, []byte("same"), 0o600), os.Chtimes(name, then, then)); err != nil {
			t.Fatal(err)
		}
		return name
	}
	tr := &trust{files: TLS{CAFile: file("ca.pem")}}
	tr.seen = tr.look()
	if tr.changed() {
		t.Error("it changed by itself")
	}
	if err := os.Rename(file("next.pem"), tr.files.CAFile); err != nil {
		t.Fatal(err)
	}
	if !tr.changed() {
		t.Error("another file is not seen")
	}
	if err := os.Remove(tr.files.CAFile); err != nil || !tr.changed() {
		t.Errorf("one that is gone is not seen; %v", err)
	}
}

func TestCheckOfTLSFiles(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue("one", time.Now().Add(time.Hour))
	_, otherKey := ca.issue("two", time.Now().Add(time.Hour))
	old, oldKey := ca.issue("old", time.Now().Add(-time.Hour))
	next, nextKey := ca.issue("next", time.Now().Add(48*time.Hour))
	for _, tt := range []struct {
		files *TLS
		want  []string
	}{
		{nil, nil},
		{&TLS{}, nil},
		{&TLS{CAFile: ca.file, CertFile: cert, KeyFile: key}, nil},
		{&TLS{CAFile: key}, []string{"no certificate in it"}},
		{&TLS{CAFile: "/missing", CertFile: cert}, []string{"ca_file: open /missing", "cert_file " + cert}},
		{&TLS{CertFile: cert, KeyFile: otherKey}, []string{"does not match"}},
		{&TLS{CertFile: old, KeyFile: oldKey}, []string{"it was valid until"}},
		{&TLS{CertFile: next, KeyFile: nextKey}, []string{"it is valid from"}},
	} {
		err := tt.files.Check()
		if (err != nil) != (tt.want != nil) {
			t.Errorf("%+v: %v", tt.files, err)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v; want %q", tt.files, err, want)
			}
		}
	}
}

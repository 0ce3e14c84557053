package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// pebble is Let's Encrypt's test server, in this process, that can be stopped and started again.
type pebble struct {
	t       *testing.T
	secured *made // its own certificate
	caFile  string
	roots   *x509.CertPool // of what it issues
	address string
	handler http.Handler
	manage  http.Handler // what a test may ask of it
	server  *http.Server
	done    chan struct{}

	orders  atomic.Int32 // that were asked for
	web     string       // where http-01 is looked for
	tls     string       // and tls-alpn-01
	onOrder func()
	auth    ClientAuth // of the listener at tls
}

// pebbleSettings is what differs from test to test.
type pebbleSettings struct {
	lifetime time.Duration
	hints    bool // renewal information (RFC 9773)
	forgets  bool // it fails of orders that name what they replace
}

// pebbles starts one whose challenges are looked for at two ports of this machine, whatever the name.
func pebbles(t *testing.T, set pebbleSettings) *pebble {
	t.Helper()
	p := &pebble{t: t, secured: today(t, "pebble.test"), web: freePort(t), tls: freePort(t)}
	p.caFile = filepath.Join(t.TempDir(), "pebble.pem")
	write(t, p.caFile, p.secured.certPEM)
	p.fresh(set)
	p.address = "127.0.0.1:" + freePort(t)
	p.start()
	t.Cleanup(p.stop)
	return p
}

// fresh makes it one that has issued nothing and knows nobody.
func (p *pebble) fresh(set pebbleSettings) {
	quiet := log.New(io.Discard, "", 0)
	if os.Getenv("PEBBLE_LOG") != "" {
		quiet = log.New(os.Stderr, "pebble ", log.Lmicroseconds)
	}
	lifetime := uint64(set.lifetime / time.Second)
	if lifetime == 0 {
		lifetime = 90 * 24 * 3600
	}
	memory := db.NewMemoryStore()
	authority := ca.New(quiet, memory, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: lifetime}})
	web, _ := strconv.Atoi(p.web)
	secure, _ := strconv.Atoi(p.tls)
	validator := va.New(quiet, web, secure, false, resolver(p.t), memory)
	front := wfe.New(quiet, memory, validator, authority, []string{"pebble.test"}, false, false, 0, 0)
	inner := front.Handler()
	p.manage = front.ManagementHandler()
	p.roots = x509.NewCertPool()
	p.roots.AddCert(authority.GetRootCert(0).Cert)
	p.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/order-plz" {
			p.orders.Add(1)
			if p.onOrder != nil {
				p.onOrder()
			}
			if set.forgets && replaces(r) {
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(http.StatusInternalServerError)
				io.WriteString(w, `{"type":"urn:ietf:params:acme:error:serverInternal","detail":"could not find an order for the given certificate","status":500}`)
				return
			}
		}
		if r.URL.Path != wfe.DirectoryPath || set.hints {
			inner.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		inner.ServeHTTP(rec, r)
		var directory map[string]any
		if json.NewDecoder(rec.Body).Decode(&directory) == nil {
			delete(directory, "renewalInfo")
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(directory)
	})
}

// replaces reports whether an order names a certificate that it replaces. The request can be read again afterwards.
func replaces(r *http.Request) bool {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var signed struct{ Payload string }
	if err != nil || json.Unmarshal(body, &signed) != nil {
		return false
	}
	order, err := base64.RawURLEncoding.DecodeString(signed.Payload)
	return err == nil && bytes.Contains(order, []byte(`"replaces"`))
}

func (p *pebble) start() {
	p.t.Helper()
	cert := p.secured.tls()
	l, err := tls.Listen("tcp", p.address, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}})
	if err != nil {
		p.t.Fatal(err)
	}
	server, done := &http.Server{Handler: p.handler, ErrorLog: log.New(io.Discard, "", 0)}, make(chan struct{})
	p.server, p.done = server, done
	go func() {
		defer close(done)
		server.Serve(l)
	}()
}

// stop cuts everybody off.
func (p *pebble) stop() {
	p.server.Close()
	<-p.done
}

// settings are those of a Keeper that asks it.
func (p *pebble) settings(t *testing.T, domains ...string) Settings {
	return Settings{Domains: domains, ACME: ACME{Email: "ops@example.test", Directory: "https://" + p.address + wfe.DirectoryPath,
		CAFile: p.caFile, Folder: filepath.Join(t.TempDir(), "acme"), HTTP: true, TLSALPN: true}}
}

// answer lets a Keeper's listeners stand where pebble looks, until the test ends or a stand is called.
func (p *pebble) answer(k *Keeper, names Names) (stand func()) {
	p.t.Helper()
	web, err := net.Listen("tcp", "127.0.0.1:"+p.web)
	if err != nil {
		p.t.Fatal(err)
	}
	plain := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text, ok := k.Challenge(r.Host, r.URL.Path); ok {
			io.WriteString(w, text)
			return
		}
		http.NotFound(w, r)
	})}
	secured, err := net.Listen("tcp", "127.0.0.1:"+p.tls)
	if err != nil {
		p.t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { plain.Serve(web) })
	var served sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := secured.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				// The settings may have changed since the last one.
				s := tls.Server(c, k.Config(p.auth, 0, names))
				defer s.Close()
				s.SetDeadline(time.Now().Add(patience))
				if s.Handshake() == nil && s.ConnectionState().NegotiatedProtocol != acmeTLS {
					s.Write([]byte("hello"))
					s.Read(make([]byte, 1))
				}
			})
		}
	})
	stand = sync.OnceFunc(func() {
		plain.Close()
		secured.Close()
		wg.Wait()
		served.Wait()
	})
	p.t.Cleanup(stand)
	return stand
}

// served reports whether the listener at pebble's port shows a certificate of pebble's for name.
func (p *pebble) served(name string) *x509.Certificate {
	state, err := meet("127.0.0.1:"+p.tls, &tls.Config{ServerName: name, RootCAs: p.roots})
	if err != nil {
		return nil
	}
	return state.PeerCertificates[0]
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// resolver is a DNS server by which every name is this machine, until the test ends.
func resolver(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan struct{})
	s := &dns.Server{Listener: l, NotifyStartedFunc: func() { close(up) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			m.Answer = append(m.Answer, &dns.A{A: net.IPv4(127, 0, 0, 1),
				Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}})
		}
		w.WriteMsg(m)
	})}
	var wg sync.WaitGroup
	wg.Go(func() { s.ActivateAndServe() })
	<-up
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s.ShutdownContext(ctx)
		wg.Wait()
	})
	return l.Addr().String()
}

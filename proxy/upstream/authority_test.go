package upstream

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// authority issues certificates in a folder of its own.
type authority struct {
	t      testing.TB
	folder string
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	file   string
	n      int64
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t, folder: t.TempDir()}
	a.key = a.newKey()
	plan := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, plan, plan, &a.key.PublicKey, a.key)
	if err == nil {
		a.cert, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.file = a.write("ca.pem", "CERTIFICATE", der)
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *authority) write(name, kind string, der []byte) string {
	name = filepath.Join(a.folder, name)
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return name
}

// issue writes a certificate for a name, good until then, and its key.
func (a *authority) issue(name string, until time.Time) (certFile, keyFile string) {
	a.n++
	key := a.newKey()
	plan := &x509.Certificate{
		SerialNumber: big.NewInt(1 + a.n), Subject: pkix.Name{CommonName: name}, NotBefore: until.Add(-24 * time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		plan.IPAddresses = []net.IP{ip}
	} else {
		plan.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, plan, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".pem", "CERTIFICATE", der), a.write(name+".key", "EC PRIVATE KEY", private)
}

func (a *authority) pair(name string) tls.Certificate {
	pair, err := tls.LoadX509KeyPair(a.issue(name, time.Now().Add(time.Hour)))
	if err != nil {
		a.t.Fatal(err)
	}
	return pair
}

// secured starts a backend of net/http's with a certificate for 127.0.0.1; protocols are what it offers by ALPN.
func (a *authority) secured(t testing.TB, h http.HandlerFunc, change func(*tls.Config), protocols ...string) (BackendSettings, *atomic.Int64) {
	t.Helper()
	conns := new(atomic.Int64)
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = quiet
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.EnableHTTP2 = len(protocols) > 0 && protocols[0] == "h2"
	s.TLS = &tls.Config{Certificates: []tls.Certificate{a.pair("127.0.0.1")}, NextProtos: protocols}
	if change != nil {
		change(s.TLS)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	scheme := "https://"
	if s.EnableHTTP2 {
		scheme = "h2://"
	}
	address := s.Listener.Addr().String()
	return BackendSettings{URL: scheme + address, Address: address}, conns
}

// rawTLS is raw, over TLS.
func (a *authority) rawTLS(t testing.TB, c *tls.Config, talk func(net.Conn, *bufio.Reader)) BackendSettings {
	c.Certificates = []tls.Certificate{a.pair("127.0.0.1")}
	b := raw(t, func(n net.Conn, _ *bufio.Reader) {
		s := tls.Server(n, c)
		if err := s.Handshake(); err != nil {
			return
		}
		talk(s, bufio.NewReader(s))
	})
	b.URL = "https://" + b.Address
	return b
}

func (a *authority) pool(t testing.TB, files TLS, backends ...BackendSettings) *Pool {
	t.Helper()
	if files.CAFile == "" {
		files.CAFile = a.file
	}
	p := NewPool(Settings{Name: "app", Backends: backends, TLS: &files}, nil)
	t.Cleanup(p.Close)
	return p
}

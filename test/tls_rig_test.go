package test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
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

// certificate makes a certificate of the authority's for these names, in the files NAME.crt and NAME.key.
func (a *authority) certificate(t *testing.T, name string, names ...string) {
	t.Helper()
	a.sign(t, name, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: names, NotAfter: time.Now().Add(48 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	})
}

// files are the keys of the file that name a certificate.
func (a *authority) files(name string) string {
	return fmt.Sprintf("cert_file: %q, key_file: %q", a.file(name+".crt"), a.file(name+".key"))
}

func (a *authority) pair(t *testing.T, name string) tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.file(name+".crt"), a.file(name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// believed is what a client that knows only this authority believes of a server of that name.
func (a *authority) believed(serverName string) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &tls.Config{RootCAs: roots, ServerName: serverName}
}

// loopback is where a test's servers listen.
func loopback(t *testing.T) string {
	t.Helper()
	return "127.0.0.1:" + freePort(t)
}

// shortDir is a folder whose name is short enough for the address of a Unix socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gh-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// tlsFront is HTTP/1.1 or HTTP/2 over TLS.
func tlsFront(t *testing.T, address string, major int, c *tls.Config) *front {
	t.Helper()
	p := new(http.Protocols)
	p.SetHTTP1(major == 1)
	p.SetHTTP2(major == 2)
	return newFront(t, fmt.Sprintf("HTTP/%d, TLS", major), "https://"+address, major, &http.Transport{TLSClientConfig: c, Protocols: p})
}

// clearFront is HTTP/2 by prior knowledge.
func clearFront(t *testing.T, address string) *front {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return newFront(t, "HTTP/2, cleartext", "http://"+address, 2, &http.Transport{Protocols: p})
}

// speaker is a server of some protocol, and what a pool's backends say of it.
type speaker struct {
	url     string
	pool    string // further keys of the pool
	version int    // of the protocol
}

// protocols are what backends can speak: one server each of the same.
func protocols(t *testing.T, ca *authority, h http.Handler) map[string]speaker {
	t.Helper()
	ca.certificate(t, "backend", "backend.internal")
	secret := &tls.Config{Certificates: []tls.Certificate{ca.pair(t, "backend")}}
	trust := fmt.Sprintf(", tls: {ca_file: %q, server_name: backend.internal}", ca.file("ca.crt"))
	all := map[string]speaker{}
	for _, kind := range []string{"http", "https", "h2c", "h2", "unix"} {
		network, address := "tcp", "127.0.0.1:0"
		if kind == "unix" {
			network, address = "unix", filepath.Join(shortDir(t), "app.sock")
		}
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		b := speaker{url: kind + "://" + l.Addr().String(), version: 1}
		s := &http.Server{Handler: h, Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0)}
		s.Protocols.SetHTTP1(kind == "http" || kind == "https" || kind == "unix")
		s.Protocols.SetHTTP2(kind == "h2")
		s.Protocols.SetUnencryptedHTTP2(kind == "h2c")
		switch kind {
		case "unix":
			b.url = "unix:" + address
		case "https", "h2":
			s.TLSConfig, b.pool = secret.Clone(), trust
		}
		if strings.HasPrefix(kind, "h2") {
			b.version = 2
		}
		go func() {
			if s.TLSConfig != nil {
				_ = s.ServeTLS(l, "", "")
			} else {
				_ = s.Serve(l)
			}
		}()
		t.Cleanup(func() { _ = s.Close() })
		all[kind] = b
	}
	return all
}

// crossing is a Gatehouse with every way in, before a backend of every protocol: the first part of a path says which.
type crossing struct {
	*gatehouse
	ca       *authority
	fronts   []*front
	backends map[string]speaker
	secret   string // the address that speaks TLS
}

const visited = "gatehouse.example"

// startCrossing starts one. more are further keys of the file, store is where sessions are; "" nowhere.
func startCrossing(t *testing.T, h http.Handler, store, more string) *crossing {
	t.Helper()
	x := &crossing{ca: newAuthority(t, "ca")}
	x.ca.certificate(t, "site", visited)
	x.backends = protocols(t, x.ca, h)
	open, clear, secret := loopback(t), loopback(t), loopback(t)
	x.secret = secret
	if store != "" {
		store = fmt.Sprintf(", store: {redis: {address: %q}}", store)
	}
	text := fmt.Sprintf(`
listen:
  - {address: %q}
  - {address: %q, http2: cleartext}
  - {address: %q, tls: {certificates: [{%s}]}}
admin: {address: "127.0.0.1:0"}
session: {cookies: [sid]%s}
degrade: {rate: {per_client: 1000/s, burst: 1000, per_address: 5000/s}}
%s
pools:
`, open, clear, secret, x.ca.files("site"), store, more)
	routes := "routes:\n"
	for kind, b := range x.backends {
		text += fmt.Sprintf("  %s: {backends: [%q]%s}\n", kind, b.url, b.pool)
		routes += fmt.Sprintf("  - {name: %[1]s-sign-in, match: {path: \"/%[1]s/login\"}, pool: %[1]s, needs: write}\n", kind)
		routes += fmt.Sprintf("  - {name: %[1]s, match: {path: \"/%[1]s/*\"}, pool: %[1]s}\n", kind)
	}
	x.gatehouse = startGatehouse(t, text+routes)
	x.fronts = []*front{plainFront(t, open), clearFront(t, clear)}
	for _, major := range []int{1, 2} {
		x.fronts = append(x.fronts, tlsFront(t, secret, major, x.ca.believed(visited)))
	}
	return x
}

// tlsHalves opens a TLS connection that speaks HTTP/1.1.
func tlsHalves(t *testing.T, address string, c *tls.Config) halves {
	t.Helper()
	c = c.Clone()
	c.NextProtos = []string{"http/1.1"}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := (&tls.Dialer{Config: c}).DialContext(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*tls.Conn)
}

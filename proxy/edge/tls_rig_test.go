package edge

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
)

// issued is a certificate for localhost and a client, by an authority of the tests' own.
type issued struct {
	server, client tls.Certificate
	pool           *x509.CertPool
}

// issue makes the certificates once: keys take their time.
var issue = sync.OnceValue(func() issued {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := func(name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		}
	}
	ca := template("authority")
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	raw, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	must(err)
	ca, err = x509.ParseCertificate(raw)
	must(err)
	leaf := func(name string, usage x509.ExtKeyUsage) tls.Certificate {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		c := template(name)
		c.DNSNames, c.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{usage}
		raw, err := x509.CreateCertificate(rand.Reader, c, ca, &key.PublicKey, caKey)
		must(err)
		return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	return issued{leaf("server", x509.ExtKeyUsageServerAuth), leaf("visitor", x509.ExtKeyUsageClientAuth), pool}
})

// serverTLS is a config that an operator's could be.
func serverTLS() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{issue().server}, MinVersion: tls.VersionTLS12}
}

func startTLS(t *testing.T, s Settings, h handle) *Server {
	t.Helper()
	if s.TLS == nil {
		s.TLS = serverTLS()
	}
	return start(t, s, h)
}

// clientTLS trusts serverTLS.
func clientTLS(protos ...string) *tls.Config {
	return &tls.Config{RootCAs: issue().pool, ServerName: "localhost", NextProtos: protos}
}

// secure begins TLS on a connection to a Server.
func (c *client) secure(config *tls.Config) (*client, *tls.Conn) {
	c.t.Helper()
	over := tls.Client(c.Conn, config)
	if err := over.Handshake(); err != nil {
		c.t.Fatalf("handshake: %v", err)
	}
	return &client{over, c.t, bufio.NewReader(over)}, over
}

func dialTLS(t *testing.T, s *Server, protos ...string) *client {
	t.Helper()
	c, _ := dial(t, s).secure(clientTLS(protos...))
	return c
}

// refusals gathers what a Server tells of heads that it refused.
type refusals struct {
	mu  sync.Mutex
	all []Refused
}

func (r *refusals) add(one Refused) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, one)
}

// take returns what was told since the last call.
func (r *refusals) take() []Refused {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.all
	r.all = nil
	return all
}

// alive fails the test where the Server does not answer a new visitor.
func alive(t *testing.T, c *client) {
	t.Helper()
	c.send("GET /alive HTTP/1.1\nHost: a\nConnection: close\n\n")
	if res, _ := c.answer("GET"); res.StatusCode != 200 {
		t.Errorf("a neighbour got %d", res.StatusCode)
	}
	io.Copy(io.Discard, c.br)
}

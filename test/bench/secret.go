//go:build linux

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// host is the name that everybody asks for, and the certificate is for.
const host = "bench.example"

// credentials are one certificate, which all proxies show, in files.
type credentials struct {
	cert, key, both string // both: one after the other in one file
	visitors        *tls.Config
}

// newCredentials makes a certificate with a key on P-256 in a folder.
func newCredentials(dir string) (*credentials, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), DNSNames: []string{host}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	c := &credentials{visitors: &tls.Config{RootCAs: x509.NewCertPool(), ServerName: host, MinVersion: tls.VersionTLS13}}
	c.visitors.RootCAs.AddCert(parsed)
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	secret := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	for _, f := range []struct {
		path       *string
		name, text string
	}{{&c.cert, "site.crt", certificate}, {&c.key, "site.key", secret}, {&c.both, "site.pem", certificate + secret}} {
		if *f.path, err = write(dir, f.name, f.text); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// speaking returns what visitors of one protocol believe.
func (c *credentials) speaking(protocol string) *tls.Config {
	config := c.visitors.Clone()
	config.NextProtos = []string{protocol}
	return config
}

// shake has a connection speak TLS, of which everybody must have agreed on the same.
func shake(c net.Conn, config *tls.Config) (net.Conn, error) {
	s := tls.Client(c, config)
	if err := s.Handshake(); err != nil {
		_ = c.Close()
		return nil, err
	}
	agreed := s.ConnectionState()
	if agreed.CipherSuite != tls.TLS_AES_128_GCM_SHA256 || agreed.NegotiatedProtocol != config.NextProtos[0] {
		_ = s.Close()
		return nil, fmt.Errorf("agreed on %s and %q", tls.CipherSuiteName(agreed.CipherSuite), agreed.NegotiatedProtocol)
	}
	return s, nil
}

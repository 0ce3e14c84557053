package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"path/filepath"
	"testing"
	"time"
)

// authority is a CA that nobody else knows.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newAuthority makes one, whose certificate is in the file NAME.crt of a folder of its own.
func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.cert, a.key = a.sign(t, name, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(240 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// sign makes a certificate and its key, in the files NAME.crt and NAME.key.
func (a *authority) sign(t *testing.T, name string, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, by := a.cert, a.key
	if parent == nil {
		parent, by = c, key
	}
	c.SerialNumber, c.NotBefore = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, a.file(name+".crt"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	writeFile(t, a.file(name+".key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return signed, key
}

// TestTheStoreByTLS: a store behind a private CA that wants a certificate of its visitors, and a file that names another CA.
func TestTheStoreByTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	ends := time.Now().Add(36 * time.Hour).Truncate(time.Second)
	ca.sign(t, "store", &x509.Certificate{DNSNames: []string{"store.internal"}, NotAfter: ends})
	ca.sign(t, "gatehouse", &x509.Certificate{Subject: pkix.Name{CommonName: "gatehouse"}, NotAfter: ends.Add(24 * time.Hour)})
	port := freePort(t)
	store := startRedis(t, "--tls-port", port, "--tls-cert-file", ca.file("store.crt"), "--tls-key-file", ca.file("store.key"),
		"--tls-ca-cert-file", ca.file("ca.crt"), "--tls-auth-clients", "yes")
	a := startApp(t, store.address(), ordinary)
	s := site{
		backend: a.URL, store: "127.0.0.1:" + port,
		redis: fmt.Sprintf("tls: {ca_file: %q, server_name: store.internal, cert_file: %q, key_file: %q}",
			ca.file("ca.crt"), ca.file("gatehouse.crt"), ca.file("gatehouse.key")),
	}
	g := startGatehouse(t, s.text())
	if got := g.storeState(t); got != "writable" {
		t.Fatalf("the store by TLS is %s: %s", got, g.log())
	}
	mustSignIn(t, g.url)
	if got := g.metric(t, `gatehouse_store_tls_cert_not_after_seconds{store="store"}`); int64(got) != ends.Unix() {
		t.Errorf("gatehouse_store_tls_cert_not_after_seconds is %.0f; want %d", got, ends.Unix())
	}
	if got := g.storeStatus(t).CertNotAfter; !got.Equal(ends) {
		t.Errorf("/status says that the certificate ends at %v; want %v", got, ends)
	}
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, patience, "a fault is seen by TLS, too", func() bool { return g.storeState(t) == "read-only" })
	store.do("REPLICAOF", "NO", "ONE")
	eventually(t, patience, "and its end", func() bool { return g.storeState(t) == "writable" })

	file := filepath.Join(t.TempDir(), "gatehouse.yaml")
	for _, redis := range []string{"tls: true", fmt.Sprintf("tls: {ca_file: %q}", ca.file("ca.crt"))} {
		s.redis = redis
		writeFile(t, file, s.text())
		if code, stdout, stderr := command(t, "check", file); code != 0 {
			t.Errorf("%s: gatehouse check: exit code %d\n%s%s", redis, code, stdout, stderr)
		}
	}
	for name, redis := range map[string]string{
		"another CA":   fmt.Sprintf("tls: {ca_file: %q, server_name: store.internal, cert_file: %q, key_file: %q}", newAuthority(t, "other").file("other.crt"), ca.file("gatehouse.crt"), ca.file("gatehouse.key")),
		"another name": fmt.Sprintf("tls: {ca_file: %q, cert_file: %q, key_file: %q}", ca.file("ca.crt"), ca.file("gatehouse.crt"), ca.file("gatehouse.key")),
	} {
		s.redis = redis
		wrong := startGatehouse(t, s.text())
		eventually(t, patience, name+" is named as the cause", func() bool {
			at := wrong.storeStatus(t)
			return at.Observed == "down" && at.ObservedCause == "tls"
		})
	}
}

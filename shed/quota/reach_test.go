package quota

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/shed"
)

// serves checks that quotas are counted there.
func serves(t *testing.T, s *Shared) {
	t.Helper()
	eventually(t, "up", func() bool {
		if st := s.Status(); st.LastError != nil {
			t.Fatal(st.LastError)
		}
		return s.Status().Up
	})
	l := New(hourly(s, 3))
	c, _ := l.Take(t.Context(), TextKey(t.Name()))
	c.Refund()
	if got := take(l, TextKey(t.Name()), 9); got != 3 || s.Status().StandIns+s.Status().LostRefunds > 0 {
		t.Errorf("%d passed, %+v", got, s.Status())
	}
}

func TestASocketAndADatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.sock")
	n := serve(t, "--unixsocket", path)
	serves(t, n.with(SharedSettings{Address: path, DB: 3, Timeout: patient}))
	n.do("select", 3)
	if keys := n.keys(); len(keys) != 1 {
		t.Errorf("%q", keys)
	}
}

// A user who may do what is documented, and nothing else.
func TestTheLeastAnACLMustAllow(t *testing.T) {
	n := serve(t)
	n.do("acl", "setuser", "gatehouse", "on", ">secret", "~gatehouse:quota:*", "+ping", "+eval", "+evalsha", "+time", "+get", "+set", "+del")
	secret := func() (string, error) { return "secret", nil }
	s := n.with(SharedSettings{Username: "gatehouse", Password: secret, Timeout: patient})
	serves(t, s)
	n.do("script", "flush")
	if take(New(hourly(s, 5)), TextKey("another"), 9) != 5 || s.Status().StandIns > 0 {
		t.Errorf("%+v", s.Status())
	}
	other := n.with(SharedSettings{Username: "gatehouse", Password: func() (string, error) { return "hunter-two", nil }})
	eventually(t, "the password is wrong", func() bool { return other.Status().Cause == shed.CauseProberAuth })
	if text := other.Status().LastError.Error(); strings.Contains(text, "hunter-two") {
		t.Error(text)
	}
}

func TestTLS(t *testing.T) {
	port := freePort(t)
	cert, key, roots := certificate(t)
	n := serve(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no")
	addr := net.JoinHostPort("127.0.0.1", port)
	serves(t, n.with(SharedSettings{Address: addr, TLS: &tls.Config{RootCAs: roots}, Timeout: patient}))
	for name, set := range map[string]SharedSettings{
		"nobody's authority": {Address: addr, TLS: &tls.Config{}},
		"another name":       {Address: addr, TLS: &tls.Config{RootCAs: roots, ServerName: "another.test"}},
		"no TLS at all":      {Address: n.addr(), TLS: &tls.Config{RootCAs: roots}},
	} {
		s := n.with(set)
		eventually(t, name, func() bool { return s.Status().LastError != nil })
		if st := s.Status(); st.Cause != shed.CauseTLS || st.Up {
			t.Errorf("%s: %v, %v", name, st.Cause, st.LastError)
		}
	}
}

// certificate makes one for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "store"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(cert, public, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(public)
	return cert, key, roots
}

// A visitor who has gone is not waited for.
func TestAVisitorWhoHasGone(t *testing.T) {
	n := serve(t)
	s := n.sharing(patient)
	l := New(hourly(s, 3))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	from := time.Now()
	for range 3 {
		if _, wait := l.Take(ctx, TextKey("a")); wait > 0 {
			t.Error("refused")
		}
	}
	if took := time.Since(from); took > patient/2 {
		t.Errorf("took %v", took)
	}
	if got := take(l, TextKey("a"), 3); got != 0 {
		t.Errorf("%d passed: what he took was not counted", got)
	}
}

// While the store is away a known key costs no allocation, and neither does a local one.
func TestAwayCostsNoAllocation(t *testing.T) {
	s := NewShared(SharedSettings{Address: "127.0.0.1:1"})
	defer s.Close()
	eventually(t, "refused", func() bool { return s.Status().LastError != nil })
	l, ctx, k := New(Settings{Name: "q", Rate: 1e9, Burst: 1e9, Shared: s}), context.Background(), AddrKey(netip.MustParseAddr("192.0.2.1"))
	l.TakeStrictly(ctx, k)
	// The goroutine that tries to connect allocates, too, now and then.
	if n := testing.AllocsPerRun(100_000, func() {
		c, _ := l.Take(ctx, k)
		c.Refund()
		c, _ = l.TakeStrictly(ctx, k)
		c.Refund()
	}); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}

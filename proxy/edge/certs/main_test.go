package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Of pebble, which is in this process: challenges at once, and each time, no order posted twice, and no word of its settings.
	os.Setenv("PEBBLE_VA_NOSLEEP", "1")
	os.Setenv("PEBBLE_AUTHZREUSE", "0")
	os.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	log.SetOutput(io.Discard)
	// Its validators are never stopped.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/letsencrypt/pebble/v2/va.VAImpl.processTasks"))
}

const patience = 20 * time.Second

// quick is a pace for tests with real servers.
var quick = pace{look: 20 * time.Millisecond, round: 50 * time.Millisecond, retry: 200 * time.Millisecond, attempt: patience,
	reach: 2 * time.Second, settle: 100 * time.Millisecond, preload: time.Second, most: 8}

// keep makes a Keeper that is closed when the test ends.
func keep(t *testing.T) (*Keeper, *logged) {
	t.Helper()
	said := new(logged)
	k := New(slog.New(slog.NewTextHandler(said, nil)))
	k.pace = quick
	t.Cleanup(k.Close)
	return k, said
}

// commit plans and commits, and returns the warnings.
func commit(t *testing.T, k *Keeper, s Settings) []string {
	t.Helper()
	c, err := k.Plan(s)
	if err != nil {
		t.Fatal(err)
	}
	c.Commit()
	return c.Warnings
}

// logged is a log that can be read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// lines counts those that hold text.
func (l *logged) lines(text string) int {
	n := 0
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// eventually polls until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("did not happen: %s", what)
}

// made is a certificate that signs itself, or that issuer signs.
type made struct {
	cert    *x509.Certificate
	key     *ecdsa.PrivateKey
	certPEM []byte
	keyPEM  []byte
}

func mint(t *testing.T, issuer *made, from, until time.Time, names ...string) *made {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, NotBefore: from, NotAfter: until, DNSNames: names,
		Subject: pkix.Name{CommonName: "made for a test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true, IsCA: issuer == nil, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	m := &made{key: key}
	if m.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	m.certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	m.keyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	return m
}

// today makes one that is valid for a month.
func today(t *testing.T, names ...string) *made {
	t.Helper()
	return mint(t, nil, time.Now().Add(-time.Hour), time.Now().Add(30*24*time.Hour), names...)
}

// tls is it as a client or a server holds it.
func (m *made) tls() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{m.cert.Raw}, PrivateKey: m.key, Leaf: m.cert}
}

// file writes it into dir and says where.
func (m *made) file(t *testing.T, dir, name string) File {
	t.Helper()
	f := File{filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")}
	write(t, f.CertFile, m.certPEM)
	write(t, f.KeyFile, m.keyPEM)
	return f
}

// write replaces a file, as whoever writes into it does.
func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// listen takes connections with cfg until the test ends, and says hello on each.
func listen(t *testing.T, cfg *tls.Config) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(patience))
				if _, err := c.Write([]byte("hello")); err == nil {
					c.Read(make([]byte, 1))
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().String()
}

// meet shakes hands as a client that believes everything unless cfg says more, and hears the hello.
func meet(address string, cfg *tls.Config) (tls.ConnectionState, error) {
	if cfg.RootCAs == nil {
		cfg = cfg.Clone()
		cfg.InsecureSkipVerify = true
	}
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", address, cfg)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if cfg.NextProtos == nil {
		if _, err := c.Read(make([]byte, 5)); err != nil {
			return tls.ConnectionState{}, err
		}
	}
	return c.ConnectionState(), nil
}

// shows is the certificate that a listener shows to whoever asks for name; nil: none.
func shows(address, name string) *x509.Certificate {
	state, err := meet(address, &tls.Config{ServerName: name})
	if err != nil {
		return nil
	}
	return state.PeerCertificates[0]
}

func tlsName(name string) *tls.Config { return &tls.Config{ServerName: name} }

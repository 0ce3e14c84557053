package test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// directory is a real ACME server (pebble), whose idea of the world is that every name leads to this machine. It can be away.
type directory struct {
	t       *testing.T
	own     *authority // of its own HTTPS
	address string
	roots   *x509.CertPool // of the certificates that it issues
	handler http.Handler

	server *http.Server // nil: away
	mu     sync.Mutex
	orders int // certificates that were asked for
}

// newOrder is the path at which pebble takes wishes for certificates.
const newOrder = "/order-plz"

// hasty has pebble neither dawdle nor fail at random. It reads that from its environment.
var hasty = sync.OnceValue(func() error {
	for name, value := range map[string]string{"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
})

// newDirectory returns one that is away. It looks for answers to its challenges at these two addresses, and issues certificates
// that are valid for so long.
func newDirectory(t *testing.T, open, secret string, valid time.Duration) *directory {
	t.Helper()
	if err := hasty(); err != nil {
		t.Fatal(err)
	}
	d := &directory{t: t, own: newAuthority(t, "directory-ca"), address: loopback(t), roots: x509.NewCertPool()}
	d.own.sign(t, "directory", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(24 * time.Hour)})
	quiet := log.New(io.Discard, "", 0)

	resolver := loopback(t)
	names, err := challtestsrv.New(challtestsrv.Config{Log: quiet, DNSAddrs: []string{resolver}})
	if err != nil {
		t.Fatal(err)
	}
	names.SetDefaultDNSIPv6("")
	go names.Run()
	t.Cleanup(names.Shutdown)
	eventually(t, patience, "the resolver answers", func() bool {
		c, err := net.Dial("tcp", resolver)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})

	store := db.NewMemoryStore()
	issuer := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: uint64(valid / time.Second)}})
	d.roots.AddCert(issuer.GetRootCert(0).Cert)
	validator := va.New(quiet, port(t, open), port(t, secret), false, resolver, store)
	front := wfe.New(quiet, store, validator, issuer, []string{"pebble.example"}, false, false, 1, 1)
	all := front.Handler()
	d.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == newOrder {
			d.mu.Lock()
			d.orders++
			d.mu.Unlock()
		}
		all.ServeHTTP(w, r)
	})
	t.Cleanup(d.leave)
	return d
}

func port(t *testing.T, address string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(address)
	n, bad := strconv.Atoi(text)
	if err != nil || bad != nil {
		t.Fatalf("no port in %s", address)
	}
	return n
}

// come has the directory be there.
func (d *directory) come() {
	d.t.Helper()
	l, err := net.Listen("tcp", d.address)
	if err != nil {
		d.t.Fatal(err)
	}
	s := &http.Server{
		Handler: d.handler, ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{d.own.pair(d.t, "directory")}},
	}
	d.server = s
	go func() { _ = s.ServeTLS(l, "", "") }()
}

// leave has it be away: nobody listens there any more.
func (d *directory) leave() {
	if d.server != nil {
		_ = d.server.Close()
		d.server = nil
	}
}

// ordered is how many certificates were asked for.
func (d *directory) ordered() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.orders
}

// file is the section acme of a Gatehouse that keeps what it is given where the keys in keep say. more are further keys.
func (d *directory) file(keep, more string) string {
	return fmt.Sprintf("acme: {email: ops@gatehouse.example, directory: \"https://%s%s\", ca_file: %q, %s%s}\n",
		d.address, wfe.DirectoryPath, d.own.file("directory-ca.crt"), keep, more)
}

// folder is the key of a folder that nobody else has.
func folder(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("folder: %q", filepath.Join(t.TempDir(), "acme"))
}

// serves returns the certificate that a listener shows for a name, which the directory must have issued; nil where it shows none.
func (d *directory) serves(address, name string) *x509.Certificate {
	seen, err := handshake(address, &tls.Config{RootCAs: d.roots, ServerName: name})
	if err != nil {
		return nil
	}
	return seen.PeerCertificates[0]
}

// issued waits until a listener shows a certificate of the directory's for a name.
func (d *directory) issued(address, name string, within time.Duration) *x509.Certificate {
	d.t.Helper()
	var c *x509.Certificate
	eventually(d.t, within, "a certificate for "+name+" is served", func() bool {
		c = d.serves(address, name)
		return c != nil
	})
	return c
}

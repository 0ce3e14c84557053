package certs

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestShown shows each name its certificate, and everybody else the first of the listener.
func TestShown(t *testing.T) {
	dir := t.TempDir()
	k, _ := keep(t)
	a, b, wild, expired := today(t, "a.test", "www.a.test"), today(t, "B.test"), today(t, "*.w.test"),
		mint(t, nil, time.Now().Add(-time.Hour), time.Now().Add(-time.Minute), "b.test")
	files := []File{a.file(t, dir, "a"), expired.file(t, dir, "expired"), b.file(t, dir, "b"), wild.file(t, dir, "wild")}
	hidden := today(t, "hidden.test").file(t, dir, "hidden")
	commit(t, k, Settings{Files: append(slices.Clone(files), hidden)})
	address := listen(t, k.Config(ClientAuth{}, 0, Names{Files: files}))
	second := listen(t, k.Config(ClientAuth{}, 0, Names{Files: files[3:]}))
	for name, want := range map[string]*made{"a.test": a, "www.a.test": a, "WWW.A.TEST": a, "a.test.": a, "b.test": b, "x.w.test": wild,
		"y.x.w.test": a, "w.test": a, "": a, "unknown.test": a, "hidden.test": a} {
		if leaf := shows(address, name); leaf == nil || !leaf.Equal(want.cert) {
			t.Errorf("%q is shown %v", name, leaf)
		}
	}
	if leaf := shows(second, "a.test"); leaf == nil || !leaf.Equal(wild.cert) {
		t.Errorf("the second listener shows %v", leaf)
	}
	none := listen(t, k.Config(ClientAuth{}, 0, Names{}))
	if _, err := meet(none, tlsName("a.test")); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("a listener without certificates: %v", err)
	}
}

// TestOldClients shows those that know only RSA the RSA key's certificate of two for a name.
func TestOldClients(t *testing.T) {
	dir := t.TempDir()
	k, _ := keep(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rsa"}, DNSNames: []string{"a.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	old := File{filepath.Join(dir, "rsa.pem"), filepath.Join(dir, "rsa.key")}
	write(t, old.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, old.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	files := []File{today(t, "a.test").file(t, dir, "new"), old}
	commit(t, k, Settings{Files: files})
	address := listen(t, k.Config(ClientAuth{}, 0, Names{Files: files}))
	for _, name := range []string{"a.test", ""} {
		state, err := meet(address, &tls.Config{ServerName: name, MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}})
		if err != nil || state.PeerCertificates[0].PublicKeyAlgorithm != x509.RSA {
			t.Errorf("%q: an old client: %v", name, err)
		}
		if leaf := shows(address, name); leaf == nil || leaf.PublicKeyAlgorithm != x509.ECDSA {
			t.Errorf("%q: a new client is shown %v", name, leaf)
		}
	}
}

func TestVersions(t *testing.T) {
	k, _ := keep(t)
	f := today(t, "a.test").file(t, t.TempDir(), "a")
	commit(t, k, Settings{Files: []File{f}})
	names := Names{Files: []File{f}}
	usual, strict := listen(t, k.Config(ClientAuth{}, 0, names)), listen(t, k.Config(ClientAuth{}, tls.VersionTLS13, names))
	for _, c := range []struct {
		address string
		most    uint16
		ok      bool
	}{{usual, tls.VersionTLS11, false}, {usual, tls.VersionTLS12, true}, {usual, tls.VersionTLS13, true},
		{strict, tls.VersionTLS12, false}, {strict, tls.VersionTLS13, true}} {
		_, err := meet(c.address, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: c.most})
		if (err == nil) != c.ok {
			t.Errorf("version %x: %v", c.most, err)
		}
	}
}

// TestClients asks for client certificates, takes those of its authority, and reads that again on reload.
func TestClients(t *testing.T) {
	dir := t.TempDir()
	k, _ := keep(t)
	authority, stranger := today(t), today(t)
	good, bad := mint(t, authority, time.Now().Add(-time.Hour), time.Now().Add(time.Hour)).tls(),
		mint(t, stranger, time.Now().Add(-time.Hour), time.Now().Add(time.Hour)).tls()
	f, ca := today(t, "a.test").file(t, dir, "a"), authority.file(t, dir, "ca").CertFile
	must, may := ClientAuth{ca, true}, ClientAuth{ca, false}
	set := Settings{Files: []File{f}, Clients: []ClientAuth{must, may}}
	names := Names{Files: []File{f}}
	commit(t, k, set)
	try := func(address string, with *tls.Certificate) bool {
		cfg := new(tls.Config)
		if with != nil {
			cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return with, nil }
		}
		_, err := meet(address, cfg)
		return err == nil
	}
	strict, lenient := listen(t, k.Config(must, 0, names)), listen(t, k.Config(may, 0, names))
	for _, c := range []struct {
		what    string
		address string
		with    *tls.Certificate
		ok      bool
	}{{"required and good", strict, &good, true}, {"required and another's", strict, &bad, false}, {"required and none", strict, nil, false},
		{"good", lenient, &good, true}, {"another's", lenient, &bad, false}, {"none", lenient, nil, true}} {
		if try(c.address, c.with) != c.ok {
			t.Errorf("%s: taken %v", c.what, !c.ok)
		}
	}
	write(t, ca, stranger.certPEM)
	commit(t, k, set)
	after := listen(t, k.Config(must, 0, names))
	if try(after, &good) || !try(after, &bad) {
		t.Error("the authority was not read again")
	}
	unread := listen(t, k.Config(ClientAuth{filepath.Join(dir, "none"), true}, 0, names))
	if try(unread, &good) || try(unread, nil) {
		t.Error("a listener whose authority cannot be read lets somebody in")
	}
}

// TestTickets lets sessions come back after a reload, but not where a client certificate is wanted that they never showed.
func TestTickets(t *testing.T) {
	dir := t.TempDir()
	k, _ := keep(t)
	authority := today(t)
	f, ca := today(t, "a.test").file(t, dir, "a"), authority.file(t, dir, "ca").CertFile
	set := Settings{Files: []File{f}, Clients: []ClientAuth{{ca, true}, {ca, false}}}
	names := Names{Files: []File{f}}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		commit(t, k, set)
		before := k.Config(ClientAuth{}, 0, names)
		client := &tls.Config{ServerName: "a.test", MaxVersion: version, ClientSessionCache: sessions{new(*tls.ClientSessionState)}}
		if state, err := meet(listen(t, before), client); err != nil || state.DidResume {
			t.Fatalf("first: %v", err)
		}
		commit(t, k, set)
		if state, err := meet(listen(t, k.Config(ClientAuth{}, 0, names).Clone()), client); err != nil || !state.DidResume {
			t.Errorf("version %x: no session comes back after a reload: %v", version, err)
		}
		if state, err := meet(listen(t, k.Config(ClientAuth{ca, true}, 0, names)), client); err == nil || state.DidResume {
			t.Errorf("version %x: a session came back without the certificate that is required", version)
		}
	}
	// Nor one whose certificate is of an authority that is trusted no more.
	good := mint(t, authority, time.Now().Add(-time.Hour), time.Now().Add(time.Hour)).tls()
	client := &tls.Config{ServerName: "a.test", ClientSessionCache: sessions{new(*tls.ClientSessionState)},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &good, nil }}
	if _, err := meet(listen(t, k.Config(ClientAuth{ca, true}, 0, names)), client); err != nil {
		t.Fatal(err)
	}
	if state, err := meet(listen(t, k.Config(ClientAuth{ca, true}, 0, names)), client); err != nil || !state.DidResume {
		t.Errorf("no session with a client certificate comes back: %v", err)
	}
	write(t, ca, today(t).certPEM)
	commit(t, k, set)
	if state, err := meet(listen(t, k.Config(ClientAuth{ca, true}, 0, names)), client); err == nil || state.DidResume {
		t.Error("a session came back whose certificate's authority is trusted no more")
	}
}

// sessions keeps one session, whatever the address.
type sessions struct{ one **tls.ClientSessionState }

func (s sessions) Get(string) (*tls.ClientSessionState, bool) { return *s.one, *s.one != nil }
func (s sessions) Put(_ string, one *tls.ClientSessionState)  { *s.one = one }

// TestPicksWithoutWaste keeps what each handshake asks for cheap.
func TestPicksWithoutWaste(t *testing.T) {
	k, _ := keep(t)
	f := today(t, "a.test").file(t, t.TempDir(), "a")
	commit(t, k, Settings{Files: []File{f}})
	cfg := k.Config(ClientAuth{}, 0, Names{Files: []File{f}})
	hello := &tls.ClientHelloInfo{ServerName: "a.test"}
	if n := testing.AllocsPerRun(100, func() {
		if cert, err := cfg.GetCertificate(hello); cert == nil || err != nil {
			t.Fatal("no certificate")
		} else if _, ok := cert.PrivateKey.(*ecdsa.PrivateKey); !ok {
			t.Fatal("no key")
		}
	}); n > 0 {
		t.Errorf("%v allocations for a handshake's certificate", n)
	}
}

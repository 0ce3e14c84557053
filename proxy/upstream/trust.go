package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"
)

// TLS is how backends prove who they are, and Gatehouse to them. The zero value: by the system's authorities, the name in the
// backend's address, and without a certificate of our own.
//
// The files are read when a Pool is made or Set, and again when they have changed: a new connection looks at them, once a second
// at the most. Connections made with what they said before take no further requests. Files that cannot be used then leave
// what was read last in place, and show in LastError.
type TLS struct {
	CAFile     string // authorities in PEM; "": the system's
	ServerName string // the name that certificates must have; "": the host of the backend's address
	CertFile   string // a client certificate in PEM, with its chain; "": none
	KeyFile    string // its key
}

// Check reports whether the files can be used now. A nil t is well.
func (t *TLS) Check() error {
	if t == nil {
		return nil
	}
	c, err := t.load()
	if err != nil {
		return err
	}
	if len(c.Certificates) == 0 {
		return nil
	}
	switch leaf, now := c.Certificates[0].Leaf, time.Now(); {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("cert_file %s: it was valid until %s", t.CertFile, leaf.NotAfter.Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("cert_file %s: it is valid from %s", t.CertFile, leaf.NotBefore.Format(time.RFC3339))
	}
	return nil
}

// load reads the files. All that is wrong is said at once.
func (t *TLS) load() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	var errs []error
	if t.CAFile != "" {
		text, err := os.ReadFile(t.CAFile)
		if err != nil {
			errs = append(errs, fmt.Errorf("ca_file: %w", err))
		} else if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(text) {
			errs = append(errs, fmt.Errorf("ca_file %s: no certificate in it; want PEM", t.CAFile))
		}
	}
	if t.CertFile != "" || t.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			errs = append(errs, fmt.Errorf("cert_file %s, key_file %s: %w", t.CertFile, t.KeyFile, err))
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, errors.Join(errs...)
}

// trust is what was read of the files of a TLS. It is not changed once made, and safe for concurrent use.
type trust struct {
	files  TLS
	proto  string         // by ALPN
	config *tls.Config    // nil: the files could not be used yet
	err    error          // why
	seen   [3]os.FileInfo // nil: there was none
}

func newTrust(files TLS, streams bool) *trust {
	proto := "http/1.1"
	if streams {
		proto = "h2"
	}
	t := &trust{files: files, proto: proto}
	t.read()
	return t
}

// read fills in what the files say. They are looked at before they are read: what changes in between is read again.
func (t *trust) read() {
	t.seen = t.look()
	if t.config, t.err = t.files.load(); t.err != nil {
		t.config = nil
		return
	}
	t.config.NextProtos = []string{t.proto}
}

func (t *trust) look() (all [3]os.FileInfo) {
	for i, name := range []string{t.files.CAFile, t.files.CertFile, t.files.KeyFile} {
		if name == "" {
			continue
		}
		if info, err := os.Stat(name); err == nil {
			all[i] = info
		}
	}
	return all
}

// changed reports whether a file is another one than was read.
func (t *trust) changed() bool {
	for i, now := range t.look() {
		was := t.seen[i]
		switch {
		case now == nil && was == nil:
		case now == nil, was == nil, !os.SameFile(now, was), now.Size() != was.Size(), !now.ModTime().Equal(was.ModTime()):
			return true
		}
	}
	return false
}

// renew returns t, or where the files have changed what they say now. With an error t is still good, if it was.
func (t *trust) renew() (*trust, error) {
	if t.err == nil && !t.changed() {
		return t, nil
	}
	next := &trust{files: t.files, proto: t.proto}
	if next.read(); next.err != nil {
		return t, next.err
	}
	return next, nil
}

// join makes TLS of a socket, within ctx.
func (t *trust) join(ctx context.Context, s *socket) (*secure, error) {
	if t.config == nil {
		return nil, t.err
	}
	c := tls.Client(s, t.config)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, t.explain(err)
	}
	if got := c.ConnectionState().NegotiatedProtocol; t.proto == "h2" && got != "h2" {
		return nil, errors.New("tls: the backend does not offer HTTP/2 (ALPN h2)")
	}
	return &secure{Conn: c, s: s}, nil
}

// explain says what a failed handshake means to an operator.
func (t *trust) explain(err error) error {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority) && t.files.CAFile != "":
		return fmt.Errorf("tls: the backend's certificate is not by an authority in %s: %w", t.files.CAFile, err)
	case errors.As(err, &authority):
		return fmt.Errorf("tls: the backend's certificate is not by an authority of the system: %w", err)
	case errors.As(err, &name):
		return fmt.Errorf("tls: the backend's certificate is for another name than %s: %w", t.files.ServerName, err)
	case errors.As(err, &invalid):
		return fmt.Errorf("tls: the backend's certificate is not valid: %w", err)
	}
	return fmt.Errorf("tls: no handshake: %w", err)
}

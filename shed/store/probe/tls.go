package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// TLS is how a store is reached over TLS 1.2 or later. The files are PEM and read anew for each new connection, so they may be
// replaced in place; the value itself must stay. The zero value believes the system's roots, expects the host of Address and
// shows no certificate.
type TLS struct {
	CAFile            string // whose certificates are believed; empty: those the system believes
	ServerName        string // the name in the store's certificate; empty: the host of Address
	CertFile, KeyFile string // shown where the store asks for a certificate; both, or neither
}

var (
	errSettings  = errors.New("the TLS settings cannot be used")
	errHandshake = errors.New("the TLS handshake failed")
	errAsked     = errors.New("the store asked for a certificate and took none")
)

// Check says whether the files can be used now, for a store at that host.
func (t *TLS) Check(host string) error {
	_, err := t.Config(host)
	return err
}

// Config reads the files, for a server at that host. The caller owns what it returns.
func (t *TLS) Config(host string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if c.ServerName == "" {
		c.ServerName = host
	}
	if c.ServerName == "" {
		return nil, fmt.Errorf("%w: there is no name to look for in the store's certificate", errSettings)
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errSettings, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w: %s holds no certificate", errSettings, t.CAFile)
		}
	}
	if t.CertFile != "" || t.KeyFile != "" {
		own, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errSettings, err)
		}
		c.Certificates = []tls.Certificate{own}
	}
	return c, nil
}

// secure makes the handshake over a new connection, and says when the certificate ends that the store showed. It closes conn
// where it fails.
func secure(ctx context.Context, conn net.Conn, c *tls.Config) (net.Conn, time.Time, error) {
	asked := false
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		asked = true
		if len(c.Certificates) == 0 {
			return &tls.Certificate{}, nil
		}
		return &c.Certificates[0], nil
	}
	over := tls.Client(conn, c)
	if err := over.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		if asked && alerted(err) != nil { // TLS 1.2 has no alert of its own for a certificate that is missing
			err = fmt.Errorf("%w: %w", errAsked, err)
		}
		return nil, time.Time{}, fmt.Errorf("%w: %w", errHandshake, err)
	}
	return over, ends(over.ConnectionState().VerifiedChains...), nil
}

// ends is when the last of the chains ends; a chain ends with the first of its certificates.
func ends(chains ...[]*x509.Certificate) (last time.Time) {
	for _, chain := range chains {
		var end time.Time
		for _, cert := range chain {
			if end.IsZero() || cert.NotAfter.Before(end) {
				end = cert.NotAfter
			}
		}
		if end.After(last) {
			last = end
		}
	}
	return last
}

// handshaken is the evidence of a handshake that failed. shook: another has succeeded before, so that a connection which is cut
// without a word says nothing about TLS: a server without a free slot does that, and a balancer with nobody behind it.
func handshaken(err error, shook bool) store.Evidence {
	e := store.Evidence{State: shed.Down, Cause: shed.CauseTLS, Err: err}
	var refused *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	switch {
	case ours(err):
		return oursRefused(err)
	case errors.As(err, &refused):
		e.Definite, e.Reached, e.Expires = true, true, ends(refused.UnverifiedCertificates)
	case errors.As(err, &plain):
		e.Definite, e.Reached = true, true
	case alerted(err) != nil:
		e.Reached = true
	case shook && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		e.Cause = shed.CauseRefused
	}
	return e
}

// oursRefused is the evidence of a store that refused the certificate that this process shows, or misses one: as with a
// password, that is ours and not the store's.
func oursRefused(err error) store.Evidence {
	return store.Evidence{Cause: shed.CauseTLS, Definite: true, Reached: true, Err: err}
}

// alerted returns the alert with which the other side ended TLS, or nil.
func alerted(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return op.Err
	}
	return nil
}

// ours reports whether the other side refused our certificate, or misses one (RFC 8446, section 6.2).
func ours(err error) bool {
	if errors.Is(err, errAsked) {
		return true
	}
	alert := alerted(err)
	if alert == nil {
		return false
	}
	for _, about := range [...]tls.AlertError{
		42, 43, 44, 45, 46, 48, 49, // bad, unsupported, revoked, expired, unknown; of an unknown CA; access denied
		116, // required
	} {
		if alert.Error() == about.Error() {
			return true
		}
	}
	return false
}

// tlsAlert reports whether what a plain connection heard is how a TLS server refuses it: an alert record of TLS 1.x.
func tlsAlert(heard string) bool { return strings.HasPrefix(heard, "\x15\x03") }

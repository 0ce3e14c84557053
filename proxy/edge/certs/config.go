package certs

import (
	"crypto/tls"
	"crypto/x509"
	"time"
)

// Config is what one listener needs, to be made anew on each reload. minVersion 0 means TLS 1.2; cipher suites and curves are Go's.
// Whoever gets it may set NextProtos, before it is used; a challenge's handshake has its own.
//
// Certificates are found at each handshake among those of names that are there then: by the client's server name (RFC 6066 section
// 3), then by wildcard; whoever sends no name or an unknown one gets the listener's first certificate. A name that ACME has not
// brought a certificate for yet ends in the alert unrecognized_name, unless a file's covers it. A handshake that offers nothing but
// "acme-tls/1" is an ACME directory's (RFC 8737): it is answered where one is expected, without asking for client certificates, and
// the connection is of no further use.
//
// Session tickets are sealed with keys that all configurations of a Keeper share and that rotate: a reload loses none. A session
// without a good client certificate does not come back on a listener that wants one.
//
// Where c is not among the Settings in force, its CAFile is read here; if that fails no client is let in, or with Require unset none
// that shows a certificate.
func (k *Keeper) Config(c ClientAuth, minVersion uint16, names Names) *tls.Config {
	show := &shown{keeper: k, names: names}
	if minVersion == 0 {
		minVersion = tls.VersionTLS12
	}
	cfg := &tls.Config{
		MinVersion: minVersion,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return show.choice().pick(hello, time.Now()), nil
		},
		WrapSession:   k.tickets.EncryptTicket,
		UnwrapSession: k.tickets.DecryptTicket,
	}
	if c.CAFile != "" {
		cfg.ClientCAs = k.authorities(c)
		cfg.ClientAuth = tls.VerifyClientCertIfGiven
		if c.Require {
			cfg.ClientAuth = tls.RequireAndVerifyClientCert
		}
	}
	k.mu.Lock()
	alpn := k.alpn
	k.mu.Unlock()
	if alpn {
		challenge := &tls.Config{
			MinVersion:             tls.VersionTLS12,
			NextProtos:             []string{acmeTLS},
			GetCertificate:         k.challengeCertificate,
			SessionTicketsDisabled: true,
		}
		cfg.NextProtos = []string{acmeTLS}
		cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if isChallenge(hello) {
				return challenge, nil
			}
			return nil, nil
		}
	}
	return cfg
}

// acmeTLS is the protocol by which an ACME directory's handshake is known (RFC 8737 section 6.2).
const acmeTLS = "acme-tls/1"

func isChallenge(hello *tls.ClientHelloInfo) bool {
	return len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == acmeTLS
}

func (k *Keeper) authorities(c ClientAuth) *x509.CertPool {
	k.mu.Lock()
	p := k.clients[c]
	k.mu.Unlock()
	if p != nil {
		return p
	}
	p, _, err := pool(c.CAFile)
	if err != nil {
		k.log.Error("no client certificate is taken", "problem", err.Error())
		return x509.NewCertPool()
	}
	return p
}

func (k *Keeper) challengeCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c, ok := k.challenge(hostname(hello.ServerName), tlsALPN01)
	if !ok {
		return nil, nil
	}
	return c.certificate()
}

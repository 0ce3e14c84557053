package certs

import "crypto/tls"

// Settings is what the operator's file says of certificates, of all listeners together.
type Settings struct {
	Files   []File
	Domains []string     // by ACME: lower case, no wildcards, no IP addresses
	Clients []ClientAuth // of all listeners: their authorities are read when the rest is
	ACME    ACME         // not looked at without Domains
}

// File is one certificate with its chain, leaf first, and its key, both PEM. Paths are compared as they are written.
type File struct {
	CertFile, KeyFile string
}

// ACME is whose directory issues the certificates of Domains, and where they are kept.
type ACME struct {
	Email     string // for the account; may be empty. Having Domains means that the directory's terms are agreed to
	Directory string // its URL, https
	CAFile    string // PEM; who vouches for a private directory. Empty: the system's authorities
	Folder    string // absolute; made with mode 0700 where it is missing. Not looked at with Redis
	Redis     *Redis // where several Gatehouses keep them together; nil: Folder
	KeyPrefix string // of every key in Redis
	HTTP      bool   // there is a plain listener that asks Challenge: http-01 can be answered
	TLSALPN   bool   // there is a listener with TLS: tls-alpn-01 can be answered
}

// Redis is where certificates are kept that several Gatehouses show.
type Redis struct {
	Network  string                 // "tcp" (also "") or "unix"
	Address  string                 // host:port, or the path of a socket
	Username string                 // empty: the default user
	Password func() (string, error) // asked at each new connection, so that it may rotate; nil: none
	DB       int
	TLS      *tls.Config // nil: none. An empty ServerName means Address's host
}

// ClientAuth is what a listener asks of its visitors. The zero value asks for nothing.
type ClientAuth struct {
	CAFile  string // PEM; whose certificates are taken. Empty: none is asked for
	Require bool   // without one there is no connection; otherwise one that is shown must be good
}

// Names is which certificates a listener may show, in this order: Files before Domains.
type Names struct {
	Files   []File
	Domains []string
}

package certs

import (
	"crypto/tls"
	"strings"
	"sync/atomic"
	"time"
)

// table is all certificates there are now. It is never changed, only replaced.
type table struct {
	files   map[File]*tls.Certificate
	domains map[string]*tls.Certificate // those that are there
}

// shown is what one listener shows: its Names' part of the Keeper's table, sorted anew whenever the table is another.
type shown struct {
	keeper *Keeper
	names  Names
	now    atomic.Pointer[choice]
}

// choice is a table as one listener sees it. It is never changed.
type choice struct {
	of      *table
	all     []*tls.Certificate            // in the order of Names
	byName  map[string][]*tls.Certificate // lower case, wildcards as they are written
	managed map[string]bool               // by ACME, there or not
}

func (s *shown) choice() *choice {
	t := s.keeper.table.Load()
	if c := s.now.Load(); c != nil && c.of == t {
		return c
	}
	c := choose(t, s.names)
	s.now.Store(c)
	return c
}

func choose(t *table, names Names) *choice {
	c := &choice{of: t, byName: make(map[string][]*tls.Certificate), managed: make(map[string]bool, len(names.Domains))}
	for _, f := range names.Files {
		cert := t.files[f]
		if cert == nil {
			continue
		}
		c.all = append(c.all, cert)
		for _, name := range cert.Leaf.DNSNames {
			name = strings.ToLower(name)
			c.byName[name] = append(c.byName[name], cert)
		}
	}
	for _, name := range names.Domains {
		c.managed[name] = true
		if cert := t.domains[name]; cert != nil {
			c.all = append(c.all, cert)
			c.byName[name] = append(c.byName[name], cert)
		}
	}
	return c
}

// pick answers a ClientHello: by name, then by wildcard, then with the first certificate of the listener, as whoever sends no name
// or one that nobody knows gets. Where several would do, those come first that the client can use and that are valid now.
// nil: there is none, or the name is one that ACME has not brought a certificate for yet; another's would only hide that.
func (c *choice) pick(hello *tls.ClientHelloInfo, now time.Time) *tls.Certificate {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if found := c.byName[name]; len(found) > 0 {
		return best(found, hello, now)
	}
	if _, parent, ok := strings.Cut(name, "."); ok {
		if found := c.byName["*."+parent]; len(found) > 0 {
			return best(found, hello, now)
		}
	}
	if c.managed[name] || len(c.all) == 0 {
		return nil
	}
	return first(c.all, hello)
}

// best is the first that the client can use and that is valid now, or the first that it can use.
func best(among []*tls.Certificate, hello *tls.ClientHelloInfo, now time.Time) *tls.Certificate {
	if len(among) == 1 {
		return among[0]
	}
	for _, cert := range among {
		if now.Before(cert.Leaf.NotAfter) && !now.Before(cert.Leaf.NotBefore) && hello.SupportsCertificate(cert) == nil {
			return cert
		}
	}
	return first(among, hello)
}

// first is the first whose key the client can use, as one with an RSA key is for old clients. Names do not count here.
func first(among []*tls.Certificate, hello *tls.ClientHelloInfo) *tls.Certificate {
	nameless := *hello
	nameless.ServerName = ""
	for _, cert := range among {
		if len(among) > 1 && nameless.SupportsCertificate(cert) == nil {
			return cert
		}
	}
	return among[0]
}

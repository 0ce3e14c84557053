package certs

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Change is Settings that were read and found good. Exactly one of Commit and Discard ends it, and only one Change may be open
// at a time.
type Change struct {
	Warnings []string // each a line; what can be served is served

	keeper  *Keeper
	set     Settings
	pairs   map[File]*pair
	clients map[ClientAuth]*x509.CertPool
	roots   *x509.CertPool
	rootPEM string
}

// Plan reads what s names and touches nothing living. Its error is every mistake at once, one line each that says what to do.
// Files that are served already and have become unusable are a warning: what is served stays.
func (k *Keeper) Plan(s Settings) (*Change, error) {
	c := &Change{keeper: k, set: s, pairs: make(map[File]*pair), clients: make(map[ClientAuth]*x509.CertPool)}
	var wrong []error
	for _, f := range s.Files {
		if err := c.pair(f); err != nil {
			wrong = append(wrong, err)
		}
	}
	seen := make(map[string]*x509.CertPool)
	for _, client := range s.Clients {
		if _, done := seen[client.CAFile]; !done && client.CAFile != "" {
			p, _, err := pool(client.CAFile)
			if err != nil {
				wrong = append(wrong, err)
			}
			seen[client.CAFile] = p
		}
		c.clients[client] = seen[client.CAFile]
	}
	if len(s.Domains) > 0 {
		wrong = append(wrong, c.acme()...)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return c, nil
}

func (c *Change) warn(format string, args ...any) {
	c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...))
}

func (c *Change) pair(f File) error {
	if c.pairs[f] != nil {
		return nil
	}
	stamp := stampOf(f)
	cert, err := read(f)
	if err != nil {
		c.keeper.mu.Lock()
		living := c.keeper.pairs[f]
		c.keeper.mu.Unlock()
		if living == nil {
			return err
		}
		c.warn("%v; the certificate from before is served on", err)
		c.pairs[f] = living
		return nil
	}
	p := &pair{file: f, cert: cert, stamp: stamp, warned: dates(cert.Leaf, time.Now())}
	if p.warned != "" {
		c.warn("%s: the certificate %s", f.CertFile, p.warned)
	}
	if len(cert.Leaf.DNSNames) == 0 {
		c.warn("%s: the certificate has no names (subjectAltName), so that no browser takes it; have one made that names the site", f.CertFile)
	}
	c.pairs[f] = p
	return nil
}

func (c *Change) acme() (wrong []error) {
	set := &c.set.ACME
	for _, name := range c.set.Domains {
		if err := domain(name); err != nil {
			wrong = append(wrong, err)
		}
	}
	if u, err := url.Parse(set.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		wrong = append(wrong, fmt.Errorf("%q: this is no ACME directory; want an https URL", set.Directory))
	}
	if !set.HTTP && !set.TLSALPN {
		wrong = append(wrong, errors.New("no listener could answer the directory's challenges; want a plain listener that port 80 "+
			"reaches from outside (http-01), or one with tls that port 443 reaches (tls-alpn-01)"))
	}
	if set.CAFile != "" {
		roots, data, err := pool(set.CAFile)
		if err != nil {
			wrong = append(wrong, err)
		}
		c.roots, c.rootPEM = roots, string(data)
	}
	if set.Redis == nil {
		if err := c.folder(set.Folder); err != nil {
			wrong = append(wrong, err)
		}
	}
	return wrong
}

func domain(name string) error {
	switch {
	case strings.Contains(name, "*"):
		return fmt.Errorf("%q: a wildcard needs the DNS challenge, which is not built; want the names themselves", name)
	case net.ParseIP(name) != nil:
		return fmt.Errorf("%q: an IP address gets no certificate by ACME here; want a name", name)
	case name == "" || name != strings.ToLower(name) || strings.ContainsAny(name, "/\\: \t") || strings.HasPrefix(name, ".") ||
		strings.HasSuffix(name, ".") || strings.Contains(name, ".."):
		return fmt.Errorf("%q: this is no domain; want one like example.com, in lower case", name)
	}
	return nil
}

// folder looks whether the folder could be used. That it cannot is no mistake of the file: the certificates of files are served
// without it, and it is looked at again and again.
func (c *Change) folder(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%q: want the absolute path of a folder for keys and certificates", path)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		c.warn("%v", unwritable(path, err))
	case !info.IsDir():
		c.warn("%v", unwritable(path, errors.New("it is not a folder")))
	default:
		probe, err := os.CreateTemp(path, ".writable-*")
		if err != nil {
			c.warn("%v", unwritable(path, err))
			return nil
		}
		_ = probe.Close()
		_ = os.Remove(probe.Name())
		if info.Mode().Perm()&0o077 != 0 {
			c.warn("%s: others may look into the folder of keys; chmod 700 it", path)
		}
	}
	return nil
}

func unwritable(path string, err error) error {
	if inner := (*os.PathError)(nil); errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("%s: certificates cannot be kept there: %w; make it a folder that belongs to Gatehouse's user, mode 0700", path, err)
}

// Discard ends a Change that is not wanted.
func (c *Change) Discard() {}

// Commit puts a Change into force. Configurations that were made before show what their Names still have. Certificates by ACME that
// the new directory has not issued yet are served on if the old one's are there. What was waiting after a failure is tried
// again, as soon as the directory's limits leave room for it. It reads what is kept of new names, and waits for that no more than
// 3 s.
func (c *Change) Commit() {
	k := c.keeper
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		return
	}
	k.pairs, k.clients = c.pairs, c.clients
	k.order = k.order[:0:0]
	for _, f := range c.set.Files {
		if !slices.Contains(k.order, f) {
			k.order = append(k.order, f)
		}
	}
	k.alpn = len(c.set.Domains) > 0 && c.set.ACME.TLSALPN
	if k.stop == nil {
		ctx, stop := context.WithCancel(context.Background())
		k.stop = stop
		k.work.Go(func() { k.watch(ctx) })
	}
	before := k.acme
	k.mu.Unlock()

	after := c.renewer(before)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.acme = after
	k.publishLocked()
	if after != nil && !k.closed {
		after.start()
	}
}

// renewer is the one that goes on, the same where the directory and all else about it are.
func (c *Change) renewer(before *renewer) *renewer {
	k := c.keeper
	if len(c.set.Domains) == 0 {
		if before != nil {
			before.close()
		}
		return nil
	}
	key := keyOf(c.set.ACME, c.rootPEM)
	if before != nil && before.key == key {
		before.authority.(*directory).again(c.set.ACME)
		before.set(c.set.Domains)
		return before
	}
	if before != nil {
		before.close()
	}
	r := newRenewer(k.log, k.pace, newDirectory(k.log, k.pace, c.set.ACME, c.roots, &k.answers), k.publish)
	r.key = key
	r.inherit(before)
	r.set(c.set.Domains)
	return r
}

package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Keeper holds the certificates of a process. It is safe for concurrent use, survives every reload, and must be closed by who made
// it, after the listeners that use its configurations.
type Keeper struct {
	log     *slog.Logger
	pace    pace
	tickets *tls.Config // seals all listeners' session tickets, so that a reload loses none. Go rotates its keys
	table   atomic.Pointer[table]
	answers answers

	mu      sync.Mutex // of what a Change replaces
	pairs   map[File]*pair
	order   []File
	clients map[ClientAuth]*x509.CertPool
	acme    *renewer // nil: no Domains
	alpn    bool     // tls-alpn-01 is answered
	stop    context.CancelFunc
	work    sync.WaitGroup
	closed  bool
}

// New makes a Keeper that has nothing yet, and does nothing until the first Commit.
func New(log *slog.Logger) *Keeper {
	k := &Keeper{log: log, pace: usual, tickets: new(tls.Config)}
	k.table.Store(new(table))
	return k
}

// Close ends all that a Keeper does by itself and waits for it. What was asked of a directory is given up. The configurations go
// on with what there is.
func (k *Keeper) Close() {
	k.mu.Lock()
	k.closed = true
	stop, acme := k.stop, k.acme
	k.mu.Unlock()
	if stop != nil {
		stop()
	}
	if acme != nil {
		acme.close()
	}
	k.work.Wait()
}

// publish makes what pairs and the renewer have what listeners show.
func (k *Keeper) publish() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.publishLocked()
}

func (k *Keeper) publishLocked() {
	t := &table{files: make(map[File]*tls.Certificate, len(k.pairs))}
	for f, p := range k.pairs {
		t.files[f] = p.cert
	}
	if k.acme != nil {
		t.domains = k.acme.certificates()
	}
	k.table.Store(t)
}

// watch looks at the files until ctx ends.
func (k *Keeper) watch(ctx context.Context) {
	every := time.NewTicker(k.pace.look)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			k.look()
		}
	}
}

// look takes in what has changed in files. A pair that cannot be used, such as one half of which has been written, changes
// nothing and is said once; it is read again each time until it can. Files are read without mu: a disk may hang.
func (k *Keeper) look() {
	k.mu.Lock()
	pairs := make([]*pair, 0, len(k.order))
	for _, f := range k.order {
		pairs = append(pairs, k.pairs[f])
	}
	k.mu.Unlock()
	changed := false
	for _, p := range pairs {
		if stamp := stampOf(p.file); p.problem != "" || !stamp.same(p.stamp) {
			cert, err := read(p.file)
			changed = k.take(p, cert, err, stamp) || changed
		}
		if said := dates(p.cert.Leaf, time.Now()); said != p.warned {
			k.mu.Lock()
			p.warned = said
			k.mu.Unlock()
			if said != "" {
				k.log.Warn("a certificate is outside its time, or will be soon", "cert_file", p.file.CertFile,
					"names", p.cert.Leaf.DNSNames, "problem", "the certificate "+said)
			}
		}
	}
	if changed {
		k.publish()
	}
}

// take notes what came of reading a pair again, and reports whether there is another certificate.
func (k *Keeper) take(p *pair, cert *tls.Certificate, err error, stamp stamp) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		if p.problem != err.Error() {
			p.problem, p.since = err.Error(), time.Now()
			k.log.Error("a certificate's files have changed and cannot be used, the one from before is served on",
				"cert_file", p.file.CertFile, "key_file", p.file.KeyFile, "until", p.cert.Leaf.NotAfter, "problem", p.problem)
		}
		return false
	}
	mended := p.problem != ""
	p.problem, p.stamp = "", stamp
	same := slices.EqualFunc(cert.Certificate, p.cert.Certificate, slices.Equal)
	if same && !mended {
		return false
	}
	p.cert = cert
	k.log.Info("a certificate's files have changed and are served", "cert_file", p.file.CertFile, "names", cert.Leaf.DNSNames,
		"until", cert.Leaf.NotAfter)
	return true
}

// Challenge answers a request for http-01 (RFC 8555 section 8.3). host may have a port; path is that of the request. ok is false
// where there is nothing to answer: not ours, or not now. It looks where certificates are kept if another Gatehouse may have asked
// for it, for a second at the most.
func (k *Keeper) Challenge(host, path string) (answer string, ok bool) {
	value, ok := strings.CutPrefix(path, "/.well-known/acme-challenge/")
	if !ok || value == "" {
		return "", false
	}
	c, ok := k.challenge(hostname(host), http01)
	if !ok || c.Token != value {
		return "", false
	}
	return c.KeyAuthorization, true
}

// hostname is a Host without its port, as certificates have names.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// Status is what there is to say of one certificate, or of one that is missing.
type Status struct {
	Names     []string
	Source    string    // "file" or "acme"
	CertFile  string    // of a file
	NotBefore time.Time // zero where it is missing
	NotAfter  time.Time
	Missing   bool
	Error     string    // what went wrong last, and what to do about it; empty: nothing
	ErrorAt   time.Time // since when for a file, when last for ACME
	Next      time.Time // when the directory is asked again; zero: there is no need, or it is being asked
}

// Status says what there is, files first, in the order of Settings.
func (k *Keeper) Status() []Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []Status
	for _, f := range k.order {
		p := k.pairs[f]
		s := Status{Names: p.cert.Leaf.DNSNames, Source: "file", CertFile: f.CertFile,
			NotBefore: p.cert.Leaf.NotBefore, NotAfter: p.cert.Leaf.NotAfter, Error: p.problem, ErrorAt: p.since}
		if s.Error == "" {
			s.ErrorAt = time.Time{}
			if s.Error = p.warned; s.Error != "" {
				s.Error = "the certificate " + s.Error
			}
		}
		all = append(all, s)
	}
	if k.acme != nil {
		all = append(all, k.acme.status()...)
	}
	return all
}

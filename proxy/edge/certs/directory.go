package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap"
)

// directory is the authority of an operator's file: an ACME directory, and a folder or a Redis.
type directory struct {
	set     ACME
	pace    pace
	log     *slog.Logger
	cfg     *certmagic.Config
	quiet   *certmagic.Config // the same without a log, for what is asked all the time
	cache   *certmagic.Cache  // always empty: listeners show the Keeper's table
	storage store
	issuer  *issuer
	looks   chan struct{} // one place for each look at another Gatehouse's challenges

	mu      sync.Mutex
	tried   time.Time // when reach came to its end
	outcome error
	damaged map[string]int // how often in a row what is kept of a name could not be used
}

// store is where certificates are kept.
type store interface {
	certmagic.Storage
	certmagic.TryLocker
	again(*Redis) // the settings for the connections from now on, of the same place
	close()
}

// keyOf says what of the settings makes another directory of it.
func keyOf(a ACME, roots string) string {
	place := a.Folder
	if a.Redis != nil {
		place = fmt.Sprint("redis ", a.Redis.Network, a.Redis.Address, a.Redis.DB, a.KeyPrefix)
	}
	return fmt.Sprintf("%q", []any{a.Email, a.Directory, roots, place, a.HTTP, a.TLSALPN})
}

func newDirectory(log *slog.Logger, p pace, a ACME, roots *x509.CertPool, open *answers) *directory {
	var s store = newFolder(a.Folder)
	if a.Redis != nil {
		s = newRedis(*a.Redis, a.KeyPrefix)
	}
	logger := zap.New(&core{log: log, heard: new(heard)})
	d := &directory{set: a, pace: p, log: log, storage: s, looks: make(chan struct{}, 4), damaged: make(map[string]int)}
	d.issuer = &issuer{set: a, storage: s, answers: open, log: slog.New(hushed{log.Handler()}), client: &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: p.reach}).DialContext,
			TLSHandshakeTimeout:   p.reach,
			ResponseHeaderTimeout: 30 * time.Second,
			IdleConnTimeout:       time.Minute,
			ForceAttemptHTTP2:     true,
			TLSClientConfig:       &tls.Config{RootCAs: roots},
		},
	}}
	d.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return d.cfg, nil },
		RenewCheckInterval: max(p.round, time.Second), // by which it judges how near an end is
		Logger:             logger,
	})
	d.cache.Stop()
	d.cfg = certmagic.New(d.cache, certmagic.Config{
		Storage:             s,
		Issuers:             []certmagic.Issuer{d.issuer},
		OCSP:                certmagic.OCSPConfig{DisableStapling: true},
		DisableStorageCheck: true, // reach does it
		Logger:              logger,
	})
	silent := *d.cfg
	silent.Logger = zap.NewNop()
	d.quiet = &silent
	return d
}

func (d *directory) again(a ACME) { d.storage.again(a.Redis) }

func (d *directory) close() {
	d.issuer.client.CloseIdleConnections()
	d.storage.close()
}

// load reads what is kept. What is there and cannot be used may be another Gatehouse's that is just being written; twice in a
// row it is damaged, and as good as nothing.
func (d *directory) load(ctx context.Context, name string) (*held, error) {
	kept, err := d.cfg.CacheManagedCertificate(ctx, name)
	if err == nil {
		d.cache.Remove([]string{kept.Hash()})
		if kept.Leaf != nil {
			d.repair(name, false)
			cert := kept.Certificate
			return &held{&cert, func() bool { return d.due(kept, time.Now()) }}, nil
		}
		err = errors.New("the leaf cannot be read")
	}
	if failed := (*storeError)(nil); errors.As(err, &failed) {
		return nil, d.unkept(err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrNotExist
	}
	if d.repair(name, true) > 1 {
		return nil, fs.ErrNotExist
	}
	return nil, d.unkept(fmt.Errorf("what is kept of %s cannot be used: %w", name, err))
}

// due reports whether a certificate is to be renewed. One that is hardly old is not, whatever an authority that issues them for
// minutes or suggests times in the past says: asking for the next one at once, again and again, would only use up limits.
func (d *directory) due(kept certmagic.Certificate, now time.Time) bool {
	young := min(kept.Lifetime()/24, d.pace.young)
	return now.After(kept.Leaf.NotBefore.Add(young)) && kept.NeedsRenewal(d.quiet)
}

// repair counts damage, and reports how much there is.
func (d *directory) repair(name string, again bool) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !again {
		delete(d.damaged, name)
		return 0
	}
	d.damaged[name]++
	return d.damaged[name]
}

func (d *directory) unkept(err error) *trouble {
	if d.set.Redis == nil {
		return &trouble{unkept, unwritable(d.set.Folder, err)}
	}
	return &trouble{unkept, fmt.Errorf("redis %s: certificates cannot be kept there: %w; look at that Redis and at what acme.redis says of it",
		d.set.Redis.Address, err)}
}

// reach looks at the place where certificates are kept, and asks the directory for itself. Many names ask this one after the other;
// an answer holds for a moment.
func (d *directory) reach(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.tried.IsZero() && time.Since(d.tried) < d.pace.retry/8 {
		return d.outcome
	}
	d.outcome = d.probe(ctx)
	d.tried = time.Now()
	return d.outcome
}

func (d *directory) probe(ctx context.Context) error {
	const key = "gatehouse/writable"
	if err := d.storage.Store(ctx, key, []byte(time.Now().Format(time.RFC3339))); err != nil {
		return d.unkept(err)
	}
	if _, err := d.storage.Load(ctx, key); err != nil {
		return d.unkept(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.set.Directory, nil)
	if err != nil {
		return d.unreached(err)
	}
	req.Header.Set("User-Agent", agent)
	res, err := d.issuer.client.Do(req)
	if err != nil {
		return d.unreached(err)
	}
	defer res.Body.Close()
	var found acme.Directory
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	switch {
	case res.StatusCode != http.StatusOK:
		return d.unreached(fmt.Errorf("it answers %s", res.Status))
	case err != nil:
		return d.unreached(err)
	case json.Unmarshal(body, &found) != nil || found.NewOrder == "":
		return d.unreached(errors.New("what answers there is no ACME directory"))
	}
	return nil
}

func (d *directory) unreached(err error) *trouble {
	advice := "look at the network, DNS and any proxy between here and there"
	unknown, invalid := x509.UnknownAuthorityError{}, x509.CertificateInvalidError{}
	switch {
	case errors.As(err, &unknown):
		advice = "its certificate comes from an authority that is not known here; name it in acme.ca_file"
	case errors.As(err, &invalid):
		advice = "its certificate is not valid; look at it, and at this machine's clock"
	}
	return &trouble{unreached, fmt.Errorf("the ACME directory %s cannot be asked: %w; %s", d.set.Directory, err, advice)}
}

func (d *directory) issue(ctx context.Context, name string) error {
	d.mu.Lock()
	damaged := d.damaged[name] > 1
	d.mu.Unlock()
	if damaged {
		if err := d.storage.Delete(ctx, certmagic.StorageKeys.SiteCert(d.issuer.IssuerKey(), name)); err != nil {
			return d.unkept(err)
		}
	}
	err := d.cfg.RenewCertSync(ctx, name, false)
	if t := (*trouble)(nil); err == nil || errors.As(err, &t) {
		return errorOr(t)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return d.unkept(err)
}

func errorOr(t *trouble) error {
	if t == nil {
		return nil
	}
	return t
}

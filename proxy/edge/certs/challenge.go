package certs

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"path"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

const (
	http01    = acme.ChallengeTypeHTTP01
	tlsALPN01 = acme.ChallengeTypeTLSALPN01
)

// answers is the challenges that this process has asked for. The zero value is ready.
type answers struct {
	mu   sync.Mutex
	open map[question]*challenge
}

type question struct{ name, kind string }

// challenge is one that a directory may come for any moment.
type challenge struct {
	acme.Challenge
	once sync.Once
	cert *tls.Certificate
	err  error
}

// certificate answers tls-alpn-01. It is made once, as a directory looks from several places.
func (c *challenge) certificate() (*tls.Certificate, error) {
	c.once.Do(func() { c.cert, c.err = acmez.TLSALPN01ChallengeCert(c.Challenge) })
	return c.cert, c.err
}

func (a *answers) get(q question) *challenge {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open[q]
}

func (a *answers) put(q question, c *challenge) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		a.open = make(map[question]*challenge)
	}
	a.open[q] = c
}

func (a *answers) drop(q question) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, q)
}

// challenge finds an open challenge, this process's or another's. Only names that are ours are looked up, and only a few at a time:
// anybody may ask.
func (k *Keeper) challenge(name, kind string) (*challenge, bool) {
	if c := k.answers.get(question{name, kind}); c != nil {
		return c, true
	}
	k.mu.Lock()
	r := k.acme
	k.mu.Unlock()
	if r == nil || !r.knows(name) {
		return nil, false
	}
	d, ok := r.authority.(*directory)
	if !ok {
		return nil, false
	}
	return d.elsewhere(question{name, kind})
}

// elsewhere looks for a challenge that another process asked for.
func (d *directory) elsewhere(q question) (*challenge, bool) {
	select {
	case d.looks <- struct{}{}:
		defer func() { <-d.looks }()
	default:
		return nil, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	data, err := d.storage.Load(ctx, d.issuer.keptAt(q))
	if err != nil {
		return nil, false
	}
	c := new(challenge)
	if json.Unmarshal(data, &c.Challenge) != nil || c.Type != q.kind || c.Identifier.Value != q.name {
		return nil, false
	}
	return c, true
}

func (i *issuer) keptAt(q question) string {
	return path.Join("acme", i.IssuerKey(), "challenges", q.kind, certmagic.StorageKeys.Safe(q.name)+".json")
}

// solver is acmez's Solver: it only keeps what is to be answered, and lets whoever listens answer.
type solver struct{ *issuer }

func (s solver) Present(ctx context.Context, c acme.Challenge) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	q := question{c.Identifier.Value, c.Type}
	s.answers.put(q, &challenge{Challenge: c})
	return s.storage.Store(ctx, s.keptAt(q), data)
}

// CleanUp comes also when ctx has ended, and cleans up all the same.
func (s solver) CleanUp(ctx context.Context, c acme.Challenge) error {
	q := question{c.Identifier.Value, c.Type}
	s.answers.drop(q)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return s.storage.Delete(ctx, s.keptAt(q))
}

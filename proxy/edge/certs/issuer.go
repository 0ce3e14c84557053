package certs

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"sync"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

const agent = "Gatehouse"

// issuer is certmagic's Issuer over an ACME directory. It listens nowhere and asks nobody.
type issuer struct {
	set     ACME
	storage certmagic.Storage
	answers *answers
	log     *slog.Logger
	client  *http.Client

	mu      sync.Mutex
	account *acme.Account // nil: not read yet
}

// IssuerKey is where in the storage this directory's things are: the same folder as certmagic's own issuer has.
func (i *issuer) IssuerKey() string {
	return (&certmagic.ACMEIssuer{CA: i.set.Directory}).IssuerKey()
}

// Issue has csr signed. Its errors are *trouble.
func (i *issuer) Issue(ctx context.Context, csr *x509.CertificateRequest) (*certmagic.IssuedCertificate, error) {
	if len(csr.DNSNames) != 1 {
		return nil, &trouble{turnedDown, fmt.Errorf("%d names are asked for at once, want one", len(csr.DNSNames))}
	}
	name := csr.DNSNames[0]
	issued, err := i.order(ctx, name, csr)
	if p := (acme.Problem{}); errors.As(err, &p) && p.Type == acme.ProblemTypeAccountDoesNotExist {
		// A directory that was set up anew knows nobody.
		if err = i.forget(ctx); err == nil {
			issued, err = i.order(ctx, name, csr)
		}
	}
	if err == nil {
		return issued, nil
	}
	if failed := (*storeError)(nil); errors.As(err, &failed) {
		return nil, &trouble{unkept, err}
	}
	return nil, explain(name, i.set, err)
}

func (i *issuer) order(ctx context.Context, name string, csr *x509.CertificateRequest) (*certmagic.IssuedCertificate, error) {
	client := i.acme()
	account, err := i.registered(ctx, client.Client)
	if err != nil {
		return nil, err
	}
	order, err := acmez.OrderParametersFromCSR(account, csr)
	if err != nil {
		return nil, err
	}
	order.Replaces = i.replaced(ctx, client.Client, name)
	chains, err := client.ObtainCertificate(ctx, order)
	if order.Replaces != nil && refuses(err) {
		// It may not know what it is told to replace, such as another account's, or not find it any more.
		order.Replaces = nil
		chains, err = client.ObtainCertificate(ctx, order)
	}
	if err != nil {
		return nil, err
	}
	if len(chains) == 0 {
		return nil, errors.New("the directory sent no certificate")
	}
	return &certmagic.IssuedCertificate{Certificate: chains[0].ChainPEM, Metadata: chains[0]}, nil
}

// refuses reports whether a directory has answered that it will not, or cannot, take an order.
func refuses(err error) bool {
	if err == nil {
		return false
	}
	_, answered := errors.AsType[acme.Problem](err)
	k := kindOf(err)
	return k == turnedDown || k == cutShort && answered
}

func (i *issuer) acme() *acmez.Client {
	c := &acmez.Client{
		Client: &acme.Client{Directory: i.set.Directory, HTTPClient: i.client, UserAgent: agent, Logger: i.log},
		// Both are kept where others can answer them: a challenge may come to another Gatehouse, or to the next process of this one.
		ChallengeSolvers: make(map[string]acmez.Solver),
	}
	if i.set.HTTP {
		c.ChallengeSolvers[http01] = solver{i}
	}
	if i.set.TLSALPN {
		c.ChallengeSolvers[tlsALPN01] = solver{i}
	}
	return c
}

// replaced is the certificate that is about to be renewed, for directories that want to know (RFC 9773 section 5): such orders do
// not count against their limits. nil: there is none, or no directory like that.
func (i *issuer) replaced(ctx context.Context, client *acme.Client, name string) *x509.Certificate {
	if d, err := client.GetDirectory(ctx); err != nil || d.RenewalInfo == "" {
		return nil
	}
	data, err := i.storage.Load(ctx, certmagic.StorageKeys.SiteCert(i.IssuerKey(), name))
	if err != nil {
		return nil
	}
	leaf, err := firstCertificate(data)
	if err != nil || len(leaf.AuthorityKeyId) == 0 {
		return nil
	}
	return leaf
}

// savedAccount is an account as it is kept.
type savedAccount struct {
	Account acme.Account `json:"account"`
	Key     []byte       `json:"key"` // PEM
}

func (i *issuer) accountKey() string {
	who := "nobody"
	if i.set.Email != "" {
		who = certmagic.StorageKeys.Safe(i.set.Email)
	}
	return path.Join("acme", i.IssuerKey(), "accounts", who+".json")
}

// registered is the account, which is made where there is none. All who share the storage share it.
func (i *issuer) registered(ctx context.Context, client *acme.Client) (acme.Account, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.account != nil {
		return *i.account, nil
	}
	lock := "account_" + i.IssuerKey()
	if err := i.storage.Lock(ctx, lock); err != nil {
		return acme.Account{}, &storeError{err}
	}
	defer func() { _ = i.storage.Unlock(context.WithoutCancel(ctx), lock) }()
	account, err := i.saved(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		account, err = i.register(ctx, client)
	}
	if err != nil {
		return acme.Account{}, err
	}
	i.account = &account
	return account, nil
}

func (i *issuer) saved(ctx context.Context) (acme.Account, error) {
	data, err := i.storage.Load(ctx, i.accountKey())
	if err != nil {
		return acme.Account{}, err
	}
	var s savedAccount
	if err := json.Unmarshal(data, &s); err != nil {
		return acme.Account{}, fs.ErrNotExist
	}
	key, err := certmagic.PEMDecodePrivateKey(s.Key)
	if err != nil {
		return acme.Account{}, fs.ErrNotExist
	}
	s.Account.PrivateKey = key
	return s.Account, nil
}

func (i *issuer) register(ctx context.Context, client *acme.Client) (acme.Account, error) {
	key, err := certmagic.DefaultKeyGenerator.GenerateKey()
	if err != nil {
		return acme.Account{}, err
	}
	encoded, err := certmagic.PEMEncodePrivateKey(key)
	if err != nil {
		return acme.Account{}, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return acme.Account{}, fmt.Errorf("a %T cannot sign", key)
	}
	account := acme.Account{TermsOfServiceAgreed: true, PrivateKey: signer}
	if i.set.Email != "" {
		account.Contact = []string{"mailto:" + i.set.Email}
	}
	if account, err = client.NewAccount(ctx, account); err != nil {
		return acme.Account{}, fmt.Errorf("registering an account: %w", err)
	}
	data, err := json.Marshal(savedAccount{account, encoded})
	if err != nil {
		return acme.Account{}, err
	}
	return account, i.storage.Store(ctx, i.accountKey(), data)
}

// forget drops the account.
func (i *issuer) forget(ctx context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.account = nil
	return i.storage.Delete(ctx, i.accountKey())
}

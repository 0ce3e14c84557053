package certs

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// adviseAgain is when a directory is asked again that gave no time, or no answer; one that gives no advice is asked daily.
const (
	adviseAgain  = 6 * time.Hour
	adviseMaybe  = 24 * time.Hour
	adviseFailed = time.Hour
)

// advise brings what is kept of a certificate up to date with when the directory wants it renewed (RFC 9773), and says when to ask
// again. So a directory has certificates replaced that it is about to revoke. That it cannot be asked is no trouble: what was
// said before stands.
func (d *directory) advise(ctx context.Context, name string) (again time.Time) {
	now := time.Now()
	lock := "issue_cert_" + name // certmagic's own, so that nobody renews it meanwhile
	ok, err := d.storage.TryLock(ctx, lock)
	if err != nil || !ok {
		return now.Add(adviseFailed)
	}
	defer func() { _ = d.storage.Unlock(context.WithoutCancel(ctx), lock) }()
	again, err = d.advised(ctx, name, now)
	switch {
	case errors.Is(err, acme.ErrUnsupported):
		return now.Add(adviseMaybe)
	case err != nil:
		d.issuer.log.Debug("no advice on when to renew", "name", name, "error", err)
		return now.Add(adviseFailed)
	case !again.After(now):
		return now.Add(adviseAgain)
	}
	return again
}

func (d *directory) advised(ctx context.Context, name string, now time.Time) (again time.Time, err error) {
	key := d.issuer.IssuerKey()
	data, err := d.storage.Load(ctx, certmagic.StorageKeys.SiteMeta(key, name))
	if err != nil {
		return time.Time{}, err
	}
	var (
		kept certmagic.CertificateResource
		of   acme.Certificate
	)
	if err := errors.Join(json.Unmarshal(data, &kept), json.Unmarshal(kept.IssuerData, &of)); err != nil {
		return time.Time{}, err
	}
	if old := of.RenewalInfo; old != nil && old.RetryAfter != nil && now.Before(*old.RetryAfter) {
		return *old.RetryAfter, nil
	}
	chain, err := d.storage.Load(ctx, certmagic.StorageKeys.SiteCert(key, name))
	if err != nil {
		return time.Time{}, err
	}
	leaf, err := firstCertificate(chain)
	if err != nil {
		return time.Time{}, err
	}
	info, err := d.issuer.acme().GetRenewalInfo(ctx, leaf)
	if err != nil {
		return time.Time{}, err
	}
	if old := of.RenewalInfo; old != nil && old.SameWindow(info) && !old.SelectedTime.IsZero() {
		info.SelectedTime = old.SelectedTime // it is chosen by chance, once
	}
	of.RenewalInfo = &info
	if kept.IssuerData, err = json.Marshal(of); err != nil {
		return time.Time{}, err
	}
	if data, err = json.MarshalIndent(kept, "", "\t"); err != nil {
		return time.Time{}, err
	}
	if info.RetryAfter != nil {
		again = *info.RetryAfter
	}
	return again, d.storage.Store(ctx, certmagic.StorageKeys.SiteMeta(key, name), data)
}

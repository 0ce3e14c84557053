package build

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/config"
	"gatehouse/proxy"
	"gatehouse/proxy/record"
	"gatehouse/shed/quota"
	"gatehouse/shed/store/probe"
)

// quotaIdentity is what a quota's state goes by.
type quotaIdentity struct{ name, key string }

func (p *Plan) quota(q config.Quota) proxy.Quota {
	out := proxy.Quota{Name: q.Name, DryRun: q.DryRun, Limiter: p.quotas[quotaIdentity{q.Name, q.Key}]}
	kind, field, _ := strings.Cut(q.Key, ":")
	out.Field = field
	switch kind {
	case "route":
		out.Kind = proxy.ByRoute
	case "cookie":
		out.Kind = proxy.ByCookie
	case "header":
		out.Kind = proxy.ByHeader
	}
	return out
}

func (p *Plan) planQuotas() {
	for _, q := range p.cfg.Quotas {
		id := quotaIdentity{q.Name, q.Key}
		if p.quotas[id] = p.living.quotas[id]; p.quotas[id] == nil {
			p.quotas[id] = quota.New(p.quotaSettings(q))
		}
	}
}

func (p *Plan) commitQuotas() {
	var names []string
	for _, q := range p.cfg.Quotas {
		p.quotas[quotaIdentity{q.Name, q.Key}].Set(p.quotaSettings(q))
		names = append(names, q.Name)
	}
	p.living.Record.Quotas(names)
	if c := p.cfg.QuotaStore; c != nil {
		p.quotaStore.password.Store(&c.Redis.Password)
	}
}

func (p *Plan) quotaSettings(q config.Quota) quota.Settings {
	s := quota.Settings{Name: q.Name, Rate: q.Rate.PerSecond(), Burst: q.Burst}
	if q.Shared && p.quotaStore != nil {
		s.Shared, s.StandIn = p.quotaStore.shared, p.cfg.QuotaStore.StandIn
	}
	return s
}

// livingQuotaStore is where several Gatehouses count together.
type livingQuotaStore struct {
	identity quotaStoreIdentity
	shared   *quota.Shared
	password atomic.Pointer[config.Secret]
	stop     context.CancelFunc
	watching sync.WaitGroup
}

func (s *livingQuotaStore) close() {
	s.stop()
	s.watching.Wait()
	s.shared.Close()
}

// steady is how long a quota store must be up or away before that is an event: one that is late now and then is not worth a line
// each time.
const steady = 2 * time.Second

// watch has the Recorder told when the quota store goes away and comes back.
func (s *livingQuotaStore) watch(ctx context.Context, rec *record.Recorder) {
	told := true
	tick := time.NewTicker(steady / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		st := s.shared.Status()
		if st.Up == told || time.Since(st.Since) < steady {
			continue
		}
		told = st.Up
		why := ""
		if !told && st.LastError != nil {
			why = st.LastError.Error()
		}
		rec.QuotaStoreChange(st.Since, told, why)
	}
}

// quotaStoreIdentity is the part of the settings that another connection is needed for: where the password is found is not.
type quotaStoreIdentity struct {
	address          config.Address
	username, prefix string
	db               int
	timeout          time.Duration
	tls              config.TLS // the zero value: none
	secure           bool
}

func identifyQuotaStore(c *config.QuotaStore) quotaStoreIdentity {
	id := quotaStoreIdentity{
		address: c.Redis.Address, username: c.Redis.Username, prefix: c.KeyPrefix, db: c.Redis.DB, timeout: c.Timeout,
	}
	if c.Redis.TLS != nil {
		id.tls, id.secure = *c.Redis.TLS, true
	}
	return id
}

// planQuotaStore connects to where several Gatehouses count together. It waits for nothing: without it each counts for itself.
func (p *Plan) planQuotaStore() error {
	c := p.cfg.QuotaStore
	if c == nil {
		return nil
	}
	if living := p.living.quotaStore; living != nil && living.identity == identifyQuotaStore(c) {
		p.quotaStore = living
		return nil
	}
	secured, err := quotaTLS(c)
	if err != nil {
		return err
	}
	s := &livingQuotaStore{identity: identifyQuotaStore(c)}
	s.password.Store(&c.Redis.Password)
	s.shared = quota.NewShared(quota.SharedSettings{
		Network: c.Redis.Address.Network, Address: c.Redis.Address.Address, Username: c.Redis.Username,
		Password: func() (string, error) { return secret(*s.password.Load()) },
		DB:       c.Redis.DB, TLS: secured, Prefix: c.KeyPrefix, Timeout: c.Timeout,
	})
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.watching.Go(func() { s.watch(ctx, p.living.Record) })
	p.quotaStore = s
	p.undo = append(p.undo, s.close)
	return nil
}

// quotaTLS reads what proves who the quota store is; nil where it speaks plainly.
func quotaTLS(c *config.QuotaStore) (*tls.Config, error) {
	if c.Redis.TLS == nil {
		return nil, nil
	}
	secured, err := (*probe.TLS)(c.Redis.TLS).Config(host(c.Redis.Address))
	if err != nil {
		return nil, fmt.Errorf("quota_store.redis.tls: %w", err)
	}
	return secured, nil
}

// checkQuotaStore says what only reading its files can tell.
func checkQuotaStore(cfg *config.Config) error {
	c := cfg.QuotaStore
	if c == nil {
		return nil
	}
	_, err := quotaTLS(c)
	if _, secretErr := secret(c.Redis.Password); secretErr != nil {
		err = errors.Join(err, fmt.Errorf("quota_store.redis: %w", secretErr))
	}
	return err
}

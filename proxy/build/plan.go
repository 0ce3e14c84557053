package build

import (
	"cmp"
	"errors"
	"fmt"

	"gatehouse/config"
	"gatehouse/proxy"
	"gatehouse/proxy/edge"
	"gatehouse/proxy/edge/certs"
	"gatehouse/proxy/intake"
	"gatehouse/routing"
	"gatehouse/shed/page"
	"gatehouse/shed/quota"
	"gatehouse/shed/session"
)

// Plan is a file that could be lived by: everything new is made, nothing living is touched. It ends with Commit or Discard.
type Plan struct {
	living *Living
	cfg    *config.Config

	// Warnings are what an operator wants to know of a file that can be lived by: a store that is not well as it begins.
	Warnings []string

	runtime    *proxy.Runtime
	routes     []*proxy.Route // as in the file
	pools      map[string]*proxy.Pool
	quotas     map[quotaIdentity]*quota.Limiter
	quotaStore *livingQuotaStore // nil: none
	store      *livingStore
	listeners  map[config.Address]*edge.Server
	certs      *certs.Change // nil: none, yet

	undo []func() // closes what is new
}

// Plan makes everything that cfg asks for and that does not live yet. Its error is every reason why that cannot be done.
func (l *Living) Plan(cfg *config.Config) (*Plan, error) {
	p := &Plan{
		living: l, cfg: cfg, runtime: proxy.NewRuntime(),
		pools: map[string]*proxy.Pool{}, quotas: map[quotaIdentity]*quota.Limiter{}, listeners: map[config.Address]*edge.Server{},
	}
	p.planPools()
	quotaErr := errors.Join(checkQuotaStore(cfg), p.planQuotaStore())
	p.planQuotas()
	var pageErr error
	p.runtime.Page, pageErr = planPage(cfg)
	var placesErr error
	p.runtime.SignInAt, placesErr = places(cfg)
	err := errors.Join(pageErr, placesErr, quotaErr, p.planSeal(), p.planRoutes(), checkSecrets(cfg), checkPools(cfg), p.planListeners())
	if err == nil {
		p.planStore() // last, since it waits
	} else {
		p.Discard()
		return nil, err
	}
	rt := p.runtime
	rt.Session = marks(cfg)
	rt.SignedOut, rt.MaxAge = l.signedOut, cfg.Session.MaxAge
	rt.Trusted = intake.Trusted(cfg.TrustedProxies)
	rt.PerClient, rt.PerAddress = l.pages.perClient, l.pages.perAddress
	rt.Status = cfg.Degrade.Status
	rt.WaitRate = 1
	if p.store != nil {
		p.bindStores()
		rt.WaitRate = cfg.Session.Store.Recovery.Ramp.To.PerSecond()
		rt.Waits, rt.NewPlaces = &l.waits, l.newPlaces
		if cfg.Session.Store.Strained.Rate.PerSecond() > 0 {
			rt.Strained = l.strained
		}
	}
	if p.quotaStore != nil {
		rt.QuotaStore = p.quotaStore.shared
	}
	for _, pool := range cfg.Pools {
		rt.Pools = append(rt.Pools, p.pools[pool.Name])
	}
	return p, nil
}

// Discard closes what Plan made.
func (p *Plan) Discard() {
	for _, f := range p.undo {
		f()
	}
	p.undo = nil
}

// Commit goes live. It cannot fail. Exchanges that are under way end on the Runtime they began with.
func (p *Plan) Commit() {
	l := p.living
	p.commitPools()
	p.commitQuotas()
	p.commitPage()
	p.commitStore()

	old := l.Handler.Swap(p.runtime)
	dropped := p.dropped()
	l.pools, l.quotas, l.quotaStore, l.store = p.pools, p.quotas, p.quotaStore, p.store
	p.commitListeners()
	p.keepSeries()
	p.undo = nil
	if old == nil {
		return
	}
	drained := old.Retire()
	l.retiring.Go(func() {
		<-drained
		for _, f := range dropped {
			f()
		}
	})
}

// dropped are the ends of what lives and is not in the plan any more.
func (p *Plan) dropped() []func() {
	var ends []func()
	for name, pool := range p.living.pools {
		if p.pools[name] != pool {
			ends = append(ends, pool.Backends.Close)
		}
	}
	if s := p.living.store; s != nil && s != p.store {
		ends = append(ends, s.close)
	}
	if s := p.living.quotaStore; s != nil && s != p.quotaStore {
		ends = append(ends, s.close)
	}
	return ends
}

func (p *Plan) planRoutes() error {
	rules := make([]routing.Rule, 0, len(p.cfg.Routes))
	routes := make([]*proxy.Route, 0, len(p.cfg.Routes))
	for _, r := range p.cfg.Routes {
		rules = append(rules, Rule(r))
		routes = append(routes, p.route(r))
		p.runtime.Names = append(p.runtime.Names, r.Name)
	}
	table, err := routing.New(rules, routes)
	if err != nil {
		return placed(p.cfg, err)
	}
	p.runtime.Table, p.routes = table, routes
	return nil
}

// marks are how a session is recognised.
func marks(cfg *config.Config) session.Marks {
	return session.Marks{Cookies: cfg.Session.Cookies, Headers: cfg.Session.Headers, Remember: cfg.Session.Remember}
}

// places are where the app sends those whom it takes for signed out.
func places(cfg *config.Config) (session.Places, error) {
	p, err := session.NewPlaces(cfg.Session.SignInAt)
	if err != nil {
		return p, fmt.Errorf("session.sign_in_at: %w", err)
	}
	return p, nil
}

// planPage parses the operator's template, or takes the built-in one.
func planPage(cfg *config.Config) (*page.Maker, error) {
	d := cfg.Degrade
	s := page.Settings{MinWait: d.RetryAfter.Min, MaxWait: d.RetryAfter.Max}
	if d.Page != "" {
		text, err := readFile(d.Page)
		if err != nil {
			return nil, fmt.Errorf("degrade.page: %w", err)
		}
		s.Template = string(text)
	}
	made, err := page.New(s)
	if err != nil {
		return nil, fmt.Errorf("degrade.page: %s: %w", cmp.Or(d.Page, "built-in"), err)
	}
	return made, nil
}

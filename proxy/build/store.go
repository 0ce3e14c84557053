package build

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"gatehouse/config"
	"gatehouse/proxy"
	"gatehouse/proxy/record"
	"gatehouse/shed"
	"gatehouse/shed/line"
	"gatehouse/shed/quota"
	"gatehouse/shed/session"
	"gatehouse/shed/store"
)

// firstVerdict is how long a new store may take to be known before the file that names it goes live all the same.
const firstVerdict = time.Second

// watched is a session store that is being checked: a *store.Monitor, or a *store.Group. It owns its probers.
type watched interface {
	proxy.Monitor
	Start()
	First(ctx context.Context) shed.Verdict
	Status() store.Status
	Override(o store.Override) error
	EndOverride(by string) bool
	Overridden() *store.Override
	Close()
}

// livingStore is a store that is being checked.
type livingStore struct {
	identity storeIdentity
	instance string // of this process, in the names of keys
	secrets  secrets
	watched  watched
	monitor  *store.Monitor // watched, where it is one
	group    *store.Group   // watched, where it is one
	seen     *proxy.Store   // as exchanges see all of it
	members  map[string]*proxy.Store
	key      atomic.Pointer[session.StoreKey] // where the app keeps a session; nil: not known
	// inForce says that this is the store that exchanges ask. Before and after, nothing it finds is told: there would be two
	// voices under one name.
	inForce atomic.Bool
}

func (s *livingStore) close() { s.watched.Close() }

// planStore starts to check a store that is new, and waits a moment for its first verdict.
func (p *Plan) planStore() {
	c := p.cfg.Session.Store
	if c == nil {
		return
	}
	living := p.living.store
	if living != nil && living.identity == identify(c) {
		p.store = living
		return
	}
	s := &livingStore{identity: identify(c), instance: instance()}
	s.secrets.keep(c)
	settings := p.storeSettings(s)
	settings.StartRamp = living != nil || p.living.StartRamp // another store's visitors are new to this one
	if finder := s.finder(c); finder != nil {
		p.makeGroup(s, finder, settings)
	} else {
		p.makeMonitor(s, c, settings)
	}
	s.watched.Start()
	p.undo = append(p.undo, s.close)
	p.store = s
	ctx, cancel := context.WithTimeout(context.Background(), firstVerdict)
	defer cancel()
	if v := s.watched.First(ctx); v.State != shed.Writable && v.State != shed.Strained {
		p.Warnings = append(p.Warnings, fmt.Sprintf("session.store: %s is %s (%s) at this moment: %s",
			where(c), v.State, v.Cause, cmp.Or(s.watched.Status().Err, "no verdict yet")))
	}
}

func (p *Plan) makeMonitor(s *livingStore, c *config.Store, settings store.Settings) {
	rec, line := p.living.Record, p.living.line
	s.monitor = store.New(s.prober(c, "", c.Redis, c.Sentinel), settings, func(t store.Transition) {
		if s.inForce.Load() {
			line.Follow(s.monitor, s.monitor.Current())
			tell(rec, s.identity.name, t)
		}
	})
	s.watched = s.monitor
	s.seen = &proxy.Store{Name: s.identity.name, Monitor: s.monitor, Line: line}
}

func (p *Plan) makeGroup(s *livingStore, finder store.Finder, settings store.Settings) {
	l := p.living
	s.group = store.NewGroup(finder, p.groupSettings(s, settings), func(part string, t store.Transition) {
		if !s.inForce.Load() {
			return
		}
		switch m := s.members[part]; {
		case part == "":
			l.line.Follow(s.group, s.group.Current())
		case m != nil:
			m.Line.Follow(m.Monitor, m.Monitor.Current())
			fallthrough
		default:
			t.Set, t.Ended = false, nil // said of the whole
		}
		tell(l.Record, cmp.Or(part, s.identity.name), t)
	})
	s.watched = s.group
	s.seen = &proxy.Store{Name: s.identity.name, Monitor: s.group, Line: l.line, Several: true, Of: s.of, Apart: s.group.Diverged}
	s.members = map[string]*proxy.Store{}
	for _, m := range p.cfg.Session.Store.Members {
		s.members[m.Name] = &proxy.Store{Name: m.Name, Monitor: s.group.Part(m.Name), Line: p.lineOf(m.Name), Copies: true, Apart: s.group.Diverged}
	}
}

// of is who watches the part of the store that keeps a session.
func (s *livingStore) of(id string) proxy.Monitor {
	key := s.key.Load()
	if key == nil {
		return nil
	}
	if m := s.group.Of(key.Of(id)); m != nil {
		return m
	}
	return nil
}

// bindStores tells each route where the apps of its pools keep their sessions.
func (p *Plan) bindStores() {
	bound := map[string]*proxy.Store{}
	for _, c := range p.cfg.Pools {
		bound[c.Name] = cmp.Or(p.store.members[c.Store], p.store.seen)
	}
	for i, c := range p.cfg.Routes {
		r := p.routes[i]
		r.Store, r.OverflowStore = bound[c.Pool], bound[c.Overflow]
	}
	rt := p.runtime
	rt.Stores = []*proxy.Store{p.store.seen}
	for _, m := range p.cfg.Session.Store.Members {
		rt.Stores = append(rt.Stores, p.store.members[m.Name])
	}
	if c := p.cfg.Session.Reports; c != nil {
		rt.Reporters = map[*proxy.Pool]bool{}
		for _, name := range c.Pools {
			rt.Reporters[p.pools[name]] = true
		}
	}
}

func (p *Plan) commitStore() {
	if old := p.living.store; old != nil && old != p.store {
		old.inForce.Store(false)
	}
	c := p.cfg.Session.Store
	if c == nil {
		p.living.keepLines(nil)
		return
	}
	s := p.store
	s.secrets.keep(c)
	s.key.Store(storeKey(c))
	settings := p.storeSettings(s)
	if s.group != nil {
		s.group.Set(p.groupSettings(s, settings))
	} else {
		s.monitor.Set(settings)
	}
	p.keepOverride()
	if !s.inForce.Swap(true) {
		p.tellStanding(s)
	}
	r := c.Recovery.Ramp
	for _, seen := range p.runtime.Stores {
		seen.Line.Set(line.Settings{
			From: r.From.PerSecond(), To: r.To.PerSecond(), Over: r.Over,
			MinWait: p.cfg.Degrade.RetryAfter.Min, MaxWait: p.cfg.Degrade.RetryAfter.Max,
		})
		seen.Line.Serve(seen.Monitor)
		seen.Line.Follow(seen.Monitor, seen.Monitor.Current())
	}
	p.living.keepLines(p.runtime.Stores)
	p.living.strained.Set(quota.Settings{Rate: c.Strained.Rate.PerSecond(), Burst: max(1, int(c.Strained.Rate.PerSecond()/10))})
}

// storeKey is where the app keeps a session; nil where the file does not say. The file was checked.
func storeKey(c *config.Store) *session.StoreKey {
	if c.Cluster == nil || c.Cluster.Key == "" {
		return nil
	}
	key, err := session.NewStoreKey(c.Cluster.Key)
	if err != nil {
		return nil
	}
	return &key
}

// tellStanding says how a store stands as it comes into force.
func (p *Plan) tellStanding(s *livingStore) {
	now, v := time.Now(), s.watched.Current()
	p.living.Record.StoreTransition(record.Transition{Store: s.identity.name, At: now, To: v.State, Cause: v.Cause})
	if s.group == nil {
		return
	}
	for _, part := range s.group.Parts() {
		p.living.Record.StoreTransition(record.Transition{Store: part.Name, At: now, To: part.State, Cause: part.Cause})
	}
}

// keepOverride has a person's word outlive the store it was said of, if the file names another one now.
func (p *Plan) keepOverride() {
	old := p.living.store
	if old == nil || old == p.store {
		return
	}
	if o := old.watched.Overridden(); o != nil {
		_ = p.store.watched.Override(*o) // one that ended in this moment has ended
	}
}

func (p *Plan) storeSettings(s *livingStore) store.Settings {
	c := p.cfg.Session.Store
	out := store.Settings{
		Interval: c.Probe.Interval, Timeout: c.Probe.Timeout, Payload: c.Probe.Payload,
		Strained: c.Strained.Latency, Memory: c.Strained.Memory, Clients: c.Strained.Clients, Evictions: c.Strained.Evictions.PerSecond(),
		Rise: c.Recovery.Rise, After: c.Recovery.After, RampOver: c.Recovery.Ramp.Over,
		HoldFrom: c.Recovery.Hold.From, HoldTo: c.Recovery.Hold.To,
		Observe: p.observe(s, s.identity.name),
	}
	if r := p.cfg.Session.Reports; r != nil {
		out.Reports = store.ReportSettings{Quorum: r.Quorum, Max: r.Max}
	}
	return out
}

func (p *Plan) groupSettings(s *livingStore, settings store.Settings) store.GroupSettings {
	c := p.cfg.Session.Store
	out := store.GroupSettings{
		Settings: settings, Require: c.Require, Beat: store.BeatSettings(c.Convergence),
		ObservePart: func(part string, took time.Duration, e store.Evidence) { p.observe(s, part)(took, e) },
	}
	if c.Cluster != nil {
		out.Require = c.Cluster.MinShards
	}
	return out
}

// observe notes what each probe of a store, or of a part of it, found.
func (p *Plan) observe(s *livingStore, name string) func(time.Duration, store.Evidence) {
	rec, log := p.living.Record, p.living.Log
	return func(took time.Duration, e store.Evidence) {
		if !s.inForce.Load() {
			return
		}
		if e.Latency > 0 {
			took = e.Latency // without what was asked beside the canary
		}
		rec.StoreProbe(name, took)
		if e.Err != nil && (e.State == shed.Writable || e.State == shed.Strained) {
			log.Warn("the session store is well, and something about it is not", "store", name, "error", e.Err.Error())
		}
	}
}

package build

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"gatehouse/config"
	"gatehouse/proxy"
	"gatehouse/proxy/record"
	"gatehouse/shed"
	"gatehouse/shed/line"
	"gatehouse/shed/quota"
	"gatehouse/shed/store"
	"gatehouse/shed/store/probe"
)

// firstVerdict is how long a new store may take to be known before the file that names it goes live all the same.
const firstVerdict = time.Second

// livingStore is a store that is being checked.
type livingStore struct {
	identity storeIdentity
	monitor  *store.Monitor // owns its prober
	seen     *proxy.Store   // as exchanges see it
	password atomic.Pointer[config.Secret]
	access   atomic.Pointer[config.Secret] // the Sentinels' own
	// inForce says that this is the store that exchanges ask. Before and after, nothing it finds is told: there would be two
	// voices under one name.
	inForce atomic.Bool
}

func (s *livingStore) close() { s.monitor.Close() }

// storeIdentity is what a store's state goes by: which keys of which server are meant. Where its password is found is no part
// of it, so that it can be moved.
type storeIdentity struct {
	name     string
	address  config.Address
	sentinel string // the master's name and where the Sentinels are; "" without
	db       int
	username string
	prefix   string     // the prober remembers the canary by its key
	tls      config.TLS // the zero value: none
	secure   bool
}

func identify(s *config.Store) storeIdentity {
	id := storeIdentity{
		name: s.Name, address: s.Redis.Address, db: s.Redis.DB, username: s.Redis.Username, prefix: s.Probe.KeyPrefix,
	}
	if s.Redis.TLS != nil {
		id.tls, id.secure = *s.Redis.TLS, true
	}
	if s.Sentinel != nil {
		id.sentinel = s.Sentinel.Master + "@" + strings.Join(sentinels(s.Sentinel), ",") + "@" + s.Sentinel.Access.Username
	}
	return id
}

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
	s := &livingStore{identity: identify(c)}
	s.keep(c)
	prober := s.prober(c)
	settings := p.storeSettings(s)
	settings.StartRamp = living != nil // another store's visitors are new to this one
	rec := p.living.Record
	line := p.living.line
	s.monitor = store.New(prober, settings, func(t store.Transition) {
		if s.inForce.Load() {
			line.Follow(s.monitor, s.monitor.Current())
			tell(rec, s.identity.name, t)
		}
	})
	s.seen = &proxy.Store{Name: s.identity.name, Monitor: s.monitor, Line: line}
	s.monitor.Start()
	p.undo = append(p.undo, s.close)
	p.store = s
	ctx, cancel := context.WithTimeout(context.Background(), firstVerdict)
	defer cancel()
	if v := s.monitor.First(ctx); v.State != shed.Writable && v.State != shed.Strained {
		p.Warnings = append(p.Warnings, fmt.Sprintf("session.store: %s is %s (%s) at this moment: %s",
			where(c), v.State, v.Cause, cmp.Or(s.monitor.Status().Err, "no verdict yet")))
	}
}

// keep notes where the passwords are.
func (s *livingStore) keep(c *config.Store) {
	s.password.Store(&c.Redis.Password)
	if c.Sentinel != nil {
		s.access.Store(&c.Sentinel.Access.Password)
	}
}

// prober returns what asks the store.
func (s *livingStore) prober(c *config.Store) store.Prober {
	node := probe.Settings{
		Network: c.Redis.Address.Network, Address: c.Redis.Address.Address, Username: c.Redis.Username,
		Password: func() (string, error) { return secret(*s.password.Load()) },
		DB:       c.Redis.DB, Prefix: c.Probe.KeyPrefix, Instance: instance(), TLS: (*probe.TLS)(c.Redis.TLS),
	}
	if c.Sentinel == nil {
		return probe.New(node)
	}
	return probe.NewSentinel(probe.SentinelSettings{
		Master: c.Sentinel.Master, Sentinels: sentinels(c.Sentinel), Username: c.Sentinel.Access.Username,
		Password: func() (string, error) { return secret(*s.access.Load()) },
		TLS:      (*probe.TLS)(c.Sentinel.Access.TLS), Node: node,
	})
}

func sentinels(s *config.Sentinel) []string {
	all := make([]string, len(s.Addresses))
	for i, a := range s.Addresses {
		all[i] = a.Address
	}
	return all
}

// where names the store for a person.
func where(c *config.Store) string {
	if c.Sentinel != nil {
		return "the store that the Sentinels know as " + c.Sentinel.Master
	}
	return c.Redis.Address.Address
}

// bindStores tells each route where the apps of its pools keep their sessions.
func (p *Plan) bindStores() {
	for _, r := range p.routes {
		r.Store, r.OverflowStore = p.store.seen, p.store.seen
	}
}

func (p *Plan) commitStore() {
	if old := p.living.store; old != nil && old != p.store {
		old.inForce.Store(false)
	}
	if c := p.cfg.Session.Store; c != nil {
		s := p.store
		s.keep(c)
		s.monitor.Set(p.storeSettings(s))
		p.keepOverride()
		if !s.inForce.Swap(true) {
			v := s.monitor.Current()
			p.living.Record.StoreTransition(record.Transition{Store: c.Name, At: time.Now(), To: v.State, Cause: v.Cause})
		}
		r := c.Recovery.Ramp
		p.living.line.Set(line.Settings{
			From: r.From.PerSecond(), To: r.To.PerSecond(), Over: r.Over,
			MinWait: p.cfg.Degrade.RetryAfter.Min, MaxWait: p.cfg.Degrade.RetryAfter.Max,
		})
		p.living.line.Serve(s.monitor)
		p.living.line.Follow(s.monitor, s.monitor.Current())
		p.living.strained.Set(quota.Settings{Rate: c.Strained.Rate.PerSecond(), Burst: max(1, int(c.Strained.Rate.PerSecond()/10))})
	}
}

// keepOverride has a person's word outlive the store it was said of, if the file names another one now.
func (p *Plan) keepOverride() {
	old := p.living.store
	if old == nil || old == p.store {
		return
	}
	if o := old.monitor.Overridden(); o != nil {
		_ = p.store.monitor.Override(*o) // one that ended in this moment has ended
	}
}

func (p *Plan) storeSettings(s *livingStore) store.Settings {
	rec, log, c := p.living.Record, p.living.Log, p.cfg.Session.Store
	return store.Settings{
		Interval: c.Probe.Interval, Timeout: c.Probe.Timeout, Payload: c.Probe.Payload,
		Strained: c.Strained.Latency, Memory: c.Strained.Memory, Clients: c.Strained.Clients, Evictions: c.Strained.Evictions.PerSecond(),
		Rise: c.Recovery.Rise, After: c.Recovery.After, RampOver: c.Recovery.Ramp.Over,
		HoldFrom: c.Recovery.Hold.From, HoldTo: c.Recovery.Hold.To,
		Observe: func(took time.Duration, e store.Evidence) {
			if !s.inForce.Load() {
				return
			}
			if e.Latency > 0 {
				took = e.Latency // without what was asked beside the canary
			}
			rec.StoreProbe(s.identity.name, took)
			if e.Err != nil && (e.State == shed.Writable || e.State == shed.Strained) {
				log.Warn("the session store is well, and something about it is not", "store", s.identity.name, "error", e.Err.Error())
			}
		},
	}
}

// tell records a transition, and what a person set or took back with it.
func tell(rec *record.Recorder, name string, t store.Transition) {
	if o := t.Ended; o != nil {
		why := "expired"
		if o.Until.Equal(t.At) {
			why = "off"
		}
		rec.Override(record.OverrideEvent{Store: name, At: t.At, State: o.State, By: o.By, Until: o.Until, Ended: true, Why: why})
	}
	if o := t.Override; o != nil && t.Set {
		rec.Override(record.OverrideEvent{Store: name, At: t.At, State: o.State, By: o.By, Until: o.Until})
	}
	if t.From != t.To || t.FromCause != t.Cause || t.Lost {
		rec.StoreTransition(transition(name, t))
	}
}

func transition(name string, t store.Transition) record.Transition {
	out := record.Transition{
		Store: name, At: t.At, From: t.From, To: t.To, Was: t.FromCause, Cause: t.Cause, Lasted: t.Lasted, Observed: t.Observed,
	}
	if t.Err != nil {
		out.Err = t.Err.Error()
	}
	if o := t.Override; o != nil {
		out.By, out.Until = o.By, o.Until
	}
	return out
}

var errNoSecret = errors.New("is empty")

// secret reads a secret from where the file says it is. Its errors name the place and never the secret.
func secret(s config.Secret) (string, error) {
	switch {
	case s.File != "":
		b, err := readFile(s.File)
		if err != nil {
			return "", fmt.Errorf("password_file: %w", err)
		}
		if v := strings.TrimRight(string(b), "\r\n"); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("password_file %s: %w", s.File, errNoSecret)
	case s.Env != "":
		if v := os.Getenv(s.Env); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("password_env %s: %w", s.Env, errNoSecret)
	default:
		return "", nil
	}
}

// instance names this process among those that probe the same store.
func instance() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

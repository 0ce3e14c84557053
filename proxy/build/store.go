package build

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"gatehouse/config"
	"gatehouse/proxy/record"
	"gatehouse/shed"
	"gatehouse/shed/line"
	"gatehouse/shed/store"
	"gatehouse/shed/store/probe"
)

// firstVerdict is how long a new store may take to be known before the file that names it goes live all the same.
const firstVerdict = time.Second

// livingStore is a store that is being checked.
type livingStore struct {
	identity storeIdentity
	monitor  *store.Monitor // owns its prober
}

func (s *livingStore) close() { s.monitor.Close() }

// storeIdentity is what a store's state goes by: which keys of which server are meant.
type storeIdentity struct {
	name     string
	address  config.Address
	db       int
	username string
	password config.Secret
	prefix   string
}

func identify(s *config.Store) storeIdentity {
	return storeIdentity{s.Name, s.Redis.Address, s.Redis.DB, s.Redis.Username, s.Redis.Password, s.Probe.KeyPrefix}
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
	prober := probe.New(probe.Settings{
		Network: c.Redis.Address.Network, Address: c.Redis.Address.Address, Username: c.Redis.Username,
		Password: func() (string, error) { return secret(c.Redis.Password) },
		DB:       c.Redis.DB, Prefix: c.Probe.KeyPrefix, Instance: instance(),
	})
	settings := p.storeSettings(c)
	settings.StartRamp = living != nil // another store's visitors are new to this one
	rec, name := p.living.Record, c.Name
	s.monitor = store.New(prober, settings, func(t store.Transition) { rec.StoreTransition(transition(name, t)) })
	s.monitor.Start()
	p.undo = append(p.undo, s.close)
	p.store = s
	ctx, cancel := context.WithTimeout(context.Background(), firstVerdict)
	defer cancel()
	s.monitor.First(ctx)
}

func (p *Plan) commitStore() {
	if c := p.cfg.Session.Store; c != nil {
		p.store.monitor.Set(p.storeSettings(c))
		r := c.Recovery.Ramp
		p.living.line.Set(line.Settings{From: r.From.PerSecond(), To: r.To.PerSecond(), Over: r.Over})
	}
}

func (p *Plan) storeSettings(c *config.Store) store.Settings {
	rec, name := p.living.Record, c.Name
	return store.Settings{
		Interval: c.Probe.Interval, Timeout: c.Probe.Timeout, Payload: c.Probe.Payload, Strained: c.Strained.Latency,
		Rise: c.Recovery.Rise, After: c.Recovery.After, RampOver: c.Recovery.Ramp.Over,
		Observe: func(took time.Duration, _ shed.Cause) { rec.StoreProbe(name, took) },
	}
}

func transition(name string, t store.Transition) record.Transition {
	out := record.Transition{
		Store: name, At: t.At, From: t.From, To: t.To, Was: t.FromCause, Cause: t.Cause, Lasted: t.Lasted,
	}
	if t.Err != nil {
		out.Err = t.Err.Error()
	}
	return out
}

var errNoSecret = errors.New("is empty")

// secret reads a secret from where the file says it is. Its errors name the place and never the secret.
func secret(s config.Secret) (string, error) {
	switch {
	case s.File != "":
		b, err := os.ReadFile(s.File)
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

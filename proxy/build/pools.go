package build

import (
	"time"

	"gatehouse/config"
	"gatehouse/proxy"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
)

func (p *Plan) planPools() {
	for _, c := range p.cfg.Pools {
		if living := p.living.pools[c.Name]; living != nil {
			p.pools[c.Name] = living
			continue
		}
		pool := &proxy.Pool{Name: c.Name, Backends: upstream.NewPool(p.poolSettings(c), nil)} // the recorder says it
		pool.Set(gateSettings(c))
		p.pools[c.Name] = pool
		p.undo = append(p.undo, pool.Backends.Close)
	}
}

func (p *Plan) commitPools() {
	var names []string
	for _, c := range p.cfg.Pools {
		names = append(names, c.Name)
		pool := p.pools[c.Name]
		pool.Backends.Set(p.poolSettings(c))
		pool.Backends.Start()
		pool.Set(gateSettings(c))
	}
	p.living.Record.Pools(names)
}

func (p *Plan) poolSettings(c config.Pool) upstream.Settings {
	rec := p.living.Record
	s := upstream.Settings{Name: c.Name, OnHealth: func(b upstream.BackendStatus) { tellBackend(rec, c.Name, b) }}
	s.Retries.Budget, s.SlowStart = c.Retries.Budget, c.SlowStart
	if c.Eject != nil {
		e := upstream.EjectSettings(*c.Eject)
		s.Eject = &e
	}
	for _, b := range c.Backends {
		s.Backends = append(s.Backends, upstream.BackendSettings{URL: b.URL, Address: b.Address})
	}
	if c.Health != nil {
		h := upstream.HealthSettings(*c.Health)
		s.Health = &h
	}
	return s
}

// tellBackend records what happened to a backend.
func tellBackend(rec *record.Recorder, pool string, b upstream.BackendStatus) {
	now := time.Now()
	switch b.Change {
	case upstream.Ejected:
		rec.BackendEjected(now, pool, b.URL, b.EjectedUntil, b.LastError)
	case upstream.Returned:
		rec.BackendReturned(now, pool, b.URL, string(b.Why))
	case upstream.Up:
		rec.BackendChange(now, pool, b.URL, true, "")
	default:
		rec.BackendChange(now, pool, b.URL, false, b.LastError)
	}
}

func gateSettings(c config.Pool) shed.GateSettings {
	s := shed.GateSettings{
		Limit: c.MaxInFlight, Length: c.Queue.Length, Timeout: c.Queue.Timeout, Reserve: c.Reserve,
		Shares: shed.Shares{
			shed.Member: c.Shares.Member, shed.SignIn: c.Shares.SignIn, shed.Unproved: c.Shares.Unproved,
			shed.Anonymous: c.Shares.Anonymous, shed.Background: c.Shares.Background,
		},
	}
	if c.Adaptive != nil {
		s.Adaptive = &shed.AdaptiveSettings{Min: c.Adaptive.Min, Max: c.Adaptive.Max}
	}
	return s
}

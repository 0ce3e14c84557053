package build

import (
	"time"

	"gatehouse/config"
	"gatehouse/proxy"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
)

func (p *Plan) planPools() {
	for _, c := range p.cfg.Pools {
		if living := p.living.pools[c.Name]; living != nil {
			p.pools[c.Name] = living
			continue
		}
		pool := &proxy.Pool{Name: c.Name, Backends: upstream.NewPool(p.poolSettings(c), p.living.Log)}
		pool.Gate.Set(gateSettings(c))
		p.pools[c.Name] = pool
		p.undo = append(p.undo, pool.Backends.Close)
	}
}

func (p *Plan) commitPools() {
	for _, c := range p.cfg.Pools {
		pool := p.pools[c.Name]
		pool.Backends.Set(p.poolSettings(c))
		pool.Backends.Start()
		pool.Gate.Set(gateSettings(c))
	}
}

func (p *Plan) poolSettings(c config.Pool) upstream.Settings {
	rec := p.living.Record
	s := upstream.Settings{Name: c.Name, OnHealth: func(b upstream.BackendStatus) {
		rec.BackendChange(time.Now(), c.Name, b.URL, b.Up, b.LastError)
	}}
	for _, b := range c.Backends {
		s.Backends = append(s.Backends, upstream.BackendSettings(b))
	}
	if c.Health != nil {
		h := upstream.HealthSettings(*c.Health)
		s.Health = &h
	}
	return s
}

func gateSettings(c config.Pool) shed.GateSettings {
	return shed.GateSettings{Limit: c.MaxInFlight, Length: c.Queue.Length, Timeout: c.Queue.Timeout}
}

package build

import (
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
		pool := &proxy.Pool{Name: c.Name, Backends: upstream.NewPool(poolSettings(c), p.living.Log)}
		pool.Gate.Set(gateSettings(c))
		pool.Backends.Start()
		p.pools[c.Name] = pool
		p.undo = append(p.undo, pool.Backends.Close)
	}
}

func (p *Plan) commitPools() {
	for _, c := range p.cfg.Pools {
		pool := p.pools[c.Name]
		pool.Backends.Set(poolSettings(c))
		pool.Gate.Set(gateSettings(c))
	}
}

func poolSettings(c config.Pool) upstream.Settings {
	s := upstream.Settings{Name: c.Name}
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

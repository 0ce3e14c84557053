package build

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/config"
	"gatehouse/proxy/edge"
)

// closingTime is how long a listener that a reload dropped waits for its visitors.
const closingTime = 30 * time.Second

// lingering is how much of that it waits for connections without a request: one may be on its way.
const lingering = 10 * time.Second

// linger returns when no connections are left, grace is over, or ctx has ended.
func linger(ctx context.Context, grace time.Duration, conns func() int) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for conns() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// planListeners opens the listeners that are new, without serving them yet, and reads the certificates of all.
func (p *Plan) planListeners() error {
	all := p.planCerts()
	for _, c := range p.cfg.Listen {
		if living := p.living.listeners[c.Address]; living != nil {
			p.listeners[c.Address] = living
			continue
		}
		l, err := p.living.listen(c.Address)
		if err != nil {
			all = errors.Join(all, fmt.Errorf("listen: %s: %w", c.Address.Address, err))
			continue
		}
		p.listeners[c.Address] = edge.NewServer(l, p.living.Handler, edge.Settings{
			Live: edge.Live{Health: c.Health}, Log: p.living.Log, Refused: p.living.Handler.Refused,
		})
		p.undo = append(p.undo, func() { _ = l.Close() })
	}
	return all
}

func (p *Plan) commitListeners() {
	l := p.living
	before := l.listeners
	l.listeners = p.listeners
	if p.certs != nil {
		p.certs.Commit()
	}
	for _, c := range p.cfg.Listen {
		s := p.listeners[c.Address]
		s.Set(p.live(c))
		if before[c.Address] == nil {
			s.SetReady(true)
			l.serving.Go(s.Serve)
		}
	}
	for address, s := range before {
		if p.listeners[address] == nil {
			s.SetReady(false)
			s.Leave()
			l.retiring.Go(func() {
				ctx, cancel := context.WithTimeout(l.closing, closingTime)
				defer cancel()
				linger(ctx, lingering, s.Conns)
				_ = s.Drain(ctx) // what is left after that time is cut, which is what a dropped listener means
			})
		}
	}
}

// live is what a listener's visitors meet from here on.
func (p *Plan) live(c config.Listen) edge.Live {
	l := edge.Live{
		Health: c.Health, HTTP2: c.HTTP2 == "on" || c.HTTP2 == "cleartext", ProxyProtocol: c.ProxyProtocol, Redirect: c.Redirect,
		Challenge: p.living.certs.Challenge,
	}
	if t := c.TLS; t != nil {
		l.TLS = p.living.certs.Config(clients(t), version(t.MinVersion), names(t))
		l.HSTS = hsts(t.HSTS)
	}
	return l
}

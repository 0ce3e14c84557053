package build

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/proxy/edge"
)

// closingTime is how long a listener that a reload dropped waits for its visitors.
const closingTime = 30 * time.Second

// planListeners opens the listeners that are new, without serving them yet.
func (p *Plan) planListeners() error {
	var all error
	for _, c := range p.cfg.Listen {
		if living := p.living.listeners[c.Address]; living != nil {
			p.listeners[c.Address] = living
			continue
		}
		l, err := p.living.listen(c.Address.Network, c.Address.Address)
		if err != nil {
			all = errors.Join(all, fmt.Errorf("listen: %s: %w", c.Address.Address, err))
			continue
		}
		p.listeners[c.Address] = edge.NewServer(l, p.living.Handler, edge.Settings{
			Health: c.Health, Log: p.living.Log, Refused: p.living.Handler.Refused,
		})
		p.undo = append(p.undo, func() { _ = l.Close() })
	}
	return all
}

func (p *Plan) commitListeners() {
	l := p.living
	before := l.listeners
	l.listeners = p.listeners
	for _, c := range p.cfg.Listen {
		s := p.listeners[c.Address]
		s.SetHealth(c.Health)
		if before[c.Address] == nil {
			s.SetReady(true)
			l.serving.Go(s.Serve)
		}
	}
	for address, s := range before {
		if p.listeners[address] == nil {
			s.SetReady(false)
			l.retiring.Go(func() {
				ctx, cancel := context.WithTimeout(l.closing, closingTime)
				defer cancel()
				_ = s.Drain(ctx) // what is left after that time is cut, which is what a dropped listener means
			})
		}
	}
}

package serve

import (
	"fmt"
	"strings"
	"time"
)

// glance is how often the service manager's line is looked at.
const glance = 2 * time.Second

// rhythm is how often beat is due.
func (p *program) rhythm() time.Duration {
	if !p.manager.Listens() {
		return time.Hour // nobody to tell
	}
	if every := p.manager.Every(); every > 0 {
		return min(every, glance)
	}
	return glance
}

// beat tells the service manager how things stand. It comes from the loop, so that one that hangs is found out.
func (p *program) beat() {
	if !p.manager.Listens() {
		return
	}
	if p.manager.Every() > 0 {
		p.told(p.manager.Alive())
	}
	p.told(p.manager.Status(p.standing()))
}

// told says, once, that the service manager does not listen.
func (p *program) told(err error) {
	if err != nil && !p.muted {
		p.muted = true
		p.log.Warn("the service manager could not be told how things stand", "error", err.Error())
	}
}

// standing is how things stand, in one line.
func (p *program) standing() string {
	p.state.mu.Lock()
	cfg, ok := p.state.cfg, p.state.fate.OK
	p.state.mu.Unlock()
	if cfg == nil {
		return "starting"
	}
	at := make([]string, len(cfg.Listen))
	for i, l := range cfg.Listen {
		at[i] = l.Address.Address
	}
	words := []string{"serving " + strings.Join(at, ", ")}
	for _, s := range p.living.Status(cfg).Stores {
		words = append(words, fmt.Sprintf("%s %s", s.Name, s.State))
	}
	if !ok {
		words = append(words, "the last reload failed")
	}
	return strings.Join(words, "; ")
}

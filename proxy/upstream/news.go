package upstream

import "time"

// Change is what happened to a backend.
type Change uint8

// The zero value is no change.
const (
	Up Change = 1 + iota // the health checks
	Down
	Ejected  // results
	Returned // from an ejection
)

func (c Change) String() string {
	switch c {
	case Up:
		return "up"
	case Down:
		return "down"
	case Ejected:
		return "ejected"
	case Returned:
		return "returned"
	}
	return ""
}

// maxNews bounds what waits to be told, where OnHealth is slow or the pool was never started. The oldest goes first.
const maxNews = 256

// changed notes something to be told. It is called under the pool's lock.
func (p *Pool) changed(b *backend, c Change, why Why, now time.Time) {
	if b.retired {
		return
	}
	if len(p.news) == maxNews {
		copy(p.news, p.news[1:])
		p.news = p.news[:maxNews-1]
	}
	s := b.status(now)
	s.Change, s.Why = c, why
	p.news = append(p.news, s)
	select {
	case p.told <- struct{}{}:
	default:
	}
}

// tell tells what waits to be told, and returns how long it is to the next return. Only the watcher calls it.
func (p *Pool) tell() time.Duration {
	now := time.Now()
	p.mu.Lock()
	p.lapse(now)
	news, hear := p.news, p.settings.OnHealth
	p.news = nil
	p.mu.Unlock()
	for _, s := range news {
		p.say(s)
		if hear != nil {
			hear(s)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ejected == 0 {
		return never
	}
	return time.Until(p.nextReturn)
}

const never = time.Duration(1<<63 - 1)

func (p *Pool) say(s BackendStatus) {
	at := []any{"pool", s.Pool, "backend", s.URL}
	switch s.Change {
	case Up:
		p.log.Info("backend is up", at...)
	case Down:
		p.log.Warn("backend is down", append(at, "error", s.LastError)...)
	case Ejected:
		p.log.Warn("backend is ejected", append(at, "until", s.EjectedUntil, "error", s.LastError)...)
	case Returned:
		p.log.Info("backend returns", append(at, "reason", string(s.Why))...)
	}
}

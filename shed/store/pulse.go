package store

import (
	"sync"
	"time"
)

// beat is how often the pulse is felt while a probe is under way.
const beat = 5 * time.Millisecond

// pulse tells whether this process itself was scheduled while something was measured: a timer that should fire every beat,
// and how late it was at worst. It runs only between start and stop, so that an idle Monitor costs nothing. The zero value
// is ready; start and stop belong to one goroutine.
type pulse struct {
	mu    sync.Mutex
	timer *time.Timer
	on    bool
	due   time.Time
	worst time.Duration
}

func (p *pulse) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on, p.worst = true, 0
	p.due = time.Now().Add(beat)
	if p.timer == nil {
		p.timer = time.AfterFunc(beat, p.tick)
	} else {
		p.timer.Reset(beat)
	}
}

func (p *pulse) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.on {
		p.feel(time.Now())
		p.timer.Reset(beat)
	}
}

// stop returns how late the pulse was at worst, a beat that is overdue now included.
func (p *pulse) stop() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on = false
	p.timer.Stop()
	p.feel(time.Now())
	return p.worst
}

func (p *pulse) feel(now time.Time) {
	p.worst = max(p.worst, now.Sub(p.due))
	p.due = now.Add(beat)
}

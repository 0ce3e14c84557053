package line

import (
	"sync"
	"time"
)

// Line is one store's waiting line and ramp. The zero value lets everybody enter. It is safe for concurrent use.
type Line struct {
	mu  sync.Mutex
	set Settings
}

// New returns a line with these settings.
func New(s Settings) *Line { return &Line{set: s} }

// Set changes the settings in place.
func (l *Line) Set(s Settings) {
	l.mu.Lock()
	l.set = s
	l.mu.Unlock()
}

// Close says that the store closed for sign-ins at now.
func (l *Line) Close(now time.Time) {}

// Open says that the store opened at that moment: the ramp begins.
func (l *Line) Open(at time.Time) {}

// Enter says whether a sign-in may go on while the store is open.
func (l *Line) Enter(now time.Time, p Place) Turn { return Turn{Enter: true} }

// TurnedAway gives somebody a place who is turned away because the store is closed.
func (l *Line) TurnedAway(now time.Time, p Place) Turn {
	return Turn{Wait: 5 * time.Second, Ahead: -1, Place: Place{Seen: now, ID: 1}}
}

// Report says what became of a sign-in.
func (l *Line) Report(now time.Time, failed bool, took time.Duration) {}

// Use counts one more request of an admission, and says whether it is still good.
func (l *Line) Use(now time.Time, id uint64) bool { return true }

// Load says what the line is doing at now.
func (l *Line) Load(now time.Time) Load { return Load{} }

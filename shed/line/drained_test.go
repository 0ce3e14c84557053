package line

import (
	"testing"
	"time"
)

// Whoever looks long after a ramp to which nobody came sees no line.
func TestALineThatNobodyCameToIsNotShown(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := New(Settings{From: 10, To: 100, Over: 10 * time.Second})
	l.Close(now)
	l.Open(now.Add(time.Minute))
	if d := l.Load(now.Add(time.Minute + 5*time.Second)); !d.Active {
		t.Errorf("while the ramp runs: %+v", d)
	}
	if d := l.Load(now.Add(20 * time.Minute)); d.Active || d.Waiting != 0 {
		t.Errorf("long after: %+v", d)
	}
}

package test

import (
	"testing"
	"time"
)

// places is how many places the pool of a site has for requests, as keys of the file.
type places string

const (
	noLimit places = ""
	// Few: fewer than who attack. Whoever has a place counts as slow only after a second, and so long may the first members wait. They are
	// never refused.
	few places = "max_in_flight: 64, queue: {length: 128, timeout: 2s}"
)

// may is how long a member's 99th percentile may be, whatever it was before: a machine that is busy with other things is given a
// quarter of a second.
func (p places) may() time.Duration {
	if p == few {
		return 1500 * time.Millisecond
	}
	return 250 * time.Millisecond
}

// least is how many of the attack's connections must have stood at once, or it was none. Where there are few places, those who find
// them taken and nobody to make way are sent away.
func (p places) least(conns int) int {
	if p == few {
		return 60
	}
	return conns * 9 / 10
}

// TestSlowClientsAreNobodysTrouble has two hundred who are slow on purpose come beside members; make faults has a thousand.
func TestSlowClientsAreNobodysTrouble(t *testing.T) {
	asShipped(t)
	for _, c := range []struct {
		how slowness
		places
	}{{slowHeads, few}, {slowBodies, few}, {slowReaders, noLimit}} {
		t.Run(c.how.name, func(t *testing.T) { slowly(t, c.how, c.places, 200, 4*time.Second) })
	}
}

// slowly attacks in one way.
func slowly(t *testing.T, how slowness, p places, conns int, long time.Duration) {
	s := startSlowSite(t, p)
	var wrong []string
	steadily(func() bool {
		v := s.besiege(t, how, conns, long)
		t.Log(v)
		wrong = v.judge(p.least(conns), p.may())
		return len(wrong) == 0
	})
	for _, w := range wrong {
		t.Error(w)
	}
}

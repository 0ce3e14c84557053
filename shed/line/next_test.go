package line

import (
	"testing"
	"time"
)

// Who is told that nobody stands before him is not sent away for it again and again, and nobody is sent round for nothing.
func TestWhoIsToldThatHeIsNextIsNext(t *testing.T) {
	for _, c := range []struct {
		name   string
		s      Settings
		people int
		opens  time.Duration
		visits int // from the opening on, of nineteen in twenty
	}{
		{"a small app", small, 250, time.Minute, 6},
		{"a large one", usual, 5000, 2 * time.Minute, 3},
	} {
		h := newHerd(3, 1, c.s)
		h.opens = c.opens
		h.patients(c.people, 0, h.opens, -1)
		heard := h.listen(isPatient)
		h.run()
		d := heard()
		again := 0
		for _, n := range d.again {
			if n > 0 {
				again++
			}
		}
		t.Logf("%s: %d visits, one in twenty more than %d; %d were told that they are next and sent away, at most %d times",
			c.name, part(d.visits, 0.5), part(d.visits, 0.95), again, part(d.again, 1))
		if n := part(d.visits, 0.95); n > c.visits {
			t.Errorf("%s: one in twenty comes more than %d times", c.name, n)
		}
		if again > c.people/20 || part(d.again, 0.99) > 3 {
			t.Errorf("%s: %d were told that they are next and sent away, one in a hundred %d times", c.name, again, part(d.again, 0.99))
		}
		if len(h.entered) != c.people {
			t.Errorf("%s: %d are in", c.name, len(h.entered))
		}
	}
}

// A tenth of the herd throws its places away and asks twice a second: they are not counted as a crowd, and nobody waits for them.
func TestHammeringWithoutAPlaceSlowsNobody(t *testing.T) {
	for _, c := range []struct {
		opens time.Duration
		most  int // that anybody may be told of; right after the closure nobody knows who will come back
	}{{time.Minute, 300}, {10 * time.Second, 550}} {
		run := func(hammers int) (last time.Duration, d told) {
			h := newHerd(3, 1, small)
			h.opens = c.opens
			h.patients(250-hammers, 0, h.opens, -1)
			h.hammers(hammers, 500*time.Millisecond)
			heard := h.listen(isPatient)
			h.run()
			return h.nearlyAll(isPatient), heard()
		}
		without, _ := run(0)
		last, d := run(25)
		t.Logf("nearly all are in after %v, %v without hammerers; somebody was told of %d before him", last, without, d.most)
		if last > without*115/100 || d.most > c.most {
			t.Errorf("nearly all are in after %v, %v where nobody hammers; somebody was told of %d before him", last, without, d.most)
		}
	}
}

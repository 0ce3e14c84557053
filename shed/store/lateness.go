package store

import (
	"slices"
	"time"
)

// lateness tells a strained store from one slow answer.
type lateness struct {
	recent  [5]time.Duration // the last five good probes, in a ring; zero: not that many yet
	late    [5]bool
	next    int
	intime  int // in a row
	strains bool
}

func (l *lateness) note(latency time.Duration, s Settings) {
	late := s.Strained > 0 && latency > s.Strained
	l.recent[l.next], l.late[l.next] = latency, late
	l.next = (l.next + 1) % len(l.recent)
	l.intime++
	if late {
		l.intime = 0
	}
	n := 0
	for _, was := range l.late {
		if was {
			n++
		}
	}
	switch {
	case n >= 3 && late:
		l.strains = true
	case l.intime >= s.rise():
		l.strains = false
	}
}

// worst is the longest of the last five.
func (l *lateness) worst() time.Duration { return slices.Max(l.recent[:]) }

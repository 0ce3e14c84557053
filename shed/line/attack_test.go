package line

import (
	"slices"
	"testing"
	"time"
)

// closedLine is a line whose store closed at epoch, and the places of those who were turned away then, a hundred a second.
func closedLine(s Settings, people int) (*Line, []Place) {
	l, places := New(s), make([]Place, people)
	l.Enter(epoch.Add(-time.Hour), Place{})
	l.Close(epoch)
	for i := range places {
		places[i] = l.TurnedAway(epoch.Add(time.Duration(i)*10*time.Millisecond), Place{}).Place
	}
	return l, places
}

var opening = epoch.Add(time.Minute)

// entries opens a line and lets somebody ask a hundred times a second for that long. The honest are at the door as well: the
// ten who are next ask as often. It returns how often he entered. Before each time he asks, without removes a protection.
func entries(l *Line, honest []Place, long time.Duration, place func(now time.Time) Place, without func(*Line)) (n int) {
	l.Open(opening)
	for at := time.Duration(0); at < long; at += 10 * time.Millisecond {
		now := opening.Add(at)
		if without != nil {
			without(l)
		}
		if l.Enter(now, place(now)).Enter {
			n++
		}
		for i := 0; i < min(10, len(honest)); {
			if l.Enter(now.Add(time.Millisecond), honest[i]).Enter {
				honest = slices.Delete(honest, i, i+1)
			} else {
				i++
			}
		}
	}
	return n
}

func TestNothingIsWonByCheating(t *testing.T) {
	s := Settings{From: 20, To: 20, Over: time.Minute}
	none := func(time.Time) Place { return Place{} }
	for _, c := range []struct {
		name    string
		place   func(now time.Time) Place
		most    int // entries in ten seconds of a ramp of 20/s, 200 in all
		without func(l *Line)
		then    int // at least, without the protection
	}{
		{"throwing the place away", none, 4, func(l *Line) { l.frontier.called = l.order.total }, 30},
		{"a forged place comes as none", none, 4, func(l *Line) { l.frontier.lead = l.order.total }, 30},
		{"a place from the future", func(now time.Time) Place { return Place{Seen: now.Add(time.Minute), ID: newID(1)} }, 4,
			func(l *Line) { l.frontier.called = l.order.total }, 30},
		{"a place without an id", func(time.Time) Place { return Place{Seen: epoch} }, 4,
			func(l *Line) { l.frontier.called = l.order.total }, 30},
		{"a hoard from an earlier closure", func(time.Time) Place { return Place{Seen: epoch.Add(-10 * time.Second), ID: newID(1)} }, 4,
			func(l *Line) { l.zero = epoch.Add(-time.Hour) }, 30},
		{"a thousand copies of one early place", func(time.Time) Place { return Place{Seen: epoch, ID: 7} }, 5,
			func(l *Line) { l.spent = new(uses) }, 30},
	} {
		l, honest := closedLine(s, 5000)
		if n := entries(l, honest, 10*time.Second, c.place, nil); n > c.most {
			t.Errorf("%s: entered %d times in ten seconds, at most %d wanted", c.name, n, c.most)
		} else {
			t.Logf("%s: entered %d times", c.name, n)
		}
		l, honest = closedLine(s, 5000)
		if n := entries(l, honest, 10*time.Second, c.place, c.without); n < c.then {
			t.Errorf("%s, without the protection: entered %d times, at least %d wanted: the test shows nothing", c.name, n, c.then)
		}
	}
}

func TestAnHonestPlaceIsWorthItsTurn(t *testing.T) {
	for long, want := range map[time.Duration]int{8 * time.Second: 0, 12 * time.Second: 1} {
		l, places := closedLine(Settings{From: 20, To: 20, Over: time.Minute}, 1000)
		mine := places[200]
		if n := entries(l, slices.Delete(places, 200, 201), long, func(time.Time) Place { return mine }, nil); n != want {
			t.Errorf("somebody with 200 before him entered %d times in %v of a ramp of 20/s, want %d", n, long, want)
		}
	}
}

func TestAPlaceIsUsedUp(t *testing.T) {
	l, _ := closedLine(usual, 0)
	p := l.TurnedAway(epoch.Add(time.Second), Place{}).Place
	l.Open(opening)
	if turn := l.Enter(opening, p); !turn.Enter || !turn.Kept {
		t.Fatalf("the only one in line: %+v", turn)
	}
	for at := range 20 {
		if turn := l.Enter(opening.Add(time.Duration(at)*time.Second), p); turn.Kept {
			t.Fatalf("a used place was good after %d s", at)
		}
	}
	l.Close(opening.Add(20 * time.Second))
	if turn := l.TurnedAway(opening.Add(21*time.Second), p); turn.Kept || turn.Place.ID == p.ID {
		t.Errorf("a used place was good when the closure went on: %+v", turn)
	}
}

func TestPlacesStayGoodInTheSameClosureOnly(t *testing.T) {
	l, _ := closedLine(Settings{From: 1, To: 1, Over: 30 * time.Second}, 0)
	var places []Place
	for i := range 100 {
		places = append(places, l.TurnedAway(epoch.Add(time.Duration(i)*time.Second/10), Place{}).Place)
	}
	l.Open(opening)
	l.Enter(opening.Add(time.Second), places[0])
	for _, closes := range []time.Duration{10 * time.Second, 50 * time.Second} {
		l.Close(opening.Add(closes)) // within the ramp, and within its tail
		if turn := l.TurnedAway(opening.Add(closes+time.Second), places[99]); !turn.Kept || turn.Place != places[99] {
			t.Fatalf("the ramp that the store closed in after %v did not keep a place: %+v", closes, turn)
		}
		l.Open(opening.Add(closes + 2*time.Second))
		if d := l.Load(opening.Add(closes + 2*time.Second)); d.Rate != 1 || !d.Since.Equal(epoch) {
			t.Errorf("the ramp does not begin anew in the same closure: %+v", d)
		}
	}
	calm := opening.Add(time.Hour)
	for at := opening.Add(time.Minute); at.Before(calm); at = at.Add(time.Second) {
		l.Load(at)
	}
	if d := l.Load(calm); d.Active {
		t.Fatalf("an hour later: %+v", d)
	}
	l.Close(calm)
	if turn := l.TurnedAway(calm.Add(time.Second), places[99]); turn.Kept {
		t.Error("a place of an earlier closure is good")
	}
	// Another Gatehouse noticed the closure a little earlier.
	if turn := l.TurnedAway(calm.Add(time.Second), Place{Seen: calm.Add(-4 * time.Second), ID: 3}); !turn.Kept {
		t.Error("a place from four seconds before is not good")
	}
	if turn := l.TurnedAway(calm.Add(time.Second), Place{Seen: calm.Add(-6 * time.Second), ID: 3}); turn.Kept {
		t.Error("a place from six seconds before is good")
	}
}

func TestAnAdmissionIsForOneJourney(t *testing.T) {
	l := New(usual)
	for i := range 20 {
		if ok := l.Use(epoch, 99); ok != (i < requests) {
			t.Fatalf("request %d of one admission: %v", i+1, ok)
		}
	}
	if !l.Use(epoch, 100) || l.Use(epoch, 0) {
		t.Error("another admission is not good, or none is")
	}
	if !l.Use(epoch.Add(journey+time.Second), 99) {
		t.Error("still known after every admission has ended")
	}
}

package line

import (
	"testing"
	"time"
)

// Where it is known when the store opens, the herd comes back for its turns in the ramp and not before it.
func TestNobodyComesBeforeAKnownOpening(t *testing.T) {
	s := Settings{From: 10, To: 100, Over: 30 * time.Second}
	l, _ := closedLine(s, 0)
	opens := epoch.Add(10*time.Minute + 300*time.Millisecond)
	comes := make([]int, 120)
	var first Turn
	for i := range 2000 {
		now := epoch.Add(time.Duration(i) * 5 * time.Millisecond)
		turn := l.TurnedAwayUntil(now, Place{}, opens)
		if i == 0 {
			first = turn
		}
		at := now.Add(turn.Wait).Sub(opens)
		if at < 0 || turn.Wait%time.Second != 0 {
			t.Fatalf("told to come after %v, %v from the opening", turn.Wait, at)
		}
		comes[int(at/time.Second)]++
	}
	early, late := all(comes[:5]), all(comes[20:25])
	t.Logf("returns by second: %v", comes[:40])
	if early > 200 || late < early || early == 0 {
		t.Errorf("%d come in the first five seconds, %d in five later ones", early, late)
	}
	if n := l.Load(epoch.Add(time.Minute)).Waiting; n < 1900 || n > 2000 {
		t.Errorf("%d people wait, of 2000 who were told to come in ten minutes", n)
	}
	if n := l.Load(opens.Add(-time.Second)).Waiting; n < 1900 {
		t.Errorf("%d people wait just before the opening", n)
	}
	again := l.TurnedAwayUntil(epoch.Add(time.Minute), first.Place, opens)
	if at := time.Minute + again.Wait; !again.Kept || at < 10*time.Minute || at > 10*time.Minute+15*time.Second {
		t.Errorf("the first again: %+v", again)
	}
}

// Who was told to come soon, and comes before that when more is known, is told what is known.
func TestAnOpeningThatBecomesKnownIsTold(t *testing.T) {
	l, _ := closedLine(usual, 0)
	p := l.TurnedAway(epoch, Place{}).Place
	turn := l.TurnedAwayUntil(epoch.Add(time.Second), p, epoch.Add(5*time.Minute))
	if !turn.Kept || turn.Wait < 299*time.Second || turn.Wait > 310*time.Second {
		t.Errorf("%+v", turn)
	}
	if turn = l.TurnedAway(epoch.Add(2*time.Second), p); turn.Wait > time.Minute {
		t.Errorf("it is not known any more: %+v", turn)
	}
	if turn = l.TurnedAwayUntil(epoch.Add(2*time.Second), p, epoch); turn.Wait > time.Minute {
		t.Errorf("an opening that is past: %+v", turn)
	}
	l.Open(epoch.Add(3 * time.Second))
	if turn = l.Enter(epoch.Add(10*time.Second), p); !turn.Enter {
		t.Errorf("it opened sooner: %+v", turn)
	}
	calm := New(usual)
	if turn = calm.TurnedAwayUntil(epoch, Place{}, epoch.Add(time.Hour)); turn.Wait < time.Hour || turn.Wait > time.Hour+6*time.Second {
		t.Errorf("the line was not told yet: %+v", turn)
	}
}

func all(n []int) (s int) {
	for _, v := range n {
		s += v
	}
	return s
}

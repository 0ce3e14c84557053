package line

import (
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

// inRamp are places of a closure whose ramp a process that ran before had begun, the last of them a minute ago.
func inRamp(now time.Time, n int) (places []Place) {
	for i := range n {
		places = append(places, Place{Seen: now.Add(-time.Minute - time.Duration(n-i)*10*time.Millisecond), ID: newID(7)})
	}
	return places
}

func TestARestartInTheMiddleOfARampGoesOnWithOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{From: 10, To: 20, Over: 30 * time.Second})
		time.Sleep(5 * time.Second)
		if turn := l.Enter(time.Now(), Place{}); !turn.Enter || turn.Counted {
			t.Fatalf("before any place was shown: %+v", turn)
		}
		in := 0
		for _, p := range inRamp(time.Now(), 500) {
			if l.Enter(time.Now(), p).Enter {
				in++
			}
			time.Sleep(10 * time.Millisecond)
		}
		if in < 10 || in > 80 {
			t.Errorf("%d entered within five seconds of a ramp from 10/s", in)
		}
	})
}

func TestAPlaceBeginsARampAfterARestartAlone(t *testing.T) {
	begins := func(age, ran time.Duration, before func(l *Line)) bool {
		var active bool
		synctest.Test(t, func(t *testing.T) {
			l := New(usual)
			if before != nil {
				before(l)
			}
			time.Sleep(ran)
			turn := l.Enter(time.Now(), Place{Seen: time.Now().Add(-age), ID: 5})
			active = l.Load(time.Now()).Active
			if turn.Kept != active || turn.Counted != active {
				t.Errorf("a ramp is in force: %v, and %+v", active, turn)
			}
		})
		return active
	}
	over := func(l *Line) {
		l.Close(time.Now())
		l.Open(time.Now().Add(time.Second))
		for range 90 {
			time.Sleep(time.Second)
			l.Load(time.Now())
		}
	}
	for name, c := range map[string]struct {
		age, ran time.Duration
		before   func(l *Line)
		want     bool
	}{
		"just started":             {time.Minute, 10 * time.Second, nil, true},
		"started four minutes ago": {9 * time.Minute, 4 * time.Minute, nil, true},
		"started six minutes ago":  {time.Minute, 6 * time.Minute, nil, false},
		"an old place":             {11 * time.Minute, 10 * time.Second, nil, false},
		"a place of the future":    {-time.Minute, 10 * time.Second, nil, false},
		"it had a closure":         {time.Minute, 10 * time.Second, over, false},
		"no ramp is set":           {time.Minute, 10 * time.Second, func(l *Line) { l.Set(Settings{}) }, false},
	} {
		if got := begins(c.age, c.ran, c.before); got != c.want {
			t.Errorf("%s: a ramp begins: %v", name, got)
		}
	}
}

// A stranger who keeps a place can do it once.
func TestAPlaceBeginsOneRampAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{From: 10, To: 20, Over: 5 * time.Second})
		l.Enter(time.Now(), Place{Seen: time.Now(), ID: 5})
		if !l.Load(time.Now()).Active {
			t.Fatal("no ramp began")
		}
		for range 100 {
			time.Sleep(time.Second)
			l.Load(time.Now())
		}
		l.Enter(time.Now(), Place{Seen: time.Now(), ID: 6})
		if l.Load(time.Now()).Active {
			t.Error("a second one began")
		}
	})
}

func TestWhoShouldHaveAnAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Settings{From: 10, To: 20, Over: 5 * time.Second})
		admits := func(want bool, when string) {
			t.Helper()
			if turn := l.Enter(time.Now(), Place{}); !turn.Enter || turn.Admit != want {
				t.Errorf("%s: %+v", when, turn)
			}
		}
		admits(true, "just started")
		time.Sleep(61 * time.Second)
		admits(false, "a minute later")
		l.Close(time.Now())
		if turn := l.TurnedAway(time.Now(), Place{}); turn.Admit {
			t.Errorf("closed: %+v", turn)
		}
		time.Sleep(20 * time.Second)
		l.Open(time.Now())
		time.Sleep(2 * time.Second)
		admits(true, "in the ramp")
		for l.Load(time.Now()).Active {
			time.Sleep(time.Second)
		}
		time.Sleep(50 * time.Second)
		admits(true, "less than a minute after it")
		time.Sleep(15 * time.Second)
		admits(false, "more than a minute after it")
		l = New(Settings{})
		admits(false, "without a ramp")
	})
}

// A process that ran for an hour and was asked nothing knows when the closure began.
func TestTheFirstSignInOfADayDoesNotMakeALineGuess(t *testing.T) {
	for name, starts := range map[string]func() *Line{
		"New":    func() *Line { return New(usual) },
		"Set":    func() *Line { l := new(Line); l.Set(usual); return l },
		"Serve":  func() *Line { l := &Line{set: usual}; l.Serve("a"); return l },
		"Follow": func() *Line { l := &Line{set: usual}; l.Follow("a", shed.Verdict{State: shed.Writable}); return l },
	} {
		synctest.Test(t, func(t *testing.T) {
			l := starts()
			time.Sleep(time.Hour)
			old := Place{Seen: time.Now().Add(-30 * time.Minute), ID: 5}
			l.Close(time.Now())
			if turn := l.TurnedAway(time.Now().Add(time.Second), old); turn.Kept || turn.Ahead < 0 {
				t.Errorf("%s: %+v", name, turn)
			}
		})
	}
}

package line

import (
	"testing"
	"time"

	"gatehouse/shed"
)

func TestTheLineFollowsItsStore(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	at := func(s int) time.Time { return now.Add(time.Duration(s) * time.Second) }
	closed := func(s int) shed.Verdict { return shed.Verdict{State: shed.ReadOnly, Since: at(s)} }
	opened := func(s int) shed.Verdict { return shed.Verdict{State: shed.Writable, Since: at(s), Opened: at(s)} }
	calmly := func(s int) shed.Verdict { return shed.Verdict{State: shed.Writable, Since: at(s)} }
	type said struct {
		store   any
		v       shed.Verdict
		serves  any // Serve first
		closed  bool
		ramping bool
	}
	for name, story := range map[string][]said{
		"it closes, opens and closes again": {
			{"a", closed(20), nil, true, false}, {"a", opened(30), nil, false, true}, {"a", closed(31), nil, true, false},
		},
		"a ramp that nobody saw the beginning of": {{"a", closed(20), nil, true, false}, {"a", calmly(30), nil, false, true}},
		"sessions were lost":                      {{"a", calmly(10), nil, false, false}, {"a", opened(20), nil, false, true}},
		"old news": {
			{"a", closed(20), nil, true, false}, {"a", opened(30), nil, false, true}, {"a", closed(25), nil, false, true},
			{"a", closed(40), nil, true, false}, {"a", opened(30), nil, true, false},
		},
		"news of a store that is not in force": {
			{"a", closed(20), "a", true, false}, {"b", opened(15), "b", false, true}, {"a", closed(50), nil, false, true}, {"b", closed(55), nil, true, false},
		},
	} {
		l := New(Settings{From: 1, To: 1, Over: time.Hour})
		l.heard = now.Add(-time.Hour)
		for i, s := range story {
			if s.serves != nil {
				l.Serve(s.serves)
			}
			l.Follow(s.store, s.v)
			if load := l.Load(at(60)); load.Closed != s.closed || load.Active != (s.closed || s.ramping) {
				t.Errorf("%s, %d: closed %v, active %v", name, i, load.Closed, load.Active)
			}
		}
	}
}

func TestPlacesOutliveTheirStore(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	l := New(Settings{From: 1, To: 1, Over: time.Hour})
	l.Serve("a")
	l.Follow("a", shed.Verdict{State: shed.Down, Since: now})
	p := l.TurnedAway(now.Add(time.Second), Place{}).Place
	l.Serve("b")
	l.Follow("b", shed.Verdict{State: shed.Writable, Since: now.Add(-time.Second), Opened: now.Add(-time.Second)})
	if turn := l.Enter(now.Add(2*time.Second), p); !turn.Kept {
		t.Errorf("a place of before: %+v", turn)
	}
}

// Who was let in, and then was not served through no fault of his, stands where he stood.
func TestAPlaceThatIsReturnedIsGoodOnceMore(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	l := New(Settings{From: 1, To: 1, Over: time.Hour})
	l.Close(now)
	p := l.TurnedAway(now.Add(time.Second), Place{}).Place
	l.Open(now.Add(10 * time.Second))
	if turn := l.Enter(now.Add(11*time.Second), p); !turn.Enter || !turn.Counted {
		t.Fatalf("the first one: %+v", turn)
	}
	l.Close(now.Add(12 * time.Second))
	if turn := l.TurnedAway(now.Add(13*time.Second), p); turn.Kept {
		t.Error("a place that was used is good")
	}
	again := l.Return(p)
	if turn := l.TurnedAway(now.Add(13*time.Second), again); !turn.Kept || !turn.Place.Seen.Equal(p.Seen) || again == p {
		t.Errorf("%+v", turn)
	}
	if l.Return(Place{}) != (Place{}) {
		t.Error("nothing became a place")
	}
}

// A form that is looked at takes another time than a password that is checked.
func TestWhatSaysNothingOfSignInsMovesNoRamp(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	l := New(Settings{From: 10, To: 100, Over: time.Minute})
	for i := range 600 {
		at := now.Add(time.Duration(i) * 100 * time.Millisecond)
		l.Heard(at, 0)
		l.Report(at, false, 200*time.Millisecond)
	}
	now = now.Add(time.Minute)
	l.Close(now)
	l.Open(now.Add(10 * time.Second))
	for i := range 500 {
		at := now.Add(10*time.Second + time.Duration(i)*50*time.Millisecond)
		l.Enter(at, Place{})
		l.Heard(at, time.Millisecond)
		l.Report(at, false, 250*time.Millisecond)
	}
	if d := l.Load(now.Add(40 * time.Second)); d.Halved != 0 {
		t.Errorf("halved %d times", d.Halved)
	}
	for i := range 100 { // they leave after having waited for far too long
		l.Heard(now.Add(40*time.Second+time.Duration(i)*50*time.Millisecond), 3*time.Second)
	}
	if d := l.Load(now.Add(50 * time.Second)); d.Halved == 0 {
		t.Error("nobody noticed that they leave")
	}
}

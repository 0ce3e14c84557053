package line

import (
	"testing"
	"time"
)

// serve lets sign-ins in that never run out and answers each after took, from one moment of the ramp to another, and returns
// the rate at the end.
func serve(l *Line, opened time.Time, from, to time.Duration, failed func(n int) bool, took time.Duration) float64 {
	n := 0
	for at := from; at < to; at += 10 * time.Millisecond {
		if l.Enter(opened.Add(at), Place{}).Enter {
			n++
			l.Report(opened.Add(at), failed(n), took)
		}
	}
	return l.Load(opened.Add(to)).Rate
}

func never(int) bool          { return false }
func tenth(n int) bool        { return n%10 == 0 }
func fiftieth(n int) bool     { return n%50 == 0 }
func steady() Settings        { return Settings{From: 100, To: 100, Over: 10 * time.Minute} }
func normally() *Line         { return calmly(100*time.Millisecond, never) }
func reopen(l *Line) *Line    { l.Close(epoch.Add(-10 * time.Second)); l.Open(epoch); return l }
func sec(s int) time.Duration { return time.Duration(s) * time.Second }

// calmly is a line that saw ten calm minutes in which sign-ins took that long.
func calmly(took time.Duration, failed func(int) bool) *Line {
	l := New(steady())
	for i := range 6000 {
		l.Report(epoch.Add(-15*time.Minute+time.Duration(i)*100*time.Millisecond), failed(i), took)
	}
	return l
}

func TestTheRampHalvesWhenSignInsRegress(t *testing.T) {
	for _, c := range []struct {
		name   string
		line   *Line
		failed func(int) bool
		took   time.Duration
		halves bool
	}{
		{"as before", normally(), never, 100 * time.Millisecond, false},
		{"twice as slow", normally(), never, 200 * time.Millisecond, false},
		{"five times as slow", normally(), never, 500 * time.Millisecond, true},
		{"a tenth fails", normally(), tenth, 100 * time.Millisecond, true},
		{"one in fifty fails", normally(), fiftieth, 100 * time.Millisecond, false},
		{"a tenth fails, as ever", calmly(100*time.Millisecond, tenth), tenth, 100 * time.Millisecond, false},
		{"slow, as ever", calmly(time.Second, never), never, time.Second, false},
		{"nothing is known before", New(steady()), never, time.Second, false},
		{"nothing is known before, and a tenth fails", New(steady()), tenth, time.Second, true},
	} {
		l := reopen(c.line)
		rate := serve(l, epoch, 0, 2*time.Second, c.failed, c.took)
		if halved := rate < 60; halved != c.halves {
			t.Errorf("%s: %.0f/s after two seconds, halved %d times", c.name, rate, l.Load(epoch.Add(2*time.Second)).Halved)
		}
	}
}

func TestItHalvesAtMostOnceInThreeSecondsAndClimbsBack(t *testing.T) {
	l := reopen(normally())
	last, lowest := 1.0, 1.0
	var when time.Duration
	for s := range 20 {
		serve(l, epoch, sec(s), sec(s+1), tenth, 100*time.Millisecond)
		if l.ramp.factor < last {
			if l.ramp.factor != last/2 {
				t.Fatalf("from %v to %v", last, l.ramp.factor)
			}
			if when > 0 && sec(s)-when < hold {
				t.Errorf("halved %v after the last time", sec(s)-when)
			}
			when = sec(s)
		}
		last, lowest = l.ramp.factor, min(lowest, l.ramp.factor)
	}
	if lowest > 1.0/8 || lowest < least {
		t.Errorf("the factor went down to %v in 20 s", lowest)
	}
	before := l.ramp.factor
	if serve(l, epoch, sec(20), sec(28), never, 100*time.Millisecond); l.ramp.factor > before+8*step {
		t.Errorf("the factor rose from %v to %v in eight seconds", before, l.ramp.factor)
	}
	if rate := serve(l, epoch, sec(28), sec(90), never, 100*time.Millisecond); rate < 99 {
		t.Errorf("%v/s after a minute in which all is well", rate)
	}
	if d := l.Load(epoch.Add(sec(90))); d.Halved < 3 {
		t.Errorf("%+v", d)
	}
}

func TestASecondStaysWithinTheHalvedRamp(t *testing.T) {
	l := reopen(normally())
	serve(l, epoch, 0, sec(2), tenth, 100*time.Millisecond)
	in := 0
	for at := sec(2); at < sec(3); at += time.Millisecond {
		if l.Enter(epoch.Add(at), Place{}).Enter {
			in++
		}
	}
	if in > 55 {
		t.Errorf("%d entered in a second after the ramp of 100/s was halved", in)
	}
}

func TestAnAppThatStopsAnsweringHalvesTheRamp(t *testing.T) {
	l := reopen(normally())
	serve(l, epoch, 0, sec(3), never, 100*time.Millisecond)
	for at := sec(3); at < sec(7); at += 10 * time.Millisecond {
		l.Enter(epoch.Add(at), Place{})
	}
	if d := l.Load(epoch.Add(sec(7))); d.Rate > 50 {
		t.Errorf("%v/s four seconds after the last answer", d.Rate)
	}
	// Where nobody ever reports, nothing is known.
	l = reopen(New(steady()))
	for at := time.Duration(0); at < sec(7); at += 10 * time.Millisecond {
		l.Enter(epoch.Add(at), Place{})
	}
	if d := l.Load(epoch.Add(sec(7))); d.Rate != 100 {
		t.Errorf("%v/s where nothing is ever reported", d.Rate)
	}
}

// A store that fails slowly makes sign-ins slow before it closes. That must not become what is normal.
func TestTheMinuteBeforeTheClosureIsNotNormal(t *testing.T) {
	l := normally()
	for i := range 600 {
		l.Report(epoch.Add(-70*time.Second+time.Duration(i)*100*time.Millisecond), i%2 == 0, 10*time.Second)
	}
	if l.health.took > 200*time.Millisecond || l.health.failing > 0.4 {
		t.Errorf("after a minute of 10 s, %v and %.2f failing are normal", l.health.took, l.health.failing)
	}
	if rate := serve(reopen(l), epoch, 0, sec(2), never, 2*time.Second); rate > 60 {
		t.Errorf("%v/s though sign-ins take 20 times as long as an hour ago", rate)
	}
}

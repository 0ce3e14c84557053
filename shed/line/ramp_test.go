package line

import (
	"math"
	"testing"
	"time"
)

// flood asks every step from the opening on, without a place, and returns the moments of admission.
func flood(l *Line, opened time.Time, step, long time.Duration) (in []time.Duration) {
	l.Open(opened)
	for at := time.Duration(0); at < long; at += step {
		if l.Enter(opened.Add(at), Place{}).Enter {
			in = append(in, at)
		}
	}
	return in
}

// mostIn returns the window of a second in which the admissions exceed what the ramp allows by the most, as a part of it.
// People come whole: where it allows two and a half, three are not too many.
func mostIn(s Settings, in []time.Duration) (worst float64, at time.Duration) {
	r := startRamp()
	for i, from := range in {
		n := 0
		for j := i; j < len(in) && in[j] < from+time.Second; j++ {
			n++
		}
		rate := max(r.full(&s, from), r.full(&s, from+time.Second))
		over := float64(n) / rate
		if float64(n) <= math.Ceil(rate) {
			over = min(over, 1)
		}
		if over > worst {
			worst, at = over, from
		}
	}
	return worst, at
}

func TestNoWindowAdmitsMoreThanItsRateAndATenth(t *testing.T) {
	for _, s := range []Settings{
		{From: 10, To: 500, Over: 30 * time.Second},
		{From: 1, To: 1, Over: 20 * time.Second},
		{From: 3, To: 40, Over: 10 * time.Second},
		{From: 500, To: 10, Over: 10 * time.Second},
	} {
		l := New(s)
		in := flood(l, epoch, time.Millisecond, s.Over+10*time.Second)
		worst, at := mostIn(s, in)
		if worst > 1.1+1e-9 {
			t.Errorf("%+v: the second from %v admits %.3f of its rate", s, at, worst)
		}
		want := (s.From+s.To)/2*s.Over.Seconds() + s.To*10
		// Nobody carries a place, so what the line keeps free for those who might is used after a while only.
		if got := float64(len(in)); got < 0.65*want-1 || got > 1.05*want+1 {
			t.Errorf("%+v: %v admitted in the ramp and ten seconds of its tail, about %.0f wanted", s, got, want)
		}
		t.Logf("%+v: at most %.3f of the rate in a second, %d of %.0f", s, worst, len(in), want)
	}
}

func TestBurstAfterIdlenessIsATenthOfASecond(t *testing.T) {
	l := New(Settings{From: 100, To: 100, Over: time.Minute})
	l.Open(epoch)
	in := 0
	for range 1000 {
		if l.Enter(epoch.Add(20*time.Second), Place{}).Enter {
			in++
		}
	}
	if in != 10 {
		t.Errorf("%d entered at once at 100/s, want 10", in)
	}
}

func TestUntilIsWhenItHasBeenEarned(t *testing.T) {
	for _, s := range []Settings{
		{From: 10, To: 500, Over: 30 * time.Second}, {From: 5, To: 5, Over: 10 * time.Second},
		{From: 200, To: 10, Over: 20 * time.Second}, {From: 0, To: 10, Over: 20 * time.Second},
	} {
		for _, into := range []time.Duration{0, 3 * time.Second, 25 * time.Second, time.Minute} {
			for _, much := range []float64{0, 0.5, 10, 1000, 50000} {
				r := ramp{into: into, factor: 0.5}
				wait := r.until(&s, much)
				if earned := r.factor * r.area(&s, into, into+wait); math.Abs(earned-much) > 0.01+much/1e4 {
					t.Errorf("%+v, %v into it: %v is said to take %v, in which %v is earned", s, into, much, wait, earned)
				}
			}
		}
	}
}

func TestWithoutARampEverybodyEnters(t *testing.T) {
	once := func(l *Line) { l.Close(epoch.Add(-time.Minute)); l.Open(epoch) }
	lines := map[string]*Line{"nothing happened": New(usual), "no ramp is set": New(Settings{}), "the zero value": new(Line)}
	for name, l := range lines {
		if name != "nothing happened" {
			once(l)
		}
		for range 100 {
			if turn := l.Enter(epoch, Place{}); !turn.Enter || turn.Wait != 0 {
				t.Fatalf("%s: %+v", name, turn)
			}
		}
		if d := l.Load(epoch); d.Active || !math.IsInf(d.Rate, 1) || d.Admitted != 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestNobodyEntersWhileClosed(t *testing.T) {
	l, _ := closedLine(usual, 10)
	if turn := l.Enter(epoch.Add(time.Second), Place{}); turn.Enter || turn.Wait < 5*time.Second {
		t.Errorf("entered a closed store: %+v", turn)
	}
	if d := l.Load(epoch.Add(time.Second)); !d.Active || !d.Closed || d.Rate != 0 || !d.Ends.IsZero() || !d.Since.Equal(epoch) {
		t.Errorf("%+v", d)
	}
}

func TestANewOpeningStartsAtTheFloor(t *testing.T) {
	s := Settings{From: 2, To: 200, Over: 10 * time.Second}
	l := New(s)
	flood(l, epoch, time.Millisecond, 9*time.Second)
	l.Open(epoch) // an old one, told again
	if d := l.Load(epoch.Add(9 * time.Second)); d.Rate < 100 {
		t.Errorf("an opening that was known began the ramp anew: %+v", d)
	}
	in := flood(l, epoch.Add(9*time.Second), time.Millisecond, 500*time.Millisecond)
	if len(in) > 7 {
		t.Errorf("%d entered in the first half second of the second ramp", len(in))
	}
}

func TestSetChangesARunningRamp(t *testing.T) {
	l := New(Settings{From: 1, To: 1, Over: time.Minute})
	flood(l, epoch, 10*time.Millisecond, 5*time.Second)
	l.Set(Settings{From: 100, To: 100, Over: time.Minute})
	in := 0
	for at := 5 * time.Second; at < 7*time.Second; at += time.Millisecond {
		if l.Enter(epoch.Add(at), Place{}).Enter {
			in++
		}
	}
	if in < 120 || in > 211 {
		t.Errorf("%d entered in two seconds at 100/s", in)
	}
	l.Set(Settings{})
	if turn := l.Enter(epoch.Add(7*time.Second), Place{}); !turn.Enter {
		t.Errorf("%+v without a ramp", turn)
	}
}

package line

import (
	"testing"
	"time"
)

// Twenty thousand wait for a ramp that lets in a thousand while it climbs: those who are left over come in at its end's rate.
func TestThereIsNoStampedeAtTheEnd(t *testing.T) {
	s := Settings{From: 50, To: 150, Over: 10 * time.Second, MinWait: 5 * time.Second, MaxWait: time.Minute}
	run := func(cut bool) (o outcome, calm time.Duration) {
		h := newHerd(5, 1, s)
		h.opens = 30 * time.Second
		h.until = 15 * time.Minute
		h.patients(20000, 0, h.opens, 0)
		h.each = func(at time.Duration) {
			if l := h.lines[0]; cut && at > h.opens+s.Over && l.phase == ramping {
				l.end(epoch.Add(at))
			}
		}
		h.run()
		l := h.lines[0]
		o = h.outcome(s)
		for calm = o.last; calm < 10*time.Minute && l.Load(epoch.Add(h.opens+calm)).Active; calm += 100 * time.Millisecond {
		}
		return o, calm - o.last
	}
	o, calm := run(false)
	o.log(t, "with a tail")
	if o.in != 20000 || o.cap > 1.1+1e-9 {
		t.Errorf("%d in, the worst second admitted %.3f of its rate", o.in, o.cap)
	}
	if calm > 10*time.Second {
		t.Errorf("the line is in force for %v after the last is in", calm)
	}
	if o, _ = run(true); o.cap < 1.5 {
		t.Errorf("without a tail the worst second admits %.3f of its rate: the test shows nothing", o.cap)
	} else {
		o.log(t, "without")
	}
}

// Where more come than To for good, the line gives way in the end, and not at once.
func TestTheTailIsBounded(t *testing.T) {
	l := New(Settings{From: 20, To: 20, Over: 10 * time.Second})
	l.Close(epoch)
	l.Open(epoch.Add(time.Second))
	before, in, jump := 0, 0, 0.0
	var ended time.Duration
	for at := time.Second; at < 10*time.Minute && ended == 0; at += 5 * time.Millisecond { // 200 a second
		if l.Enter(epoch.Add(at), Place{}).Enter {
			in++
		}
		if at%time.Second == 0 {
			if before > 20 {
				jump = max(jump, float64(in)/float64(before))
			}
			before, in = in, 0
		}
		if at > 20*time.Second && !l.Load(epoch.Add(at)).Active {
			ended = at
		}
	}
	if ended == 0 || ended > 5*time.Minute {
		t.Errorf("the line ended after %v", ended)
	}
	if jump > 2 {
		t.Errorf("one second admitted %.1f times as many as the one before", jump)
	}
	t.Logf("ended after %v, one second at most %.2f of the one before", ended, jump)
}

// Everybody was told to come after the ramp's end: that nobody comes until then does not mean that nobody will.
func TestTheTailWaitsForThoseWhoWereToldToCome(t *testing.T) {
	s := Settings{From: 10, To: 100, Over: 5 * time.Second, MinWait: 20 * time.Second, MaxWait: time.Minute}
	h := newHerd(6, 1, s)
	h.opens = 2 * time.Second
	h.patients(2000, 0, time.Second, 0)
	h.hammers(1, 500*time.Millisecond)
	h.run()
	o := h.outcome(s)
	o.log(t, "late")
	if o.in != 2000 || o.cap > 1.1+1e-9 {
		t.Errorf("%d in, the worst second admitted %.3f of its rate", o.in, o.cap)
	}
}

func TestACalmStoreHasNoTail(t *testing.T) {
	l := New(usual)
	l.Close(epoch)
	l.Open(epoch.Add(time.Second))
	for at := time.Second; at < 40*time.Second; at += 100 * time.Millisecond { // ten a second
		l.Enter(epoch.Add(at), Place{})
	}
	if d := l.Load(epoch.Add(40 * time.Second)); d.Active || d.Waiting != 0 {
		t.Errorf("%+v", d)
	}
}

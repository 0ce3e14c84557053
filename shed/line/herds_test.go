package line

import (
	"slices"
	"testing"
	"time"
)

// outcome is what a herd's return was like.
type outcome struct {
	in, asked     int
	last          time.Duration // after the opening
	late          []time.Duration
	peak, mean    float64 // returns a second from the opening until the last was in
	cap           float64 // the worst second, as a part of what the ramp allows it
	hammersBefore int     // entries of those without places while anybody waited
}

func (h *herd) outcome(s Settings) (o outcome) {
	for _, v := range h.visitors {
		if isPatient(v) {
			o.asked += v.asked
			o.last = max(o.last, v.entered-h.opens)
			if v.entered > 0 {
				o.in++
			}
		}
	}
	o.late = h.displaced(isPatient)
	from := h.opens
	n := perSecond(h.returns, from, from+o.last.Truncate(time.Second))
	n = n[:max(1, len(n)-1)]
	for _, returns := range n {
		o.mean += float64(returns) / float64(len(n))
	}
	o.peak = float64(slices.Max(n))
	var in []time.Duration
	for _, e := range h.entries {
		if e < h.opens+time.Minute {
			in = append(in, e-h.opens)
		}
		if e <= h.opens+o.last {
			o.hammersBefore++
		}
	}
	o.hammersBefore -= o.in
	o.cap, _ = mostIn(Settings{From: s.From * float64(len(h.lines)), To: s.To * float64(len(h.lines)), Over: s.Over}, in)
	return o
}

func (o outcome) log(t *testing.T, name string) {
	t.Logf("%s: %d in after %.1fs, %.1f asks each; late p50 %v p95 %v p99 %v max %v; "+
		"returns peak %.0f mean %.0f; worst second %.3f; others before %d",
		name, o.in, o.last.Seconds(), float64(o.asked)/float64(max(1, o.in)), quantile(o.late, .5).Round(time.Millisecond),
		quantile(o.late, .95).Round(time.Millisecond), quantile(o.late, .99).Round(time.Millisecond),
		quantile(o.late, 1).Round(time.Millisecond), o.peak, o.mean, o.cap, o.hammersBefore)
}

// Five thousand come back from an outage of two minutes, a tenth of them hammering without a place: by the ramp, in the order
// in which they were turned away, and spread.
func TestTheHerdComesBackInOrder(t *testing.T) {
	slow := Settings{From: 5, To: 50, Over: 30 * time.Second, MinWait: 5 * time.Second, MaxWait: time.Minute}
	for _, c := range []struct {
		name    string
		s       Settings
		lines   int
		hammers int
		every   time.Duration
		within  time.Duration // all of them are in, after the opening
	}{
		{"nobody hammers", usual, 1, 0, time.Second, 27 * time.Second},
		{"a tenth hammers", usual, 1, 500, 500 * time.Millisecond, 28 * time.Second},
		{"a tenth comes often", usual, 1, 500, 5 * time.Second, 28 * time.Second},
		{"a slow ramp", slow, 1, 500, 500 * time.Millisecond, 150 * time.Second},
		{"two Gatehouses, each asked by anybody", usual, 2, 500, 500 * time.Millisecond, 25 * time.Second},
	} {
		h := newHerd(7, c.lines, c.s)
		h.patients(5000-c.hammers, 0, h.opens, -1)
		h.hammers(c.hammers, c.every)
		h.run()
		o := h.outcome(c.s)
		o.log(t, c.name)
		if o.in != 5000-c.hammers || o.last > c.within {
			t.Errorf("%s: %d in after %v, want %d within %v", c.name, o.in, o.last, 5000-c.hammers, c.within)
		}
		if q := quantile(o.late, .99); q > 5*time.Second {
			t.Errorf("%s: one in a hundred entered %v from when it was his turn", c.name, q)
		}
		if q := quantile(o.late, 1); q > 12*time.Second {
			t.Errorf("%s: somebody entered %v from when it was his turn", c.name, q)
		}
		if o.peak > 2*o.mean {
			t.Errorf("%s: %v returns in a second, %v on average", c.name, o.peak, o.mean)
		}
		if o.cap > 1.1+1e-9 {
			t.Errorf("%s: a second admitted %.3f of its rate", c.name, o.cap)
		}
	}
}

// The same herd where nobody's place counts: the test of the order can fail.
func TestWithoutPlacesThereIsNoOrder(t *testing.T) {
	h := newHerd(7, 1, usual)
	h.patients(4500, 0, h.opens, -1)
	h.hammers(500, 500*time.Millisecond)
	h.each = func(time.Duration) { f := &h.lines[0].frontier; f.called = h.lines[0].order.total }
	h.run()
	o := h.outcome(usual)
	o.log(t, "no order")
	if q := quantile(o.late, .95); q < 5*time.Second {
		t.Errorf("with everybody called at once they enter within %v of their turn", q)
	}
}

// Two Gatehouses see half of the visitors each: who is first turned away earlier gets in earlier, whichever he asks.
func TestTwoGatehousesKeepOneOrder(t *testing.T) {
	h := newHerd(11, 2, usual)
	h.patients(2500, 0, h.opens, 0)
	h.patients(2500, 0, h.opens, 1)
	h.run()
	o := h.outcome(usual)
	o.log(t, "two halves")
	if q := quantile(o.late, .99); q > 5*time.Second || o.in != 5000 {
		t.Errorf("%d in; one in a hundred entered %v from when it was his turn", o.in, q)
	}
}

// A second Gatehouse dies during the outage, and its visitors come to the first with its places.
func TestPlacesOfAnotherGatehouse(t *testing.T) {
	h := newHerd(12, 2, usual)
	h.patients(2500, 0, h.opens, 0)
	h.patients(2500, 0, h.opens-20*time.Second, 1)
	h.each = func(at time.Duration) {
		if at > h.opens-20*time.Second {
			for _, v := range h.visitors {
				v.line = 0
			}
			h.each = nil
		}
	}
	h.run()
	o := h.outcome(usual)
	o.log(t, "one of two")
	if q := quantile(o.late, .95); q > 5*time.Second || o.in != 5000 {
		t.Errorf("%d in; one in twenty entered %v from when it was his turn", o.in, q)
	}
}

// The process is started anew in the middle of the outage: it knows nobody, and the places that it gave before count.
func TestARestartForgetsNobody(t *testing.T) {
	h := newHerd(13, 1, usual)
	h.patients(5000, 0, h.opens, 0)
	h.each = func(at time.Duration) {
		if at > 60*time.Second {
			h.lines[0] = New(usual)
			h.lines[0].Close(epoch.Add(at))
			if turn := h.lines[0].TurnedAway(epoch.Add(at), Place{Seen: epoch, ID: 5}); !turn.Kept || turn.Ahead != -1 {
				t.Errorf("just started: %+v", turn)
			}
			h.each = nil
		}
	}
	h.run()
	o := h.outcome(usual)
	o.log(t, "restart")
	if q := quantile(o.late, .99); q > 5*time.Second || o.in != 5000 {
		t.Errorf("%d in; one in a hundred entered %v from when it was his turn", o.in, q)
	}
}

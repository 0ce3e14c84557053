package sim

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestMetastable: half a minute's outage and retries. With the line and the gate the site is back within 90 seconds; without them
// it is not back after ten minutes, though nothing is wrong any more.
func TestMetastable(t *testing.T) {
	m := TheMetastable()
	with, without := inVirtualTime(t, m.Protected, m.Unprotected)
	draw(t, "metastable", m.Chart(with, without))
	w, wo := m.Figures(with), m.Figures(without)
	for _, f := range []struct {
		name string
		MetastableFigures
	}{{"with Gatehouse   ", w}, {"without Gatehouse", wo}} {
		t.Logf("%s  in order %s, the last who came meanwhile is in %s, the line is empty %s; in the last minute %3.0f %% of those "+
			"who come get in, %d went away for good, %.0f %% of the work came to nothing, fullest second %.0f %% of the ramp", f.name, after(f.Back),
			after(f.Cleared), after(f.Drained), f.Last*100, f.GaveUp, f.Wasted*100, f.Excess*100)
	}
	if w.Back < 0 || w.Back > 90*time.Second || w.Cleared < 0 || w.Cleared > 90*time.Second {
		t.Errorf("in order %v, and the last who came meanwhile in %v", after(w.Back), after(w.Cleared))
	}
	if w.Drained < 0 || w.Drained > 2*time.Minute {
		t.Errorf("the line is empty %s", after(w.Drained))
	}
	if w.Last < 0.9 {
		t.Errorf("in the last minute only %.0f %% got in", w.Last*100)
	}
	if w.Excess > 1.10 {
		t.Errorf("a second held %.0f %% of what the ramp allows", w.Excess*100)
	}
	if wo.Back >= 0 || wo.Last > 0.5 {
		t.Errorf("without the protection it came back (%v, %.0f %%): the model proves nothing", wo.Back, wo.Last*100)
	}
}

func after(d time.Duration) string {
	if d < 0 {
		return "never"
	}
	return "after " + d.Round(time.Second).String()
}

// TestARampBeyondThePool: few operators know what their pool can do. Wherever the ramp ends, the site comes back.
func TestARampBeyondThePool(t *testing.T) {
	for _, end := range []float64{80, 500} {
		m := TheMetastable()
		m.Ramp.From, m.Ramp.To, m.Ramp.Over = 10, end, 30*time.Second
		m.Length = 5 * time.Minute
		var f MetastableFigures
		synctest.Test(t, func(*testing.T) { f = m.Figures(m.Protected()) })
		t.Logf("a ramp to %3.0f/s for a pool of 60/s: in order %s, the line is empty %s, %d turned away by the gate, "+
			"%d went away for good",
			end, after(f.Back), after(f.Drained), f.Shed, f.GaveUp)
		if f.Back < 0 || f.Back > 3*time.Minute || f.Last < 0.9 {
			t.Errorf("a ramp to %v/s: in order %s, in the last minute %s got in", end, after(f.Back), percent(f.Last))
		}
	}
}

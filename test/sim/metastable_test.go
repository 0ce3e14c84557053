package sim

import (
	"testing"
	"time"
)

// TestMetastable: half a minute's outage and retries. With the line and the gate the site is back within 90 seconds; without them it
// is not back after ten minutes, though nothing is wrong any more.
func TestMetastable(t *testing.T) {
	m := TheMetastable()
	with, without := inVirtualTime(t, m.Protected, m.Unprotected)
	drawn(t, "metastable", m.Chart(with, without))
	w, wo := m.Figures(with), m.Figures(without)
	for _, f := range []struct {
		name string
		MetastableFigures
	}{{"with Gatehouse   ", w}, {"without Gatehouse", wo}} {
		t.Logf("%s  in order %s, the last who came meanwhile is in %s; in the last minute %3.0f %% of those who come get in, "+
			"%d went away for good, %.0f %% of the work came to nothing, fullest second %.0f %% of the ramp", f.name, after(f.Back),
			after(f.Cleared), f.Last*100, f.GaveUp, f.Wasted*100, f.Excess*100)
	}
	if w.Back < 0 || w.Back > 90*time.Second || w.Cleared < 0 || w.Cleared > 90*time.Second {
		t.Errorf("in order %v, and the last who came meanwhile in %v", after(w.Back), after(w.Cleared))
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

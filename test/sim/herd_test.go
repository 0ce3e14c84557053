package sim

import (
	"testing"
	"time"
)

// TestHerd: a store comes back before 5,000 visitors. With the line the ramp holds, those it lets in are served as on a calm day,
// and nobody comes back in a crowd; without it each of these is broken.
func TestHerd(t *testing.T) {
	h := TheHerd()
	with, without := inVirtualTime(t, h.Protected, h.Unprotected)
	draw(t, "herd", h.Chart(with, without))
	w, wo := h.Figures(with), h.Figures(without)
	for _, f := range []struct {
		name string
		HerdFigures
	}{{"with the line   ", w}, {"without the line", wo}} {
		t.Logf("%s  fullest second %4.0f %% of the ramp (%v after the opening), p99 of a sign-in %v (calm: %v), returns peak/mean %.2f, "+
			"admitted and then refused %d, signed in %d, back after %v", f.name, f.Excess*100, f.At.Round(time.Millisecond),
			f.P99.Round(time.Millisecond), f.Normal.Round(time.Millisecond), f.PeakToMean, f.Shed, f.In, f.Back.Round(time.Second))
	}
	if w.Excess > 1.10 {
		t.Errorf("a second held %.0f %% of what the ramp allows", w.Excess*100)
	}
	if w.P99 > 2*w.Normal {
		t.Errorf("sign-ins took %v, on a calm day %v", w.P99, w.Normal)
	}
	if w.PeakToMean > 2 {
		t.Errorf("visitors came back in a crowd: %.2f times the mean", w.PeakToMean)
	}
	if w.Back > 90*time.Second {
		t.Errorf("back after %v", w.Back)
	}
	if wo.Excess <= 1.10 || wo.P99 <= 2*wo.Normal || wo.PeakToMean <= 2 {
		t.Error("without the line nothing goes wrong: the model proves nothing")
	}
}

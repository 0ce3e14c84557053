package sim

import (
	"testing"
	"time"

	"gatehouse/shed"
)

// TestAdaptive: the same overload of a pool whose capacity nobody wrote down.
func TestAdaptive(t *testing.T) {
	a := TheAdaptive()
	with, without := inVirtualTime(t, a.Protected, a.Unprotected)
	draw(t, "adaptive", a.Chart(with, without))
	for step, asked := range a.Steps {
		w, wo := a.Figures(with, step), a.Figures(without, step)
		from, to := time.Duration(step)*a.Each, time.Duration(step+1)*a.Each
		t.Logf("%.1fx adaptive: goodput %s of capacity, sign-ins %s in %v, limit %.0f to %.0f; without a limit: %s, sign-ins %s", asked,
			percent(w.Goodput), percent(w.Served[shed.SignIn]), w.P95[shed.SignIn].Round(10*time.Millisecond),
			with.Limit.Between(from, from+time.Second).Max(), with.Limit.Between(to-time.Second, to).Max(), percent(wo.Goodput),
			percent(wo.Served[shed.SignIn]))
	}
	const worst = 3
	w, wo := a.Figures(with, worst), a.Figures(without, worst)
	if w.Goodput < 0.85 || w.Served[shed.SignIn] < 0.95 || w.P95[shed.SignIn] > time.Second {
		t.Errorf("goodput %s, sign-ins %s in %v", percent(w.Goodput), percent(w.Served[shed.SignIn]), w.P95[shed.SignIn])
	}
	if limit := with.Limit.Between(time.Duration(worst)*a.Each, time.Duration(worst+1)*a.Each).Max(); limit > 4*float64(a.Limit) {
		t.Errorf("the limit grew to %.0f on %d cores", limit, a.Limit)
	}
	if after := a.Figures(with, worst+1); after.Goodput < 0.95*a.Steps[worst+1] {
		t.Errorf("after the overload only %s of the capacity come to something", percent(after.Goodput))
	}
	if wo.Goodput > 0.3 {
		t.Errorf("without a limit it is %s: the model proves nothing", percent(wo.Goodput))
	}
}

package sim

import (
	"testing"
	"time"

	"gatehouse/shed"
)

// TestOverload: three times the capacity. Behind a Gate the pool stays as useful as before, sign-ins hardly notice, the least class
// pays first and none starves; behind a plain queue the same visitors get next to nothing.
func TestOverload(t *testing.T) {
	o := TheOverload()
	with, without := inVirtualTime(t, o.Protected, o.Unprotected)
	draw(t, "overload", o.Chart(with, without))
	for step, asked := range o.Steps {
		for _, side := range []struct {
			name  string
			trace *OverloadTrace
		}{{"gate", with}, {"fifo", without}} {
			f := o.Figures(side.trace, step)
			line := ""
			for _, c := range shed.Classes {
				line += "  " + c.String() + " " + percent(f.Served[c]) + " in " + f.P95[c].Round(10*time.Millisecond).String()
			}
			t.Logf("%.1fx %s: goodput %s of capacity; served, 95 of 100 within:%s", asked, side.name, percent(f.Goodput), line)
		}
	}
	const worst = 3
	w, wo := o.Figures(with, worst), o.Figures(without, worst)
	if w.Goodput < 0.9 {
		t.Errorf("goodput is %s of the capacity", percent(w.Goodput))
	}
	if w.Served[shed.SignIn] < 0.95 || w.P95[shed.SignIn] > 500*time.Millisecond {
		t.Errorf("of the sign-ins %s in %v", percent(w.Served[shed.SignIn]), w.P95[shed.SignIn])
	}
	for _, c := range shed.Classes {
		asked := o.Mix[c] * o.Steps[worst]
		if due := min(asked, shares()[c]); w.Share[c] < 0.8*due {
			t.Errorf("%v got %s of the capacity, its share is %s", c, percent(w.Share[c]), percent(due))
		}
		if c > shed.SignIn && w.Served[c] > w.Served[shed.SignIn] {
			t.Errorf("%v was served better than sign-ins", c)
		}
	}
	if wo.Served[shed.SignIn] > 0.5 || wo.P95[shed.SignIn] < time.Second {
		t.Errorf("a plain queue does as well (%s of the sign-ins in %v): the model proves nothing",
			percent(wo.Served[shed.SignIn]), wo.P95[shed.SignIn])
	}
	after := o.Figures(with, worst+1)
	for _, c := range shed.Classes {
		if after.Served[c] < 0.95 {
			t.Errorf("after the overload %v is served only to %s", c, percent(after.Served[c]))
		}
	}
}

package line
import ("testing";"time")
func TestDebug(t *testing.T) {
	h := newHerd(1, 1, Settings{From: 5, To: 50, Over: 30 * time.Second}); h.patients(5000, 0, h.opens); h.hammers(500, 500*time.Millisecond)
	last := time.Duration(0)
	l := h.lines[0]
	h.each = func(at time.Duration) {
		if at < last+4*time.Second { return }
		last = at
		n := 0
		back, in, oldest, young := 0, 0, time.Hour, time.Duration(0)
		for _, v := range h.visitors { if isPatient(v) && v.first < at  { if v.entered == 0 { n++; oldest=min(oldest,v.first); if v.place.ID!=0 && l.order.before(v.place.Seen) <= l.frontier.called {back++; young=max(young,v.first)} } else {in++}}}
		if at > 100*time.Second { t.Logf("%5.0f there %d in %d; called not in %d: oldest %v youngest %v; people %.0f total %.0f called %.0f lead %.0f ratio %.4f credit %.1f rate %.0f", at.Seconds(), n, in, back, oldest, young, l.crowd.people(), l.order.total, l.frontier.called, l.frontier.lead, l.frontier.ratio, l.ramp.credit, l.ramp.rate(&l.set))}
	}
	h.until = 280*time.Second
	h.run()
}

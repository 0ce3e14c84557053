package sim

import (
	"time"

	"gatehouse/shed"
	"gatehouse/shed/line"
)

// Metastable is the outage that does not end with its cause (Bronson, Aghayev, Charapko, Zhu: Metastable Failures in Distributed
// Systems, HotOS 2021). The login servers hash passwords on shared cores and can do 60 sign-ins a second; two thirds of that
// come. While the store is away for half a minute every sign-in fails after its work is done, and everybody tries again, up to
// three times. That is more than the servers can do; so answers come too late; who got none in three seconds tries again, and
// the servers finish for him what he no longer waits for. From then on the retries alone keep the servers busy.
type Metastable struct {
	Outage
	Ramp    line.Settings
	Calm    float64 // visitors a second
	Tries   int     // how often they try again
	Honours float64 // part of the visitors who honour the page's wait; the others take the page for an error
}

// TheMetastable is the one of the simulation: see Metastable.
func TheMetastable() Metastable {
	return Metastable{
		Outage: Outage{From: 60 * time.Second, To: 90 * time.Second, Length: 690 * time.Second, Step: time.Second, Seed: 6},
		Ramp:   line.Settings{From: 20, To: 60, Over: 20 * time.Second, MinWait: 5 * time.Second, MaxWait: 60 * time.Second},
		Calm:   40, Tries: 3, Honours: 0.9,
	}
}

// Protected runs it with the page, the line and the gate; Unprotected has the visitors alone with the app.
func (m Metastable) Protected() *Trace {
	g := new(shed.Gate)
	g.Set(shed.GateSettings{Limit: 12, Length: 60, Timeout: time.Second, Shares: shares()})
	return m.run(&Door{Server: metastableServer(), Gate: g, Line: line.New(m.Ramp), Serves: m.Ramp.To})
}

// Unprotected: see Protected.
func (m Metastable) Unprotected() *Trace { return m.run(&Door{Server: metastableServer()}) }

// metastableServer can sign in 60 visitors a second: 6 cores, 100 ms each.
func metastableServer() *Server { return &Server{Cores: 6, Workers: 200, Backlog: 2048, Drag: 0.02} }

func (m Metastable) run(d *Door) *Trace {
	next := poisson(m.Seed, m.Calm)
	number := uint64(0)
	return m.Run(d, func() (time.Duration, *visitor, bool) {
		number++
		v := newVisitor(d, m.Seed, number)
		v.mean, v.patience, v.tries = 100*time.Millisecond, 3*time.Second, m.Tries
		v.honours = v.rng.Float64() < m.Honours
		return next(), v, true
	})
}

// MetastableFigures are what the simulation is judged by.
type MetastableFigures struct {
	Back    time.Duration // after the opening: from then on no ten seconds were out of order; negative: never
	Cleared time.Duration // after the opening: the last was signed in who came while the store was away; negative: nobody was
	Drained time.Duration // after the opening: no more wait than come in a second; negative: never
	Last    float64       // signed in a second, as a part of those who come, in the last minute
	GaveUp  int           // visitors who went away for good
	Wasted  float64       // part of the sign-ins after the opening that got as far as the servers or the gate, and came to nothing
	Shed    int           // past the line and turned away by the gate after all
	Excess  float64       // the fullest second in the first minute after the opening, as a part of what the ramp allows
}

// Figures judges a run.
func (m Metastable) Figures(t *Trace) MetastableFigures {
	f := MetastableFigures{Cleared: t.Waited.Last() - m.To, GaveUp: t.GaveUp.Count(0, m.Length), Shed: t.Shed.Count(m.To, m.Length)}
	const window = 10 * time.Second
	bad := m.To
	for at := m.To; at+window <= m.Length; at += time.Second {
		if !m.inOrder(t, at, at+window) {
			bad = at + window
		}
	}
	f.Back = bad - m.To
	if bad == m.Length {
		f.Back = -1
	}
	f.Drained = m.drained(t) - m.To
	if f.Drained+m.To >= m.Length {
		f.Drained = -1
	}
	f.Last = t.Done.PerSecond(m.Length, time.Second).Between(m.Length-time.Minute, m.Length).Mean() / m.Calm
	if n := t.Admitted.Count(m.To, m.Length); n > 0 {
		f.Wasted = 1 - float64(t.Done.Count(m.To, m.Length))/float64(n)
	}
	f.Excess, _ = t.Admitted.Excess(m.To, m.To+time.Minute, func(at time.Duration) float64 { return m.Allows(at + time.Second) })
	return f
}

// inOrder reports whether the site was as it is on a calm day: about as many signed in as come, and hardly any of those who
// got past the line were turned away, failed or gave up. Who waits in the line with a page before him is no disorder.
func (m Metastable) inOrder(t *Trace, from, to time.Duration) bool {
	done := float64(t.Done.Count(from, to))
	lost := float64(t.Shed.Count(from, to) + t.Failed.Count(from, to) + t.Late.Count(from, to))
	return done >= 0.85*m.Calm*(to-from).Seconds() && lost <= 0.05*(done+lost)
}

// drained is when the last step began at which more visitors waited than come in a second.
func (m Metastable) drained(t *Trace) (at time.Duration) {
	for i, n := range t.Outside.Values {
		if n > m.Calm {
			at = time.Duration(i+1) * t.Outside.Step
		}
	}
	return at
}

// Allows is what the ramp allows a second at that moment of the simulation.
func (m Metastable) Allows(at time.Duration) float64 {
	into := min(max(at-m.To, 0), m.Ramp.Over)
	return m.Ramp.From + (m.Ramp.To-m.Ramp.From)*into.Seconds()/m.Ramp.Over.Seconds()
}

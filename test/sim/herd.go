package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/line"
)

// Herd is the recovery of a store that was away for two minutes: 5,000 visitors want to sign in meanwhile, more than half of
// them within the first seconds, because the app sends to the sign-in page whoever it takes for signed out. Nine in ten honour
// what they are told, one in ten keeps no cookie and asks every second. Visitors who know nothing of it go on coming.
type Herd struct {
	Outage
	Ramp     line.Settings
	Visitors int     // of the herd
	Hammer   float64 // part of it that hammers
	Calm     float64 // visitors a second who come anyway
}

// TheHerd is the herd of the simulation: see Herd.
func TheHerd() Herd {
	return Herd{
		Outage:   Outage{From: 30 * time.Second, To: 150 * time.Second, Length: 300 * time.Second, Step: time.Second, Seed: 24},
		Ramp:     line.Settings{From: 10, To: 500, Over: 30 * time.Second, MinWait: 5 * time.Second, MaxWait: 60 * time.Second},
		Visitors: 5000, Hammer: 0.10, Calm: 20,
	}
}

// herdServer can sign in 640 visitors a second: 32 cores, 50 ms each.
func herdServer() *Server { return &Server{Cores: 32, Workers: 256, Backlog: 4096, Drag: 0.02} }

// herdGate is what the operator's file says of the login pool.
func herdGate() *shed.Gate {
	g := new(shed.Gate)
	g.Set(shed.GateSettings{Limit: 64, Length: 128, Timeout: 2 * time.Second, Shares: shares()})
	return g
}

// shares are the shares that the operator's file has where it says nothing.
func shares() shed.Shares { return shed.Shares{0.40, 0.20, 0.10, 0.10, 0.05} }

// Protected runs the herd against the line, Unprotected against the page with the same wait for everybody and no line. The gate
// stands in both.
func (h Herd) Protected() *Trace {
	return h.run(&Door{Server: herdServer(), Gate: herdGate(), Line: line.New(h.Ramp), Serves: h.Ramp.To})
}

// Unprotected: see Protected.
func (h Herd) Unprotected() *Trace {
	return h.run(&Door{Server: herdServer(), Gate: herdGate(), Page: 30 * time.Second})
}

func (h Herd) run(d *Door) *Trace {
	comes := h.arrivals()
	number := uint64(0)
	return h.Run(d, func() (time.Duration, *visitor, bool) {
		if int(number) == len(comes) {
			return 0, nil, false
		}
		number++
		a := comes[number-1]
		v := newVisitor(d, h.Seed, number)
		v.mean, v.hammers = 50*time.Millisecond, a.hammers
		return a.at, v, true
	})
}

// arrival is when somebody comes for the first time.
type arrival struct {
	at      time.Duration
	hammers bool
}

// arrivals are all that come during the simulation, in their order. Those who come anyway during the outage belong to the herd.
func (h Herd) arrivals() []arrival {
	var comes []arrival
	herd := 0
	for next, at := poisson(h.Seed, h.Calm), time.Duration(0); ; {
		if at = next(); at >= h.Length {
			break
		}
		comes = append(comes, arrival{at: at})
		if at >= h.From && at < h.To {
			herd++
		}
	}
	rng := rand.New(rand.NewPCG(h.Seed, 1))
	for ; herd < h.Visitors; herd++ { // the storm: whom the app took for signed out in the moment when its store was gone
		comes = append(comes, arrival{at: h.From + time.Duration(rng.ExpFloat64()*float64(2*time.Second))})
	}
	for i := range comes {
		if in := comes[i].at >= h.From && comes[i].at < h.To; in && rng.Float64() < h.Hammer {
			comes[i].hammers = true
		}
	}
	slices.SortFunc(comes, func(a, b arrival) int { return int(a.at - b.at) })
	return comes
}

// HerdFigures are what the simulation is judged by.
type HerdFigures struct {
	Excess      float64       // the fullest second after the opening, as a part of what the ramp allows in it
	At          time.Duration // when it began, after the opening
	Normal, P99 time.Duration // how long a sign-in takes, 99 of 100: before the outage, and from the opening on
	PeakToMean  float64       // of the returns of those who honour what they are told, while the herd comes in: the fullest second
	Back        time.Duration // after the opening: the last of the herd was signed in
	Shed        int           // admitted, and turned away by the gate after all
	In          int           // signed in from the opening to the end
}

// Figures judges a run.
func (h Herd) Figures(t *Trace) HerdFigures {
	f := HerdFigures{
		Normal: t.Took.Quantile(0.99, 0, h.From),
		P99:    t.Took.Quantile(0.99, h.To, h.Length),
		Back:   t.Waited.Last() - h.To,
		Shed:   t.Shed.Count(h.To, h.Length),
		In:     t.Done.Count(h.To, h.Length),
	}
	f.Excess, f.At = t.Admitted.Excess(h.To, h.To+h.Ramp.Over, func(at time.Duration) float64 { return h.Allows(at + time.Second) })
	f.At -= h.To
	returns := t.Returns.PerSecond(h.Length, time.Second).Between(h.To, h.To+max(f.Back, time.Second))
	f.PeakToMean = returns.Max() / returns.Mean()
	return f
}

// Allows is what the ramp allows a second at that moment of the simulation: the operator's line, whatever halved it since.
func (h Herd) Allows(at time.Duration) float64 {
	into := min(max(at-h.To, 0), h.Ramp.Over)
	return h.Ramp.From + (h.Ramp.To-h.Ramp.From)*into.Seconds()/h.Ramp.Over.Seconds()
}

package sim

import (
	"time"

	"gatehouse/shed"
)

// Adaptive is Overload where nobody knows what the pool can do: 20 cores that everything in work shares, so that too much at once
// makes everything slow, and a Gate that finds its limit by itself. The contrast is a pool without a limit.
type Adaptive struct{ Overload }

// TheAdaptive is the one of the simulation: see Adaptive.
func TheAdaptive() Adaptive {
	a := Adaptive{TheOverload()}
	a.Server = func() *Server { return &Server{Cores: a.Limit, Workers: 500, Backlog: 4096, Drag: 0.02} }
	a.Each = 20 * time.Second // long enough to learn in
	return a
}

// Protected has an adaptive Gate with all of its defaults, Unprotected one that only counts.
func (a Adaptive) Protected() *OverloadTrace {
	g := new(shed.Gate)
	g.Set(shed.GateSettings{Adaptive: &shed.AdaptiveSettings{}, Length: a.Length, Timeout: a.Timeout, Shares: shares(), Reserve: 0.10})
	return a.run(Gated{g})
}

// Unprotected: see Protected.
func (a Adaptive) Unprotected() *OverloadTrace { return a.run(Gated{new(shed.Gate)}) }

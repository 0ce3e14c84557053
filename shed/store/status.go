package store

import (
	"time"

	"gatehouse/shed"
)

const (
	keptTransitions = 20
	keptLatencies   = 120
)

// Status is what a person wants to know of a store during an incident.
type Status struct {
	shed.Verdict
	Err         string          // what the latest probe that failed met; empty if none did
	ErrAt       time.Time       // and when
	CheckBegun  time.Time       // the last completed check; zero if there was none
	CheckTook   time.Duration   // with its confirmations
	Override    *Override       // in force; nil: none
	Held        time.Time       // until when the store is held read-only because it keeps failing; zero: it is not
	Reports     []Reported      // the apps' words that hold, by backend
	Diverged    *Divergence     // of a Group whose parts have come too far apart; nil: they have not, as far as is known
	Trial       bool            // the prober is taken to be at fault, since reads succeed that it says must fail
	Headroom    []Headroom      // the least first; what is not known is not there
	Expires     time.Time       // when the store's certificate ends; zero without TLS
	Checks      uint64          // begun so far
	Probes      uint64          // made so far
	Transitions []Transition    // the last 20, oldest first
	Latencies   []time.Duration // of the last 120 probes, oldest first: the canary's round trip, or the whole probe if it failed
}

// record is what Status tells beyond the verdict, under the Monitor's lock.
type record struct {
	err         string
	errAt       time.Time
	begun       time.Time
	took        time.Duration
	checks      uint64
	probes      uint64
	headroom    []Headroom
	expires     time.Time
	transitions []Transition
	latencies   [keptLatencies]time.Duration // a ring
}

func (r *record) note(e Evidence, took time.Duration) {
	if e.Latency > 0 {
		took = e.Latency
	}
	r.latencies[r.probes%keptLatencies] = took
	r.probes++
	if e.Err != nil {
		r.err, r.errAt = e.Err.Error(), time.Now()
	}
}

func (r *record) tell(t Transition) {
	if len(r.transitions) == keptTransitions {
		r.transitions = append(r.transitions[:0], r.transitions[1:]...)
	}
	r.transitions = append(r.transitions, t)
}

// Status returns a copy that the caller owns.
func (m *Monitor) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, at := &m.record, m.at.Load()
	s := Status{
		Verdict: at.verdict(time.Now()), Err: r.err, ErrAt: r.errAt, CheckBegun: r.begun, CheckTook: r.took,
		Override: at.override, Trial: at.trusted, Headroom: append([]Headroom(nil), r.headroom...), Expires: r.expires,
		Checks: r.checks, Probes: r.probes,
		Transitions: append([]Transition(nil), r.transitions...), Reports: m.reports.list(time.Now()),
	}
	if at.cause == shed.CauseFlapping {
		s.Held = at.held
	}
	n := min(r.probes, keptLatencies)
	s.Latencies = make([]time.Duration, 0, n)
	for i := r.probes - n; i < r.probes; i++ {
		s.Latencies = append(s.Latencies, r.latencies[i%keptLatencies])
	}
	return s
}

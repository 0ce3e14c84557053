package store

import (
	"context"
	"time"

	"gatehouse/shed"
)

// Prober tries what the session store can do.
type Prober interface {
	// Probe writes a canary of about payload bytes, reads it back, and says what it found. It returns by ctx's deadline,
	// and at once when ctx is cancelled. One Monitor never calls it concurrently.
	Probe(ctx context.Context, payload int) Evidence
	// Greet makes a new connection beside the one that serves, and says what whoever comes anew meets: Writable where it was
	// taken. It returns by ctx's deadline, and is called beside a Probe, but never beside another Greet.
	Greet(ctx context.Context) Evidence
	// Close releases what the Prober holds. The Monitor calls it once, after the last Probe has returned.
	Close() error
}

// Evidence is what one probe found. The zero value says nothing about the store: the prober is at fault.
type Evidence struct {
	State    shed.State
	Cause    shed.Cause
	Definite bool          // the store said no in so many words; otherwise the evidence is ambiguous (a timeout)
	Lost     bool          // the canary was there and is gone: the store came back empty
	Reached  bool          // the server answered something
	Latency  time.Duration // of the canary's round trip; zero where there was none
	Err      error         // for the log only

	Vitals  *Vitals   // what the server said of itself, where this probe asked it; nil otherwise. Only read.
	Expires time.Time // when the certificate of the store ends (the earliest of its chain); zero without TLS
}

// Settings is how a Monitor works. Interval and Timeout must be positive.
type Settings struct {
	Interval time.Duration // between the begins of two checks that nobody asked for
	Timeout  time.Duration // a probe's deadline
	Payload  int           // bytes of the canary that is written once a second, and always while the store is full
	Strained time.Duration // a round trip longer than this is late; zero: none is
	Rise     int           // good probes in a row before the state improves; at least 1
	After    time.Duration // which must lie at least so far apart
	RampOver time.Duration // how long the ramp runs; zero: there is none
	// HoldFrom is how long a store that opened after its second closure in ten minutes is held read-only; each further one
	// doubles it, up to HoldTo. Zero: it is never held.
	HoldFrom, HoldTo time.Duration
	// Memory and Clients are the shares of their limits from which on the store is strained, Evictions the number of keys a
	// second. Zero, and a share of 1: it never is for that.
	Memory, Clients, Evictions float64

	// Reports is how far the apps' own word is believed.
	Reports ReportSettings

	// StartRamp begins a ramp with the first verdict, for a store that is new on a reload.
	StartRamp bool
	// Observe is called after each probe, from the Monitor's goroutine, with how long it took and what it found. It may be nil.
	Observe func(took time.Duration, e Evidence)
}

func (s Settings) rise() int { return max(1, s.Rise) }

// small is the size of an ordinary canary.
const small = 64

// Transition is a change of state or of cause. From and To are equal where only the cause changed.
type Transition struct {
	At               time.Time
	From, To         shed.State
	FromCause, Cause shed.Cause
	Observed         shed.State    // what the checks say by now
	Err              error         // what the deciding probe met, if anything; for the log only
	Lost             bool          // the store was found empty
	Lasted           time.Duration // how long the state From had lasted
	Override         *Override     // in force by now; nil: none
	Set              bool          // it has just been set
	Ended            *Override     // has just ended, by whom its By says; nil: none. One that ran out names who had set it
}

// rank orders states by what they take away.
func rank(s shed.State) int {
	switch s {
	case shed.Down:
		return 2
	case shed.ReadOnly:
		return 1
	default:
		return 0
	}
}

package store

import (
	"time"

	"gatehouse/shed"
)

// course leads from evidence to what the checks say. It belongs to the checking goroutine.
type course struct {
	state shed.State
	cause shed.Cause
	runs  [2]run // probes in a row that were no worse than open, and no worse than read-only
	late  lateness
	load  strain

	newcomers newcomers

	faults   int        // probes in a row at which the prober was at fault
	lost     bool       // the canary was gone and no ramp has begun for it yet
	readOnly shed.Cause // why the store was last seen to be read-only
	other    shed.Cause // a cause of the same state that was seen once
	trusting bool       // trials have shown that a prober that cannot reach the store is at fault
}

// run is a row of probes that agree.
type run struct {
	n           int
	first, last time.Time
}

func (r *run) note(good bool, begun time.Time) {
	switch {
	case !good:
		*r = run{}
		return
	case r.n == 0:
		r.first = begun
	}
	r.n++
	r.last = begun
}

func (r *run) reached(s Settings) bool { return r.n >= s.rise() && r.last.Sub(r.first) >= s.After }

// take notes one probe that counts. timed is false where its latency was not the store's.
func (c *course) take(e Evidence, begun time.Time, timed bool, s Settings) {
	for worst := range c.runs {
		c.runs[worst].note(e.State != shed.Unknown && rank(e.State) <= worst, begun)
	}
	if e.State == shed.Unknown {
		c.faults++
	} else {
		c.faults = 0
	}
	if e.State == shed.ReadOnly {
		c.readOnly = e.Cause
	}
	if timed && open(e.State) {
		c.late.note(e.Latency, s)
	}
	c.load.note(e.Vitals, begun, s)
	c.lost = c.lost || e.Lost
}

// doubt is e as it counts while trials say that the prober is at fault: what may lie on its own way says nothing of the store.
func (c *course) doubt(e Evidence) Evidence {
	if c.trusting && e.State == shed.Down && lying(e.Cause) {
		e.State = shed.Unknown
	}
	return e
}

// lying reports whether a cause may lie on the prober's own way to the store.
func lying(c shed.Cause) bool {
	switch c {
	case shed.CauseRefused, shed.CauseHung, shed.CauseDNS, shed.CauseTLS, shed.CauseTooManyClients:
		return true
	}
	return false
}

// settle ends a check whose last word is e. worse says that e was confirmed to be worse than what was believed.
func (c *course) settle(e Evidence, worse bool, s Settings) {
	switch {
	case worse:
		c.become(e.State, e.Cause)
	case c.state.Impaired():
		c.improve(e, s)
	case e.State == shed.Unknown:
		c.cause = e.Cause
	case open(e.State):
		c.become(c.open())
	}
	if c.state != shed.Unknown {
		c.trusting = false
	}
}

// trust makes what trials have shown the state: the prober is at fault, and nobody is refused for it.
func (c *course) trust() {
	if c.state == shed.Down && lying(c.cause) {
		c.trusting = true
		c.become(shed.Unknown, c.cause)
	}
}

// improve moves an impaired state, as far as the evidence goes.
func (c *course) improve(e Evidence, s Settings) {
	switch {
	case c.faults >= 2:
		c.become(shed.Unknown, e.Cause)
	case c.runs[0].reached(s):
		c.become(c.open())
	case c.state == shed.Down && c.runs[1].reached(s):
		c.become(shed.ReadOnly, c.readOnly)
	case e.State == c.state && e.Cause != c.cause && e.Cause != shed.CauseUnknown:
		// One odd probe does not rename an outage.
		if e.Cause == c.other {
			c.cause = e.Cause
		}
		c.other = e.Cause
	default:
		c.other = shed.CauseUnknown
	}
}

func (c *course) become(state shed.State, cause shed.Cause) {
	c.state, c.cause, c.other = state, cause, shed.CauseUnknown
}

// open is the open state that latencies and vitals speak for, and its cause.
func (c *course) open() (shed.State, shed.Cause) {
	worst, strains := c.load.worst()
	switch {
	case strains:
		return shed.Strained, causeOf(worst)
	case c.late.strains:
		return shed.Strained, shed.CauseSlow
	default:
		return shed.Writable, shed.OK
	}
}

func open(s shed.State) bool { return s == shed.Writable || s == shed.Strained }

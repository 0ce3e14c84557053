package store

import (
	"time"

	"gatehouse/shed"
)

// course leads from evidence to standings. It belongs to the checking goroutine.
type course struct {
	at   standing
	runs [2]run // probes in a row that were no worse than open, and no worse than read-only
	late lateness

	faults   int        // probes in a row at which the prober was at fault
	lost     bool       // the canary was gone and no ramp has begun for it yet
	loss     bool       // the last ramp began for a lost canary
	readOnly shed.Cause // why the store was last seen to be read-only
	other    shed.Cause // a cause of the same state that was seen once
	checked  bool       // a check has been completed
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

// lateness tells a strained store from one slow answer.
type lateness struct {
	recent  [5]bool // the last five good probes, in a ring: whether each was late
	next    int
	intime  int // in a row
	strains bool
}

func (l *lateness) note(latency time.Duration, s Settings) {
	late := s.Strained > 0 && latency > s.Strained
	l.recent[l.next] = late
	l.next = (l.next + 1) % len(l.recent)
	l.intime++
	if late {
		l.intime = 0
	}
	n := 0
	for _, was := range l.recent {
		if was {
			n++
		}
	}
	switch {
	case n >= 3 && late:
		l.strains = true
	case l.intime >= s.rise():
		l.strains = false
	}
}

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
	c.lost = c.lost || e.Lost
}

// settle ends a check whose last word is e. worse says that e was confirmed to be worse than what was believed. It reports
// whether there is something to tell.
func (c *course) settle(e Evidence, worse bool, begun, now time.Time, s Settings) (Transition, bool) {
	was := c.at
	c.at.begun, c.at.over = begun, s.RampOver
	switch {
	case worse:
		c.become(e.State, e.Cause, now)
	case was.state.Impaired():
		c.improve(e, now, s)
	case e.State == shed.Unknown:
		c.at.cause = e.Cause
	case open(e.State):
		c.become(c.open(), c.at.cause, now)
	}
	if !c.at.state.Impaired() {
		if s.StartRamp && !c.checked {
			c.ramp(now)
		}
		if c.lost {
			c.ramp(now)
			c.loss = true
		}
		if e.State != shed.Unknown && open(c.at.state) {
			c.at.cause = ordinary(c.at.state)
			if c.loss && c.at.ramping(now) {
				c.at.cause = shed.CauseSessionLoss
			}
		}
	}
	c.checked = true
	lost := c.lost && !c.at.state.Impaired()
	if lost {
		c.lost = false
	}
	if c.at.state == was.state && c.at.cause == was.cause && !lost {
		return Transition{}, false
	}
	t := Transition{
		At: now, From: was.state, To: c.at.state, FromCause: was.cause, Cause: c.at.cause,
		Err: e.Err, Lost: lost, Lasted: now.Sub(was.since),
	}
	if lost {
		t.Cause = shed.CauseSessionLoss
	}
	return t, true
}

// improve moves an impaired standing, as far as the evidence goes.
func (c *course) improve(e Evidence, now time.Time, s Settings) {
	switch {
	case c.faults >= 2:
		c.become(shed.Unknown, e.Cause, now)
		c.ramp(now)
	case c.runs[0].reached(s):
		c.become(c.open(), shed.OK, now)
		c.ramp(now)
	case c.at.state == shed.Down && c.runs[1].reached(s):
		c.become(shed.ReadOnly, c.readOnly, now)
	case e.State == c.at.state && e.Cause != c.at.cause && e.Cause != shed.CauseUnknown:
		// One odd probe does not rename an outage.
		if e.Cause == c.other {
			c.at.cause = e.Cause
		}
		c.other = e.Cause
	default:
		c.other = shed.CauseUnknown
	}
}

// become changes the state, if it is another one.
func (c *course) become(state shed.State, cause shed.Cause, now time.Time) {
	if state != c.at.state {
		if c.at.state.Impaired() && !state.Impaired() {
			c.at.closed = now
		}
		c.at.state, c.at.since = state, now
	}
	c.at.cause, c.other = cause, shed.CauseUnknown
	if state.Impaired() {
		c.at.opened, c.loss = time.Time{}, false
	}
}

func (c *course) ramp(now time.Time) { c.at.opened, c.loss = now, false }

// open is the open state that the latencies speak for.
func (c *course) open() shed.State {
	if c.late.strains {
		return shed.Strained
	}
	return shed.Writable
}

func open(s shed.State) bool { return s == shed.Writable || s == shed.Strained }

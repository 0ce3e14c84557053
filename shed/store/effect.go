package store

import (
	"time"

	"gatehouse/shed"
)

// effect leads from what the checks say to what is acted on: an override first, then a hold-down, then what apps report, then the
// checks. It is under the Monitor's lock.
type effect struct {
	override *Override
	closures []time.Time // of the last ten minutes, oldest first; as the checks saw them
	shut     bool        // the checks closed it, and have not found it open since
	held     time.Time   // until when a store that opened is held read-only
	said     time.Time   // until when enough apps say that it takes no writes; zero: they do not
	loss     bool        // the running ramp began for a lost canary
}

// memory is how long a closure counts for the hold-down.
const memory = 10 * time.Minute

// closing notes that the checks closed the store.
func (f *effect) closing(now time.Time) {
	f.shut = true
	f.expire(now)
	f.closures = append(f.closures, now)
	if len(f.closures) > 64 { // far beyond the longest hold-down
		f.closures = append(f.closures[:0], f.closures[1:]...)
	}
}

// opening notes that the checks find it open, which counts once after a closing. The first closure in ten minutes has no
// hold-down; from the second on it doubles.
func (f *effect) opening(at *standing, now time.Time, s Settings) {
	if !f.shut {
		return
	}
	f.shut, at.reopened = false, now
	f.expire(now)
	f.held = time.Time{}
	n := len(f.closures)
	if n < 2 || s.HoldFrom <= 0 {
		return
	}
	hold := s.HoldFrom
	for range n - 2 {
		if hold >= s.HoldTo {
			break
		}
		hold *= 2
	}
	f.held = now.Add(max(s.HoldFrom, min(hold, s.HoldTo)))
}

func (f *effect) expire(now time.Time) {
	for len(f.closures) > 0 && now.Sub(f.closures[0]) >= memory {
		f.closures = f.closures[1:]
	}
}

// next is when something of it ends by itself; the zero time if nothing does.
func (f *effect) next() time.Time {
	switch {
	case f.override != nil:
		return f.override.Until
	case f.held.IsZero() || !f.said.IsZero() && f.said.Before(f.held):
		return f.said
	default:
		return f.held
	}
}

// act sets what is acted on in at, whose observed part is given, and returns the override that ended, if one did.
func (f *effect) act(at *standing, now time.Time) (ended *Override) {
	if f.override != nil && !now.Before(f.override.Until) {
		ended, f.override = f.override, nil
	}
	if !now.Before(f.held) {
		f.held = time.Time{}
	}
	was := *at
	state, cause := at.observed, at.observedCause
	switch {
	case f.override != nil:
		state, cause = f.override.State, shed.CauseOverride
	case !f.held.IsZero() && open(at.observed):
		state, cause = shed.ReadOnly, shed.CauseFlapping
	case !f.said.IsZero() && !at.observed.Impaired():
		state, cause = shed.ReadOnly, shed.CauseReported
	}
	at.override, at.held = f.override, f.held
	if state != was.state {
		at.state, at.since = state, now
	}
	at.cause = cause
	switch {
	case state.Impaired():
		at.opened, f.loss = time.Time{}, false
	case was.state.Impaired():
		f.ramp(at, now)
	}
	return ended
}

// ramp begins a ramp.
func (f *effect) ramp(at *standing, now time.Time) { at.opened, f.loss = now, false }

// lose begins a ramp for a store that was found empty.
func (f *effect) lose(at *standing, now time.Time) { at.opened, f.loss = now, true }

// name gives an open state its cause: nothing special, or that the store came back empty.
func (f *effect) name(at *standing, now time.Time) {
	if open(at.state) && at.override == nil && at.cause != shed.CauseProberAuth && f.loss && at.ramping(now) {
		at.cause = shed.CauseSessionLoss
	}
}

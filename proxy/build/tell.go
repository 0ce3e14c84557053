package build

import (
	"gatehouse/proxy/record"
	"gatehouse/shed/store"
)

// tell records a transition, and what a person set or took back with it.
func tell(rec *record.Recorder, name string, t store.Transition) {
	if o := t.Ended; o != nil {
		why := "expired"
		if o.Until.Equal(t.At) {
			why = "off"
		}
		rec.Override(record.OverrideEvent{Store: name, At: t.At, State: o.State, By: o.By, Until: o.Until, Ended: true, Why: why})
	}
	if o := t.Override; o != nil && t.Set {
		rec.Override(record.OverrideEvent{Store: name, At: t.At, State: o.State, By: o.By, Until: o.Until})
	}
	if t.From != t.To || t.FromCause != t.Cause || t.Lost {
		rec.StoreTransition(transition(name, t))
	}
}

func transition(name string, t store.Transition) record.Transition {
	out := record.Transition{
		Store: name, At: t.At, From: t.From, To: t.To, Was: t.FromCause, Cause: t.Cause, Lasted: t.Lasted, Observed: t.Observed,
	}
	if t.Err != nil {
		out.Err = t.Err.Error()
	}
	if o := t.Override; o != nil {
		out.By, out.Until = o.By, o.Until
	}
	return out
}

package store

import (
	"testing"
	"time"

	"gatehouse/shed"
)

// at is a moment so many seconds after the first.
func at(s int) time.Time { return time.Date(2030, 1, 1, 0, 0, s, 0, time.UTC) }

// known is a verdict that the checks alone speak for, by a check that began at that second.
func known(state shed.State, cause shed.Cause, begun int) shed.Verdict {
	return shed.Verdict{State: state, Cause: cause, Observed: state, ObservedCause: cause, Begun: at(begun)}
}

func opened(v shed.Verdict, s int) shed.Verdict {
	v.Opened = at(s)
	return v
}

func held(v shed.Verdict, cause shed.Cause, reopened int) shed.Verdict {
	v.State, v.Cause = shed.ReadOnly, cause
	if reopened > 0 {
		v.Reopened = at(reopened)
	}
	return v
}

func lost(v shed.Verdict) shed.Verdict {
	v.Lost = true
	return v
}

func TestCombine(t *testing.T) {
	var (
		well     = known(shed.Writable, shed.OK, 10)
		tight    = known(shed.Strained, shed.CauseSlow, 11)
		blind    = known(shed.Unknown, shed.CauseProberAuth, 12)
		closed   = known(shed.ReadOnly, shed.CauseReadOnly, 13)
		gone     = known(shed.Down, shed.CauseRefused, 14)
		flapping = held(known(shed.Writable, shed.OK, 15), shed.CauseFlapping, 3)
		reported = held(known(shed.Strained, shed.CauseSlow, 16), shed.CauseReported, 0)
		none     = shed.Verdict{}
	)
	overridden := known(shed.Down, shed.CauseHung, 17)
	overridden.State, overridden.Cause = shed.Writable, shed.CauseOverride
	is := func(state shed.State, cause shed.Cause, begun int, observed shed.State, why shed.Cause) shed.Verdict {
		return shed.Verdict{State: state, Cause: cause, Begun: at(begun), Observed: observed, ObservedCause: why}
	}
	for _, row := range []struct {
		name    string
		parts   []shed.Verdict
		require int
		want    shed.Verdict
	}{
		{"no parts", nil, 0, shed.Verdict{}},
		{"none knows", []shed.Verdict{none, none}, 0, shed.Verdict{}},
		{"one that does not know does not count", []shed.Verdict{none, well}, 0, well},
		{"nor where so many are required", []shed.Verdict{none, well}, 2, well},
		{"one", []shed.Verdict{closed}, 0, closed},
		{"more than there are", []shed.Verdict{well, closed}, 7, is(shed.ReadOnly, shed.CauseReadOnly, 13, shed.ReadOnly, shed.CauseReadOnly)},
		{"any: the failed one changes nothing that is acted on", []shed.Verdict{gone, well}, 1,
			is(shed.Writable, shed.OK, 10, shed.Down, shed.CauseRefused)},
		{"all: the worst decides", []shed.Verdict{well, gone, closed}, 0, is(shed.Down, shed.CauseRefused, 14, shed.Down, shed.CauseRefused)},
		{"two of three", []shed.Verdict{gone, closed, well}, 2, is(shed.ReadOnly, shed.CauseReadOnly, 13, shed.Down, shed.CauseRefused)},
		{"strained is worse than writable", []shed.Verdict{tight, well}, 0, is(shed.Strained, shed.CauseSlow, 10, shed.Strained, shed.CauseSlow)},
		{"unknown is worse than strained", []shed.Verdict{tight, blind}, 0, is(shed.Unknown, shed.CauseProberAuth, 11, shed.Unknown, shed.CauseProberAuth)},
		{"and better than read-only", []shed.Verdict{closed, blind}, 1, is(shed.Unknown, shed.CauseProberAuth, 12, shed.ReadOnly, shed.CauseReadOnly)},
		{"any: who is known to work comes before who is not known", []shed.Verdict{blind, tight}, 1,
			is(shed.Strained, shed.CauseSlow, 12, shed.Unknown, shed.CauseProberAuth)},
		{"the age is that of the freshest that permit", []shed.Verdict{known(shed.Writable, shed.OK, 1), well, tight}, 2,
			is(shed.Writable, shed.OK, 10, shed.Strained, shed.CauseSlow)},
		{"any: the one that runs no ramp", []shed.Verdict{opened(well, 5), well}, 1, well},
		{"all: the one that runs a ramp", []shed.Verdict{opened(well, 5), well}, 0, opened(well, 5)},
		{"all: the ramp that began last", []shed.Verdict{opened(well, 7), opened(well, 5)}, 0, opened(well, 7)},
		{"the first of equals names the cause", []shed.Verdict{known(shed.ReadOnly, shed.CauseFull, 13), closed}, 1,
			known(shed.ReadOnly, shed.CauseFull, 13)},
		{"a hold is better than the real thing", []shed.Verdict{closed, flapping}, 1,
			held(is(shed.Writable, shed.OK, 15, shed.Writable, shed.OK), shed.CauseFlapping, 3)},
		{"held, and the rest is away: others go by what is left", []shed.Verdict{gone, reported}, 1,
			is(shed.ReadOnly, shed.CauseReported, 16, shed.Strained, shed.CauseSlow)},
		{"held, and all are needed", []shed.Verdict{well, flapping}, 0,
			held(is(shed.Writable, shed.OK, 10, shed.Writable, shed.OK), shed.CauseFlapping, 3)},
		{"a person's word, and what is seen", []shed.Verdict{well, overridden}, 0,
			is(shed.Writable, shed.CauseOverride, 10, shed.Down, shed.CauseHung)},
		{"one came back empty", []shed.Verdict{lost(well), well}, 0, well},
		{"all did", []shed.Verdict{lost(well), lost(well)}, 1, lost(well)},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := combine(row.parts, row.require); got != row.want {
				t.Errorf("\n got %+v\nwant %+v", got, row.want)
			}
		})
	}
}

// Whatever the parts are: more required is never better, a part that gets worse never helps, and only impairment closes.
func TestCombineGoesOneWay(t *testing.T) {
	causes := map[shed.State]shed.Cause{shed.Writable: shed.OK, shed.Strained: shed.CauseSlow, shed.Unknown: shed.CauseProberAuth,
		shed.ReadOnly: shed.CauseReadOnly, shed.Down: shed.CauseRefused}
	for _, a := range shed.States {
		for _, b := range shed.States {
			for _, c := range shed.States {
				parts := []shed.Verdict{known(a, causes[a], 1), known(b, causes[b], 2), known(c, causes[c], 3)}
				last := -1
				for require := 1; require <= 3; require++ {
					v := combine(parts, require)
					now := tier(v.State, v.Cause)
					if now < last {
						t.Errorf("%v %v %v: %d of them are better than fewer", a, b, c, require)
					}
					last = now
					for i := range parts {
						worse := append([]shed.Verdict(nil), parts...)
						worse[i] = known(shed.Down, shed.CauseRefused, 4)
						if w := combine(worse, require); tier(w.State, w.Cause) < now {
							t.Errorf("%v %v %v: better by the failure of %d", a, b, c, i)
						}
					}
					able := 0
					for _, p := range parts {
						if !p.State.Impaired() {
							able++
						}
					}
					if v.State.Impaired() != (able < require) {
						t.Errorf("%v %v %v: %v with %d of %d", a, b, c, v.State, able, require)
					}
				}
			}
		}
	}
}

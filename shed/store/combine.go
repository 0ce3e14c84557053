package store

import (
	"slices"
	"time"

	"gatehouse/shed"
)

// combine says what several parts can do together, of which so many must be able (none: all; never more than there are). It is pure.
//
// Acted on is the require-th best part. The best come first by what they can do: writable, strained, unknown, held for sign-ins alone,
// read-only, down. An unknown part stands between those that are known to take writes and those that are known not to: where a part is
// known to work nobody should be sent to what nobody knows, and nobody is shed for what is not known. Among equals the one that runs
// no ramp is better, then the one whose ramp began earlier, and then the order of parts decides, so that a cause does not wander. A
// part without a verdict does not count, until none has one: then nothing is known. The fields:
//
//	State, Cause     the require-th best part's
//	Since            zero: when the combination got there is its owner's to know
//	Begun            the oldest check of the freshest parts that permit, as many as are required: the permission rests on these, and
//	                 one that hangs beside them makes it no older. Where nothing is permitted, the require-th best part's
//	Late             never; whoever asked for something fresher knows
//	Opened           the require-th best part's: its ramp is the one that limits
//	Lost             every part was found empty. While one may have kept a session nobody is told that he has none
//	Observed, its    the worst part's, by the same order: an app may live on any, and this judges what apps answer. But of a combination
//	  cause          that is held it is what is left without the holds, as for a single store: Unheld must say what the others get
//	Reopened         where it is held, the Opened of that
func combine(parts []shed.Verdict, require int) shed.Verdict {
	all := make([]shed.Verdict, 0, len(parts))
	for _, v := range parts {
		if !v.Begun.IsZero() {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return shed.Verdict{}
	}
	n := required(require, len(all))
	worst, lost := all[0], true
	begun := make([]time.Time, 0, len(all))
	for _, p := range all {
		lost = lost && p.Lost
		if tier(p.Observed, p.ObservedCause) > tier(worst.Observed, worst.ObservedCause) {
			worst = p
		}
		if permits(p) {
			begun = append(begun, p.Begun)
		}
	}
	best := nth(all, n)
	v := shed.Verdict{
		State: best.State, Cause: best.Cause, Begun: best.Begun, Opened: best.Opened, Lost: lost,
		Observed: worst.Observed, ObservedCause: worst.ObservedCause,
	}
	if len(begun) >= n {
		slices.SortFunc(begun, func(a, b time.Time) int { return b.Compare(a) })
		v.Begun = begun[n-1]
	}
	if holds(v.Cause) {
		v = withhold(v, all, n)
	}
	return v
}

// withhold has a combination that is held say what is left without the holds. all is of no use afterwards.
func withhold(v shed.Verdict, all []shed.Verdict, n int) shed.Verdict {
	for i, p := range all {
		all[i] = unheld(p)
	}
	left := nth(all, n)
	v.Observed, v.ObservedCause, v.Reopened = left.State, left.Cause, left.Opened
	return v
}

// required is how many of n parts must be able.
func required(require, n int) int {
	if require <= 0 || require > n {
		return n
	}
	return require
}

// nth returns the n-th best, and leaves all in that order.
func nth(all []shed.Verdict, n int) shed.Verdict {
	slices.SortStableFunc(all, better)
	return all[n-1]
}

// better orders verdicts, the best first.
func better(a, b shed.Verdict) int {
	switch d := tier(a.State, a.Cause) - tier(b.State, b.Cause); {
	case d != 0:
		return d
	case a.Recovering() != b.Recovering():
		if a.Recovering() {
			return 1
		}
		return -1
	}
	return a.Opened.Compare(b.Opened)
}

// tier is the place of a state among the others, the best first.
func tier(s shed.State, c shed.Cause) int {
	switch {
	case s == shed.Writable:
		return 0
	case s == shed.Strained:
		return 1
	case s == shed.ReadOnly && holds(c):
		return 3
	case s == shed.ReadOnly:
		return 4
	case s == shed.Down:
		return 5
	default:
		return 2
	}
}

// unheld is the verdict for those whom neither a hold-down nor a report concerns.
func unheld(v shed.Verdict) shed.Verdict {
	if holds(v.Cause) {
		v.State, v.Cause, v.Opened = v.Observed, v.ObservedCause, v.Reopened
	}
	return v
}

// permits reports whether somebody is let in by a verdict, be it only those whom no hold concerns.
func permits(v shed.Verdict) bool { return !unheld(v).State.Impaired() }

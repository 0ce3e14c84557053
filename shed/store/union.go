package store

import (
	"slices"
	"time"

	"gatehouse/shed"
)

// union is what is believed of a Group's store, as one consistent value. A published union is never changed.
type union struct {
	shed.Verdict               // as of when it was published; Since is the combination's own
	over         time.Duration // how long a ramp runs

	worst      shed.State // what the worst part's checks say
	worstCause shed.Cause
	oldest     time.Time // when the oldest check of a part that counts began; zero where none counts
	impaired   bool      // a part is impaired, or taken for it, or the combination is
	closed     time.Time // when that ended last
	shut       time.Time // when what is acted on was impaired last, for more than sign-ins
	ramp       time.Time // when the combination's own ramp began; zero while it is impaired
	override   *Override // in force for the whole store; nil: none
	said       time.Time // until when enough apps say of the whole store that it takes no writes; zero: they do not
	held       time.Time // until when the combination is held for what keeps failing; zero: it is not
	overruled  bool      // as many parts as are required permit whatever their checks say, by a person's word or that of trials
	trusted    bool      // the combination is what trials made of it
	diverged   *Divergence
}

// current is the union as it reads now.
func (u *union) current() shed.Verdict {
	if u.Opened.IsZero() && u.Reopened.IsZero() { // nothing that time changes
		return u.Verdict
	}
	return u.verdict(time.Now())
}

// verdict is the union as it reads at now.
func (u *union) verdict(now time.Time) shed.Verdict {
	v := u.Verdict
	if now.Sub(v.Opened) >= u.over {
		v.Opened = time.Time{}
	}
	if now.Sub(v.Reopened) >= u.over {
		v.Reopened = time.Time{}
	}
	return v
}

// fresh reports whether the union answers a request that demands a check begun at most maxAge ago: see standing.fresh.
func (u *union) fresh(maxAge time.Duration) bool {
	return u.final() || maxAge > 0 && !u.Begun.IsZero() && time.Since(u.Begun) <= maxAge
}

// final reports whether nobody waits for a verdict: to be refused, or for checks that are overruled.
func (u *union) final() bool {
	return u.State.Impaired() && !holds(u.Cause) || u.override != nil || u.overruled
}

// since reports whether the verdict rests on checks that began no earlier than from.
func (u *union) since(from time.Time) bool { return !u.Begun.IsZero() && !u.Begun.Before(from) }

// throughout reports whether every part was checked since.
func (u *union) throughout(from time.Time) bool { return !u.oldest.IsZero() && !u.oldest.Before(from) }

// shuts reports whether what is acted on is impaired, for more than sign-ins.
func (u *union) shuts() bool { return u.State.Impaired() && !holds(u.Cause) }

// weigh sets what is acted on and what is observed, by the parts, by what apps say of the whole store and by a person's word. was is what
// was believed before.
func (u *union) weigh(was *union, parts []*standing, require int, now time.Time) {
	verdicts := make([]shed.Verdict, len(parts))
	known, able, overruled := 0, 0, 0
	var helds []time.Time
	u.oldest, u.impaired = time.Time{}, false
	for i, p := range parts {
		v := p.verdict(now)
		verdicts[i] = v
		if v.Begun.IsZero() {
			continue
		}
		known++
		if u.oldest.IsZero() || v.Begun.Before(u.oldest) {
			u.oldest = v.Begun
		}
		u.impaired = u.impaired || p.impaired()
		if permits(v) {
			able++
			if p.override != nil || p.trusted { // its checks make nobody wait
				overruled++
				verdicts[i].Begun = now
			}
			if !p.held.IsZero() {
				helds = append(helds, p.held)
			}
		}
	}
	n := required(require, known)
	u.Verdict = combine(verdicts, require)
	u.worst, u.worstCause = u.Observed, u.ObservedCause
	if holds(u.Cause) {
		u.worst, u.worstCause = worstOf(verdicts)
	}
	u.overruled = known > 0 && overruled >= n
	u.trusted = u.State == shed.Unknown && slices.ContainsFunc(parts, func(p *standing) bool { return p.trusted })
	u.held = time.Time{}
	if free := able - len(helds); u.Cause == shed.CauseFlapping && able >= n && n > free {
		slices.SortFunc(helds, time.Time.Compare)
		u.held = helds[n-free-1]
	}
	u.speak()
	u.date(was, now)
}

// speak has the words about the whole store count: a person's first, then that of the apps.
func (u *union) speak() {
	switch {
	case u.override != nil:
		u.State, u.Cause, u.Opened, u.Reopened, u.held = u.override.State, shed.CauseOverride, time.Time{}, time.Time{}, time.Time{}
		u.Observed, u.ObservedCause = u.worst, u.worstCause
	case !u.said.IsZero() && !u.State.Impaired():
		u.Observed, u.ObservedCause, u.Reopened = u.State, u.Cause, u.Opened
		u.State, u.Cause, u.Opened = shed.ReadOnly, shed.CauseReported, time.Time{}
	}
}

// date gives the union its times: when the state began, and its own ramp, which runs wherever the combination opens, be it by
// what a part did not open for: one that was down has gone.
func (u *union) date(was *union, now time.Time) {
	u.Since = was.Since
	if u.State != was.State {
		u.Since = now
	}
	switch {
	case u.State.Impaired():
		u.ramp = time.Time{}
	case was.State.Impaired():
		u.ramp = now
	}
	if u.ramp.After(u.Opened) && now.Sub(u.ramp) < u.over {
		u.Opened = u.ramp
	}
	if u.State.Impaired() && !holds(u.Cause) {
		u.impaired = true
	}
	if was.impaired && !u.impaired {
		u.closed = now
	}
	if was.shuts() && !u.shuts() {
		u.shut = now
	}
}

// worstOf is what the worst part's checks say.
func worstOf(parts []shed.Verdict) (shed.State, shed.Cause) {
	state, cause, first := shed.Unknown, shed.CauseUnknown, true
	for _, p := range parts {
		if !p.Begun.IsZero() && (first || tier(p.Observed, p.ObservedCause) > tier(state, cause)) {
			state, cause, first = p.Observed, p.ObservedCause, false
		}
	}
	return state, cause
}

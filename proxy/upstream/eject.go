package upstream

import (
	"math"
	"time"
)

// EjectSettings is when a backend is taken out of use for what became of requests. A zero field is its default.
type EjectSettings struct {
	Failures int           // so many in a row; 5
	For      time.Duration // how long, times how often it happened lately; 10s, and 300s at the most
	// Most is the part of the pool that may be out, those included that the health checks took down; 0.5. It is rounded down,
	// and one backend always stays: two backends at 0.5 are one that may be out, three as well.
	Most float64
}

const (
	defaultEjectFailures = 5
	defaultEjectFor      = 10 * time.Second
	defaultEjectMost     = 0.5
	maxEjection          = 300 * time.Second
	ejectionForgiven     = time.Minute // in use for so long, and one ejection less is counted
)

func (s *EjectSettings) withDefaults() *EjectSettings {
	if s == nil {
		return nil
	}
	t := *s
	if t.Failures <= 0 {
		t.Failures = defaultEjectFailures
	}
	if t.For <= 0 {
		t.For = defaultEjectFor
	}
	if t.Most <= 0 {
		t.Most = defaultEjectMost
	}
	return &t
}

// judgement is what a result says about its backend.
type judgement uint8

const (
	silent judgement = iota // nothing
	good
	bad
)

// judge says what r tells of the backend. An error of the backend's is bad, and so is a 500, 502, 503 or 504, unless it has a
// Retry-After: then the backend knows what it does, which is neither good nor bad. What the visitor did says nothing, but a
// head that came says something whatever came after.
func (r Result) judge() judgement {
	switch {
	case r.Excused, isAny(r.Err, ErrStale):
		return silent
	case r.failure():
		return bad
	case r.Status == 0:
		return silent
	}
	switch r.Status {
	case 500, 502, 503, 504:
		if r.RetryAfter {
			return silent
		}
		return bad
	}
	return good
}

// failure reports whether the error is the backend's. Once a head was there it is not late, only long; and who waits for the
// visitor's own body, or was given less time by the visitor than it takes, is not late either.
func (r Result) failure() bool {
	if isAny(r.Err, ErrConnect, ErrBroken) {
		return true
	}
	return isAny(r.Err, ErrLate) && r.Status == 0 && !isAny(r.Err, errUpload, ErrDeadline)
}

// standing is how a backend that failed once more stands among the others.
type standing struct {
	row      int // its failures in a row
	backends int // of the pool, itself included
	out      int // of the others: ejected or down
	ejected  int // of those: ejected
	well     int // of the others in use: their last result was good, came since the row began, and few of late were bad
	failing  int // of the others in use: more than a few of late were bad

	ill   float64 // the part of its results of late that were bad
	usual float64 // the part of the others' over a longer time, on the average
}

// worse is how many times as often as the others a backend must fail, up to nearly always: where a part of all requests fails, a
// row of failures comes by chance, and the more requests there are the sooner.
const (
	worse  = 6
	nearly = 0.9
)

// Why a backend is ejected, not ejected, or returned.
type Why string

const (
	WhyFailures Why = "failures"      // ejected: it fails, and others do not
	WhyFew      Why = "few_failures"  // not ejected: the row is not long enough, or not for how often the others fail
	WhyUnproved Why = "unproved"      // not ejected: nothing was heard of the others since, so they may be no better
	WhyShared   Why = "shared"        // not ejected, or returned: the others fail as well, so it is nobody's own fault
	WhyMost     Why = "most_are_out"  // not ejected: as many are out as may be
	WhyOver     Why = "time_is_over"  // returned
	WhyNeeded   Why = "needed"        // returned: nobody else is in use, or the settings let fewer be out
	WhyChecks   Why = "health_checks" // up or down
)

// decide says whether to eject (WhyFailures), to do nothing, or to let everybody return (WhyShared). It is pure.
func (s EjectSettings) decide(st standing) Why {
	used := st.backends - 1 - st.out
	switch {
	case st.row < s.Failures:
		return WhyFew
	case st.well == 0 && st.failing == used: // also where nobody else is in use
		return WhyShared
	case st.well == 0:
		return WhyUnproved
	case st.ill < min(worse*st.usual, nearly):
		return WhyFew
	case st.out+1 > s.allowed(st.backends):
		return WhyMost
	}
	return WhyFailures
}

// allowed is how many of n may be out.
func (s EjectSettings) allowed(n int) int {
	const rounding = 1e-9
	return max(0, min(int(math.Floor(s.Most*float64(n)+rounding)), n-1))
}

// term is how long the n-th ejection lasts, n counting from 1.
func (s EjectSettings) term(n int) time.Duration {
	if n >= int(maxEjection/s.For)+1 {
		return maxEjection
	}
	return s.For * time.Duration(n)
}

// forgiven is how many of n ejections still count after a time in use.
func forgiven(n int, used time.Duration) int {
	return max(0, n-int(used/ejectionForgiven))
}

package admin

import (
	"encoding/json"
	"math"
	"time"
)

// Line is how the sign-ins of one store come back: those who were turned away while it was closed wait, and the ramp lets them
// in.
type Line struct {
	Rate     float64   `json:"rate"`           // sign-ins a second that are let in now; 0 while the store is closed. As JSON also 0 where it is not finite: no ramp runs
	Waiting  int       `json:"waiting"`        // about how many wait
	Admitted uint64    `json:"admitted"`       // how many ramps let in since the process began
	Halved   int       `json:"halved"`         // how often the ramp was cut to half in this closure, since sign-ins failed or became slow
	Since    time.Time `json:"since,omitzero"` // when the store closed
	Ends     time.Time `json:"ends,omitzero"`  // when the ramp will be over; zero where it cannot be told
}

// MarshalJSON implements json.Marshaler: JSON has no word for a rate without bound.
func (l Line) MarshalJSON() ([]byte, error) {
	type plain Line
	l.Rate = l.finite()
	return json.Marshal(plain(l))
}

// finite is the rate, 0 where no ramp bounds it.
func (l Line) finite() float64 {
	if math.IsInf(l.Rate, 0) || math.IsNaN(l.Rate) {
		return 0
	}
	return max(l.Rate, 0)
}

// moving returns a store's line if there is something to say of it: sign-ins come back by a ramp, or wait. Its rate is finite.
func moving(s Store) *Line {
	if s.Line == nil {
		return nil
	}
	l := *s.Line
	if l.Rate = l.finite(); l.Rate == 0 && l.Waiting <= 0 {
		return nil
	}
	return &l
}

// QuotaStore is the store that Gatehouses side by side count their quotas in.
type QuotaStore struct {
	Up       bool      `json:"up"`
	StandIns uint64    `json:"stand_ins"`       // requests that this process's own limit was asked about instead, since the process began
	Error    string    `json:"error,omitempty"` // what the latest failure was
	Since    time.Time `json:"since,omitzero"`  // when it came up, or went away
}

// away reports whether there is a quota store and it does not answer.
func away(q *QuotaStore) bool { return q != nil && !q.Up }

package admin

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"
)

// worst returns the resource of which least is left, among those that strain the store if there are any; nil where nothing is
// known.
func worst(s Store) *Headroom {
	rows := slices.SortedStableFunc(slices.Values(s.Headroom), func(a, b Headroom) int {
		return cmp.Or(one(b.Strains)-one(a.Strains), cmp.Compare(a.Ratio, b.Ratio))
	})
	if len(rows) == 0 {
		return nil
	}
	return &rows[0]
}

// used is how far something is used up, from 0 to 100.
func used(h Headroom) int { return 100 - percent(h) }

// left says how much of something is left.
func left(h Headroom) string { return strconv.Itoa(percent(h)) + "\u00a0% left" }

// percent never makes more of what is left than there is.
func percent(h Headroom) int {
	if math.IsNaN(h.Ratio) {
		return 0
	}
	return int(math.Floor(min(max(h.Ratio, 0), 1)*100 + 1e-9))
}

// certLead is how long before a certificate's end a person must hear of it.
const certLead = 30 * 24 * time.Hour

// soon reports whether a certificate ends so soon that somebody must act, or has ended.
func soon(end, now time.Time) bool { return !end.IsZero() && end.Sub(now) < certLead }

// certificate says when a certificate ends.
func certificate(end, now time.Time) string {
	if d := end.Sub(now); d > 0 {
		return "ends in " + span(d.Seconds())
	}
	return "ended " + span(now.Sub(end).Seconds()) + " ago"
}

// until says how long something goes on.
func until(t, now time.Time) string { return span(t.Sub(now).Seconds()) }

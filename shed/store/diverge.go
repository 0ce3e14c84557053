package store

import "time"

// Divergence says that the parts of a store have come too far apart: what is written at one is not seen at another in time. Nothing
// closes for it, and no part is the worse for what another fails to do: each is judged by its own checks. But an app that lives on the
// one knows nothing of sessions that were begun at the other, so answers that would end one are looked at (Group.Diverged).
type Divergence struct {
	Since time.Time     // when it was found
	At    string        // the part that is behind
	From  string        // what it is behind of; empty: nothing is known of it, since it has not shown for so long what it holds
	Lag   time.Duration // how far
}

// beating is what one part's heart shows.
type beating struct {
	name  string
	asked time.Time // when it last showed what it holds; zero: never
	lags  []Lag
}

// diverge decides whether parts have come too far apart; was is what was found before. It is pure.
//
// A lag counts once a heartbeat has been seen: parts that have never copied anything to each other are told of (PartStatus.Lags), and turn
// nothing on. In the same way a part that cannot be asked for longer than the bound counts, if it ever could be: it may be cut off
// from the others as it is from us, apps may live on it, and to look at every answer costs little. One that
// never could be asked is rather our own mistake, such as a user that lacks the right. What was found ends when everything is
// within half the bound, so that a lag about the bound does not come and go.
func diverge(was *Divergence, parts []beating, now time.Time, s BeatSettings) *Divergence {
	if !s.on() {
		return nil
	}
	bound, since := s.Lag, now
	if was != nil {
		bound, since = s.Lag/2, was.Since
	}
	var worst *Divergence
	note := func(at, from string, lag time.Duration) {
		if lag > bound && (worst == nil || lag > worst.Lag) {
			worst = &Divergence{Since: since, At: at, From: from, Lag: lag}
		}
	}
	for _, p := range parts {
		if !p.asked.IsZero() {
			note(p.name, "", now.Sub(p.asked))
		}
		for _, l := range p.lags {
			if !l.Seen.IsZero() {
				note(p.name, l.Of, l.Lag)
			}
		}
	}
	return worst
}

package line

import (
	"time"

	"gatehouse/shed"
)

// Serve says whose line it is from here on: what any other store does is of no concern to it any more, however late the news of
// it comes. Places stay good. Until it is called everybody's word counts.
func (l *Line) Serve(store any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.starts()
	if l.store != store {
		l.store, l.owned, l.followed = store, true, time.Time{}
	}
}

// Follow tells the line what is known of a store: it closes with one that is impaired, and begins a ramp when the verdict says that one
// runs, or when the store is open again. A verdict that is older than what the line followed before does nothing, and neither
// does one of a store that it does not serve; so whoever has one may say so, as often as he likes.
func (l *Line) Follow(store any, v shed.Verdict) {
	impaired := v.State.Impaired()
	if l.calm.Load() && !impaired && !v.Recovering() {
		return
	}
	at := v.Since
	if !impaired && v.Opened.After(at) {
		at = v.Opened
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.starts()
	if l.owned && store != l.store || at.Before(l.followed) {
		return
	}
	l.followed = at
	switch {
	case impaired:
		l.close(at)
	case v.Recovering() || l.phase == closed:
		l.open(at)
	}
}

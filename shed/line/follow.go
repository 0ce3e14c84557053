package line

import "gatehouse/shed"

// Follow tells the line what is known of its store: it closes with a store that is impaired, and begins a ramp when the verdict says that
// one runs, or when the store is open again. A verdict that is older than what the line followed before does nothing, so
// whoever has one may say so, as often as he likes.
func (l *Line) Follow(v shed.Verdict) {
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
	if at.Before(l.followed) {
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

package line

import "time"

const (
	afterwards = time.Minute      // that a neighbour may still let in by a ramp which is over here, or of which is not known here
	restart    = 5 * time.Minute  // who began so lately may have missed a closure
	recent     = 10 * time.Minute // is when somebody was turned away in a closure that may not be over
)

// starts notes that the line is there from now on.
func (l *Line) starts() {
	if l.heard.IsZero() {
		l.hears(time.Now())
	}
}

// hears notes that the line was there at that moment.
func (l *Line) hears(now time.Time) {
	if l.heard.IsZero() || now.Before(l.heard) {
		l.heard = now
		l.remember()
	}
}

// remember reckons until when everybody should have an admission: what this process does not know of, its neighbours may, and what
// has ended here may go on there.
func (l *Line) remember() {
	until := l.heard
	if l.ended.After(until) {
		until = l.ended
	}
	if l.set.Over <= 0 || until.IsZero() {
		l.admits.Store(0)
		return
	}
	l.admits.Store(until.Add(afterwards).UnixNano())
}

// admit lets somebody in while nothing is to be done.
func (l *Line) admit(now time.Time) Turn {
	return Turn{Enter: true, Admit: now.UnixNano() < l.admits.Load()}
}

// resume begins a ramp where a place shows that this process was started in the middle of one.
func (l *Line) resume(now time.Time, p Place) {
	if l.phase != calm || !l.began.IsZero() || l.set.Over <= 0 || p.ID&identity == 0 {
		return
	}
	ago := now.Sub(p.Seen)
	if now.Sub(l.heard) >= restart || ago > recent || ago < -clocks {
		return
	}
	l.resumed = true
	l.open(now)
}

package line

import "time"

// Goes says whether an admission is still good: it is for one journey through a sign-in, and a journey has few requests.
func (l *Line) Goes(now time.Time, id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return id != 0 && !(l.journeys != nil && now.Sub(l.travel) <= journey && l.journeys.count(id) >= requests)
}

// Use counts one more request of an admission that reaches the app, and says whether it was still good. How often the last
// 130,000 or so were used is known; what was forgotten begins anew.
func (l *Line) Use(now time.Time, id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id == 0 {
		return false
	}
	if l.journeys == nil || now.Sub(l.travel) > journey {
		l.journeys = new(uses)
	}
	l.travel = now
	return l.journeys.take(id, requests)
}

// Return gives the place of one who was let in by it and then, by no fault of his, did not get where he wanted, a new id: he stands
// where he stood. What stood nowhere is returned as it is.
func (l *Line) Return(p Place) Place {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.ID&identity != 0 {
		p.ID = p.ID&^identity | newID(0)
	}
	return p
}

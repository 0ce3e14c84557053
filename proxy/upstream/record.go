package upstream

import "time"

// record is what the results of late say about one backend. It is used under the pool's lock.
type record struct {
	row      int     // bad results in a row
	rowBegan uint64  // the pool's number of the row's first
	lastGood uint64  // the pool's number of the last good one; 0: none
	ill      float64 // how many of late were bad, 0 to 1, each one weighing an eighth
	usual    float64 // the same over a longer time, each one weighing a sixty-fourth

	out       bool      // ejected
	until     time.Time // where out
	ejections int       // that count still, as of since
	since     time.Time // in use since then; the zero time: always
	// era tells claims apart that began before an ejection, or before the backend was down: what becomes of those is old news.
	era uint32
}

const (
	illness = 1.0 / 8 // weight of a newest result
	habit   = 1.0 / 64
	well    = 1.0 / 4 // below it few results are bad: one or two of eight
)

// forget lets a backend begin anew, but for its ejections.
func (r *record) forget() { r.row, r.rowBegan, r.lastGood, r.ill = 0, 0, 0, 0 }

// learn draws the conclusion from what one result of a backend says, which was chosen in that era. It is called under the pool's
// lock.
func (p *Pool) learn(b *backend, era uint32, j judgement) {
	s := p.settings.Eject
	if s == nil || b.retired || era != b.era || j == silent {
		return
	}
	p.results++
	if j == good {
		b.usual -= b.usual * habit
		b.row, b.lastGood = 0, p.results
		b.ill -= b.ill * illness
		return
	}
	b.ill += (1 - b.ill) * illness
	b.usual += (1 - b.usual) * habit
	if b.row++; b.row == 1 {
		b.rowBegan = p.results
	}
	if b.row < s.Failures {
		return
	}
	switch why := s.decide(p.standing(b)); why {
	case WhyFailures:
		p.eject(b, why)
	case WhyShared:
		p.returnAll(time.Now(), why)
	}
}

// standing is called under the pool's lock.
func (p *Pool) standing(b *backend) standing {
	st := standing{row: b.row, backends: len(p.backends), ill: b.ill}
	used := 0
	for _, o := range p.backends {
		if o != b && !o.out && o.up {
			used++
			st.usual += (o.usual - st.usual) / float64(used)
		}
		switch {
		case o == b:
		case o.out:
			st.out++
			st.ejected++
		case !o.up:
			st.out++
		case o.ill >= well:
			st.failing++
		case o.row == 0 && o.lastGood > b.rowBegan:
			st.well++
		}
	}
	return st
}

// eject is called under the pool's lock.
func (p *Pool) eject(b *backend, why Why) {
	now := time.Now()
	if !b.since.IsZero() {
		b.ejections = forgiven(b.ejections, now.Sub(b.since))
	}
	b.ejections++
	b.out, b.until = true, now.Add(p.settings.Eject.term(b.ejections))
	b.era++
	p.changed(b, Ejected, why, now)
	p.settle(now)
}

// comeBack ends an ejection. One whose time is over warms up; one that returns for another reason was wanted with all it can
// do, and that ejection is not held against it. It is called under the pool's lock.
func (p *Pool) comeBack(b *backend, why Why, now time.Time) {
	b.out, b.until = false, time.Time{}
	b.since = now
	b.forget()
	if why == WhyOver {
		b.warmFrom = now
	} else {
		b.ejections--
	}
	p.changed(b, Returned, why, now)
}

func (p *Pool) returnAll(now time.Time, why Why) {
	if p.ejected == 0 {
		return
	}
	for _, b := range p.backends {
		if b.out {
			p.comeBack(b, why, now)
		}
	}
	p.settle(now)
}

// lapse lets those return whose time is over. It is called under the pool's lock.
func (p *Pool) lapse(now time.Time) {
	if p.ejected == 0 || now.Before(p.nextReturn) {
		return
	}
	for _, b := range p.backends {
		if b.out && !now.Before(b.until) {
			p.comeBack(b, WhyOver, now)
		}
	}
	p.settle(now)
}

// settle counts anew who is in use, after any change, and lets ejected ones return where too many are out or nobody is in
// use. It is called under the pool's lock.
func (p *Pool) settle(now time.Time) {
	for {
		var first *backend // of the ejected, the one whose time is over first
		p.ejected, p.inUse, p.evenFrom = 0, 0, time.Time{}
		for _, b := range p.backends {
			p.unevenUntil(b.rest)
			if !b.warmFrom.IsZero() {
				p.unevenUntil(b.warmFrom.Add(p.settings.SlowStart))
			}
			switch {
			case b.out:
				p.ejected++
				if first == nil || b.until.Before(first.until) {
					first = b
				}
			case b.up:
				p.inUse++
			}
		}
		if first == nil {
			return
		}
		p.nextReturn = first.until
		s := p.settings.Eject
		if s != nil && p.inUse > 0 && p.ejected <= s.allowed(len(p.backends)) {
			return
		}
		p.comeBack(first, WhyNeeded, now)
	}
}

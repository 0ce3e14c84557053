package store

import (
	"cmp"
	"slices"
	"time"
)

// Report is a backend's own word that the store takes no writes: an app may see what no probe of ours can, such as a node that a stale
// address still leads to.
type Report struct {
	From string        // the backend; who says nothing of himself is not heard
	For  time.Duration // how long that holds; zero or less takes the backend's last word back
}

// ReportSettings is how far apps are believed. The zero value believes none.
type ReportSettings struct {
	Quorum int           // how many distinct backends must say so at a time; zero: no report is taken
	Max    time.Duration // how long one word may hold; zero: no report is taken
}

func (s ReportSettings) on() bool { return s.Quorum > 0 && s.Max > 0 }

// Reported is a report that holds.
type Reported struct {
	From      string
	At, Until time.Time
}

// reporters bounds how many backends' words are kept. So many are no quorum's worth of doubt any more: others are not heard.
const reporters = 256

// reports are the words that hold, by backend. The zero value is ready; it is under the lock of who has it.
type reports struct {
	words map[string]Reported
}

// take notes a report. Of each backend the latest word counts.
func (r *reports) take(said Report, now time.Time, s ReportSettings) {
	if said.From == "" || !s.on() {
		return
	}
	if said.For <= 0 {
		delete(r.words, said.From)
		return
	}
	if _, known := r.words[said.From]; !known && len(r.words) >= reporters {
		if r.expire(now); len(r.words) >= reporters {
			return
		}
	}
	if r.words == nil {
		r.words = make(map[string]Reported)
	}
	r.words[said.From] = Reported{From: said.From, At: now, Until: now.Add(min(said.For, s.Max))}
}

// ends is when there will be fewer words than the quorum, if no other comes; the zero time where there are now. What new settings
// allow no more counts no longer than they would.
func (r *reports) ends(now time.Time, s ReportSettings) time.Time {
	if !s.on() {
		clear(r.words)
		return time.Time{}
	}
	r.expire(now)
	if len(r.words) < s.Quorum {
		return time.Time{}
	}
	all := make([]time.Time, 0, len(r.words))
	for _, w := range r.words {
		until := w.Until
		if most := w.At.Add(s.Max); until.After(most) {
			until = most
		}
		if until.After(now) {
			all = append(all, until)
		}
	}
	if len(all) < s.Quorum {
		return time.Time{}
	}
	slices.SortFunc(all, func(a, b time.Time) int { return b.Compare(a) })
	return all[s.Quorum-1]
}

func (r *reports) expire(now time.Time) {
	for from, w := range r.words {
		if !w.Until.After(now) {
			delete(r.words, from)
		}
	}
}

// list returns those that hold, by name.
func (r *reports) list(now time.Time) []Reported {
	var all []Reported
	for _, w := range r.words {
		if w.Until.After(now) {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b Reported) int { return cmp.Compare(a.From, b.From) })
	return all
}

// turns reports whether an end that was acted on must give way to another now: a quorum came or went, or it ends sooner. One that ends
// later is seen when the earlier end has come.
func turns(acted, ends time.Time) bool {
	return acted.IsZero() != ends.IsZero() || ends.Before(acted)
}

// Report takes a backend's word. Once Settings.Reports has its quorum of distinct backends whose word has not run out, sign-ins are held
// back, as by a hold-down: the state is read-only by the cause reported, Verdict.Unheld is what the checks say, and when the last word
// that is needed has run out, or was taken back, the ramp begins. It can close only that: reads never, nothing that the checks have
// closed, and nothing against a person's word. It costs little where it changes nothing, and must not be called by who is told of
// transitions.
func (m *Monitor) Report(r Report) {
	now := time.Now()
	m.mu.Lock()
	m.reports.take(r, now, m.set.Reports)
	turned := turns(m.effect.said, m.reports.ends(now, m.set.Reports))
	m.mu.Unlock()
	if turned {
		m.publish(now, func(*standing) news { return news{} })
	}
}

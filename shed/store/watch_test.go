package store

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

// ear is a Hearer that counts, and may do more.
type ear struct {
	n  atomic.Int64
	do func(shed.Verdict)
}

func (e *ear) StoreClosed(v shed.Verdict) {
	e.n.Add(1)
	if e.do != nil {
		e.do(v)
	}
}

func TestWatch(t *testing.T) {
	in(t, usual, good, func(t *testing.T, s *scene) {
		var again, once, never Watcher
		each, first, none := new(ear), new(ear), new(ear)
		each.do = func(shed.Verdict) { s.Watch(&again, each) }
		s.Watch(&again, each)
		s.Watch(&once, first)
		s.Watch(&never, none)
		if !never.Stop() {
			t.Error("one who was not told is said to have been")
		}
		if never.Stop() || new(Watcher).Stop() {
			t.Error("one who does not watch was stopped")
		}
		s.p.say(readOnly)
		s.become(t, shed.ReadOnly, time.Second)
		s.p.say(loading)
		s.become(t, shed.Down, time.Second)
		synctest.Wait()
		if each.n.Load() != 2 || first.n.Load() != 1 || none.n.Load() != 0 {
			t.Errorf("told %d, %d and %d times, want 2, 1 and 0", each.n.Load(), first.n.Load(), none.n.Load())
		}
		if once.Stop() {
			t.Error("one who was told is said not to have been")
		}
		if !again.Stop() {
			t.Error("one who watches again was not stopped")
		}
	})
}

// Once Stop has returned true a Watcher is its owner's: it may watch again at once, also another store, while others are still told.
func TestAWatcherIsUsedAgain(t *testing.T) {
	var m, other Monitor
	watchers, told := make([]Watcher, 400), 0
	e := new(ear)
	e.do = func(shed.Verdict) {
		if told++; told > 1 {
			return
		}
		for i := range watchers {
			if watchers[i].Stop() {
				to := &m
				if i%2 == 0 {
					to = &other
				}
				to.Watch(&watchers[i], e)
			}
		}
	}
	for i := range watchers {
		m.Watch(&watchers[i], e)
	}
	m.watch.fire(shed.Verdict{})
	if told != 1 {
		t.Fatalf("%d were told, want the first alone", told)
	}
	other.watch.fire(shed.Verdict{})
	m.watch.fire(shed.Verdict{})
	if told != len(watchers) {
		t.Errorf("%d were told, want %d", told, len(watchers))
	}
}

func TestWatchersAreUsedAgainConcurrently(t *testing.T) {
	var m Monitor
	var all sync.WaitGroup
	end := time.Now().Add(200 * time.Millisecond)
	var watched, heard, stopped atomic.Int64
	for range 4 {
		all.Go(func() {
			var w [8]Watcher
			for time.Now().Before(end) {
				e := &ear{do: func(shed.Verdict) { heard.Add(1) }}
				for i := range w {
					m.Watch(&w[i], e)
					watched.Add(1)
				}
				for i := range w {
					if w[i].Stop() {
						stopped.Add(1)
					}
				}
			}
		})
	}
	all.Go(func() {
		for time.Now().Before(end) {
			m.watch.fire(shed.Verdict{})
		}
	})
	all.Wait()
	if watched.Load() != heard.Load()+stopped.Load() {
		t.Errorf("%d watched, %d heard and %d were stopped", watched.Load(), heard.Load(), stopped.Load())
	}
}

// What reads the same at any time is remembered, and nothing else.
func TestSettledReadsAsItWould(t *testing.T) {
	now := time.Now()
	for _, ago := range []time.Duration{0, time.Minute, 59 * time.Minute, time.Hour, 2 * time.Hour} {
		for _, cause := range []shed.Cause{shed.OK, shed.CauseFlapping, shed.CauseReported, shed.CauseSessionLoss} {
			for _, opened := range []time.Time{{}, now.Add(-ago)} {
				at := standing{
					state: shed.Writable, cause: cause, observed: shed.Writable, ordinary: shed.OK, over: time.Hour,
					opened: opened, reopened: now.Add(-ago),
				}
				at.settle(now)
				for _, later := range []time.Duration{0, time.Second, time.Minute, time.Hour, 3 * time.Hour} {
					if want := at.verdict(now.Add(later)); at.settled && at.lasting != want {
						t.Errorf("%s ago, %s, %s later: %+v, want %+v", ago, cause, later, at.lasting, want)
					}
				}
				lapses := at.verdict(now) != at.verdict(now.Add(24*time.Hour))
				if at.settled == lapses {
					t.Errorf("%s ago, %s: settled %t", ago, cause, at.settled)
				}
			}
		}
	}
}

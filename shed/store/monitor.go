package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/shed"
)

// Monitor knows what one session store can do. Make one with New, Start it, and Close it when nobody asks it any more. All
// its methods may be called concurrently, and before Start, where they know nothing yet.
type Monitor struct {
	prober Prober
	on     func(Transition)
	bond   *bond // to the Group that it belongs to; nil: to none
	at     atomic.Pointer[standing]
	watch  watchers
	pulse  pulse

	greeting atomic.Pointer[greeting] // nil: none is being made

	ctx    context.Context // ends with Close
	stop   context.CancelFunc
	wake   chan struct{} // somebody waits, or the settings changed
	first  chan struct{} // closed with the first completed check
	worker sync.WaitGroup

	telling sync.Mutex // held while a standing is published and told; taken before mu

	mu      sync.Mutex
	set     Settings
	next    *round                 // who waits for the next check to begin; nil when nobody does
	after   []func(shed.Verdict)   // who wants to hear of it, and does not wait
	doubts  [doubtsClose]time.Time // when answers were doubted of a store that turns newcomers away, the latest first
	doubted time.Time              // the check of the latest of them
	trials  trials
	changed chan struct{} // closed with the next change of what is acted on
	effect  effect
	alarm   *time.Timer // for what ends by itself; nil until something does
	closed  bool
	started bool
	record  record
	reports reports

	// The rest belongs to the checking goroutine.
	course  course
	began   bool // a check has been completed
	pace    pace
	payload time.Time // when the last large canary was written
}

// bond is how a Group hears of its part, in the part's own goroutines.
type bond struct {
	heard func(t Transition, tell bool) // of each standing, before anybody who waits for it is released; t only where there is one to tell
	tell  func()                        // afterwards: what is to be told
}

// round is those who wait for one check. at and late are set before done is closed.
type round struct {
	done    chan struct{}
	at      *standing
	late    bool
	doubted bool // an app's answer is to be judged by it; under the Monitor's lock until the check begins
}

func (r *round) release(at *standing, late bool) {
	if r != nil {
		r.at, r.late = at, late
		close(r.done)
	}
}

// New returns a Monitor that asks p. on is told of every transition, in their order, one at a time; it may be nil, may ask the
// Monitor but not change it (Set, Override, EndOverride, Close), and delays the next check for as long as it takes. The Monitor
// owns p from here on.
func New(p Prober, s Settings, on func(Transition)) *Monitor {
	if on == nil {
		on = func(Transition) {}
	}
	m := &Monitor{
		prober: p, on: on, set: s,
		wake: make(chan struct{}, 1), first: make(chan struct{}), changed: make(chan struct{}),
	}
	m.ctx, m.stop = context.WithCancel(context.Background())
	m.at.Store(&standing{since: time.Now(), over: s.RampOver})
	return m
}

// Start begins to check. A second Start, or one after Close, does nothing.
func (m *Monitor) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started || m.closed {
		return
	}
	m.started = true
	m.worker.Go(m.run)
}

// Close ends checking, closes the Prober and returns when both have ended. Whoever waits is released with what is known,
// marked Late; so is whoever asks afterwards for something fresher. It is idempotent.
func (m *Monitor) Close() {
	m.mu.Lock()
	again := m.closed
	m.closed = true
	waiting := m.next
	m.next = nil
	m.mu.Unlock()
	m.stop()
	waiting.release(m.at.Load(), true)
	m.worker.Wait()
	m.telling.Lock() // who publishes has ended, and nobody will
	m.mu.Lock()
	after := m.after
	m.after = nil
	if m.alarm != nil {
		m.alarm.Stop()
	}
	m.mu.Unlock()
	m.telling.Unlock()
	hear(after, m.late())
	if !again {
		_ = m.prober.Close()
	}
}

// Set changes the settings in place. The state stays; a ramp that runs is measured by the new length; StartRamp is ignored.
func (m *Monitor) Set(s Settings) {
	m.publish(time.Now(), func(at *standing) news {
		m.set = s
		at.over = s.RampOver
		return news{}
	})
	m.nudge()
}

// Current returns what is known now. It never waits and does not allocate.
func (m *Monitor) Current() shed.Verdict { return m.at.Load().current() }

// LastImpaired returns the latest moment at which the store was impaired, or taken for it: now if it is, and the zero time if it
// never was.
func (m *Monitor) LastImpaired() time.Time {
	at := m.at.Load()
	if at.impaired() {
		return time.Now()
	}
	return at.closed
}

// LastClosed is LastImpaired: a store of one part is no more than that.
func (m *Monitor) LastClosed() time.Time { return m.LastImpaired() }

// HeldUntil returns until when a store that keeps failing is held, so that sign-ins are not let in before; zero where it is not.
func (m *Monitor) HeldUntil() time.Time { return m.at.Load().held }

// Verdict returns what the store can do, from a check that began at most maxAge ago; with maxAge zero, from one that begins
// after this call. Where there is none it waits for the next check, for at most two probe timeouts or until ctx ends, and
// then returns what is known, marked Late. While the store is impaired, or a person or trials overrule the checks, it never
// waits.
func (m *Monitor) Verdict(ctx context.Context, maxAge time.Duration) shed.Verdict {
	if at := m.at.Load(); at.fresh(maxAge) {
		return at.current()
	}
	v, _ := m.join(ctx, false)
	return v
}

// Look returns what is known from a check that begins after this call, also where a person or trials overrule the checks: it
// judges what an app answered, which an override does not change. A store that turns new connections away is Observed to be down,
// by a new connection that was made a tenth of a second ago or is being made. It waits as Verdict does, and never while the checks find the store impaired.
func (m *Monitor) Look(ctx context.Context) shed.Verdict {
	if at := m.at.Load(); at.impaired() {
		return at.verdict(time.Now())
	}
	from := time.Now()
	v, away := m.join(ctx, true)
	m.mu.Lock()
	patience := 2*m.set.Timeout - time.Since(from)
	m.mu.Unlock()
	return m.doubt(ctx, v, away, patience)
}

// join waits for the next check to begin and to end, and returns what it found, and why newcomers are turned away. doubted says
// that an app's answer is to be judged by it.
func (m *Monitor) join(ctx context.Context, doubted bool) (shed.Verdict, shed.Cause) {
	m.mu.Lock()
	at := m.at.Load()
	if m.closed || at.impaired() {
		late := m.closed
		m.mu.Unlock()
		v := at.verdict(time.Now())
		v.Late = late
		return v, at.away
	}
	if m.next == nil {
		m.next = &round{done: make(chan struct{})}
	}
	m.next.doubted = m.next.doubted || doubted
	r, patience := m.next, 2*m.set.Timeout
	m.mu.Unlock()
	m.nudge()

	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-r.done:
	case <-limit.C:
	case <-ctx.Done():
	}
	select {
	case <-r.done:
		v := r.at.verdict(time.Now())
		v.Late = r.late
		return v, r.at.away
	default:
		return m.late(), at.away
	}
}

// late is what is known, for who asked for something fresher.
func (m *Monitor) late() shed.Verdict {
	v := m.Current()
	v.Late = true
	return v
}

// First waits for the first check to end, or for ctx, and returns what is known then; marked Late if no check has ended.
func (m *Monitor) First(ctx context.Context) shed.Verdict {
	select {
	case <-m.first:
	case <-ctx.Done():
	case <-m.ctx.Done():
	}
	v := m.Current()
	v.Late = v.Begun.IsZero()
	return v
}

func (m *Monitor) nudge() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

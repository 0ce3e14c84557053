package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"gatehouse/shed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	good     = Evidence{State: shed.Writable, Cause: shed.OK, Reached: true, Latency: time.Millisecond}
	readOnly = Evidence{State: shed.ReadOnly, Cause: shed.CauseReadOnly, Definite: true, Reached: true, Err: errors.New("READONLY")}
	full     = Evidence{State: shed.ReadOnly, Cause: shed.CauseFull, Definite: true, Reached: true}
	paused   = Evidence{State: shed.ReadOnly, Cause: shed.CausePaused, Reached: true}
	refused  = Evidence{State: shed.Down, Cause: shed.CauseRefused, Definite: true}
	loading  = Evidence{State: shed.Down, Cause: shed.CauseLoading, Definite: true, Reached: true}
	hung     = Evidence{State: shed.Down, Cause: shed.CauseHung}
	noAuth   = Evidence{State: shed.Unknown, Cause: shed.CauseProberAuth, Definite: true, Reached: true}
	emptied  = Evidence{State: shed.Writable, Cause: shed.OK, Reached: true, Lost: true, Latency: time.Millisecond}
	tardy    = Evidence{State: shed.Writable, Cause: shed.OK, Reached: true, Latency: 30 * time.Millisecond}
)

// script is a Prober that answers as it is told: first the list, one by one, then the rest for ever.
type script struct {
	t *testing.T

	mu     sync.Mutex
	list   []Evidence
	rest   Evidence
	took   time.Duration // of a probe that is not hung
	begun  []time.Time
	sizes  []int
	during func() // runs inside each probe
	closed int
	busy   bool

	newcomer Evidence // what a new connection meets; the zero value: it is taken
	greeted  int
	longWay  time.Duration // to a new connection
}

func (p *script) Probe(ctx context.Context, payload int) Evidence {
	p.mu.Lock()
	if p.busy {
		p.t.Error("probed concurrently")
	}
	if _, ok := ctx.Deadline(); !ok {
		p.t.Error("probed without a deadline")
	}
	p.busy = true
	p.begun, p.sizes = append(p.begun, time.Now()), append(p.sizes, payload)
	e := p.rest
	if len(p.list) > 0 {
		e, p.list = p.list[0], p.list[1:]
	}
	took, during := p.took, p.during
	p.mu.Unlock()
	if during != nil {
		during()
	}
	if e.Cause == shed.CauseHung || e.Cause == shed.CausePaused {
		<-ctx.Done()
	} else {
		select {
		case <-time.After(took):
		case <-ctx.Done():
		}
	}
	p.mu.Lock()
	p.busy = false
	p.mu.Unlock()
	return e
}

func (p *script) Greet(ctx context.Context) Evidence {
	p.mu.Lock()
	p.greeted++
	e, long := p.newcomer, p.longWay
	p.mu.Unlock()
	select {
	case <-time.After(long):
	case <-ctx.Done():
		return hung
	}
	if e.State == shed.Unknown && e.Cause == shed.CauseUnknown {
		return good
	}
	return e
}

func (p *script) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed++
	return nil
}

// say changes what the prober answers from now on.
func (p *script) say(rest Evidence, list ...Evidence) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list, p.rest = list, rest
}

func (p *script) probes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.begun)
}

// seen returns when each probe began, and its size.
func (p *script) seen() ([]time.Time, []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time(nil), p.begun...), append([]int(nil), p.sizes...)
}

// takes changes how long a probe takes.
func (p *script) takes(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = d
}

var usual = Settings{
	Interval: 100 * time.Millisecond, Timeout: 200 * time.Millisecond, Payload: 4096, Strained: 25 * time.Millisecond,
	Rise: 3, After: 500 * time.Millisecond, RampOver: 30 * time.Second,
}

// scene is a Monitor with its script and what it told.
type scene struct {
	*Monitor
	p *script

	mu   sync.Mutex
	told []Transition
}

func (s *scene) note(t Transition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, t)
}

func (s *scene) transitions() []Transition {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Transition(nil), s.told...)
}

// in runs f in a bubble with a Monitor that has had its first checks answered by rest.
func in(t *testing.T, set Settings, rest Evidence, f func(t *testing.T, s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &scene{p: &script{t: t, rest: rest, took: time.Millisecond}}
		s.Monitor = New(s.p, set, s.note)
		s.Start()
		defer s.Close()
		s.First(t.Context())
		f(t, s)
	})
}

// until advances the bubble's time until what is wanted is so, and returns how long that took.
func until(t *testing.T, most time.Duration, what string, so func() bool) time.Duration {
	t.Helper()
	from := time.Now()
	for !so() {
		if time.Since(from) > most {
			t.Fatalf("not within %v: %s", most, what)
		}
		time.Sleep(100 * time.Microsecond)
		synctest.Wait()
	}
	return time.Since(from)
}

func (s *scene) is(state shed.State) func() bool {
	return func() bool { return s.Current().State == state }
}

// become waits for a state, most for the Monitor's own rules to bring it.
func (s *scene) become(t *testing.T, state shed.State, most time.Duration) time.Duration {
	t.Helper()
	return until(t, most, state.String(), s.is(state))
}

func (s *scene) want(t *testing.T, state shed.State, cause shed.Cause) {
	t.Helper()
	if v := s.Current(); v.State != state || v.Cause != cause {
		t.Errorf("%v (%v), want %v (%v)", v.State, v.Cause, state, cause)
	}
}

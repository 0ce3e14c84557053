package admin

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"gatehouse/shed"
)

// fake is a Source that says what it is told to.
type fake struct {
	mu      sync.Mutex
	status  Status
	ready   bool
	err     error
	reloads int
	asked   []Override
}

func (f *fake) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

func (f *fake) Ready() (bool, string) { return f.ready, "draining" }

func (f *fake) Reload(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reloads++
	return f.err
}

// Override acts as the real one does: what is in force is in the next Status.
func (f *fake) Override(o Override) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return f.err
	}
	f.asked = append(f.asked, o)
	f.status.Stores = slices.Clone(f.status.Stores) // the test may still hold the ones before
	for i := range f.status.Stores {
		s := &f.status.Stores[i]
		if o.State == OverrideOff {
			s.State, s.Cause, s.Override = s.Observed, s.ObservedCause, nil
			continue
		}
		s.State, s.Cause = o.State, "override"
		s.Override = &OverrideState{State: o.State, By: o.By, SetAt: f.status.Now, Until: f.status.Now.Add(o.For)}
	}
	return nil
}

// wave returns a minute of something that goes up and down around a level, and more so towards its end.
func wave(level, rise float64) []float64 {
	out := make([]float64, 60)
	for i := range out {
		x := float64(i)
		out[i] = level * (1 + 0.2*math.Sin(x/3) + 0.1*math.Sin(x*1.7) + rise*max(0, x-40)/20)
	}
	return out
}

func counts(values []float64) []uint32 {
	out := make([]uint32, len(values))
	for i, v := range values {
		out[i] = uint32(v)
	}
	return out
}

// classes returns what each class has of a pool, from the one that matters most.
func classes(inFlight ...int) (out []Class) {
	for i, n := range inFlight {
		out = append(out, Class{Name: shed.Class(i).String(), InFlight: n})
	}
	return out
}

// incident returns a Status as it may be while the store is in that state.
func incident(state, cause string) Status {
	now := time.Now()
	s := Status{
		Version: "v0.1.0", Now: now, Started: now.Add(-75 * time.Hour), UptimeSeconds: 75 * 3600, Ready: true,
		Config: Config{Path: "/etc/gatehouse/gatehouse.yaml", Sum: "9f86d081884c7d659a2feaa0c55ad015", LoadedAt: now.Add(-3 * time.Hour), OK: true},
		Stores: []Store{{
			Name: "store", State: state, Observed: state, Cause: cause, Since: now.Add(-192 * time.Second), ForSeconds: 192,
			ObservedCause: cause, LastCheck: now.Add(-80 * time.Millisecond), CertNotAfter: now.Add(200 * 24 * time.Hour),
			Headroom: []Headroom{{"memory", 0.41, false}, {"clients", 0.935, false}, {"evictions", 1, false}, {"latency", 0.97, false}},
			Probe:    Latency{0.31, 0.5, 1.24}, Probes: wave(0.4, 0.5),
		}},
		Pools: []Pool{
			{
				Name: "login", InFlight: 12, Limit: 64, Adaptive: true, Classes: classes(0, 10, 0, 2, 0), QueueMax: 128, PerSecond: 4.2, Asked: 252, Latency: Latency{31, 60, 118},
				Rates: counts(wave(5, 0)), Slowest: wave(110, 0),
				Backends: []Backend{{URL: "http://10.0.0.11:8080", Up: true, InFlight: 7}, {URL: "http://10.0.0.12:8080", Up: true, InFlight: 5}},
			},
			{
				Name: "app", InFlight: 188, Classes: classes(121, 0, 24, 41, 2), PerSecond: 1240, Asked: 74123, Failed: 3, Latency: Latency{6.4, 18, 42},
				Rates: counts(wave(1240, 0)), Slowest: wave(40, 0.2),
				Backends: []Backend{{URL: "http://10.0.1.11:8080", Up: true, InFlight: 188}, {URL: "http://10.0.1.12:8080", Error: "dial tcp 10.0.1.12:8080: connect: connection refused"}},
			},
		},
		Routes: []Route{
			{Name: "sign-in", Pool: "login", Overflow: "app", Needs: "write", SignIn: true, PerSecond: 4.2, Total: 252, Outcomes: []Outcome{{"proxied", "", 252, 4.2}}},
			{Name: "assets", Pool: "app", Needs: "none", PerSecond: 610, Total: 36602, Outcomes: []Outcome{{"proxied", "", 36602, 610}}},
			{Name: "app", Pool: "app", Needs: "read", PerSecond: 630, Total: 37521, Outcomes: []Outcome{{"proxied", "", 37518, 630}, {"error", "backend_broken", 3, 0}}},
			{Name: "sign-out", Pool: "app", Needs: "read", SignOut: true, Outcomes: []Outcome{}},
		},
		Events: []Event{
			{At: now.Add(-192 * time.Second), Kind: "store", Text: "store: " + state + " (" + cause + "), after 2h48m7s writable"},
			{At: now.Add(-3 * time.Hour), Kind: "config", Text: "the file was loaded"},
			{At: now.Add(-26 * time.Hour), Kind: "backend", Bad: true, Text: "app: http://10.0.1.12:8080 is down: dial tcp 10.0.1.12:8080: connect: connection refused"},
		},
	}
	if state == "read-only" || state == "down" {
		s.Events[0].Bad = true
		s.Stores[0].Error = "READONLY You can't write against a read only replica."
		s.Stores[0].ErrorAt = now.Add(-100 * time.Millisecond)
		s.Pools[0].InFlight, s.Pools[0].PerSecond = 0, 0
		s.Pools[0].Rates = counts(wave(5, -1.3))
		s.Routes[0].Outcomes = []Outcome{{"degraded", cause, 201, 4.1}, {"proxied", "", 40, 0}, {"converted", cause, 9, 0.2}, {"limited", "page_rate", 2, 0}}
	}
	if state == "down" {
		s.Routes[2].Outcomes = []Outcome{{"degraded", cause, 30112, 580}, {"proxied", "", 7400, 50}, {"shed", "pool_full", 120, 1}, {"lined_up", "ramp", 12, 0.2}}
		s.Pools[0].InFlight, s.Pools[0].Queue, s.Pools[0].Overloaded, s.Pools[0].Tax = 63, 17, true, 3
		s.Pools[0].Classes = []Class{{"member", 9, 0, 0}, {"sign_in", 30, 4, 3}, {"unproved", 9, 5, 41}, {"anonymous", 14, 8, 1204}, {"background", 1, 0, 12}}
		s.Pools[1].Backends = append(s.Pools[1].Backends,
			Backend{URL: "http://10.0.1.13:8080", Up: true, Checked: true, Ejected: true, EjectedUntil: now.Add(20 * time.Second), Error: "EOF"},
			Backend{URL: "http://10.0.1.14:8080", Up: true, Checked: true, Warming: true, InFlight: 3})
		s.QuotaStore = &QuotaStore{StandIns: 1204, Error: "dial tcp 10.0.2.5:6379: i/o timeout", Since: now.Add(-70 * time.Second)}
		s.Stores[0].Line = &Line{Waiting: 214, Admitted: 980, Since: now.Add(-192 * time.Second)}
		s.Config.OK, s.Config.TriedAt = false, now.Add(-time.Minute)
		s.Config.Error = "gatehouse.yaml:14:11: pools.login.max_in_flight: \"many\" is not a number; a number such as 64 is wanted\ngatehouse.yaml:31:5: routes[2].pool: there is no pool \"ap\"; login or app is wanted"
		s.Config.Warnings = []string{"gatehouse.yaml:40:5: routes[3]: hidden by routes[1] where the path is /assets"}
	}
	if state == "strained" && cause == "full" {
		s.Stores[0].Headroom[0] = Headroom{"memory", 0.081, true}
	}
	if state == "writable" && cause == "session_loss" {
		s.Stores[0].Recovering, s.Stores[0].RampEnds, s.Stores[0].Waiting = true, now.Add(20*time.Second), 37
		s.Stores[0].Line = &Line{Rate: 42.5, Waiting: 37, Admitted: 1204, Halved: 2, Since: now.Add(-10 * time.Second), Ends: now.Add(20 * time.Second)}
		s.QuotaStore = &QuotaStore{Up: true, StandIns: 1, Since: now.Add(-3 * time.Hour)}
	}
	s.Degraded = DegradedNow(s.Routes)
	return s
}

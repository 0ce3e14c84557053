package build

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/config"
	"gatehouse/proxy"
	"gatehouse/proxy/admin"
	"gatehouse/proxy/record"
	"gatehouse/shed"
	"gatehouse/shed/line"
	"gatehouse/shed/store"
)

// Status is how everything that lives stands, by the file that is in force. Anybody may call it. What it does not know, such
// as the version and the file's fate, is the caller's to fill in.
func (l *Living) Status(cfg *config.Config) admin.Status {
	var s admin.Status
	rt := l.Handler.Live()
	if rt == nil || cfg == nil {
		return s
	}
	recent := l.Record.Recent()
	s.Stores, s.Certs = stores(rt, cfg), l.certificates()
	for _, c := range cfg.Pools {
		if i := slices.IndexFunc(rt.Pools, func(p *proxy.Pool) bool { return p.Name == c.Name }); i >= 0 {
			s.Pools = append(s.Pools, pool(rt.Pools[i], c, recent.Pools))
		}
	}
	for _, c := range cfg.Routes {
		s.Routes = append(s.Routes, route(c, recent.Routes))
	}
	s.Degraded = admin.DegradedNow(s.Routes)
	if rt.QuotaStore != nil {
		st := rt.QuotaStore.Status()
		s.QuotaStore = &admin.QuotaStore{Up: st.Up, StandIns: st.StandIns, Since: st.Since}
		if st.LastError != nil {
			s.QuotaStore.Error = st.LastError.Error()
		}
	}
	for _, e := range l.Record.Events() {
		s.Events = append(s.Events, admin.Event(e))
	}
	return s
}

// stores are the session store as a whole, and its parts where it has some.
func stores(rt *proxy.Runtime, cfg *config.Config) []admin.Store {
	if len(rt.Stores) == 0 || cfg.Session.Store == nil {
		return nil
	}
	whole := rt.Stores[0]
	over := cfg.Session.Store.Recovery.Ramp.Over
	out := []admin.Store{standing(whole.Name, whole.Monitor.(watched).Status(), whole.Line, over)}
	group, ok := whole.Monitor.(*store.Group)
	if !ok {
		return out
	}
	for _, part := range group.Parts() {
		var waits *line.Line
		if i := slices.IndexFunc(rt.Stores, func(s *proxy.Store) bool { return s.Name == part.Name }); i > 0 {
			waits = rt.Stores[i].Line
		}
		one := standing(part.Name, part.Status, waits, over)
		one.PartOf, one.BeatError = whole.Name, part.BeatErr
		for _, l := range part.Lags {
			one.Lags = append(one.Lags, admin.Lag{Of: l.Of, Seen: l.Seen, Milliseconds: ms(l.Lag)})
		}
		out = append(out, one)
	}
	return out
}

// standing is how one store stands, or one part of it; waits is its line, nil where it has none of its own.
func standing(name string, st store.Status, waits *line.Line, over time.Duration) admin.Store {
	out := admin.Store{
		Name: name, State: st.State.String(), Cause: st.Cause.String(), Since: st.Since,
		Observed: st.Observed.String(), ObservedCause: st.ObservedCause.String(),
		HeldUntil: st.Held, Trial: st.Trial, CertNotAfter: st.Expires,
		ForSeconds: time.Since(st.Since).Seconds(), Error: st.Err, ErrorAt: st.ErrAt, LastCheck: st.CheckBegun,
		Recovering: st.Recovering(), Probes: milliseconds(st.Latencies),
	}
	if st.Recovering() {
		out.RampEnds = st.Opened.Add(over)
	}
	if d := st.Diverged; d != nil {
		out.Diverged = &admin.Diverged{Since: d.Since, At: d.At, Of: d.From, LagSeconds: d.Lag.Seconds()}
	}
	for _, r := range st.Reports {
		out.Reports = append(out.Reports, admin.Report{Backend: r.From, At: r.At, Until: r.Until})
	}
	if waits != nil {
		if l := waits.Load(time.Now()); l.Active {
			out.Line = &admin.Line{Rate: l.Rate, Waiting: l.Waiting, Admitted: l.Admitted, Halved: l.Halved, Since: l.Since, Ends: l.Ends}
			out.Waiting = l.Waiting
		}
	}
	if o := st.Override; o != nil {
		out.Override = &admin.OverrideState{State: o.State.String(), By: o.By, SetAt: o.At, Until: o.Until}
	}
	for _, h := range st.Headroom {
		out.Headroom = append(out.Headroom, admin.Headroom{Resource: string(h.Resource), Ratio: h.Ratio, Strains: h.Strains})
	}
	sorted := slices.Sorted(slices.Values(out.Probes))
	out.Probe = admin.Latency{P50: quantile(sorted, 0.5), P90: quantile(sorted, 0.9), P99: quantile(sorted, 0.99)}
	for _, t := range slices.Backward(st.Transitions) {
		change := admin.Transition{
			At: t.At, From: t.From.String(), To: t.To.String(), Was: t.FromCause.String(), Why: t.Cause.String(),
			LastedSeconds: t.Lasted.Seconds(),
		}
		if t.Err != nil {
			change.Error = t.Err.Error()
		}
		out.Changes = append(out.Changes, change)
	}
	return out
}

func pool(p *proxy.Pool, c config.Pool, recent []record.PoolRecent) admin.Pool {
	load := p.Gate.Load()
	out := admin.Pool{
		Name: p.Name, QueueMax: c.Queue.Length, InFlight: load.InFlight, Limit: load.Limit, Queue: load.Queued, Tunnels: p.Tunnels(),
		Adaptive: c.Adaptive != nil, Overloaded: load.Overloaded,
	}
	if load.Limit > 0 {
		for _, class := range shed.Classes {
			l := load.Classes[class]
			out.Classes = append(out.Classes, admin.Class{Name: class.String(), InFlight: l.InFlight, Queue: l.Queued})
		}
	}
	for _, b := range p.Backends.Status() {
		shown := admin.Backend{
			URL: b.URL, Up: b.Up, Checked: c.Health != nil, InFlight: b.InFlight,
			Ejected: b.Ejected, EjectedUntil: b.EjectedUntil, Warming: b.Warming,
		}
		if !b.Up || b.Ejected {
			shown.Error = cmp.Or(b.LastError, "no answer to its health check")
		}
		out.Backends = append(out.Backends, shown)
	}
	for _, r := range recent {
		if r.Name != p.Name {
			continue
		}
		out.Tax = r.Tax
		for i := range out.Classes {
			out.Classes[i].Shed = r.Shed[i]
		}
		out.PerSecond, out.Asked, out.Failed = r.PerSecond, r.Asked, r.Failed
		out.Latency = admin.Latency{P50: ms(r.P50), P90: ms(r.P90), P99: ms(r.P99)}
		out.Rates, out.Slowest = slices.Clone(r.Rates[:]), milliseconds(r.Slowest[:])
	}
	return out
}

func route(c config.Route, recent []record.RouteRecent) admin.Route {
	out := admin.Route{
		Name: c.Name, Pool: c.Pool, Overflow: c.Overflow, Needs: c.Needs, SignIn: c.SignIn, SignOut: c.SignOut, Outcomes: []admin.Outcome{},
	}
	for _, r := range recent {
		if r.Name != c.Name {
			continue
		}
		out.PerSecond, out.Total = r.PerSecond, r.Total
		for _, t := range r.Tallies {
			out.Outcomes = append(out.Outcomes, admin.Outcome{
				Outcome: t.Outcome.String(), Reason: t.Reason, Count: t.Count, PerSecond: t.PerSecond,
			})
		}
	}
	return out
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func milliseconds(ds []time.Duration) []float64 {
	out := make([]float64, len(ds))
	for i, d := range ds {
		out[i] = ms(d)
	}
	return out
}

func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

package build

import (
	"time"

	"gatehouse/proxy/record"
	"gatehouse/shed/store"
)

// sample is how pools and stores stand, for a scrape. Anybody may call it.
func (l *Living) sample() record.Sample {
	var s record.Sample
	rt := l.Handler.Live()
	if rt == nil {
		return s
	}
	for _, p := range rt.Pools {
		load := p.Gate.Load()
		ps := record.PoolSample{Name: p.Name, InFlight: load.InFlight, Limit: load.Limit, Queue: load.Queued, Tunnels: p.Tunnels(), Overloaded: load.Overloaded}
		for i, c := range load.Classes {
			ps.Classes[i] = record.ClassSample{InFlight: c.InFlight, Queue: c.Queued}
		}
		for _, b := range p.Backends.Status() {
			ps.Backends = append(ps.Backends, record.BackendSample{URL: b.URL, Up: b.Up, Ejected: b.Ejected})
		}
		s.Pools = append(s.Pools, ps)
	}
	for i, seen := range rt.Stores {
		load := seen.Line.Load(time.Now())
		s.Lines = append(s.Lines, record.LineSample{Store: seen.Name, Rate: load.Rate, Waiting: load.Waiting, Admitted: load.Admitted})
		if i > 0 {
			continue // a part, which the whole tells of
		}
		st := seen.Monitor.(watched).Status()
		s.Stores = append(s.Stores, storeSample(seen.Name, st))
		if st.Override != nil {
			s.OverrideUntil = st.Override.Until
		}
		group, ok := seen.Monitor.(*store.Group)
		if !ok {
			continue
		}
		for _, part := range group.Parts() {
			one := storeSample(part.Name, part.Status)
			for _, l := range part.Lags {
				if !l.Seen.IsZero() {
					one.Lags = append(one.Lags, record.LagSample{Of: l.Of, Lag: l.Lag})
				}
			}
			s.Stores = append(s.Stores, one)
		}
	}
	s.Certs = l.certSamples()
	if rt.QuotaStore != nil {
		st := rt.QuotaStore.Status()
		s.QuotaStore = &record.QuotaStoreSample{Up: st.Up, StandIns: st.StandIns}
	}
	return s
}

func storeSample(name string, st store.Status) record.StoreSample {
	out := record.StoreSample{Name: name, State: st.State, Observed: st.Observed, CertNotAfter: st.Expires}
	for _, h := range st.Headroom {
		out.Headroom = append(out.Headroom, record.HeadroomSample{Resource: string(h.Resource), Ratio: h.Ratio})
	}
	return out
}

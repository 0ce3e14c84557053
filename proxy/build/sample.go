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
	for _, seen := range rt.Stores {
		st := seen.Monitor.(*store.Monitor).Status()
		sample := record.StoreSample{Name: seen.Name, State: st.State, Observed: st.Observed, CertNotAfter: st.Expires}
		for _, h := range st.Headroom {
			sample.Headroom = append(sample.Headroom, record.HeadroomSample{Resource: string(h.Resource), Ratio: h.Ratio})
		}
		s.Stores = append(s.Stores, sample)
		if st.Override != nil {
			s.OverrideUntil = st.Override.Until
		}
		load := seen.Line.Load(time.Now())
		s.Lines = append(s.Lines, record.LineSample{Store: seen.Name, Rate: load.Rate, Waiting: load.Waiting, Admitted: load.Admitted})
	}
	if rt.QuotaStore != nil {
		st := rt.QuotaStore.Status()
		s.QuotaStore = &record.QuotaStoreSample{Up: st.Up, StandIns: st.StandIns}
	}
	return s
}

package build

import (
	"gatehouse/proxy/record"
)

// sample is how pools and stores stand, for a scrape. Anybody may call it.
func (l *Living) sample() record.Sample {
	var s record.Sample
	rt := l.Handler.Live()
	if rt == nil {
		return s
	}
	for _, p := range rt.Pools {
		ps := record.PoolSample{Name: p.Name}
		ps.InFlight, ps.Limit, ps.Queue = p.Gate.Load()
		for _, b := range p.Backends.Status() {
			ps.Backends = append(ps.Backends, record.BackendSample{URL: b.URL, Up: b.Up})
		}
		s.Pools = append(s.Pools, ps)
	}
	if rt.Store != nil {
		st := rt.Store.Status()
		sample := record.StoreSample{Name: rt.StoreName, State: st.State, Observed: st.Observed, CertNotAfter: st.Expires}
		for _, h := range st.Headroom {
			sample.Headroom = append(sample.Headroom, record.HeadroomSample{Resource: string(h.Resource), Ratio: h.Ratio})
		}
		s.Stores = append(s.Stores, sample)
		if st.Override != nil {
			s.OverrideUntil = st.Override.Until
		}
	}
	return s
}

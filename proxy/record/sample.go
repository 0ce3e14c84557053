package record

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/shed"
)

// Sample is how pools and stores stand at one moment. Whoever owns them fills it when a scrape asks.
type Sample struct {
	Pools         []PoolSample
	Stores        []StoreSample
	OverrideUntil time.Time // when the state that a person set ends; zero for none
}

// PoolSample is one pool.
type PoolSample struct {
	Name     string
	InFlight int
	Limit    int // 0: none, shown as +Inf so that in_flight / limit is 0
	Queue    int // how many wait
	Backends []BackendSample
}

// BackendSample is one backend of a pool.
type BackendSample struct {
	URL string // as in the operator's file, which allows no user in it
	Up  bool
}

// StoreSample is one store: the state that is acted on, the one that was observed, and how near its limits it is.
type StoreSample struct {
	Name            string
	State, Observed shed.State
	Headroom        []HeadroomSample // each resource once; one that nothing is known of is left out
	CertNotAfter    time.Time        // when the certificate that the server showed ends; zero where there is none: no series
}

// HeadroomSample is how much of one resource is free.
type HeadroomSample struct {
	Resource string  // from a closed set: memory, clients, evictions, latency, replication or persistence
	Ratio    float64 // from 1, all of it, to 0, at the limit; what lies outside is brought in, and what is no number left out
}

// Watch names the function that a scrape asks; nil for none. It must be quick, safe for concurrent use, and name each pool,
// backend and store once. It replaces the one before.
func (r *Recorder) Watch(source func() Sample) {
	if source == nil {
		r.source.Store(nil)
		return
	}
	r.source.Store(&source)
}

// watched collects a Sample.
type watched struct {
	source *atomic.Pointer[func() Sample]
}

var (
	inFlightDesc = prometheus.NewDesc("gatehouse_pool_in_flight", "Requests that hold a permit of the pool.", []string{"pool"}, nil)
	limitDesc    = prometheus.NewDesc("gatehouse_pool_limit", "Permits of the pool; +Inf for no limit.", []string{"pool"}, nil)
	queueDesc    = prometheus.NewDesc("gatehouse_pool_queue", "Requests that wait for a permit of the pool.", []string{"pool"}, nil)
	upDesc       = prometheus.NewDesc("gatehouse_backend_up", "1 for a backend that is believed to be up.", []string{"pool", "backend"}, nil)
	stateDesc    = prometheus.NewDesc("gatehouse_store_state", "1 for the state that is acted on.", []string{"store", "state"}, nil)
	headroomDesc = prometheus.NewDesc("gatehouse_store_headroom_ratio", "How much of a resource is free: 1 for all of it, 0 at the limit.", []string{"store", "resource"}, nil)
	certDesc     = prometheus.NewDesc("gatehouse_store_tls_cert_not_after_seconds", "When the certificate that the store shows ends, in Unix time.", []string{"store"}, nil)
	overrideDesc = prometheus.NewDesc("gatehouse_override_expires_seconds", "When the state that a person set ends, in Unix time; 0 for none.", nil, nil)
	observedDesc = prometheus.NewDesc("gatehouse_store_observed_state", "1 for the state that was observed.", []string{"store", "state"}, nil)
)

// Describe implements prometheus.Collector.
func (*watched) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{inFlightDesc, limitDesc, queueDesc, upDesc, stateDesc, observedDesc, headroomDesc, certDesc, overrideDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (w *watched) Collect(to chan<- prometheus.Metric) {
	source := w.source.Load()
	if source == nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s := (*source)()
	for _, p := range s.Pools {
		name := label(p.Name)
		gauge(inFlightDesc, float64(p.InFlight), name)
		gauge(queueDesc, float64(p.Queue), name)
		limit := math.Inf(1)
		if p.Limit > 0 {
			limit = float64(p.Limit)
		}
		gauge(limitDesc, limit, name)
		for _, b := range p.Backends {
			gauge(upDesc, one(b.Up), name, label(b.URL))
		}
	}
	for _, st := range s.Stores {
		name := label(st.Name)
		for _, state := range shed.States {
			gauge(stateDesc, one(st.State == state), name, state.String())
			gauge(observedDesc, one(st.Observed == state), name, state.String())
		}
		for _, h := range st.Headroom {
			if !math.IsNaN(h.Ratio) {
				gauge(headroomDesc, min(max(h.Ratio, 0), 1), name, label(h.Resource))
			}
		}
		if !st.CertNotAfter.IsZero() {
			gauge(certDesc, unix(st.CertNotAfter), name)
		}
	}
	if len(s.Stores) > 0 {
		gauge(overrideDesc, unix(s.OverrideUntil))
	}
}

// unix returns the Unix time in seconds; 0 for the zero time.
func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

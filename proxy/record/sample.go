package record

import (
	"math"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/shed"
)

// Sample is how pools and stores stand at one moment. Whoever owns them fills it when a scrape asks.
type Sample struct {
	Pools  []PoolSample
	Stores []StoreSample
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

// StoreSample is one store: the state that is acted on, and the one that was observed.
type StoreSample struct {
	Name            string
	State, Observed shed.State
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
	observedDesc = prometheus.NewDesc("gatehouse_store_observed_state", "1 for the state that was observed.", []string{"store", "state"}, nil)
)

// Describe implements prometheus.Collector.
func (*watched) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{inFlightDesc, limitDesc, queueDesc, upDesc, stateDesc, observedDesc} {
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
	}
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

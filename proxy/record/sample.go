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
	Lines         []LineSample
	Certs         []CertSample
	QuotaStore    *QuotaStoreSample // nil: quotas are counted by this process alone
}

// PoolSample is one pool.
type PoolSample struct {
	Name     string
	InFlight int
	Limit    int // 0: none, shown as +Inf so that in_flight / limit is 0
	Queue    int // how many wait
	Tunnels  int // connections that were upgraded, which hold no permit
	// Overloaded: the queue has not been empty for so long that the newest goes first.
	Overloaded bool
	Classes    [shed.NumClasses]ClassSample
	Backends   []BackendSample
}

// ClassSample is what one class of requests has of a pool.
type ClassSample struct {
	InFlight int
	Queue    int // how many wait
}

// BackendSample is one backend of a pool.
type BackendSample struct {
	URL     string // as in the operator's file, which allows no user in it
	Up      bool
	Ejected bool // left alone for a while, since too many requests in a row failed there
}

// StoreSample is one store: the state that is acted on, the one that was observed, and how near its limits it is.
type StoreSample struct {
	Name            string
	State, Observed shed.State
	Headroom        []HeadroomSample // each resource once; one that nothing is known of is left out
	CertNotAfter    time.Time        // when the certificate that the server showed ends; zero where there is none: no series
	Lags            []LagSample      // of a member
}

// LagSample is by how much a member is behind what was written at another one.
type LagSample struct {
	Of  string // the other
	Lag time.Duration
}

// CertSample is a certificate of our own, or the want of one.
type CertSample struct {
	Name     string    // the first of its names, which are the file's
	NotAfter time.Time // when it ends; the zero time: there is none yet, shown as 0
}

// HeadroomSample is how much of one resource is free.
type HeadroomSample struct {
	Resource string  // from a closed set: memory, clients, evictions, latency, replication or persistence
	Ratio    float64 // from 1, all of it, to 0, at the limit; what lies outside is brought in, and what is no number left out
}

// LineSample is the line of one store, in which those wait who could not sign in while it was closed.
type LineSample struct {
	Store    string
	Rate     float64 // sign-ins a second that are let in now: 0 while the store is closed, +Inf where no ramp runs
	Waiting  int     // about how many wait
	Admitted uint64  // how many the ramps have let in since the process began
}

// QuotaStoreSample is the store that Gatehouses side by side count quotas in.
type QuotaStoreSample struct {
	Up       bool
	StandIns uint64 // requests that a limit of this process alone was asked about instead, since the process began
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
	tunnelsDesc  = prometheus.NewDesc("gatehouse_tunnels", "Upgraded connections (WebSocket) that the pool's backends serve; they hold no permit.", []string{"pool"}, nil)
	lagDesc      = prometheus.NewDesc("gatehouse_store_lag_seconds", "How old the latest heartbeat is that was written at another member and is seen at this one.", []string{"store", "of"}, nil)
	ownCertDesc  = prometheus.NewDesc("gatehouse_tls_cert_not_after_seconds", "When a certificate that visitors are shown ends, in Unix time; 0 where there is none yet.", []string{"name"}, nil)
	queueDesc    = prometheus.NewDesc("gatehouse_pool_queue", "Requests that wait for a permit of the pool.", []string{"pool"}, nil)
	overloadDesc = prometheus.NewDesc("gatehouse_pool_overloaded", "1 while requests wait so long for the pool that the newest goes first.", []string{"pool"}, nil)
	classInDesc  = prometheus.NewDesc("gatehouse_pool_class_in_flight", "Requests of a class that hold a permit of the pool.", []string{"pool", "class"}, nil)
	classQDesc   = prometheus.NewDesc("gatehouse_pool_class_queue", "Requests of a class that wait for a permit of the pool.", []string{"pool", "class"}, nil)
	ejectedDesc  = prometheus.NewDesc("gatehouse_backend_ejected", "1 for a backend that is left alone for a while, since too many requests in a row failed there.", []string{"pool", "backend"}, nil)
	lineRateDesc = prometheus.NewDesc("gatehouse_line_rate", "Sign-ins a second that are let in while they come back: 0 while the store is closed, +Inf where no ramp runs.", []string{"store"}, nil)
	waitingDesc  = prometheus.NewDesc("gatehouse_line_waiting", "About how many sign-ins wait in the line.", []string{"store"}, nil)
	admittedDesc = prometheus.NewDesc("gatehouse_line_admitted_total", "Sign-ins that the ramp has let in.", []string{"store"}, nil)
	quotaUpDesc  = prometheus.NewDesc("gatehouse_quota_store_up", "1 while the store that Gatehouses share their quotas in answers.", nil, nil)
	standInDesc  = prometheus.NewDesc("gatehouse_quota_stand_ins_total", "Requests that this process's own limit was asked about, since the shared quota store did not answer.", nil, nil)
	upDesc       = prometheus.NewDesc("gatehouse_backend_up", "1 for a backend that is believed to be up.", []string{"pool", "backend"}, nil)
	stateDesc    = prometheus.NewDesc("gatehouse_store_state", "1 for the state that is acted on.", []string{"store", "state"}, nil)
	headroomDesc = prometheus.NewDesc("gatehouse_store_headroom_ratio", "How much of a resource is free: 1 for all of it, 0 at the limit.", []string{"store", "resource"}, nil)
	certDesc     = prometheus.NewDesc("gatehouse_store_tls_cert_not_after_seconds", "When the certificate that the store shows ends, in Unix time.", []string{"store"}, nil)
	overrideDesc = prometheus.NewDesc("gatehouse_override_expires_seconds", "When the state that a person set ends, in Unix time; 0 for none.", nil, nil)
	observedDesc = prometheus.NewDesc("gatehouse_store_observed_state", "1 for the state that was observed.", []string{"store", "state"}, nil)
)

// Describe implements prometheus.Collector.
func (*watched) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{inFlightDesc, limitDesc, queueDesc, upDesc, stateDesc, observedDesc, headroomDesc, certDesc, overrideDesc,
		overloadDesc, tunnelsDesc, lagDesc, ownCertDesc, classInDesc, classQDesc, ejectedDesc, lineRateDesc, waitingDesc, admittedDesc, quotaUpDesc, standInDesc} {
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
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	s := (*source)()
	for _, p := range s.Pools {
		name := label(p.Name)
		gauge(inFlightDesc, float64(p.InFlight), name)
		gauge(queueDesc, float64(p.Queue), name)
		gauge(tunnelsDesc, float64(p.Tunnels), name)
		limit := math.Inf(1)
		if p.Limit > 0 {
			limit = float64(p.Limit)
		}
		gauge(limitDesc, limit, name)
		gauge(overloadDesc, one(p.Overloaded), name)
		for _, class := range shed.Classes {
			gauge(classInDesc, float64(p.Classes[class].InFlight), name, class.String())
			gauge(classQDesc, float64(p.Classes[class].Queue), name, class.String())
		}
		for _, b := range p.Backends {
			gauge(upDesc, one(b.Up), name, label(b.URL))
			gauge(ejectedDesc, one(b.Ejected), name, label(b.URL))
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
		for _, l := range st.Lags {
			gauge(lagDesc, l.Lag.Seconds(), name, label(l.Of))
		}
	}
	if len(s.Stores) > 0 {
		gauge(overrideDesc, unix(s.OverrideUntil))
	}
	for _, l := range s.Lines {
		name := label(l.Store)
		gauge(lineRateDesc, l.Rate, name)
		gauge(waitingDesc, float64(l.Waiting), name)
		counter(admittedDesc, l.Admitted, name)
	}
	for _, c := range s.Certs {
		gauge(ownCertDesc, unix(c.NotAfter), label(c.Name))
	}
	if q := s.QuotaStore; q != nil {
		gauge(quotaUpDesc, one(q.Up))
		counter(standInDesc, q.StandIns)
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

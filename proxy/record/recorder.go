package record

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Settings is what a Recorder is made from. The zero value counts and writes no log.
type Settings struct {
	Access  io.Writer    // one JSON line an exchange, always whole lines; nil: off. Only the Recorder may write there.
	Events  *slog.Logger // nil: off
	Version string       // of the program, for gatehouse_build_info; "" becomes "unknown"
}

// Recorder is the one place where exchanges and events are counted and logged. All its methods are safe for concurrent use.
// Its owner must Close it.
type Recorder struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	upstream *prometheus.HistogramVec
	signIns  tally
	guards   tally
	stores   storeMetrics
	reloads  reloadMetrics
	shedding sheddingMetrics
	nowhere  prometheus.Observer // swallows what forgotten series still get

	access *accessLog // nil: off
	events *slog.Logger
	ring   eventRing
	source atomic.Pointer[func() Sample]
	born   time.Time

	mu        sync.Mutex
	series    map[seriesKey]*Series
	pools     map[string]*poolParts
	routes    map[string]*routeParts
	unmatched *Series
}

// buckets reach from 1 ms to 10 s.
var buckets = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// New returns a Recorder with a registry of its own.
func New(set Settings) *Recorder {
	r := &Recorder{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_requests_total", Help: "Requests by what became of them.",
		}, []string{"route", "pool", "outcome", "code"}),
		duration: prometheus.NewHistogramVec(timings("gatehouse_request_duration_seconds",
			"From the request's head to the last byte of its answer; for an upgrade to the head of the answer."),
			[]string{"route", "pool"}),
		upstream: prometheus.NewHistogramVec(timings("gatehouse_upstream_duration_seconds",
			"From claiming a backend to the head of its answer, or to its failure."), []string{"pool"}),
		signIns: newSignIns(),
		guards:  newGuards(),
		stores:  newStoreMetrics(),
		reloads: newReloadMetrics(),
		nowhere: prometheus.ObserverFunc(func(float64) {}),
		events:  set.Events,
		born:    time.Now(),
		series:  map[seriesKey]*Series{},
		pools:   map[string]*poolParts{},
		routes:  map[string]*routeParts{},
	}
	r.shedding.init()
	if r.events == nil {
		r.events = slog.New(slog.DiscardHandler)
	}
	if set.Access != nil {
		r.access = newAccessLog(set.Access)
	}
	if set.Version == "" {
		set.Version = "unknown"
	}
	r.unmatched = r.Series(Unmatched, Unmatched)
	r.register(label(set.Version))
	return r
}

func timings(name, help string) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	}
}

func (r *Recorder) register(version string) {
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gatehouse_build_info", Help: "Always 1; says which program this is.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	}, func() float64 { return 1 })
	dropped := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "gatehouse_access_log_dropped_total", Help: "Access-log lines lost because their writer was too slow or failed.",
	}, func() float64 {
		if r.access == nil {
			return 0
		}
		return float64(r.access.Dropped())
	})
	r.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		build, dropped, r.requests, r.duration, r.upstream, r.signIns.all, r.guards.all,
		r.stores.transitions, r.stores.probes, r.reloads.success, r.reloads.timestamp,
		r.shedding.shed, r.shedding.tax, r.shedding.retries, r.shedding.quota, &watched{source: &r.source})
}

// Registry returns the metrics, for those who have more to register.
func (r *Recorder) Registry() *prometheus.Registry { return r.registry }

// Handler returns what answers /metrics. A metric that cannot be gathered is left out and the others are served.
func (r *Recorder) Handler() http.Handler {
	return promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, EnableOpenMetrics: true, MaxRequestsInFlight: 4,
		ErrorLog: slog.NewLogLogger(r.events.Handler(), slog.LevelWarn),
	})
}

// Exchange records one exchange that has ended: one access-log line and one set of metrics. A nil Series is that of
// Unmatched. It never waits for the log's writer.
func (r *Recorder) Exchange(s *Series, e *Entry) {
	if s == nil {
		s = r.unmatched
	}
	total := e.total()
	second := r.second(e.Arrived.Add(max(e.At.Done, 0)))
	r.count(s, e.Outcome, e.Status).Inc()
	r.timing(s).Observe(total.Seconds())
	s.route.add(second, e.Outcome, e.Reason)
	if d, ok := e.At.backend(); ok {
		r.backendTiming(s).Observe(d.Seconds())
		s.pool.heads.add(second, d)
		if e.At.Head == 0 || e.Status >= 500 || e.Outcome == Converted {
			s.pool.failed.add(second)
		}
	}
	if r.access != nil {
		r.access.add(s, e)
	}
}

// second returns how many seconds after its beginning the Recorder puts a moment.
func (r *Recorder) second(t time.Time) uint32 {
	return uint32(max(t.Sub(r.born), 0) / time.Second)
}

// Close writes the lines that wait and ends the log's goroutine. Exchanges after it are counted and not logged. Its error
// is ctx's, where the writer is stuck.
func (r *Recorder) Close(ctx context.Context) error {
	if r.access == nil {
		return nil
	}
	return r.access.Close(ctx)
}

func codeLabel(slot int) string {
	switch {
	case slot >= len(codes):
		return otherCode
	case codes[slot] == 0:
		return noCode
	default:
		return strconv.Itoa(codes[slot])
	}
}

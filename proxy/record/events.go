package record

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/shed"
)

// maxEvents is how many events the ring keeps; maxText how long a text in the event log may be, in bytes.
const (
	maxEvents = 50
	maxText   = 4096
)

// NewEvents returns the logger of events: one line of JSON each. Texts and errors are made harmless and short, since an
// event may quote what a stranger sent.
func NewEvents(to io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: level, ReplaceAttr: harmless}))
}

func harmless(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value; v.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(plain(v.String(), maxText))
	case slog.KindAny:
		switch v := v.Any().(type) {
		case error:
			a.Value = slog.StringValue(plain(v.Error(), maxText))
		case fmt.Stringer:
			a.Value = slog.StringValue(plain(v.String(), maxText))
		}
	}
	return a
}

// Event is one row of what happened lately, for a person.
type Event struct {
	At   time.Time
	Kind string // store, backend, line, quota_store or config
	Bad  bool   // worse than before
	Text string // one line, harmless
}

// Events returns the last 50 events, the latest first.
func (r *Recorder) Events() []Event { return r.ring.list() }

type eventRing struct {
	mu   sync.Mutex
	rows []Event // the oldest first
}

func (g *eventRing) add(e Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.rows) == maxEvents {
		g.rows = slices.Delete(g.rows, 0, 1)
	}
	g.rows = append(g.rows, e)
}

func (g *eventRing) list() []Event {
	g.mu.Lock()
	defer g.mu.Unlock()
	rows := slices.Clone(g.rows)
	slices.Reverse(rows)
	return rows
}

// Transition is one change of a store's effective state, or of its cause.
type Transition struct {
	Store      string
	At         time.Time
	From, To   shed.State
	Was, Cause shed.Cause    // the cause of From, and of To
	Lasted     time.Duration // how long From did
	Err        string        // what the check said
	// Observed is what the store was seen to be, where that is not To. The zero value is not told, unless Cause is that of a
	// person who set the state: nothing was known of the store then.
	Observed shed.State
	By       string    // who set the state To; "" where nobody did or they did not say
	Until    time.Time // when what they set ends; zero where nobody did
}

type storeMetrics struct {
	transitions *prometheus.CounterVec
	probes      *prometheus.HistogramVec
}

func newStoreMetrics() storeMetrics {
	probes := timings("gatehouse_store_probe_duration_seconds", "How long a probe of the store took.")
	probes.Buckets = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1}
	return storeMetrics{
		transitions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_store_transitions_total", Help: "Changes of the store's state.",
		}, []string{"store", "from", "to", "cause"}),
		probes: prometheus.NewHistogramVec(probes, []string{"store"}),
	}
}

// StoreTransition records a change of a store's state: one event line, one row, one count.
func (r *Recorder) StoreTransition(t Transition) {
	from, to := t.From.String(), t.To.String()
	r.stores.transitions.WithLabelValues(label(t.Store), from, to, t.Cause.String()).Inc()
	level := slog.LevelInfo
	if t.To.Impaired() {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("store", t.Store), slog.String("from", from), slog.String("to", to),
		slog.String("cause", t.Cause.String()), slog.String("was", t.Was.String()),
		slog.Float64("lasted_seconds", t.Lasted.Round(time.Millisecond).Seconds()),
	}
	text := fmt.Sprintf("%s: %s (%s%s)", t.Store, to, t.Cause, byText(t.By, t.Until))
	if t.From != shed.Unknown || t.Lasted > 0 {
		text += fmt.Sprintf(", after %s %s", t.Lasted.Round(time.Millisecond), from)
	}
	if differs(t.To, t.Observed, t.Cause) {
		attrs = append(attrs, slog.String("observed", t.Observed.String()))
		text += ", observed " + t.Observed.String()
	}
	attrs = append(attrs, by(t.By, t.Until)...)
	if t.Err != "" {
		attrs = append(attrs, slog.String("err", t.Err))
	}
	r.events.LogAttrs(context.Background(), level, "store state changed", attrs...)

	if t.Err != "" {
		text += ": " + t.Err
	}
	r.note("store", t.At, t.To.Impaired(), text)
}

// StoreProbe records how long one probe of a store took.
func (r *Recorder) StoreProbe(store string, took time.Duration) {
	r.stores.probes.WithLabelValues(label(store)).Observe(took.Seconds())
}

// BackendChange records that a backend came up or went down. err is why it is down; "" where it is up, or that is not known.
func (r *Recorder) BackendChange(at time.Time, pool, backend string, up bool, err string) {
	word, level := "up", slog.LevelInfo
	if !up {
		word, level = "down", slog.LevelWarn
	}
	attrs := []slog.Attr{slog.String("pool", pool), slog.String("backend", backend), slog.Bool("up", up)}
	text := fmt.Sprintf("%s: %s is %s", pool, backend, word)
	if err != "" {
		attrs = append(attrs, slog.String("err", err))
		text += ": " + err
	}
	r.events.LogAttrs(context.Background(), level, "backend changed", attrs...)
	r.note("backend", at, !up, text)
}

type reloadMetrics struct{ success, timestamp prometheus.Gauge }

func newReloadMetrics() reloadMetrics {
	return reloadMetrics{
		success: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "gatehouse_config_reload_success", Help: "1 if the last attempt to load the file worked.",
		}),
		timestamp: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "gatehouse_config_reload_timestamp_seconds", Help: "When the file was last loaded with success, in Unix time.",
		}),
	}
}

// Reload records an attempt to load the operator's file, the first one too. Where it failed, the last good file stays in
// force, and the timestamp with it. What is wrong with the file is its loader's to say.
func (r *Recorder) Reload(ok bool, at time.Time) {
	r.reloads.success.Set(one(ok))
	if !ok {
		r.note("config", at, true, "the file has mistakes and was not loaded; the last good one stays in force")
		return
	}
	r.reloads.timestamp.Set(unix(at))
	r.note("config", at, false, "the file was loaded")
}

func (r *Recorder) note(kind string, at time.Time, bad bool, text string) {
	r.ring.add(Event{At: at, Kind: kind, Bad: bad, Text: plain(text, maxErr)})
}

package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"gatehouse/shed"
)

func sample() Sample {
	return Sample{
		Pools: []PoolSample{
			{
				Name: "login", InFlight: 3, Limit: 64, Queue: 2, Overloaded: true,
				Classes:  [shed.NumClasses]ClassSample{shed.Member: {InFlight: 1}, shed.SignIn: {InFlight: 2, Queue: 2}},
				Backends: []BackendSample{{URL: "http://10.0.0.11:8080", Up: true}, {URL: "http://10.0.0.12:8080", Ejected: true}},
			},
			{Name: "app", InFlight: 1},
		},
		Stores: []StoreSample{{
			Name: "store", State: shed.ReadOnly, Observed: shed.Writable, CertNotAfter: time.Unix(1800000000, 0),
			Headroom: []HeadroomSample{{"memory", 0.25}}, Lags: []LagSample{{"us", 1500 * time.Millisecond}},
		}},
		Certs:      []CertSample{{Name: "example.com", NotAfter: time.Unix(1800000000, 0)}},
		Lines:      []LineSample{{Store: "store", Rate: 42.5, Waiting: 37, Admitted: 1204}},
		QuotaStore: &QuotaStoreSample{StandIns: 12},
	}
}

// full returns a Recorder in which every metric has been fed once.
func full(t *testing.T) (*Recorder, *sink) {
	t.Helper()
	out := &sink{}
	r := New(Settings{Access: out, Version: "v1"})
	r.Watch(sample)
	r.Pools([]string{"login"})
	r.Quotas([]string{"per-client"})
	e := usual()
	r.Exchange(r.Series("app", "web"), &e)
	r.Exchange(nil, &Entry{Arrived: time.Now(), Outcome: Rejected, Reason: "bad_request", Status: 400})
	r.StoreTransition(Transition{Store: "store", At: time.Now(), From: shed.Writable, To: shed.ReadOnly, Was: shed.OK, Cause: shed.CauseReadOnly, Lasted: time.Minute})
	r.StoreProbe("store", time.Millisecond)
	r.Reload(true, time.Unix(1700000000, 0))
	return r, out
}

func TestMetricsSayWhatHappened(t *testing.T) {
	r, _ := full(t)
	defer closed(t, r)
	rec := httptest.NewRecorder()
	r.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	body := rec.Body.String()
	for _, want := range []string{
		`gatehouse_requests_total{code="200",outcome="proxied",pool="web",route="app"} 1`,
		`gatehouse_requests_total{code="400",outcome="rejected",pool="none",route="none"} 1`,
		`gatehouse_request_duration_seconds_bucket{pool="web",route="app",le="0.001"} 0`,
		`gatehouse_request_duration_seconds_bucket{pool="web",route="app",le="10"} 1`,
		`gatehouse_upstream_duration_seconds_bucket{pool="web",le="0.005"} 1`,
		`gatehouse_pool_in_flight{pool="login"} 3`, `gatehouse_pool_limit{pool="login"} 64`, `gatehouse_pool_limit{pool="app"} +Inf`,
		`gatehouse_pool_queue{pool="login"} 2`,
		`gatehouse_backend_up{backend="http://10.0.0.11:8080",pool="login"} 1`,
		`gatehouse_backend_up{backend="http://10.0.0.12:8080",pool="login"} 0`,
		`gatehouse_pool_overloaded{pool="login"} 1`, `gatehouse_pool_overloaded{pool="app"} 0`,
		`gatehouse_pool_class_in_flight{class="sign_in",pool="login"} 2`, `gatehouse_pool_class_in_flight{class="background",pool="app"} 0`,
		`gatehouse_pool_class_queue{class="sign_in",pool="login"} 2`, `gatehouse_pool_class_queue{class="member",pool="login"} 0`,
		`gatehouse_backend_ejected{backend="http://10.0.0.11:8080",pool="login"} 0`,
		`gatehouse_backend_ejected{backend="http://10.0.0.12:8080",pool="login"} 1`,
		`gatehouse_line_rate{store="store"} 42.5`, `gatehouse_line_waiting{store="store"} 37`, `gatehouse_line_admitted_total{store="store"} 1204`,
		`gatehouse_quota_store_up 0`, `gatehouse_quota_stand_ins_total 12`,
		`gatehouse_store_state{state="read-only",store="store"} 1`, `gatehouse_store_state{state="writable",store="store"} 0`,
		`gatehouse_store_observed_state{state="writable",store="store"} 1`,
		`gatehouse_store_transitions_total{cause="read_only",from="writable",store="store",to="read-only"} 1`,
		`gatehouse_store_probe_duration_seconds_count{store="store"} 1`,
		`gatehouse_config_reload_success 1`, `gatehouse_config_reload_timestamp_seconds 1.7e+09`,
		`gatehouse_build_info{go="go`, `gatehouse_access_log_dropped_total 0`, `go_goroutines`, `process_start_time_seconds`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	r.Reload(false, time.Unix(1800000000, 0))
	if got := testutil.ToFloat64(r.reloads.success); got != 0 {
		t.Errorf("reload_success %v after a failure", got)
	}
	if got := testutil.ToFloat64(r.reloads.timestamp); got != 1.7e9 {
		t.Errorf("the timestamp moved to %v with a failure", got)
	}
}

func TestMetricsLint(t *testing.T) {
	r, _ := full(t)
	defer closed(t, r)
	problems, err := testutil.GatherAndLint(r.Registry())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "gatehouse_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func series(t *testing.T, r *Recorder) int {
	t.Helper()
	n, err := testutil.GatherAndCount(r.Registry())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestStrangersAddNoSeries sends what strangers can choose, and only that, at random.
func TestStrangersAddNoSeries(t *testing.T) {
	out := &sink{}
	r := New(Settings{Access: out})
	defer closed(t, r)
	s := r.Series("app", "web")
	r.Pools([]string{"web"})
	r.Quotas([]string{"per-client"})
	e := usual()
	for o := range outcomes {
		for _, code := range append(codes[:], 999) {
			e.Outcome, e.Status = o, code
			r.Exchange(s, &e)
			r.Exchange(nil, &e)
		}
	}
	before := series(t, r)
	rnd := rand.New(rand.NewPCG(1, 2))
	random := func() string {
		b := make([]byte, rnd.IntN(40))
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return string(b)
	}
	for range 100_000 {
		e := Entry{
			Arrived: time.Now(), Method: random(), Host: random(), Target: "/" + random(), RequestID: random(), UserAgent: random(),
			Reason: random(), Backend: random(), Scheme: random(), Proto: random(), Err: random(),
			Guard: random(), Observed: shed.State(rnd.Uint32()),
			Class: shed.Class(rnd.Uint32()), Classed: true,
			Outcome: Outcome(rnd.Uint32()), Status: rnd.IntN(1200) - 100, State: shed.State(rnd.Uint32()), Cause: shed.Cause(rnd.Uint32()),
			At: Stages{Claimed: 1, Head: time.Duration(rnd.Uint32()), Done: time.Duration(rnd.Uint32())},
		}
		if rnd.IntN(2) == 0 {
			r.Exchange(s, &e)
		} else {
			r.Exchange(nil, &e)
		}
		r.SignIn(SignIn(rnd.Uint32()))
		r.Guard(Guard(rnd.Uint32()))
		r.Shed("web", shed.Class(rnd.Uint32()), shed.Reason(random()))
		r.Retry("web", RetryResult(rnd.Uint32()))
		r.Quota("per-client", QuotaResult(rnd.Uint32()))
		r.Shed(random(), shed.Member, "displaced")
		r.IsolationTax(random())
		if rnd.IntN(100) == 0 {
			r.Override(OverrideEvent{Store: random(), At: time.Now(), By: random(), Why: random(), Ended: rnd.IntN(2) == 0})
		}
	}
	if after := series(t, r); after != before {
		t.Errorf("%d series became %d", before, after)
	}
	for _, route := range r.Recent().Routes {
		if len(route.Tallies) > maxTallies {
			t.Errorf("route %s remembers %d reasons", route.Name, len(route.Tallies))
		}
	}
}

func TestSeriesSurviveAndAreForgotten(t *testing.T) {
	r := New(Settings{})
	e := usual()
	old, kept := r.Series("old", "gone"), r.Series("app", "web")
	beside := r.Series("app", "gone")
	for _, s := range []*Series{old, kept, beside} {
		r.Exchange(s, &e)
	}
	r.Keep([]string{"old", "app"})
	if r.Series("app", "web") != kept {
		t.Error("asked for again, the Series is another one")
	}
	if r.Series("old", "gone") != old {
		t.Error("a plan that is discarded asks for a Series, and it is another one")
	}
	r.Keep([]string{"app"})
	r.Exchange(kept, &e)
	for range 3 { // those still in flight when the reload came
		e.Status++
		r.Exchange(old, &e)
		r.Exchange(beside, &e)
	}
	if err := testutil.GatherAndCompare(r.Registry(), strings.NewReader(`
		# HELP gatehouse_requests_total Requests by what became of them.
		# TYPE gatehouse_requests_total counter
		gatehouse_requests_total{code="200",outcome="proxied",pool="web",route="app"} 2
	`), "gatehouse_requests_total"); err != nil {
		t.Error(err)
	}
	for name, n := range map[string]int{"gatehouse_upstream_duration_seconds": 1, "gatehouse_request_duration_seconds": 1} {
		if got, err := testutil.GatherAndCount(r.Registry(), name); err != nil || got != n {
			t.Errorf("%d series of %s, want %d (%v)", got, name, n, err)
		}
	}
	if again := r.Series("old", "gone"); again == old {
		t.Error("a forgotten Series came back")
	}
	r.Exchange(nil, &e)
}

func TestPoolSharedByAForgottenSeriesStays(t *testing.T) {
	r := New(Settings{})
	e := usual()
	old, kept := r.Series("old", "web"), r.Series("app", "web")
	r.Keep([]string{"app"})
	r.Exchange(old, &e)
	r.Exchange(kept, &e)
	if got, err := testutil.GatherAndCount(r.Registry(), "gatehouse_upstream_duration_seconds"); err != nil || got != 1 {
		t.Errorf("%d series of the pool (%v)", got, err)
	}
}

func TestAccessLogWritesWholeLinesAndFlushesOnClose(t *testing.T) {
	out := &sink{}
	r := New(Settings{Access: out})
	s := r.Series("app", "web")
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				e := usual()
				e.RequestID = fmt.Sprintf("%d-%d", g, i)
				r.Exchange(s, &e)
			}
		})
	}
	wg.Wait()
	closed(t, r)
	closed(t, r)
	seen := map[string]bool{}
	for _, line := range out.lines() {
		seen[decoded(t, line)["id"].(string)] = true
	}
	if len(seen) != 800 {
		t.Errorf("%d lines, want 800", len(seen))
	}
	e := usual()
	r.Exchange(s, &e)
	if n := len(out.lines()); n != 800 {
		t.Errorf("a line after Close: %d", n)
	}
}

// stuck is a writer that does not come back until it is released.
type stuck struct {
	entered chan struct{}
	release chan struct{}
	once    sync.Once
}

func (s *stuck) Write(p []byte) (int, error) {
	s.once.Do(func() { close(s.entered) })
	<-s.release
	return len(p), nil
}

func TestStuckWriterStallsNobody(t *testing.T) {
	w := &stuck{entered: make(chan struct{}), release: make(chan struct{})}
	r := New(Settings{Access: w})
	e := usual()
	r.Exchange(nil, &e)
	<-w.entered
	for range 2 * sinkBuffer / 400 {
		r.Exchange(nil, &e)
	}
	if r.access.Dropped() == 0 {
		t.Error("nothing was dropped though nobody wrote")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close of a stuck log: %v", err)
	}
	close(w.release)
	closed(t, r)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestFailedWritesAreCounted(t *testing.T) {
	r := New(Settings{Access: broken{}})
	e := usual()
	for range 10 {
		r.Exchange(nil, &e)
	}
	closed(t, r)
	if n := r.access.Dropped(); n != 10 {
		t.Errorf("%d lines counted as lost, want 10", n)
	}
}

// TestExchangeAllocates bounds what an exchange costs once its counters exist. What may be left is a key of the native
// histograms, in the library.
func TestExchangeAllocates(t *testing.T) {
	r := New(Settings{Access: io.Discard})
	defer closed(t, r)
	s, e := r.Series("app", "web"), usual()
	r.Exchange(s, &e)
	if n := testing.AllocsPerRun(2000, func() { r.Exchange(s, &e) }); n > 1 {
		t.Errorf("%v allocations an exchange, want at most 1", n)
	}
}

func BenchmarkExchange(b *testing.B) {
	r := New(Settings{Access: io.Discard})
	defer r.Close(context.Background())
	s, e := r.Series("app", "web"), usual()
	b.ReportAllocs()
	for b.Loop() {
		r.Exchange(s, &e)
	}
}

func TestSampleWithOddNamesDoesNotBreakAScrape(t *testing.T) {
	r := New(Settings{Version: "\xff"})
	r.Watch(func() Sample { return Sample{Pools: []PoolSample{{Name: "\xff\x00"}}} })
	if n, err := testutil.GatherAndCount(r.Registry(), "gatehouse_pool_in_flight"); err != nil || n != 1 {
		t.Errorf("%d series, %v", n, err)
	}
	r.Watch(nil)
	if n, err := testutil.GatherAndCount(r.Registry(), "gatehouse_pool_in_flight"); err != nil || n != 0 {
		t.Errorf("%d series after Watch(nil), %v", n, err)
	}
}

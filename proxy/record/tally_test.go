package record

import (
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"gatehouse/shed"
)

// TestTalliesAreThereFromTheStart wants every word at 0 before anything happened, and each counted under its own.
func TestTalliesAreThereFromTheStart(t *testing.T) {
	r := New(Settings{})
	none := `
		# HELP gatehouse_session_guard_total What the session guard did with answers and requests.
		# TYPE gatehouse_session_guard_total counter
		gatehouse_session_guard_total{action="change_held"} 0
		gatehouse_session_guard_total{action="converted"} 0
		gatehouse_session_guard_total{action="deletion_held"} 0
		gatehouse_session_guard_total{action="passed"} 0
		gatehouse_session_guard_total{action="refused"} 0
		gatehouse_session_guard_total{action="second_opinion"} 0
		gatehouse_session_guard_total{action="signed_out"} 0
		# HELP gatehouse_sign_ins_total Attempts to sign in by what became of them.
		# TYPE gatehouse_sign_ins_total counter
		gatehouse_sign_ins_total{result="error"} 0
		gatehouse_sign_ins_total{result="refused"} 0
		gatehouse_sign_ins_total{result="shed"} 0
		gatehouse_sign_ins_total{result="success"} 0
		gatehouse_sign_ins_total{result="unconfirmed"} 0
	`
	check := func(want string) {
		t.Helper()
		if err := testutil.GatherAndCompare(r.Registry(), strings.NewReader(want), "gatehouse_sign_ins_total", "gatehouse_session_guard_total"); err != nil {
			t.Error(err)
		}
	}
	check(none)
	for result, n := range map[SignIn]int{SignInSuccess: 1, SignInUnconfirmed: 2, SignInRefused: 3, SignInShed: 4, SignInError: 5, 200: 6} {
		for range n {
			r.SignIn(result)
		}
	}
	for action, n := range map[Guard]int{GuardDeletionHeld: 1, GuardChangeHeld: 2, GuardConverted: 3, GuardSignedOut: 4, GuardRefused: 5, GuardPassed: 6, GuardSecondOpinion: 7, guards: 7} {
		for range n {
			r.Guard(action)
		}
	}
	check(strings.NewReplacer(
		`"success"} 0`, `"success"} 1`, `"unconfirmed"} 0`, `"unconfirmed"} 2`, `result="refused"} 0`, `result="refused"} 3`, `"shed"} 0`, `"shed"} 4`,
		`"error"} 0`, `"error"} 11`, `"deletion_held"} 0`, `"deletion_held"} 1`, `"change_held"} 0`, `"change_held"} 2`, `"converted"} 0`, `"converted"} 3`,
		`"signed_out"} 0`, `"signed_out"} 4`, `action="refused"} 0`, `action="refused"} 5`, `"passed"} 0`, `"passed"} 13`,
		`"second_opinion"} 0`, `"second_opinion"} 7`,
	).Replace(none))
	if SignIn(200).String() != "error" || Guard(200).String() != "passed" {
		t.Errorf("out of range: %s, %s", SignIn(200), Guard(200))
	}
}

func TestTalliesAllocateNothing(t *testing.T) {
	r := New(Settings{})
	if n := testing.AllocsPerRun(1000, func() { r.SignIn(SignInSuccess); r.Guard(GuardDeletionHeld) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// TestMetricNames holds the names to the surface: dashboards and alerts are written against them.
func TestMetricNames(t *testing.T) {
	r, _ := full(t)
	defer closed(t, r)
	families, err := r.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "gatehouse_") {
			continue
		}
		var labels []string
		for _, pair := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, pair.GetName())
		}
		got[f.GetName()] = strings.Join(labels, ",")
	}
	want := map[string]string{
		"gatehouse_requests_total": "code,outcome,pool,route", "gatehouse_request_duration_seconds": "pool,route", "gatehouse_upstream_duration_seconds": "pool",
		"gatehouse_pool_in_flight": "pool", "gatehouse_pool_limit": "pool", "gatehouse_pool_queue": "pool", "gatehouse_backend_up": "backend,pool",
		"gatehouse_store_state": "state,store", "gatehouse_store_observed_state": "state,store", "gatehouse_store_transitions_total": "cause,from,store,to",
		"gatehouse_store_probe_duration_seconds": "store", "gatehouse_store_headroom_ratio": "resource,store",
		"gatehouse_store_tls_cert_not_after_seconds": "store", "gatehouse_override_expires_seconds": "",
		"gatehouse_sign_ins_total": "result", "gatehouse_session_guard_total": "action",
		"gatehouse_config_reload_success": "", "gatehouse_config_reload_timestamp_seconds": "",
		"gatehouse_tunnels": "pool", "gatehouse_store_lag_seconds": "of,store", "gatehouse_tls_cert_not_after_seconds": "name",
		"gatehouse_pool_overloaded": "pool", "gatehouse_pool_class_in_flight": "class,pool", "gatehouse_pool_class_queue": "class,pool",
		"gatehouse_backend_ejected": "backend,pool", "gatehouse_shed_total": "class,pool,reason", "gatehouse_isolation_tax_total": "pool",
		"gatehouse_retries_total": "pool,result", "gatehouse_quota_total": "quota,result",
		"gatehouse_line_rate": "store", "gatehouse_line_waiting": "store", "gatehouse_line_admitted_total": "store",
		"gatehouse_quota_store_up": "", "gatehouse_quota_stand_ins_total": "",
		"gatehouse_build_info": "go,version", "gatehouse_access_log_dropped_total": "",
	}
	if !maps.Equal(got, want) {
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if l, there := got[name]; !there || l != want[name] {
				t.Errorf("%s has labels %q (there: %v), want %q", name, l, there, want[name])
			}
			delete(got, name)
		}
		if len(got) > 0 {
			t.Errorf("nobody promised %v", got)
		}
	}
}

func TestStoreSamples(t *testing.T) {
	r := New(Settings{})
	until := time.Unix(1_800_000_000, 0)
	st := StoreSample{Name: "store", State: shed.Writable, Observed: shed.Writable}
	s := Sample{}
	r.Watch(func() Sample { return s })
	count := func(name string, want int) {
		t.Helper()
		if got, err := testutil.GatherAndCount(r.Registry(), name); err != nil || got != want {
			t.Errorf("%d series of %s, want %d (%v)", got, name, want, err)
		}
	}
	says := func(want string) {
		t.Helper()
		if err := testutil.GatherAndCompare(r.Registry(), strings.NewReader(want+"\n"), strings.Fields(want)[2]); err != nil {
			t.Error(err)
		}
	}
	const override = "# HELP gatehouse_override_expires_seconds When the state that a person set ends, in Unix time; 0 for none.\n" +
		"# TYPE gatehouse_override_expires_seconds gauge\ngatehouse_override_expires_seconds "
	count("gatehouse_override_expires_seconds", 0)
	s.Stores = []StoreSample{st}
	says(override + "0")
	count("gatehouse_store_headroom_ratio", 0)
	count("gatehouse_store_tls_cert_not_after_seconds", 0)

	st.CertNotAfter = until
	st.Headroom = []HeadroomSample{{"memory", 1.5}, {"clients", -3}, {"latency", 0.25}, {"evictions", math.NaN()}}
	s = Sample{Stores: []StoreSample{st}, OverrideUntil: until.Add(500 * time.Millisecond)}
	says(override + "1.8000000005e+09")
	says("# HELP gatehouse_store_headroom_ratio How much of a resource is free: 1 for all of it, 0 at the limit.\n# TYPE gatehouse_store_headroom_ratio gauge\n" +
		`gatehouse_store_headroom_ratio{resource="clients",store="store"} 0` + "\n" + `gatehouse_store_headroom_ratio{resource="latency",store="store"} 0.25` + "\n" +
		`gatehouse_store_headroom_ratio{resource="memory",store="store"} 1`)
	says("# HELP gatehouse_store_tls_cert_not_after_seconds When the certificate that the store shows ends, in Unix time.\n" +
		"# TYPE gatehouse_store_tls_cert_not_after_seconds gauge\n" + `gatehouse_store_tls_cert_not_after_seconds{store="store"} 1.8e+09`)
}

func TestOverrideEvents(t *testing.T) {
	out := &sink{}
	r := New(Settings{Events: NewEvents(out, slog.LevelInfo)})
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("x", 3600))
	until := at.Add(10 * time.Minute)
	r.Override(OverrideEvent{Store: "store", At: at, State: shed.ReadOnly, By: "anna\x1b[31m\nroot" + strings.Repeat("x", 600), Until: until})
	r.StoreTransition(Transition{
		Store: "store", At: at, From: shed.Writable, To: shed.ReadOnly, Was: shed.OK, Cause: shed.CauseOverride, Lasted: time.Minute,
		Observed: shed.Writable, By: "anna", Until: until,
	})
	r.Override(OverrideEvent{Store: "store", At: until, State: shed.ReadOnly, By: "anna", Until: until, Ended: true, Why: "expired"})
	r.Override(OverrideEvent{Store: "store", At: at, State: shed.Down, Ended: true})
	want := []map[string]any{
		{"level": "WARN", "msg": "override set", "store": "store", "state": "read-only", "until": "2026-03-04T04:16:07Z", "why": nil},
		{"level": "WARN", "msg": "store state changed", "to": "read-only", "cause": "override", "observed": "writable", "by": "anna", "until": "2026-03-04T04:16:07Z"},
		{"level": "INFO", "msg": "override ended", "state": "read-only", "by": "anna", "until": "2026-03-04T04:16:07Z", "why": "expired"},
		{"level": "INFO", "msg": "override ended", "state": "down", "by": nil, "until": nil, "why": nil},
	}
	for i, line := range out.lines() {
		if !harmlessBytes(append(line, '\n')) {
			t.Errorf("a line that acts: %q", line)
		}
		m := decoded(t, line)
		for k, v := range want[i] {
			if m[k] != v {
				t.Errorf("line %d: %s is %v, want %v", i, k, m[k], v)
			}
		}
	}
	rows := r.Events()
	if len(rows) != 4 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, want := range []string{
		"store: no longer set to down",
		"store: no longer set to read-only by anna: expired",
		"store: read-only (override by anna until 04:16:07 UTC), after 1m0s writable, observed writable",
		"store: set to read-only by anna\uFFFD[31m root",
	} {
		if !strings.HasPrefix(rows[i].Text, want) || rows[i].Kind != "store" || rows[i].Bad != (i >= 2) {
			t.Errorf("row %d: %+v, want %s", i, rows[i], want)
		}
	}
	if text := rows[3].Text; !strings.HasSuffix(text, "… until 04:16:07 UTC") {
		t.Errorf("a long name hides the end: %s", text)
	}
}

// TestObservedIsToldWhereItDiffers: the zero value is what nobody said, but for a person's override of what nobody knows.
func TestObservedIsToldWhereItDiffers(t *testing.T) {
	for _, c := range []struct {
		state, observed shed.State
		cause           shed.Cause
		want            bool
	}{
		{shed.Writable, shed.Writable, shed.OK, false},
		{shed.Writable, shed.Unknown, shed.OK, false},
		{shed.ReadOnly, shed.Writable, shed.CauseFlapping, true},
		{shed.Writable, shed.Down, shed.CauseOverride, true},
		{shed.Writable, shed.Unknown, shed.CauseOverride, true},
		{shed.Unknown, shed.Unknown, shed.CauseOverride, false},
		{shed.Unknown, shed.Down, shed.CauseOverride, true},
	} {
		e := usual()
		e.State, e.Observed, e.Cause = c.state, c.observed, c.cause
		m := decoded(t, appendLine(nil, testSeries("app", "web"), &e))
		if word, told := m["observed"]; told != c.want || told && word != c.observed.String() {
			t.Errorf("%v, observed %v, %v: told %v", c.state, c.observed, c.cause, word)
		}
	}
}

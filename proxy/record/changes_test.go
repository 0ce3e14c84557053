package record

import (
	"log/slog"
	"math"
	"testing"
	"time"

	"gatehouse/shed"
)

func TestChangesOfSheddingAreTold(t *testing.T) {
	out := &sink{}
	r := New(Settings{Events: NewEvents(out, slog.LevelInfo)})
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("x", 3600))
	r.BackendEjected(at, "app", "http://10.0.1.12:8080", at.Add(10*time.Second), "EOF\n\x1b[31m")
	r.BackendReturned(at, "app", "http://10.0.1.12:8080", "time_is_over")
	r.QuotaStoreChange(at, false, "dial tcp: refused")
	r.QuotaStoreChange(at, true, "")
	r.RampCut(at, "store", 21.25)
	want := []struct {
		fields map[string]any
		row    Event
	}{
		{
			map[string]any{"level": "WARN", "msg": "backend ejected", "pool": "app", "backend": "http://10.0.1.12:8080", "until": "2026-03-04T04:06:17Z", "err": "EOF \uFFFD[31m"},
			Event{at, "backend", true, "app: http://10.0.1.12:8080 is ejected until 04:06:17 UTC: EOF \uFFFD[31m"},
		},
		{
			map[string]any{"level": "INFO", "msg": "backend returned", "pool": "app", "backend": "http://10.0.1.12:8080", "reason": "time_is_over", "err": nil},
			Event{at, "backend", false, "app: http://10.0.1.12:8080 is no longer ejected (time_is_over)"},
		},
		{
			map[string]any{"level": "WARN", "msg": "quota store changed", "up": false, "err": "dial tcp: refused"},
			Event{at, "quota_store", true, "the quota store is away: this Gatehouse counts quotas by itself: dial tcp: refused"},
		},
		{
			map[string]any{"level": "INFO", "msg": "quota store changed", "up": true, "err": nil},
			Event{at, "quota_store", false, "the quota store is back: quotas are shared again"},
		},
		{
			map[string]any{"level": "WARN", "msg": "ramp cut", "store": "store", "rate": 21.25},
			Event{at, "line", true, "store: the ramp was cut to 21.2 sign-ins a second, since they fail, became slow or found no room"},
		},
	}
	lines, rows := out.lines(), r.Events()
	if len(lines) != len(want) || len(rows) != len(want) {
		t.Fatalf("%d lines and %d rows, want %d of each", len(lines), len(rows), len(want))
	}
	for i, w := range want {
		if !harmlessBytes(append(lines[i], '\n')) {
			t.Errorf("a line that acts: %q", lines[i])
		}
		m := decoded(t, lines[i])
		for k, v := range w.fields {
			if m[k] != v {
				t.Errorf("line %d: %s is %v, want %v", i, k, m[k], v)
			}
		}
		if row := rows[len(rows)-1-i]; row != w.row {
			t.Errorf("row %+v, want %+v", row, w.row)
		}
	}
}

// TestLineAndQuotaStoreAreLeftOut where there are none, and a line at rest lets everybody in.
func TestLineAndQuotaStoreAreLeftOut(t *testing.T) {
	r := New(Settings{})
	var s Sample
	r.Watch(func() Sample { return s })
	names := []string{"gatehouse_line_rate", "gatehouse_line_waiting", "gatehouse_line_admitted_total", "gatehouse_quota_store_up", "gatehouse_quota_stand_ins_total"}
	for _, name := range names {
		wantRows(t, r, name)
	}
	s = Sample{Lines: []LineSample{{Store: "store", Rate: math.Inf(1)}}, QuotaStore: &QuotaStoreSample{Up: true}}
	wantRows(t, r, "gatehouse_line_rate", `gatehouse_line_rate{store="store"} +Inf`)
	wantRows(t, r, "gatehouse_line_waiting", `gatehouse_line_waiting{store="store"} 0`)
	wantRows(t, r, "gatehouse_line_admitted_total", `gatehouse_line_admitted_total{store="store"} 0`)
	wantRows(t, r, "gatehouse_quota_store_up", `gatehouse_quota_store_up 1`)
	wantRows(t, r, "gatehouse_quota_stand_ins_total", `gatehouse_quota_stand_ins_total 0`)
}

func TestClassIsInTheLine(t *testing.T) {
	e := usual()
	if m := decoded(t, appendLine(nil, testSeries("app", "web"), &e)); m["class"] != nil {
		t.Errorf("a request that was put into no class has %v", m["class"])
	}
	e.Classed = true
	for _, class := range append(shed.Classes[:], 200) {
		e.Class = class
		if m := decoded(t, appendLine(nil, testSeries("app", "web"), &e)); m["class"] != class.String() {
			t.Errorf("class %v became %v", class, m["class"])
		}
	}
}

package record

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

func TestRecentIsTheLastMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Settings{})
		s := r.Series("app", "web")
		send := func(n int, o Outcome, reason string, took time.Duration) {
			for range n {
				e := Entry{Arrived: time.Now(), Outcome: o, Reason: reason, Status: 200}
				if took > 0 {
					e.At = Stages{Claimed: 1, Head: took + 1, Done: took + 1}
				}
				r.Exchange(s, &e)
			}
		}
		for range 20 {
			send(99, Proxied, "", 10*time.Millisecond)
			send(1, Proxied, "", 800*time.Millisecond)
			send(10, Degraded, "read_only", 0)
			time.Sleep(time.Second)
		}
		got := r.Recent()
		pool, route := got.Pools[1], got.Routes[0]
		if pool.Name != "web" || route.Name != "app" {
			t.Fatalf("pools %v, routes %v", got.Pools, got.Routes)
		}
		if pool.Asked != 2000 || pool.Failed != 0 || pool.PerSecond < 99 || pool.PerSecond > 101 {
			t.Errorf("asked %d, failed %d, %v a second", pool.Asked, pool.Failed, pool.PerSecond)
		}
		if pool.P50 < 8*time.Millisecond || pool.P50 > 12*time.Millisecond || pool.P99 > 900*time.Millisecond {
			t.Errorf("P50 %v, P99 %v", pool.P50, pool.P99)
		}
		if n := pool.Rates[Span-2]; n != 100 {
			t.Errorf("the last full second had %d, want 100", n)
		}
		if route.Total != 2200 || len(route.Tallies) != 2 {
			t.Fatalf("route: %+v", route)
		}
		if d := route.Tallies[1]; d.Outcome != Degraded || d.Reason != "read_only" || d.Count != 200 || d.PerSecond != 10 {
			t.Errorf("degraded: %+v", d)
		}
		time.Sleep(30 * time.Second)
		if got := r.Recent().Routes[0]; got.Total != 2200 || got.PerSecond != 0 {
			t.Errorf("half a minute later: %+v", got)
		}
		time.Sleep(31 * time.Second)
		if got := r.Recent(); got.Routes[0].Total != 0 || got.Pools[1].Asked != 0 || got.Pools[1].P99 != 0 {
			t.Errorf("a minute later: %+v", got)
		}
	})
}

func TestFailuresOfBackends(t *testing.T) {
	r := New(Settings{})
	s := r.Series("app", "web")
	for _, e := range []Entry{
		{Outcome: Proxied, Status: 500, At: Stages{Claimed: 1, Head: 2, Done: 3}},
		{Outcome: Converted, Status: 429, At: Stages{Claimed: 1, Head: 2, Done: 3}},
		{Outcome: Error, Status: 502, At: Stages{Claimed: 1, Done: 3}},
		{Outcome: Proxied, Status: 404, At: Stages{Claimed: 1, Head: 2, Done: 3}},
		{Outcome: Degraded, Status: 503, At: Stages{Decided: 1, Done: 3}},
	} {
		e.Arrived = time.Now()
		r.Exchange(s, &e)
	}
	if p := r.Recent().Pools[1]; p.Asked != 4 || p.Failed != 3 {
		t.Errorf("asked %d, failed %d; want 4 and 3", p.Asked, p.Failed)
	}
}

func TestLatencySlots(t *testing.T) {
	for slot := range latencySlots - 1 {
		from, to := latencyBorder(slot), latencyBorder(slot+1)
		if from >= to {
			t.Fatalf("bucket %d reaches from %v to %v", slot, from, to)
		}
		if latencySlot(from) != slot || latencySlot(to-time.Microsecond) != slot {
			t.Errorf("bucket %d: its own borders %v, %v fall into %d, %d", slot, from, to, latencySlot(from), latencySlot(to-time.Microsecond))
		}
	}
	if latencySlot(-1) != 0 || latencySlot(time.Hour*10000) != latencySlots-1 {
		t.Error("out of range")
	}
	if top := latencyBorder(latencySlots - 1); top < 100*time.Second {
		t.Errorf("the last bucket begins at %v", top)
	}
}

func TestReasonsAreBounded(t *testing.T) {
	var w routeWindow
	for i := range 1000 {
		w.add(1, Outcome(i%int(outcomes)), strings.Repeat("x", i))
	}
	if n := len(*w.cells.Load()); n > maxTallies {
		t.Errorf("%d pairs remembered", n)
	}
}

func TestStoreEvents(t *testing.T) {
	out := &sink{}
	r := New(Settings{Events: NewEvents(out, slog.LevelInfo)})
	at := time.Now()
	r.StoreTransition(Transition{
		Store: "store", At: at, From: shed.Writable, To: shed.ReadOnly, Was: shed.OK, Cause: shed.CauseReadOnly,
		Lasted: 90 * time.Second, Err: "READONLY You can't\x1b[31m write\u2028x",
	})
	r.BackendChange(at, "login", "http://10.0.0.11:8080", false, "connection refused")
	for range 60 {
		r.Reload(true, at)
	}
	lines := out.lines()
	for _, line := range lines {
		if !harmlessBytes(append(line, '\n')) {
			t.Errorf("a line that acts: %q", line)
		}
	}
	m := decoded(t, lines[0])
	for k, want := range map[string]any{
		"level": "WARN", "msg": "store state changed", "store": "store", "from": "writable", "to": "read-only", "cause": "read_only",
		"was": "ok", "lasted_seconds": 90.0, "err": "READONLY You can't\uFFFD[31m write\uFFFDx",
	} {
		if m[k] != want {
			t.Errorf("%s is %v, want %v", k, m[k], want)
		}
	}
	if m := decoded(t, lines[1]); m["up"] != false || m["err"] != "connection refused" {
		t.Errorf("backend: %v", m)
	}
	if n := len(r.Events()); n != maxEvents {
		t.Errorf("%d events kept, want %d", n, maxEvents)
	}
}

func TestEventsComeLatestFirst(t *testing.T) {
	r := New(Settings{})
	at := time.Now()
	r.StoreTransition(Transition{Store: "store", At: at, To: shed.Writable, Cause: shed.OK})
	r.Reload(false, at.Add(time.Second))
	got := r.Events()
	if len(got) != 2 || got[0].Kind != "config" || !got[0].Bad || got[1].Text != "store: writable (ok)" || got[1].Bad {
		t.Errorf("events: %+v", got)
	}
}

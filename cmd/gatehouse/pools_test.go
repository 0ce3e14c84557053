package main

import (
	"strings"
	"testing"
	"time"

	"gatehouse/proxy/admin"
)

// printed is what is said of a pool with these backends.
func printed(p admin.Pool, now time.Time) string {
	var out strings.Builder
	p.Name = "app"
	printPool(&out, p, now)
	return out.String()
}

func TestStatusSaysHowBackendsStand(t *testing.T) {
	now := time.Now()
	until := clock(now.Add(time.Minute), now)
	well := admin.Backend{URL: "http://a", Up: true, Checked: true}
	down := admin.Backend{URL: "http://b", Checked: true, Error: "connection refused"}
	ejected := admin.Backend{URL: "http://c", Up: true, Checked: true, Ejected: true, EjectedUntil: now.Add(time.Minute)}
	why := ejected
	why.Error = "EOF"
	blind := admin.Backend{URL: "http://d", Up: true}
	out := blind
	out.Ejected, out.EjectedUntil = true, now.Add(time.Minute)
	both := down
	both.Ejected, both.EjectedUntil = true, now.Add(time.Minute)
	const all = "\tno backend is in use, so requests still go to all of them\n"
	for _, c := range []struct {
		backends []admin.Backend
		count    string
		lines    string
	}{
		{[]admin.Backend{well, well}, "2 of 2 backends up", ""},
		{[]admin.Backend{blind}, "1 backend, not checked", ""},
		{[]admin.Backend{well, down}, "1 of 2 backends up", "\thttp://b is down: connection refused\n"},
		{[]admin.Backend{well, ejected}, "1 of 2 backends in use", "\thttp://c is ejected until " + until + "\n"},
		{[]admin.Backend{blind, out}, "1 of 2 backends in use", "\thttp://d is ejected until " + until + "\n"},
		{[]admin.Backend{well, why, down}, "1 of 3 backends in use", "\thttp://c is ejected until " + until + ": EOF\n\thttp://b is down: connection refused\n"},
		{[]admin.Backend{well, both}, "1 of 2 backends up", "\thttp://b is down: connection refused\n"},
		{[]admin.Backend{down}, "0 of 1 backend up", "\thttp://b is down: connection refused\n" + all},
		{[]admin.Backend{down, ejected}, "0 of 2 backends in use", "\thttp://b is down: connection refused\n\thttp://c is ejected until " + until + "\n" + all},
	} {
		first, rest, _ := strings.Cut(printed(admin.Pool{Backends: c.backends}, now), "\n")
		if !strings.Contains(first, ", "+c.count+", ") || rest != c.lines {
			t.Errorf("want %q and %q, got\n%s\n%s", c.count, c.lines, first, rest)
		}
	}
}

func TestStatusNamesNoLatencyThatWasNotMeasured(t *testing.T) {
	if got := printed(admin.Pool{}, time.Now()); !strings.HasSuffix(got, "0 of 0 failed, p50 –, p99 –\n") {
		t.Errorf("an idle pool: %s", got)
	}
	if got := printed(admin.Pool{Latency: admin.Latency{P50: 0.3, P99: 12}}, time.Now()); !strings.HasSuffix(got, ", p50 0.3 ms, p99 12.0 ms\n") {
		t.Errorf("a busy pool: %s", got)
	}
}

func TestStatusSaysThatTheLineDrains(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		line   admin.Line
		drains bool
	}{
		{admin.Line{Waiting: 3}, false}, // the store is closed
		{admin.Line{Rate: 20, Waiting: 3, Ends: now.Add(time.Second)}, false},
		{admin.Line{Rate: 20, Waiting: 3, Ends: now}, true},
		{admin.Line{Rate: 20, Waiting: 3, Halved: 1, Ends: now.Add(-time.Hour)}, true},
	} {
		var out strings.Builder
		printLine(&out, c.line, now)
		if got := strings.Contains(out.String(), "the ramp's time is over, and the line holds people until it has drained\n"); got != c.drains {
			t.Errorf("%+v: %s", c.line, out.String())
		}
	}
}

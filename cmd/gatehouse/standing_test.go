package main

import (
	"strings"
	"testing"
	"time"

	"gatehouse/proxy/admin"
)

func TestStatusSaysHowTheStoreStands(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	at := func(d time.Duration) string { return now.Add(d).Local().Format("15:04:05 MST") }
	for _, c := range []struct {
		name       string
		store      admin.Store
		says, hush []string
	}{
		{
			"well", admin.Store{State: "writable", Observed: "writable", Cause: "ok", CertNotAfter: now.Add(31 * 24 * time.Hour), Headroom: []admin.Headroom{{Resource: "memory", Ratio: 0.4}}},
			[]string{"writable (ok) for 3m0s"}, []string{"override", "themselves", "held", "reads succeed", "strained", "certificate"},
		},
		{
			"set by hand", admin.Store{
				State: "down", Observed: "writable", Cause: "override", ObservedCause: "ok",
				Override: &admin.OverrideState{State: "down", By: "Ada", SetAt: now, Until: now.Add(time.Second)},
			},
			[]string{"override: down is in force until", "(for 1s), set by Ada, at", "the checks themselves say writable (ok)"}, nil,
		},
		{
			"set to what it is", admin.Store{
				State: "down", Observed: "down", Cause: "override", ObservedCause: "refused",
				Override: &admin.OverrideState{State: "down", By: "Ada", SetAt: now, Until: now.Add(time.Second)},
			},
			[]string{"the checks themselves say down (refused)"}, nil,
		},
		{
			"held", admin.Store{State: "read-only", Observed: "writable", Cause: "flapping", HeldUntil: now.Add(time.Second)},
			[]string{"held until", "sign-ins are let in again then", "the checks themselves say writable\n"}, []string{"override"},
		},
		{"on trial", admin.Store{State: "unknown", Observed: "unknown", Cause: "refused", Trial: true}, []string{"reads succeed that the checks say must fail"}, nil},
		{
			"strained", admin.Store{State: "strained", Observed: "strained", Headroom: []admin.Headroom{{Resource: "memory", Ratio: 0.089, Strains: true}, {Resource: "clients", Ratio: 0.5}, {Resource: "evictions", Ratio: -1, Strains: true}}},
			[]string{"strained by memory: 8 % left", "strained by evictions: 0 % left"}, []string{"clients"},
		},
		{"certificate", admin.Store{CertNotAfter: now.Add(12*24*time.Hour + time.Hour)}, []string{"its certificate ends in 12 days, at "}, nil},
		{"certificate today", admin.Store{CertNotAfter: now.Add(90 * time.Minute)}, []string{"its certificate ends in 1 hour, at "}, nil},
		{"certificate over", admin.Store{CertNotAfter: now.Add(-time.Minute)}, []string{"its certificate ended at "}, nil},
	} {
		c.store.Name, c.store.ForSeconds = "store", 180
		out, err := say(statusCommand(), "--admin", listen(t, &source{status: admin.Status{Now: now, Stores: []admin.Store{c.store}}}, "tcp"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.says {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", c.name, want, out)
			}
		}
		for _, hush := range c.hush {
			if strings.Contains(out, hush) {
				t.Errorf("%s: %q in\n%s", c.name, hush, out)
			}
		}
	}
	if got := clock(now.Add(time.Second), now); got != at(time.Second) && !strings.HasSuffix(got, " "+at(time.Second)) {
		t.Errorf("clock: %q", got)
	}
	if got := clock(now.Add(48*time.Hour), now); !strings.HasPrefix(got, now.Add(48*time.Hour).Local().Format("2006-01-02 ")) {
		t.Errorf("the day after tomorrow: %q", got)
	}
}

package admin

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

// TestPageSaysWhatAPersonSet: the override stands first, and the checks are heard beside it.
func TestPageSaysWhatAPersonSet(t *testing.T) {
	f := &fake{status: incident("writable", "ok")}
	h := NewHandler(settings(f))
	if html := ask(h, "GET", "/").Body.String(); strings.Contains(html, "End the override") || !strings.Contains(html, `action="/store/override"`) {
		t.Error("without an override there is something to end, or no form to set one")
	}
	send(h, "state=read-only&for=10m&by=Ada+%3Cops%3E")
	html := ask(h, "GET", "/").Body.String()
	now := f.status.Now.UTC()
	for _, want := range []string{
		"<title>Read-only, set by hand · Gatehouse</title>", "Set by hand: Read-only, until", now.Add(10*time.Minute).Format("15:04:05") + "</time>",
		"By Ada &lt;ops&gt;, at", "The checks themselves say: <strong>Writable</strong>", "A person set this state.",
		`name="state" value="off"`, "set by hand by Ada &lt;ops&gt;",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Index(html, "Set by hand:") > strings.Index(html, "<h2>Read-only") {
		t.Error("the override does not stand first")
	}
}

func TestPageSaysHowTheStoreStands(t *testing.T) {
	s := incident("read-only", "flapping")
	st := &s.Stores[0]
	page := func(want bool, texts ...string) {
		t.Helper()
		html := rendered(t, s)
		for _, text := range texts {
			if strings.Contains(html, text) != want {
				t.Errorf("%q is there: %v, want %v", text, !want, want)
			}
		}
	}
	page(false, "Held until", "themselves say", "on trial", "certificate ends", "strains the store")
	page(true, "Certificate ends", "Memory", "41\u00a0% left", `width="59"`, "93\u00a0% left")

	st.Observed, st.ObservedCause, st.HeldUntil, st.Trial = "writable", "ok", s.Now.Add(28*time.Second), true
	page(true, "Held until "+st.HeldUntil.UTC().Format("15:04:05")+" UTC: sign-ins are let in again then.", "on trial",
		"The checks themselves say: <strong>Writable</strong>. The canary is written")

	st.CertNotAfter = s.Now.Add(12*24*time.Hour + time.Minute)
	page(true, "certificate ends in 12\u00a0d 0\u00a0h.")
	st.CertNotAfter = s.Now.Add(-3 * time.Hour)
	page(true, "certificate ended 3\u00a0h 0\u00a0min ago")
	st.CertNotAfter, st.Headroom = time.Time{}, nil
	page(false, "ertificate end", "Headroom")
	s = incident("strained", "full")
	page(true, "its memory is nearly used up", "8\u00a0% left", "strains the store", `class="much" width="92"`)
	page(true, `sign-out <span class="pill">sign-out</span>`)
}

// TestHeldStill: without a script the page asks for itself again, which would empty the form, unless it is held still.
func TestHeldStill(t *testing.T) {
	h := NewHandler(settings(&fake{status: incident("writable", "ok")}))
	if html := ask(h, "GET", "/").Body.String(); !strings.Contains(html, `http-equiv="refresh"`) || !strings.Contains(html, `href="/?still#hand"`) {
		t.Error("the page does not ask for itself again, or cannot be held still")
	}
	if html := ask(h, "GET", "/?still").Body.String(); strings.Contains(html, `http-equiv="refresh"`) || !strings.Contains(html, `<a href="/">go on</a>`) {
		t.Error("the page is not held still")
	}
}

func TestStrain(t *testing.T) {
	for _, c := range []struct {
		store Store
		want  string
	}{
		{Store{Cause: "slow"}, "it is slow"},
		{Store{Cause: "full"}, "it is near a limit"},
		{Store{Cause: "slow", Headroom: []Headroom{{"memory", 0.05, false}}}, "it is slow"},
		{Store{Cause: "slow", Headroom: []Headroom{{"memory", 0.01, false}, {"clients", 0.1, true}, {"evictions", 0.05, true}}}, "it throws sessions away"},
		{Store{Headroom: []Headroom{{"clients", 0.1, true}}}, "its connections"},
		{Store{Headroom: []Headroom{{"replication", 0, true}}}, "its replicas"},
		{Store{Headroom: []Headroom{{"persistence", 0, true}}}, "saving to disk"},
		{Store{Headroom: []Headroom{{"latency", 0, true}}}, "it is slow"},
		{Store{Headroom: []Headroom{{"something new", 0, true}}}, "it is near a limit"},
	} {
		if got := strain(c.store); !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.store, got, c.want)
		}
	}
	for ratio, want := range map[float64]int{0: 100, 1: 0, 0.081: 92, 0.29: 71, -3: 100, 7: 0, math.NaN(): 100, 0.999: 1} {
		if got := used(Headroom{Ratio: ratio}); got != want {
			t.Errorf("%v: %d used, want %d", ratio, got, want)
		}
	}
}

// TestStoreAsJSON holds the names of /status to the surface.
func TestStoreAsJSON(t *testing.T) {
	keys := func(s Store) map[string]any {
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]any{}
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	few := keys(Store{})
	for _, name := range []string{"override", "held_until", "cert_not_after"} {
		if _, ok := few[name]; ok {
			t.Errorf("%s is there though there is none", name)
		}
	}
	for _, name := range []string{"observed_state", "observed_cause", "trial"} {
		if _, ok := few[name]; !ok {
			t.Errorf("no %s", name)
		}
	}
	now := time.Now()
	m := keys(Store{
		Override: &OverrideState{State: "down", By: "a", SetAt: now, Until: now}, HeldUntil: now, CertNotAfter: now,
		Headroom: []Headroom{{Resource: "memory"}},
	})
	for name, parts := range map[string][]string{"override": {"state", "by", "set_at", "until"}, "held_until": nil, "cert_not_after": nil} {
		if _, ok := m[name]; !ok {
			t.Errorf("no %s", name)
		}
		for _, part := range parts {
			if _, ok := m[name].(map[string]any)[part]; !ok {
				t.Errorf("%s has no %s", name, part)
			}
		}
	}
	row := m["headroom"].([]any)[0].(map[string]any)
	if row["resource"] != "memory" || row["ratio"] != 0.0 || row["strains"] != false {
		t.Errorf("headroom: %v", row)
	}
}

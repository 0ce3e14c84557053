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
	if n := strings.Count(html, "checks themselves say"); n != 1 {
		t.Errorf("what the checks say is said %d times", n)
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
	page(false, "Held until", "themselves say", "on trial", "Reads succeed", "certificate ends", "strains the store")
	page(true, "Certificate ends", "Memory", "41\u00a0% left", `width="59"`, "93\u00a0% left")

	st.Observed, st.ObservedCause, st.HeldUntil, st.Trial = "writable", "ok", s.Now.Add(28*time.Second), true
	page(true, "Held until "+st.HeldUntil.UTC().Format("15:04:05")+" UTC: sign-ins are let in again then.", "Reads succeed that the checks say must fail",
		"The checks themselves say: <strong>Writable</strong>. The canary is written")

	st.CertNotAfter = s.Now.Add(12*24*time.Hour + time.Minute)
	page(true, "certificate ends in 12\u00a0d 0\u00a0h.")
	st.CertNotAfter = s.Now.Add(-3 * time.Hour)
	page(true, "certificate ended 3\u00a0h 0\u00a0min ago")
	st.CertNotAfter, st.Headroom = time.Time{}, nil
	page(false, "ertificate end", "Headroom")
	s = incident("down", "refused")
	page(true, "let through on trial")
	s = incident("strained", "full")
	page(true, "The server&#39;s memory is nearly used up", "8\u00a0% left", "strains the store", `class="much" width="92"`)
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

func TestBecause(t *testing.T) {
	few := []Headroom{{"memory", 0.01, false}, {"clients", 0.1, true}, {"evictions", 0.05, true}}
	for _, c := range []struct {
		state, cause string
		room         []Headroom
		want         string
	}{
		{"read-only", "full", few, "out of memory and refuses writes"},
		{"writable", "session_loss", nil, "came back empty"},
		{"strained", "override", few, "A person set"},
		{"strained", "session_loss", few, "throws sessions away"},
		{"strained", "session_loss", few[:1], "came back empty"},
		{"strained", "slow", few[:1], "Answers come, but late."},
		{"strained", "full", nil, "memory is nearly used up"},
		{"strained", "too_many_clients", nil, "connections are nearly used up"},
		{"strained", "no_replicas", nil, "replicas are too few, or lag"},
		{"strained", "persistence_error", nil, "trouble saving to disk"},
		{"strained", "slow", []Headroom{{"something new", 0, true}}, "Answers come, but late."},
	} {
		if got := because(Store{Headroom: c.room}, c.state, c.cause); !strings.Contains(got, c.want) {
			t.Errorf("%s, %s, %v: %q, want %q", c.state, c.cause, c.room, got, c.want)
		}
	}
}

func TestOnTrial(t *testing.T) {
	for cause, want := range map[string]bool{"refused": true, "hung": true, "dns": true, "tls": true, "too_many_clients": true, "loading": false, "override": false} {
		if got := onTrial(Store{State: "down", Cause: cause}); got != want {
			t.Errorf("down, %s: %v", cause, got)
		}
	}
	if onTrial(Store{State: "read-only", Cause: "hung"}) || onTrial(Store{State: "down", Cause: "hung", Override: &OverrideState{}}) {
		t.Error("reads are on trial where the store is not down, or a person says that it is")
	}
}

func TestUsed(t *testing.T) {
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

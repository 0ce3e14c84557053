package test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// storeStatus is what /status says of a store.
type storeStatus struct {
	State         string    `json:"state"`
	Cause         string    `json:"cause"`
	Observed      string    `json:"observed_state"`
	ObservedCause string    `json:"observed_cause"`
	LastCheck     time.Time `json:"last_check"`
	HeldUntil     time.Time `json:"held_until"`
	CertNotAfter  time.Time `json:"cert_not_after"`
	Override      *struct {
		State string    `json:"state"`
		By    string    `json:"by"`
		SetAt time.Time `json:"set_at"`
		Until time.Time `json:"until"`
	} `json:"override"`
	Headroom []struct {
		Resource string  `json:"resource"`
		Ratio    float64 `json:"ratio"`
		Strains  bool    `json:"strains"`
	} `json:"headroom"`
}

// storeStatus asks the admin listener for the one store there is.
func (g *gatehouse) storeStatus(t *testing.T) storeStatus {
	t.Helper()
	text := get(t, g.admin+"/status")
	var all struct {
		Stores []storeStatus `json:"stores"`
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil || len(all.Stores) != 1 {
		t.Fatalf("/status: %v: %s", err, text)
	}
	return all.Stores[0]
}

// checksOn waits until the store has been checked for a while more: whatever was to be noticed would have been.
func (g *gatehouse) checksOn(t *testing.T) {
	t.Helper()
	was := g.storeStatus(t).LastCheck
	eventually(t, patience, "the store is checked on", func() bool { return g.storeStatus(t).LastCheck.Sub(was) >= 300*time.Millisecond })
}

// override sets the store's state as an operator does, and fails the test where that is refused.
func (g *gatehouse) override(t *testing.T, args ...string) {
	t.Helper()
	args = append([]string{"override", "--admin", strings.TrimPrefix(g.admin, "http://"), "--by", "ada"}, args...)
	if code, stdout, stderr := command(t, args...); code != 0 {
		t.Fatalf("gatehouse %v: exit code %d: %s%s", args, code, stdout, stderr)
	}
}

// signIn tries to sign in, and returns the answer's status, its outcome and the session it gives.
func signIn(t *testing.T, base string) (status int, outcome, id string) {
	t.Helper()
	r, err := http.NewRequest("POST", base+"/login", strings.NewReader(url.Values{"name": {"ada"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	readAll(t, res)
	for _, c := range res.Cookies() {
		if c.Name == "sid" {
			id = c.Value
		}
	}
	return res.StatusCode, res.Header.Get("Gatehouse-Outcome"), id
}

// mustSignIn signs in, in the end: a machine that is busy, or a ramp, may have it wait.
func mustSignIn(t *testing.T, base string) (id string) {
	t.Helper()
	eventually(t, patience, "somebody signs in", func() bool {
		_, _, id = signIn(t, base)
		return id != ""
	})
	return id
}

// TestOverride has a person say what the store can do: it holds, it survives a reload, everybody can see who said it and
// when, the checks stay visible, and it ends.
func TestOverride(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	file := configFor(a, store, true)
	g := startGatehouse(t, file)
	id := mustSignIn(t, g.url)

	before := time.Now()
	g.override(t, "read-only", "--for", "10m")
	s := g.storeStatus(t)
	if s.State != "read-only" || s.Cause != "override" || s.Observed != "writable" || s.Override == nil {
		t.Fatalf("/status says %+v", s)
	}
	first := *s.Override
	if first.By != "ada" || first.State != "read-only" || first.SetAt.Before(before.Add(-time.Second)) || first.SetAt.After(time.Now()) ||
		first.Until.Sub(first.SetAt).Round(time.Second) != 10*time.Minute {
		t.Errorf("the override is %+v", first)
	}
	if got := g.metric(t, "gatehouse_override_expires_seconds"); int64(got) != first.Until.Unix() {
		t.Errorf("gatehouse_override_expires_seconds is %.0f; want %d", got, first.Until.Unix())
	}
	if g.metric(t, `gatehouse_store_observed_state{state="writable",store="store"}`) != 1 {
		t.Error("the metrics do not say what the checks see")
	}
	if status, outcome, _ := signIn(t, g.url); status != 503 || outcome != "degraded; reason=override" {
		t.Errorf("a sign-in: %d %s", status, outcome)
	}
	if res, _ := ask(t, "GET", g.url+"/members", "Cookie: sid="+id); res.StatusCode != 200 {
		t.Errorf("a member: %d %s", res.StatusCode, res.Header.Get("Gatehouse-Outcome"))
	}
	if _, out, _ := command(t, "status", "--admin", strings.TrimPrefix(g.admin, "http://")); !strings.Contains(out, "ada") || !strings.Contains(out, "read-only") {
		t.Errorf("gatehouse status does not say who set it:\n%s", out)
	}

	g.write("# another edit\n" + file)
	eventually(t, 10*time.Second, "reloaded", func() bool { return g.event("reloaded") != nil })
	if s := g.storeStatus(t); s.State != "read-only" || s.Override == nil || !s.Override.SetAt.Equal(first.SetAt) || s.Override.By != "ada" {
		t.Errorf("after a reload /status says %+v", s)
	}

	g.override(t, "off")
	if s := g.storeStatus(t); s.Override != nil {
		t.Errorf("after off /status says %+v", s)
	}
	if g.metric(t, "gatehouse_override_expires_seconds") != 0 {
		t.Error("gatehouse_override_expires_seconds stays")
	}
	mustSignIn(t, g.url)
}

// TestOverrideByTheAPI: what cannot be meant is refused with what is wanted, and an override ends by itself.
func TestOverrideByTheAPI(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	g := startGatehouse(t, configFor(a, store, true))
	id := mustSignIn(t, g.url)
	for query, says := range map[string]string{
		"state=down":                    "for",
		"state=down&for=5h":             "4h",
		"state=asleep&for=1m":           "writable",
		"state=down&for=1m&colour=blue": "colour",
	} {
		res, body := ask(t, "POST", g.admin+"/store/override?"+query)
		if res.StatusCode != 400 || !strings.Contains(body, says) {
			t.Errorf("%s: %d %s", query, res.StatusCode, body)
		}
	}
	if s := g.storeStatus(t); s.Override != nil {
		t.Errorf("what was refused is in force: %+v", s)
	}
	res, body := ask(t, "POST", g.admin+"/store/override?state=down&for=3s&by=grace")
	if res.StatusCode != 200 || !strings.Contains(body, "grace") {
		t.Fatalf("POST /store/override: %d %s", res.StatusCode, body)
	}
	if res, _ := ask(t, "GET", g.url+"/members", "Cookie: sid="+id); res.StatusCode != 503 || res.Header.Get("Gatehouse-Outcome") != "degraded; reason=override" {
		t.Errorf("a member while the store is said to be down: %d %s", res.StatusCode, res.Header.Get("Gatehouse-Outcome"))
	}
	eventually(t, patience, "it ends by itself", func() bool {
		s := g.storeStatus(t)
		return s.Override == nil && s.State == "writable"
	})
	mustSignIn(t, g.url)
}

// TestAWrongOverrideHurtsNobody: whoever says that a store can be written which cannot sheds nobody at the door, and no bare
// error comes of it either.
func TestAWrongOverrideHurtsNobody(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	g := startGatehouse(t, configFor(a, store, true))
	g.override(t, "writable", "--for", "10m")
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, patience, "the checks see it", func() bool { return g.storeStatus(t).Observed == "read-only" })
	if s := g.storeStatus(t); s.State != "writable" {
		t.Errorf("/status says %+v", s)
	}
	came := len(a.signIns())
	if status, outcome, _ := signIn(t, g.url); status != 503 || !strings.HasPrefix(outcome, "converted") {
		t.Errorf("a sign-in that fails behind an override: %d %q; want the page, converted", status, outcome)
	}
	if len(a.signIns()) == came {
		t.Error("the sign-in did not reach the app: the override was not acted on")
	}
}

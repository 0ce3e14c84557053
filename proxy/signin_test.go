package proxy

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/quota"
)

// tally reads the sign-in metric.
func (r *rig) tally(result string) string {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.handler.Record.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	m := regexp.MustCompile(`gatehouse_sign_ins_total\{result="` + result + `"\} (\d+)`).FindStringSubmatch(w.Body.String())
	if m == nil {
		r.t.Fatalf("no such result: %s", result)
	}
	return m[1]
}

func TestWhatASignInCounts(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		set := func(v string) { w.Header().Add("Set-Cookie", "sid="+v+"; Path=/") }
		to := func(where string) {
			w.Header().Set("Location", where)
			w.WriteHeader(303)
		}
		switch r.URL.Path {
		case "/in":
			set("new")
			to("/members")
		case "/kept":
			to("/members")
		case "/wrong":
			to("/login?error=1")
		case "/provider":
			to("https://id.example/authorize")
		case "/form":
			set("csrf")
			w.Header().Set("Content-Type", "text/html")
		case "/again":
			set("csrf")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		case "/api":
			w.Header().Set("Content-Type", "application/json")
		case "/401":
			w.WriteHeader(401)
		case "/500":
			w.WriteHeader(500)
		}
	})
	rules, routes := one(&Route{Pool: newPool(t, "login", shed.GateSettings{}, b.URL), Need: shed.NeedWrite, SignIn: true, Guard: true})
	r := newRig(t, rules, routes)
	r.stay()
	for _, c := range []struct {
		what, method, path, field, result string // result "": not counted
	}{
		{"a form", "POST", "/in", "", "success"},
		{"a form, and the id is kept", "POST", "/kept", member, "success"},
		{"an API", "POST", "/api", "", "success"},
		{"a callback", "GET", "/in", "", "success"},
		{"a wrong password", "POST", "/wrong", "", "refused"},
		{"a wrong password, by status", "POST", "/401", member, "refused"},
		{"a wrong password, by the form again", "POST", "/again", "", "refused"},
		{"a session at once", "POST", "/again", member, "success"},
		{"the app fails", "POST", "/500", "", "error"},
		{"the form itself", "GET", "/form", "", ""},
		{"on to a provider", "POST", "/provider", "", ""},
		{"on to a provider, with a session for the way", "POST", "/provider", member, ""},
		{"a look", "GET", "/401", "", ""},
		{"a preflight", "OPTIONS", "/in", "Access-Control-Request-Method: POST", ""},
	} {
		before := map[string]string{}
		for _, result := range []string{"success", "unconfirmed", "refused", "error", "shed"} {
			before[result] = r.tally(result)
		}
		fields := []string{"Origin: https://a"}
		if c.field != "" {
			fields = append(fields, c.field)
		}
		r.ask(c.method, c.path, fields...)
		if c.result != "" {
			until(t, c.what+" is counted", func() bool { return r.tally(c.result) != before[c.result] })
		} else {
			checks := r.monitor.Status().Checks
			until(t, "two checks", func() bool { return r.monitor.Status().Checks > checks+1 })
		}
		for result, n := range before {
			if got := r.tally(result); got != n && result != c.result {
				t.Errorf("%s: %s went from %s to %s", c.what, result, n, got)
			}
		}
	}
}

// A prober that was refused has found nothing, although the state stands.
func TestASuccessIsNotConfirmedByAStateThatMerelyStands(t *testing.T) {
	for _, c := range []struct {
		v    shed.Verdict
		want bool
	}{
		{shed.Verdict{Observed: shed.Writable, ObservedCause: shed.OK}, true},
		{shed.Verdict{Observed: shed.Strained, ObservedCause: shed.CauseFull}, true},
		{shed.Verdict{Observed: shed.Writable, ObservedCause: shed.CauseSessionLoss}, true},
		{shed.Verdict{State: shed.ReadOnly, Observed: shed.Writable, ObservedCause: shed.OK}, true},
		{shed.Verdict{Observed: shed.Writable, ObservedCause: shed.CauseProberAuth}, false},
		{shed.Verdict{Observed: shed.Writable, ObservedCause: shed.OK, Late: true}, false},
		{shed.Verdict{State: shed.Writable, Observed: shed.ReadOnly, ObservedCause: shed.CauseFull}, false},
		{shed.Verdict{}, false},
	} {
		if got := confirms(c.v, false); got != c.want {
			t.Errorf("%+v: %v", c.v, got)
		}
	}
}

// A failure is one, whatever the visitor is shown for it.
func TestAFailedSignInIsNoneThatWasTurnedAway(t *testing.T) {
	b := newBackend(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	rules, routes := one(&Route{Pool: newPool(t, "login", shed.GateSettings{}, b.URL), Need: shed.NeedWrite, SignIn: true})
	r := newRig(t, rules, routes)
	r.runtime.PerClient = quota.New(quota.Settings{Rate: 0.001, Burst: 1})
	for range 3 {
		r.ask("POST", "/login")
	}
	if failed, turned := r.tally("error"), r.tally("shed"); failed != "3" || turned != "0" {
		t.Errorf("%s failed and %s were turned away; want 3 and none", failed, turned)
	}
}

// Apps redirect with a cookie even when saving the session failed: that is no success.
func TestASuccessNeedsAWritableStoreAfterwards(t *testing.T) {
	var r *rig
	b := newBackend(t, func(w http.ResponseWriter, q *http.Request) {
		r.canary.set(shed.ReadOnly, shed.CauseFull)
		if q.URL.Path == "/slow" {
			until(t, "it is known", func() bool { return r.monitor.Current().State == shed.ReadOnly })
		}
		w.Header().Set("Set-Cookie", "sid=new")
		w.Header().Set("Location", "/members")
		w.WriteHeader(303)
	})
	rules, routes := one(&Route{Pool: newPool(t, "login", shed.GateSettings{}, b.URL), Need: shed.NeedWrite, SignIn: true})
	r = newRig(t, rules, routes)
	r.stay()
	r.ask("POST", "/login")
	until(t, "it is counted", func() bool { return r.tally("unconfirmed") == "1" })
	if n := r.tally("success"); n != "0" {
		t.Errorf("%s successes", n)
	}
	r.breaks(shed.ReadOnly, shed.CauseFull)
	r.ask("POST", "/login")
	r.ask("GET", "/login")
	until(t, "they are counted", func() bool { return r.tally("shed") == "2" })
	set(r, false)
	within(t, time.Minute, "the line has drained", func() bool { return !r.runtime.Stores[0].Line.Load(time.Now()).Active })
	if a := r.ask("POST", "/slow"); a.outcome != "converted; reason=full" || cookies(a) != "" {
		t.Errorf("in flight when the store closed: %d %q %q; what was given is not kept", a.status, a.outcome, cookies(a))
	}
	if n := r.tally("error"); n != "1" {
		t.Errorf("%s failed", n)
	}
	checks := r.monitor.Status().Checks
	until(t, "a check that would have told", func() bool { return r.monitor.Status().Checks > checks+1 })
	if n := r.tally("unconfirmed"); n != "1" {
		t.Errorf("%s unconfirmed", n)
	}
}

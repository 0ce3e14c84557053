package proxy

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"gatehouse/routing"
	"gatehouse/shed"
	"gatehouse/shed/line"
	"gatehouse/shed/store"
)

// ruled are rules for these paths; "all" is the rest.
func ruled(names ...string) (rules []routing.Rule) {
	for _, name := range names {
		rule := routing.Rule{Name: name}
		if name != "all" {
			rule.Paths = []string{"/" + name}
		}
		rules = append(rules, rule)
	}
	return rules
}

// parted is a store of its own that a test breaks by hand.
type parted struct {
	*Store
	canary  *canary
	monitor *store.Monitor
}

func newMember(t *testing.T, name string, reports store.ReportSettings) *parted {
	t.Helper()
	m := &parted{canary: &canary{}}
	m.canary.set(shed.Writable, shed.OK)
	m.Store = &Store{Name: name, Line: line.New(line.Settings{From: 1.0 / 60, To: 1.0 / 60, Over: 5 * time.Minute})}
	m.monitor = store.New(m.canary, store.Settings{
		Interval: 20 * time.Millisecond, Timeout: 500 * time.Millisecond, Payload: 64, Rise: 2, After: 50 * time.Millisecond,
		RampOver: 5 * time.Minute, Reports: reports,
	}, func(store.Transition) { m.Line.Follow(m.monitor, m.monitor.Current()) })
	m.Monitor = m.monitor
	m.monitor.Start()
	m.monitor.First(t.Context())
	t.Cleanup(m.monitor.Close)
	return m
}

func (m *parted) breaks(t *testing.T, s shed.State, cause shed.Cause) {
	t.Helper()
	m.canary.set(s, cause)
	until(t, m.Name+" is "+s.String(), func() bool { return m.monitor.Current().State == s })
}

// members are two stores, a pool of each, and routes that may borrow of the other's.
func members(t *testing.T, gate shed.GateSettings) (r *rig, eu, us *parted) {
	t.Helper()
	eu, us = newMember(t, "eu", store.ReportSettings{}), newMember(t, "us", store.ReportSettings{})
	own := newPool(t, "login-eu", gate, newBackend(t, say("eu")).URL)
	over := newPool(t, "login-us", shed.GateSettings{}, newBackend(t, say("us")).URL)
	route := func(need shed.Need, signIn bool) *Route {
		return &Route{Pool: own, Overflow: over, Store: eu.Store, OverflowStore: us.Store, Need: need, SignIn: signIn}
	}
	rules := ruled("login", "all")
	return newRig(t, rules, []*Route{route(shed.NeedWrite, true), route(shed.NeedRead, false)}), eu, us
}

func TestASignInGoesWhereItsStoreCanBeWritten(t *testing.T) {
	r, eu, us := members(t, shed.GateSettings{})
	post := func() string {
		t.Helper()
		a := r.ask("POST", "/login")
		if a.outcome != "" {
			return a.outcome
		}
		return a.body
	}
	if got := post(); got != "eu" {
		t.Fatalf("while both are well: %q", got)
	}
	eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	if got := post(); got != "us" {
		t.Errorf("while its own cannot be written: %q", got)
	}
	us.breaks(t, shed.Down, shed.CauseRefused)
	if got := post(); got != "degraded; reason=read_only" {
		t.Errorf("while neither can: %q", got)
	}
	us.breaks(t, shed.Writable, shed.OK) // by a ramp, whose one place is not another's
	if got := post(); got != "degraded; reason=read_only" {
		t.Errorf("while the other recovers: %q", got)
	}
}

func TestSignInsComeBackToTheirStoreByTheRamp(t *testing.T) {
	r, eu, _ := members(t, shed.GateSettings{})
	eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	eu.breaks(t, shed.Writable, shed.OK)
	seen := map[string]int{}
	for range 10 {
		a := r.ask("POST", "/login")
		seen[a.outcome+a.body]++
	}
	if seen["eu"] != 1 || seen["us"] != 9 {
		t.Errorf("of ten sign-ins, with a ramp of one: %v", seen)
	}
}

func TestAMemberReadsWhereAStoreIsLeft(t *testing.T) {
	r, eu, _ := members(t, shed.GateSettings{})
	eu.breaks(t, shed.Down, shed.CauseRefused)
	if a := r.ask("GET", "/", "Cookie: sid=33333333333333333333"); a.body != "us" || a.status != 200 {
		t.Errorf("a member was answered %d %q %q", a.status, a.outcome, a.body)
	}
}

func TestAFullPoolBorrowsOnlyWhereTheStoreIsWell(t *testing.T) {
	enter, leave := make(chan struct{}, 1), make(chan struct{})
	eu, us := newMember(t, "eu", store.ReportSettings{}), newMember(t, "us", store.ReportSettings{})
	own := newPool(t, "login-eu", shed.GateSettings{Limit: 1}, newBackend(t, func(http.ResponseWriter, *http.Request) {
		select {
		case enter <- struct{}{}:
			<-leave
		default: // nobody waits for a second one
		}
	}).URL)
	release := sync.OnceFunc(func() { close(leave) })
	t.Cleanup(release) // before the backend is closed, which waits for its answers
	over := newPool(t, "login-us", shed.GateSettings{}, newBackend(t, say("us")).URL)
	r := newRig(t, ruled("login"), []*Route{{
		Pool: own, Overflow: over, Store: eu.Store, OverflowStore: us.Store, Need: shed.NeedWrite, SignIn: true,
	}})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = r.try(t.Context(), "POST", "/login")
	}()
	<-enter
	if a := r.ask("POST", "/login"); a.body != "us" {
		t.Errorf("its own pool is full: %d %q", a.status, a.outcome)
	}
	us.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	if a := r.ask("POST", "/login"); a.outcome != "shed; reason=pool_full" {
		t.Errorf("its own pool is full, and the other's store cannot be written: %d %q", a.status, a.outcome)
	}
	release()
	<-done
}

func TestASessionMeetsTheVerdictOfItsShard(t *testing.T) {
	whole, bad := newMember(t, "whole", store.ReportSettings{}), newMember(t, "shard-0", store.ReportSettings{})
	p := newPool(t, "app", shed.GateSettings{}, newBackend(t, say("hello")).URL)
	s := &Store{Name: "cluster", Monitor: whole.monitor, Line: whole.Line, Of: func(id string) Monitor {
		if id[0] == 'b' {
			return bad.monitor
		}
		return nil
	}}
	rules := ruled("login", "all")
	r := newRig(t, rules, []*Route{{Pool: p, Store: s, Need: shed.NeedWrite, SignIn: true}, {Pool: p, Store: s, Need: shed.NeedRead}})
	bad.breaks(t, shed.Down, shed.CauseHung)
	for _, c := range []struct{ method, path, sid, want string }{
		{"GET", "/", "bbbbbbbbbbbbbbbbbbbb", "degraded; reason=hung"},
		{"GET", "/", "aaaaaaaaaaaaaaaaaaaa", ""},
		{"POST", "/login", "bbbbbbbbbbbbbbbbbbbb", ""}, // a new session may be kept anywhere
	} {
		if a := r.ask(c.method, c.path, "Cookie: sid="+c.sid); a.outcome != c.want {
			t.Errorf("%s %s with %s: %d %q, want %q", c.method, c.path, c.sid, a.status, a.outcome, c.want)
		}
	}
}

func TestAnAppsOwnWordClosesSignInsOnly(t *testing.T) {
	m := newMember(t, "own", store.ReportSettings{Quorum: 2, Max: time.Minute})
	word := func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Gatehouse-Store", q.Header.Get("X-Word"))
		_, _ = w.Write([]byte("hello"))
	}
	p := newPool(t, "app", shed.GateSettings{}, newBackend(t, word).URL, newBackend(t, word).URL)
	rules := ruled("login", "all")
	r := newRig(t, rules, []*Route{{Pool: p, Store: m.Store, Need: shed.NeedWrite, SignIn: true}, {Pool: p, Store: m.Store, Need: shed.NeedRead}})
	say := func(word string) {
		t.Helper()
		a := r.ask("GET", "/", "X-Word: "+word, "Cookie: sid=33333333333333333333")
		if a.status != 200 || a.head.Get("Gatehouse-Store") != "" {
			t.Fatalf("a member was answered %d %q, with the app's word %q", a.status, a.outcome, a.head.Get("Gatehouse-Store"))
		}
	}
	for range 20 {
		say("read-only; for=30s")
	}
	if a := r.ask("POST", "/login"); a.status != 200 {
		t.Fatalf("the word of a pool that nobody asked for it counted: %q", a.outcome)
	}
	r.runtime.Reporters = map[*Pool]bool{p: true}
	for range 20 { // chance picks a backend
		say("read-only; for=30s")
	}
	if a := r.ask("POST", "/login"); a.outcome != "degraded; reason=reported" {
		t.Errorf("two backends say that the store cannot be written, and a sign-in was answered %d %q", a.status, a.outcome)
	}
	for range 20 {
		say("writable")
	}
	until(t, "sign-ins are let in again", func() bool { return m.monitor.Current().State == shed.Writable })
}

func TestReadReport(t *testing.T) {
	for _, c := range []struct {
		word string
		long time.Duration
		ok   bool
	}{
		{"read-only; for=2s", 2 * time.Second, true}, {"down;for=1m", time.Minute, true}, {"read-only", time.Hour, true},
		{`read-only; for="500ms"`, 500 * time.Millisecond, true}, {"read-only; why=old; FOR=9h", time.Hour, true}, {"writable", 0, true},
		{"writable; for=2s", 0, true}, {"", 0, false}, {"read-only; for=", 0, false}, {"read-only; for=-1s", 0, false}, {"no", 0, false},
	} {
		r, ok := readReport(c.word)
		if ok != c.ok || ok && r.For != c.long {
			t.Errorf("%q: %v, %v", c.word, r.For, ok)
		}
	}
}

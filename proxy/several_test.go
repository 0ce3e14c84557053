package proxy

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/line"
	"gatehouse/shed/store"
)

// anyOf is a store of members of which one is enough.
func anyOf(t *testing.T, names ...string) (*Store, *store.Group, map[string]*canary) {
	t.Helper()
	canaries := map[string]*canary{}
	var parts []store.Part
	for _, n := range names {
		c := &canary{}
		c.set(shed.Writable, shed.OK)
		canaries[n] = c
		parts = append(parts, store.Part{Name: n, Prober: c})
	}
	g := store.NewGroup(store.Fixed(parts...), store.GroupSettings{Require: 1, Settings: store.Settings{
		Interval: 20 * time.Millisecond, Timeout: 200 * time.Millisecond, Payload: 64, Rise: 2, After: 50 * time.Millisecond, RampOver: time.Second,
	}}, nil)
	g.Start()
	g.First(t.Context())
	t.Cleanup(g.Close)
	return &Store{Name: "any", Monitor: g, Several: true, Line: line.New(line.Settings{From: 5, To: 10, Over: time.Second})}, g, canaries
}

// signsIn is an app where every password is right.
func signsIn(w http.ResponseWriter, _ *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "sid", Value: "44444444444444444444", Path: "/"})
	w.Header().Set("Location", "/home")
	w.WriteHeader(303)
}

func TestWhereAnyMemberWillDoOneThatIsAwayTakesNothing(t *testing.T) {
	s, g, canaries := anyOf(t, "eu", "us")
	p := newPool(t, "app", shed.GateSettings{}, newBackend(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/login" {
			signsIn(w, q)
			return
		}
		time.Sleep(500 * time.Millisecond) // longer than the rig's impaired_timeout
		_, _ = w.Write([]byte("slow"))
	}).URL)
	r := newRig(t, ruled("login", "all"), []*Route{
		{Pool: p, Store: s, Need: shed.NeedWrite, SignIn: true}, {Pool: p, Store: s, Need: shed.NeedRead, MaxAge: 250 * time.Millisecond, Guard: true},
	})
	r.stay()
	canaries["eu"].set(shed.Down, shed.CauseRefused)
	until(t, "eu is seen to be away", func() bool { return g.Part("eu").Current().State == shed.Down })
	if v := g.Current(); v.State != shed.Writable || v.Observed != shed.Down {
		t.Fatalf("together they are %v, and the worst is %v", v.State, v.Observed)
	}
	if a := r.ask("POST", "/login"); a.status != 303 || len(a.head.Values("Set-Cookie")) == 0 {
		t.Errorf("a sign-in that worked: %d %q", a.status, a.outcome)
	}
	if a := r.ask("GET", "/", "Cookie: sid=33333333333333333333"); a.status != 200 {
		t.Errorf("a page that takes its time: %d %q", a.status, a.outcome)
	}
	until(t, "the sign-in is confirmed", func() bool { return r.tally("success") == "1" })
}

// rarely is a store of its own whose checks are far apart.
func rarely(t *testing.T, name string) *parted {
	t.Helper()
	m := &parted{canary: &canary{}, Store: &Store{Name: name, Line: line.New(line.Settings{From: 5, To: 10, Over: time.Second})}}
	m.canary.set(shed.Writable, shed.OK)
	m.monitor = store.New(m.canary, store.Settings{
		Interval: time.Minute, Timeout: 200 * time.Millisecond, Payload: 64, Rise: 2, After: 50 * time.Millisecond, RampOver: time.Second,
	}, nil)
	m.Monitor = m.monitor
	m.monitor.Start()
	m.monitor.First(t.Context())
	t.Cleanup(m.monitor.Close)
	return m
}

func TestASignInThatBorrowsAsksTheOtherStoreFirst(t *testing.T) {
	eu, us := newMember(t, "eu", store.ReportSettings{}), rarely(t, "us")
	own := newPool(t, "login-eu", shed.GateSettings{}, "http://127.0.0.1:9") // nobody listens there
	over := newPool(t, "login-us", shed.GateSettings{}, newBackend(t, signsIn).URL)
	r := newRig(t, ruled("login"), []*Route{{
		Pool: own, Overflow: over, Store: eu.Store, OverflowStore: us.Store, Need: shed.NeedWrite, SignIn: true,
	}})
	r.stay()
	us.canary.set(shed.ReadOnly, shed.CauseReadOnly) // what the next check will find
	if a := r.ask("POST", "/login"); a.outcome != "degraded; reason=read_only" {
		t.Errorf("%d %q with %q", a.status, a.outcome, a.head.Values("Set-Cookie"))
	}
}

func TestAFullPoolQueuesWhereTheOtherStoreFailsItAfterAll(t *testing.T) {
	eu, us := newMember(t, "eu", store.ReportSettings{}), rarely(t, "us")
	enter, leave := make(chan struct{}, 1), make(chan struct{})
	own := newPool(t, "login-eu", shed.GateSettings{Limit: 1, Length: 10, Timeout: 10 * time.Second}, newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		select {
		case enter <- struct{}{}:
			<-leave
		default:
		}
		_, _ = w.Write([]byte("eu"))
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
	us.canary.set(shed.ReadOnly, shed.CauseReadOnly)
	time.AfterFunc(300*time.Millisecond, release)
	if a := r.ask("POST", "/login"); a.status != 200 || a.body != "eu" {
		t.Errorf("%d %q %q", a.status, a.outcome, a.body)
	}
	<-done
}

func TestWhoIsHeldLooksAtTheOtherStoreToo(t *testing.T) {
	eu, us := newMember(t, "eu", store.ReportSettings{}), newMember(t, "us", store.ReportSettings{})
	own := newPool(t, "eu", shed.GateSettings{}, newBackend(t, say("eu")).URL)
	over := newPool(t, "us", shed.GateSettings{}, newBackend(t, say("us")).URL)
	r := newRig(t, ruled("all"), []*Route{{
		Pool: own, Overflow: over, Store: eu.Store, OverflowStore: us.Store, Need: shed.NeedRead, Wait: 10 * time.Second,
	}})
	r.runtime.Waits = &Waits{}
	eu.breaks(t, shed.Down, shed.CauseRefused)
	us.breaks(t, shed.Down, shed.CauseRefused)
	time.AfterFunc(300*time.Millisecond, func() { us.canary.set(shed.Writable, shed.OK) })
	if a := r.ask("GET", "/", "Cookie: sid=33333333333333333333"); a.body != "us" {
		t.Errorf("held for %v: %d %q", a.took, a.status, a.outcome)
	}
}

// heard is a Monitor that keeps what is to be called when it closes.
type heard struct {
	Monitor
	all []store.Hearer
}

func (m *heard) Current() shed.Verdict {
	return shed.Verdict{State: shed.Writable, Observed: shed.Writable}
}

func (m *heard) Watch(w *store.Watcher, h store.Hearer) {
	m.all = append(m.all, h)
	m.Monitor.Watch(w, h)
}

// A callback that has begun may still be running when it was stopped.
func TestAStoreThatWasLeftEndsNothing(t *testing.T) {
	left, other := &heard{Monitor: new(store.Group)}, &heard{Monitor: new(store.Group)}
	w := newWatch(t, time.Second)
	w.begin(time.Minute)
	w.attend(&w.first, left, false)
	w.turnTo(other, false)
	left.all[0].StoreClosed(shed.Verdict{State: shed.Down, Observed: shed.Down})
	if w.life.Err() != nil || len(other.all) != 1 || len(left.all) != 1 {
		t.Errorf("%v; the other heard of it %d times, the first %d times", w.life.Err(), len(other.all), len(left.all))
	}
	w.stop()
	for _, m := range []*heard{left, other} {
		if m.all[0].(*hearing).watcher.Stop() {
			t.Error("a store was not told to forget it")
		}
	}
}

// A member that comes back empty has new heartbeats, and none of the sessions that it held: those are at the others.
func TestAMemberThatCameBackEmptySignsNobodyOut(t *testing.T) {
	eu, us := newMember(t, "eu", store.ReportSettings{}), newMember(t, "us", store.ReportSettings{})
	eu.Copies, us.Copies = true, true
	forgets := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/login")
		w.WriteHeader(302)
	}
	own := newPool(t, "eu", shed.GateSettings{}, newBackend(t, forgets).URL)
	var late atomic.Bool
	over := newPool(t, "us", shed.GateSettings{}, newBackend(t, func(w http.ResponseWriter, q *http.Request) {
		if late.Load() {
			forgets(w, q)
			return
		}
		_, _ = w.Write([]byte("us"))
	}).URL)
	r := newRig(t, ruled("all"), []*Route{{
		Pool: own, Overflow: over, Store: eu.Store, OverflowStore: us.Store, Need: shed.NeedRead, Guard: true, MaxAge: 250 * time.Millisecond,
	}})
	r.stay()
	member := "Cookie: sid=33333333333333333333"
	if a := r.ask("GET", "/", member); a.status != 302 {
		t.Fatalf("while all is well an app's word is its own: %d %q", a.status, a.outcome)
	}
	eu.breaks(t, shed.Down, shed.CauseRefused)
	eu.canary.lose()
	until(t, "eu is back, and empty", func() bool { v := eu.monitor.Current(); return v.State == shed.Writable && v.Lost })
	if a := r.ask("GET", "/", member); a.body != "us" {
		t.Errorf("who has a session over there was answered %d %q", a.status, a.outcome)
	}
	late.Store(true)
	if a := r.ask("GET", "/", member); a.outcome != "converted; reason=diverged" {
		t.Errorf("whose session has not come over yet was answered %d %q", a.status, a.outcome)
	}
	us.breaks(t, shed.Down, shed.CauseRefused)
	if a := r.ask("GET", "/", member); a.outcome != "converted; reason=diverged" {
		t.Errorf("while nobody else can be asked: %d %q", a.status, a.outcome)
	}
}

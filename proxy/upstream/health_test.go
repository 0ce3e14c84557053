package upstream

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// checkedPool starts a pool whose backends are checked at short intervals, and tells of changes.
func checkedPool(t *testing.T, backends ...BackendSettings) (*Pool, chan BackendStatus) {
	t.Helper()
	changes := make(chan BackendStatus, 16)
	p := NewPool(Settings{
		Name: "app", Backends: backends, OnHealth: func(s BackendStatus) { changes <- s },
		Health: &HealthSettings{Path: "/healthz?x=1", Interval: 10 * time.Millisecond, Timeout: patience},
	}, nil)
	t.Cleanup(p.Close)
	return p, changes
}

func change(t *testing.T, changes <-chan BackendStatus, up bool) {
	t.Helper()
	select {
	case s := <-changes:
		if s.Up != up || s.Pool != "app" || !up && s.LastError == "" {
			t.Fatalf("told %+v, want up %v", s, up)
		}
	case <-time.After(patience):
		t.Fatalf("not told of up %v", up)
	}
}

func TestTwoBadChecksTakeABackendDownAndAGoodOneBringsItBack(t *testing.T) {
	var status, asked atomic.Int64
	status.Store(204)
	sick := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" || r.RequestURI != "/healthz?x=1" || r.UserAgent() != "Gatehouse (health check)" || !r.Close {
			t.Errorf("asked %s %s %v", r.Method, r.RequestURI, r.Header)
		}
		asked.Add(1)
		w.WriteHeader(int(status.Load()))
	})
	well := serve(t, func(http.ResponseWriter, *http.Request) {})
	p, changes := checkedPool(t, sick, well)
	p.Start()
	p.Start()
	for _, bad := range []int64{500, 404} {
		status.Store(302) // good as well
		before := asked.Load()
		eventually(t, "checks go on", func() bool { return asked.Load() > before+3 })
		status.Store(bad)
		before = asked.Load()
		change(t, changes, false)
		if n := asked.Load() - before; n < healthFall-1 {
			t.Errorf("down after %d checks", n)
		}
		for range 10 {
			c := mustClaim(t, p, nil)
			if c.Backend() == sick.URL {
				t.Error("a backend that is down was taken")
			}
			c.End(Result{})
		}
		status.Store(200)
		change(t, changes, true)
	}
}

func TestWhenAllAreDownAllAreTried(t *testing.T) {
	sick := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) })
	p, changes := checkedPool(t, sick)
	p.Start()
	change(t, changes, false)
	mustClaim(t, p, nil).End(Result{})
	if p.Status()[0].Up {
		t.Error("it is down, and said to be up")
	}
	p.Set(Settings{Name: "app", Backends: []BackendSettings{sick}})
	if !p.Status()[0].Up {
		t.Error("nobody checks any more, and it stays down")
	}
}

func TestACheckThatHangsIsBadAndDelaysNobody(t *testing.T) {
	release := make(chan struct{})
	hung := serve(t, func(w http.ResponseWriter, r *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	var asked atomic.Int64
	well := serve(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	changes := make(chan BackendStatus, 16)
	p := NewPool(Settings{
		Name: "app", Backends: []BackendSettings{hung, well}, OnHealth: func(s BackendStatus) { changes <- s },
		Health: &HealthSettings{Path: "/", Interval: 10 * time.Millisecond, Timeout: 100 * time.Millisecond},
	}, nil)
	t.Cleanup(p.Close)
	p.Start()
	change(t, changes, false)
	if s := p.Status(); s[0].Up || !s[1].Up || asked.Load() == 0 {
		t.Errorf("got %+v", s)
	}
}

func TestCloseCutsAChecksWait(t *testing.T) {
	arrived := make(chan struct{}, 1)
	hung := serve(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case arrived <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	})
	p, changes := checkedPool(t, hung)
	p.Start()
	<-arrived
	p.Close()
	if len(changes) > 0 || !p.Status()[0].Up {
		t.Error("a check that was cut says something")
	}
}

// Beginning, and being told the same again, makes no second check: two bad ones in a moment would take a backend down.
func TestOneReasonIsOneCheck(t *testing.T) {
	var asked atomic.Int64
	b := serve(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	s := Settings{Name: "app", Backends: []BackendSettings{b}, Health: &HealthSettings{Path: "/", Interval: time.Hour, Timeout: patience}}
	p := NewPool(s, nil)
	t.Cleanup(p.Close)
	p.Set(s)
	p.Start()
	eventually(t, "the first check", func() bool { return asked.Load() > 0 })
	p.Set(s)
	p.Set(s)
	s.Backends = append(s.Backends, serve(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	p.Set(s)
	eventually(t, "a new backend is checked at once, and the other with it", func() bool { return asked.Load() >= 3 })
	if n := asked.Load(); n != 3 { // rounds come one after the other: one too many would have come before
		t.Errorf("%d checks; want 3", n)
	}
}

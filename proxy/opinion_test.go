package proxy

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/proxy/upstream"
	"gatehouse/shed"
	"gatehouse/shed/quota"
	"gatehouse/shed/store"
)

// afar is a site of two members: the app at eu knows nobody who signed in at us, and that at us knows ada alone.
type afar struct {
	*rig
	eu, us      *parted
	home, there *backend
	own, over   *Pool
	route       *Route
	harsh       atomic.Pointer[http.HandlerFunc] // what the app at us does instead; nil: as it should
}

const (
	ada      = "Cookie: sid=aaaaaaaaaaaaaaaaaaaa"
	stranger = "Cookie: sid=ssssssssssssssssssss"
)

// turnsAway is how an app treats somebody whose session it does not find.
func turnsAway(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Set-Cookie", "sid=; Path=/; Max-Age=0")
	w.Header().Set("Location", "/login")
	w.WriteHeader(303)
}

func newAfar(t *testing.T, gate shed.GateSettings) *afar {
	t.Helper()
	a := &afar{eu: newMember(t, "eu", store.ReportSettings{}), us: newMember(t, "us", store.ReportSettings{})}
	a.home = newBackend(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/login" {
			w.WriteHeader(500)
			return
		}
		turnsAway(w, q)
	})
	a.there = newBackend(t, func(w http.ResponseWriter, q *http.Request) {
		switch other := a.harsh.Load(); {
		case other != nil:
			(*other)(w, q)
		case q.URL.Path == "/login":
			w.Header().Set("Set-Cookie", "sid=aaaaaaaaaaaaaaaaaaaa; Path=/")
			w.Header().Set("Location", "/home")
			w.WriteHeader(303)
		case strings.Contains(q.Header.Get("Cookie"), "sid=aaaaaaaaaaaaaaaaaaaa"):
			say("hello ada")(w, q)
		default:
			turnsAway(w, q)
		}
	})
	a.own, a.over = newPool(t, "eu", shed.GateSettings{}, a.home.URL), newPool(t, "us", gate, a.there.URL)
	a.route = &Route{
		Pool: a.own, Overflow: a.over, Store: a.eu.Store, OverflowStore: a.us.Store, Need: shed.NeedRead, Guard: true, MaxAge: 250 * time.Millisecond,
		Timeout: 30 * time.Second, ImpairedTimeout: 3 * time.Second,
	}
	signIn := *a.route
	signIn.Need, signIn.SignIn = shed.NeedWrite, true
	signOut := *a.route
	signOut.SignOut = true
	a.rig = newRig(t, ruled("login", "logout", "all"), []*Route{&signIn, &signOut, a.route})
	a.stay()
	a.handler.Record.Pools([]string{"eu", "us"})
	return a
}

// budget is how much of its requests the pool at home may send twice, beside ten.
func (a *afar) budget(part float64) {
	a.own.Backends.Set(upstream.Settings{
		Name: "eu", Retries: upstream.RetrySettings{Budget: part},
		Backends: []upstream.BackendSettings{{URL: a.home.URL, Address: strings.TrimPrefix(a.home.URL, "http://")}},
	})
}

func (a *afar) metrics() string {
	w := httptest.NewRecorder()
	a.handler.Record.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

// asked is how often each app was asked since the last time.
func (a *afar) asked() (home, there int64) { return a.home.asked.Swap(0), a.there.asked.Swap(0) }

// known reports whether somebody is known to be at us.
func (a *afar) known(cookie string) bool {
	return a.eu.elsewhere.has("us", strings.TrimPrefix(cookie, "Cookie: sid="), time.Now())
}

func TestWhoIsDeniedAtHomeIsServedWhereHisSessionIs(t *testing.T) {
	for _, method := range []string{"GET", "HEAD"} {
		a := newAfar(t, shed.GateSettings{})
		if got := a.ask(method, "/", ada); got.status != 303 {
			t.Fatalf("%s while all is well: %d %q", method, got.status, got.outcome)
		}
		a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
		a.asked()
		got := a.ask(method, "/", ada)
		home, there := a.asked()
		if got.status != 200 || method == "GET" && got.body != "hello ada" || cookies(got) != "" || home != 1 || there != 1 {
			t.Errorf("%s: %d %q %q with %q; home was asked %d times, the other %d", method, got.status, got.outcome, got.body, cookies(got), home, there)
		}
		until(t, "the line is written", func() bool { return a.log.has(`"attempts":2`) })
		line := a.log.with(`"attempts":2`)
		for _, part := range []string{`"pool":"us"`, `"backend":"` + a.there.URL + `"`, `"outcome":"proxied"`, `"store":"writable"`, `"guard":"second_opinion"`} {
			if !strings.Contains(line, part) {
				t.Errorf("no %s in %s", part, line)
			}
		}
	}
}

// Nobody gets another answer than before where the other app cannot help him.
func TestASecondOpinionThatHelpsNobodyChangesNothing(t *testing.T) {
	serve := func(f http.HandlerFunc) func(*testing.T, *afar) {
		return func(_ *testing.T, a *afar) { a.harsh.Store(&f) }
	}
	rows := map[string]struct {
		set    func(*testing.T, *afar)
		cookie string
		there  int64 // how often the other is asked
	}{
		"they know him no better": {func(*testing.T, *afar) {}, stranger, 1},
		"a 401":                   {serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }), ada, 1},
		"a page for strangers": {serve(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Set-Cookie", "sid=; Max-Age=0")
			_, _ = w.Write([]byte("who are you?"))
		}), ada, 1},
		"a failure":  {serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }), ada, 1},
		"no answer":  {serve(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), ada, 1},
		"a late one": {serve(hang), ada, 1},
		"no member":  {func(t *testing.T, a *afar) { a.us.breaks(t, shed.Down, shed.CauseRefused) }, ada, 0},
		"no backend": {func(_ *testing.T, a *afar) { a.there.Close() }, ada, 0},
		"no budget":  {func(_ *testing.T, a *afar) { a.budget(0) }, ada, 0},
	}
	for name, c := range rows {
		t.Run(name, func(t *testing.T) {
			a := newAfar(t, shed.GateSettings{})
			a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
			c.set(t, a)
			a.asked()
			got := a.ask("GET", "/", c.cookie)
			home, there := a.asked()
			if got.outcome != "converted; reason=read_only" || cookies(got) != "" || home != 1 || there != c.there {
				t.Errorf("%d %q with %q; home was asked %d times, the other %d", got.status, got.outcome, cookies(got), home, there)
			}
			if got.took > a.route.Timeout/2 { // and impaired_timeout is a tenth of it
				t.Errorf("he waited %v for his page", got.took)
			}
			until(t, "the line is written", func() bool { return a.log.has(`"outcome":"converted"`) })
			line := a.log.with(`"outcome":"converted"`)
			for _, part := range []string{`"pool":"eu"`, `"backend":"` + a.home.URL + `"`, `"store":"read-only"`, `"cause":"read_only"`, `"guard":"converted"`} {
				if !strings.Contains(line, part) {
					t.Errorf("no %s in %s", part, line)
				}
			}
			if a.known(c.cookie) {
				t.Error("he is taken for one of theirs")
			}
		})
	}
}

func TestWhatIsNotAskedTwice(t *testing.T) {
	a := newAfar(t, shed.GateSettings{})
	a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	for _, c := range []struct{ method, path, cookie, outcome string }{
		{"POST", "/", ada, "converted; reason=read_only"}, // it may have done something
		{"GET", "/", "Cookie: other=1", ""},               // no session that could be anywhere
	} {
		a.asked()
		got := a.ask(c.method, c.path, c.cookie)
		if home, there := a.asked(); got.outcome != c.outcome || home != 1 || there != 0 {
			t.Errorf("%s %s: %d %q; home was asked %d times, the other %d", c.method, c.cookie, got.status, got.outcome, home, there)
		}
	}
}

// A body is read once.
func TestWhatHasABodyIsNotAskedTwice(t *testing.T) {
	a := newAfar(t, shed.GateSettings{})
	a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	_, in := a.raw("GET / HTTP/1.1\r\nHost: a\r\n" + ada + "\r\nContent-Length: 1\r\n\r\nx")
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	until(t, "the line is written", func() bool { return a.log.has(`"outcome":"converted"`) })
	if home, there := a.asked(); res.StatusCode != 503 || home != 1 || there != 0 || a.log.has(`"attempts":2`) {
		t.Errorf("%s; home was asked %d times, the other %d: %s", res.Status, home, there, a.log.with("converted"))
	}
}

// What the app at home did is done, and counts, also where nobody else can be reached.
func TestASecondOpinionGivesNoQuotaBack(t *testing.T) {
	a := newAfar(t, shed.GateSettings{})
	a.route.Quotas = []Quota{{Name: "q", Limiter: quota.New(quota.Settings{Rate: 0.001, Burst: 1})}}
	a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	a.there.Close()
	for i, want := range []string{"converted; reason=read_only", "limited; reason=quota"} {
		if got := a.ask("GET", "/", ada); got.outcome != want {
			t.Errorf("time %d: %d %q, want %q", i+1, got.status, got.outcome, want)
		}
	}
}

// A pool that has no place to lend is asked for none.
func TestASecondOpinionTakesNoPlaceThatIsNotLent(t *testing.T) {
	a := newAfar(t, shed.GateSettings{Limit: 1, Reserve: 1})
	a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	a.asked()
	got := a.ask("GET", "/", ada)
	if _, there := a.asked(); got.outcome != "converted; reason=read_only" || there != 0 {
		t.Errorf("%d %q; the other was asked %d times", got.status, got.outcome, there)
	}
}

// A whole site of visitors without a session must not become as much load again somewhere else.
func TestManyWhoAreDeniedAreNotAllAskedAbout(t *testing.T) {
	a := newAfar(t, shed.GateSettings{})
	a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	a.budget(0.1)
	a.asked()
	const all = 100
	for range all {
		if got := a.ask("GET", "/", stranger); got.outcome != "converted; reason=read_only" {
			t.Fatalf("%d %q", got.status, got.outcome)
		}
	}
	home, there := a.asked()
	if home != all || there < 10 || there > all/10+10 {
		t.Errorf("of %d home was asked %d times, the other %d", all, home, there)
	}
	metrics := a.metrics()
	for _, want := range []string{`gatehouse_retries_total{pool="eu",result="sent"}`, `gatehouse_retries_total{pool="eu",result="no_budget"}`} {
		if strings.Contains(metrics, want+" 0") || !strings.Contains(metrics, want) {
			t.Errorf("%s is not counted", want)
		}
	}
}

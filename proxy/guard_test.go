package proxy

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/routing"
	"gatehouse/shed"
)

// harsh is an app whose store fails: by path it does one of the things by which apps sign people out.
func harsh(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Set-Cookie", "theme=dark; Path=/; Max-Age=99")
	switch strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/signs"), "/open") {
	case "/deleted":
		h.Add("Set-Cookie", "sid=; Path=/; Max-Age=0")
	case "/changed":
		h.Add("Set-Cookie", "sid=2; Path=/")
	case "/same":
		h.Add("Set-Cookie", "sid=1; Path=/; HttpOnly")
	case "/forgotten":
		h.Add("Set-Cookie", "remember=; Max-Age=0")
	case "/rotated":
		h.Add("Set-Cookie", "remember=next")
	case "/401":
		w.WriteHeader(401)
	case "/away":
		h.Set("Location", "/login?next=%2Faway")
		w.WriteHeader(303)
	case "/elsewhere":
		h.Set("Location", "/members")
		w.WriteHeader(303)
	case "/strict": // PHP with use_strict_mode
		h.Add("Set-Cookie", "sid=2; path=/; HttpOnly")
		h.Set("Location", "/login")
		w.WriteHeader(302)
	case "/shown": // oauth2-proxy
		h.Add("Set-Cookie", "sid=; Path=/; Expires=Mon, 01 Jan 2001 00:00:00 GMT")
		w.WriteHeader(403)
	}
	fmt.Fprint(w, "body")
}

func guarded(t *testing.T, serve http.HandlerFunc) *rig {
	t.Helper()
	b := newBackend(t, serve)
	p := newPool(t, "app", shed.GateSettings{}, b.URL)
	rules := []routing.Rule{{Name: "sign-in", Paths: []string{"/signs/*"}}, {Name: "open", Paths: []string{"/open/*"}}, {Name: "app"}}
	return newRig(t, rules, []*Route{
		{Pool: p, Need: shed.NeedRead, SignIn: true, Guard: true, MaxAge: time.Minute},
		{Pool: p, Need: shed.NeedNone, MaxAge: time.Minute},
		{Pool: p, Need: shed.NeedRead, Guard: true, MaxAge: time.Minute},
	})
}

// cookies are what the app set of them, and what was left of it.
func cookies(a answer) string {
	app := slices.DeleteFunc(slices.Clone(a.head.Values("Set-Cookie")), func(line string) bool { return strings.HasPrefix(line, "gatehouse_") })
	return strings.Join(app, " | ")
}

const theme = "theme=dark; Path=/; Max-Age=99"

func TestAnOutageSignsNobodyOut(t *testing.T) {
	r := guarded(t, harsh)
	r.stay()
	const both = "Cookie: sid=1; remember=now"
	type want struct {
		outcome string // "": the app's answer
		cookies string // of the app's answer
	}
	passed := func(more string) want { return want{"", theme + more} }
	page := want{"converted; reason=read_only", ""}
	rows := []struct {
		path         string
		well, broken want
	}{
		{"/deleted", passed(" | sid=; Path=/; Max-Age=0"), passed("")},
		{"/changed", passed(" | sid=2; Path=/"), passed("")},
		{"/same", passed(" | sid=1; Path=/; HttpOnly"), passed(" | sid=1; Path=/; HttpOnly")},
		{"/forgotten", passed(" | remember=; Max-Age=0"), passed("")},
		{"/rotated", passed(" | remember=next"), passed(" | remember=next")},
		{"/401", passed(""), page},
		{"/away", passed(""), page},
		{"/elsewhere", passed(""), passed("")},
		{"/strict", passed(" | sid=2; path=/; HttpOnly"), page},
		{"/shown", passed(" | sid=; Path=/; Expires=Mon, 01 Jan 2001 00:00:00 GMT"), page},
		{"/signs/changed", passed(" | sid=2; Path=/"), passed(" | sid=2; Path=/")},
		{"/signs/401", passed(""), passed("")},
		{"/signs/strict", passed(" | sid=2; path=/; HttpOnly"), passed(" | sid=2; path=/; HttpOnly")},
		{"/signs/deleted", passed(" | sid=; Path=/; Max-Age=0"), passed("")},
		{"/open/deleted", passed(" | sid=; Path=/; Max-Age=0"), passed(" | sid=; Path=/; Max-Age=0")},
	}
	for _, broken := range []bool{false, true} {
		state := "the store is well"
		if broken {
			state = "the store is read-only"
			set(r, true)
		}
		for _, c := range rows {
			want := c.well
			if broken {
				want = c.broken
			}
			if a := r.ask("GET", c.path, both); a.outcome != want.outcome || cookies(a) != want.cookies {
				t.Errorf("%s, %s: %d %q with %q; want %q with %q", c.path, state, a.status, a.outcome, cookies(a), want.outcome, want.cookies)
			}
		}
	}
}

// set breaks the store or mends it, ramp included.
func set(r *rig, broken bool) {
	r.t.Helper()
	if broken {
		r.breaks(shed.ReadOnly, shed.CauseReadOnly)
		return
	}
	r.breaks(shed.Writable, shed.OK)
	until(r.t, "the ramp has ended", func() bool { return !r.monitor.Current().Recovering() })
}

// stay has the client follow no redirect: it would hide what is answered.
func (r *rig) stay() {
	r.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
}

// While nobody knows yet that the store broke, the answer waits for a look.
func TestTheGuardLooksBeforeItBelieves(t *testing.T) {
	r := guarded(t, harsh)
	r.stay()
	r.canary.set(shed.ReadOnly, shed.CauseFull)
	if a := r.ask("GET", "/strict", member); a.outcome != "converted; reason=full" {
		t.Errorf("%d %q", a.status, a.outcome)
	}
	set(r, false)
	r.canary.set(shed.Down, shed.CauseRefused)
	if a := r.ask("GET", "/changed", member); a.status != 200 || cookies(a) != theme {
		t.Errorf("%d %q %q", a.status, a.outcome, cookies(a))
	}
}

func TestWhileTheRampRunsDeletionsAreHeldAndNewSessionsPass(t *testing.T) {
	r := guarded(t, harsh)
	r.stay()
	set(r, true)
	r.breaks(shed.Writable, shed.OK)
	if a := r.ask("GET", "/deleted", member); cookies(a) != theme {
		t.Errorf("a deletion: %q", cookies(a))
	}
	if a := r.ask("GET", "/changed", member); cookies(a) != theme+" | sid=2; Path=/" {
		t.Errorf("a new session: %q", cookies(a))
	}
	if a := r.ask("GET", "/away", member); a.outcome != "converted; reason=recovering" {
		t.Errorf("sent to sign in: %d %q", a.status, a.outcome)
	}
}

func TestWhoCarriesNothingIsNotGuarded(t *testing.T) {
	r := guarded(t, harsh)
	r.stay()
	set(r, true)
	for _, path := range []string{"/deleted", "/changed", "/401", "/away"} {
		if a := r.ask("GET", path); a.outcome != "" {
			t.Errorf("%s: %d %q", path, a.status, a.outcome)
		}
	}
	if a := r.ask("GET", "/401", "Authorization: Bearer x"); a.outcome != "converted; reason=read_only" {
		t.Errorf("a session in a header: %d %q", a.status, a.outcome)
	}
}

// Interim heads and trailers come when nothing can be judged; apps keep no sessions there.
func TestInterimHeadsAndTrailersSignNobodyOut(t *testing.T) {
	r := guarded(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Set-Cookie", "sid=; Max-Age=0")
		w.Header().Add("Set-Cookie", "theme=dark")
		w.Header().Add("Link", "</style.css>; rel=preload")
		w.WriteHeader(103)
		w.Header().Del("Set-Cookie")
		w.Header().Set("Trailer", "Set-Cookie, X-Sum")
		w.WriteHeader(200)
		fmt.Fprint(w, "body")
		w.(http.Flusher).Flush()
		w.Header().Add("Set-Cookie", "sid=2")
		w.Header().Add("Set-Cookie", "theme=light")
		w.Header().Set("X-Sum", "1")
	})
	var mu sync.Mutex
	var early []string
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		mu.Lock()
		defer mu.Unlock()
		early = append(early, h.Values("Set-Cookie")...)
		return nil
	}})
	q, _ := http.NewRequestWithContext(ctx, "GET", r.url+"/", nil)
	q.Header.Set("Cookie", "sid=1")
	res, err := r.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	buf := make([]byte, 64)
	for err == nil {
		_, err = res.Body.Read(buf)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(early, []string{"theme=dark"}) {
		t.Errorf("early hints set %q", early)
	}
	if got := res.Trailer.Values("Set-Cookie"); !slices.Equal(got, []string{"theme=light"}) || res.Trailer.Get("X-Sum") != "1" {
		t.Errorf("the trailer is %v", res.Trailer)
	}
}

// An app that hangs on its store must not carry on when the store thaws: what is in flight is called back when the store
// closes, before the app's own call times out.
func TestWhatIsInFlightIsCalledBackBeforeTheAppGivesUp(t *testing.T) {
	queued := make(chan struct{}, 1)
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second): // its store call timed out
			queued <- struct{}{}
			w.Header().Set("Set-Cookie", "sid=; Max-Age=0")
			w.WriteHeader(403)
		}
	})
	rules, routes := one(&Route{Pool: newPool(t, "app", shed.GateSettings{}, b.URL), Guard: true, MaxAge: time.Minute})
	r := newRig(t, rules, routes)
	got := make(chan answer, 1)
	go func() {
		a, _ := r.try(context.Background(), "GET", "/", member)
		got <- a
	}()
	until(t, "it is in flight", func() bool { return b.asked.Load() == 1 })
	r.breaks(shed.Down, shed.CauseHung)
	if a := <-got; a.outcome != "converted; reason=hung" || cookies(a) != "" {
		t.Errorf("%d %q %q", a.status, a.outcome, cookies(a))
	}
	select {
	case <-queued:
		t.Error("the app went on to end the session")
	default:
	}
}

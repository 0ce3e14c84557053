package proxy

import (
	"net/http"
	"strings"
	"testing"

	"gatehouse/shed"
)

// bob has his session at home.
const bob = "Cookie: sid=bbbbbbbbbbbbbbbbbbbb"

// startsAnew is an app that does not know a session, and begins another one for whoever carries it (session.use_strict_mode of PHP).
func startsAnew(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Set-Cookie", "sid=nnnnnnnnnnnnnnnnnnnn; Path=/")
	_, _ = w.Write([]byte("who are you?"))
}

// An answer that does not show that somebody is known there is none of his, and sends him nowhere afterwards.
func TestWhatTellsNothingIsNoSecondOpinion(t *testing.T) {
	rows := map[string]http.HandlerFunc{"a session of its own": startsAnew}
	for _, status := range []int{403, 404, 429} {
		rows[http.StatusText(status)] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	for name, other := range rows {
		t.Run(name, func(t *testing.T) {
			a := newAfar(t, shed.GateSettings{})
			a.harsh.Store(&other)
			a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
			if got := a.ask("GET", "/", ada); got.outcome != "converted; reason=read_only" || cookies(got) != "" {
				t.Errorf("%d %q with %q", got.status, got.outcome, cookies(got))
			}
			if a.known(ada) {
				t.Error("he is taken for one of theirs")
			}
			a.asked()
			a.ask("POST", "/", ada)
			if home, there := a.asked(); home != 1 || there != 0 {
				t.Errorf("what he sends goes to the other pool: home was asked %d times, the other %d", home, there)
			}
		})
	}
}

// What is known of somebody may be wrong, and his session at home after all: then nothing that he is answered over there ends it.
func TestWhoIsTakenForAnothersKeepsHisSession(t *testing.T) {
	for name, other := range map[string]http.HandlerFunc{
		"deleted": turnsAway,
		"replaced": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Set-Cookie", "sid=nnnnnnnnnnnnnnnnnnnn; Path=/")
			w.Header().Set("Location", "/login")
			w.WriteHeader(303)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAfar(t, shed.GateSettings{})
			fine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) })
			a.harsh.Store(&fine)
			a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
			if got := a.ask("GET", "/", bob); got.body != "hello" || !a.known(bob) {
				t.Fatalf("%d %q %q: this proves nothing", got.status, got.outcome, got.body)
			}
			a.harsh.Store(&other)
			a.asked()
			got := a.ask("GET", "/", bob)
			if home, there := a.asked(); cookies(got) != "" || home != 0 || there != 1 {
				t.Errorf("%d with %q; home was asked %d times, the other %d", got.status, cookies(got), home, there)
			}
		})
	}
}

// Nothing is counted as sent where the other pool lends no place.
func TestASecondOpinionThatIsNotAskedCostsNothing(t *testing.T) {
	a := newAfar(t, shed.GateSettings{Limit: 1, Reserve: 1})
	a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	a.asked()
	a.ask("GET", "/", ada)
	if _, there := a.asked(); there != 0 || strings.Contains(a.metrics(), `gatehouse_retries_total{pool="eu",result="sent"} 1`) {
		t.Errorf("the other was asked %d times, and a retry was counted", there)
	}
}

// A second opinion is one: it does not go on to other backends.
func TestASecondOpinionIsAskedOnce(t *testing.T) {
	a := newAfar(t, shed.GateSettings{})
	fails := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	second := newBackend(t, fails)
	a.over = newPool(t, "us", shed.GateSettings{}, a.there.URL, second.URL)
	a.route.Overflow = a.over
	a.harsh.Store(&fails)
	a.eu.breaks(t, shed.ReadOnly, shed.CauseReadOnly)
	a.asked()
	a.ask("GET", "/", ada)
	if _, there := a.asked(); there+second.asked.Load() != 1 {
		t.Errorf("the other pool was asked %d times about one request", there+second.asked.Load())
	}
}

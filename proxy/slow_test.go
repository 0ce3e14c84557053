package proxy

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/routing"
	"gatehouse/shed"
	"gatehouse/shed/session"
)

// slowpoke is a rig whose one pool has two places, and an app that sends more than anybody's socket holds.
func slowpoke(t *testing.T, patience time.Duration) (*rig, *Pool) {
	t.Helper()
	b := newBackend(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/large" {
			_, _ = io.Copy(io.Discard, q.Body)
			fmt.Fprint(w, "in")
			return
		}
		chunk := make([]byte, 1<<20)
		for range 64 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	p := newPool(t, "app", shed.GateSettings{Limit: 2, Length: 4, Timeout: patience}, b.URL)
	r := newRig(t, []routing.Rule{{Name: "app"}}, []*Route{{Pool: p, Need: shed.NeedNone}})
	return r, p
}

func (r *rig) asMember() string {
	const id = "11111111111111111111"
	return "Cookie: sid=" + id + "; " + session.ProofCookie + "=" + r.runtime.Seal.Proof(id, time.Now())
}

func TestTheSlowGiveWay(t *testing.T) {
	for what, request := range map[string]string{
		"who read slowly": "GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
		"who send slowly": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nbegin",
	} {
		r, p := slowpoke(t, 300*time.Millisecond)
		for range 2 {
			r.raw(request)
		}
		until(t, what+" are taken for slow", func() bool { return p.Slow.n.Load() == 2 })
		if a := r.ask("GET", "/"); a.outcome != "shed; reason=queue_timeout" {
			t.Errorf("%s gave way to an equal: %d %q", what, a.status, a.outcome)
		}
		for range 3 {
			if a := r.ask("GET", "/", r.asMember()); a.status != 200 {
				t.Errorf("%s gave no way to a member: %d %q", what, a.status, a.outcome)
			}
		}
		if n := p.Slow.n.Load(); n != 1 {
			t.Errorf("%s: %d are left; one place was wanted", what, n)
		}
		if what == "who send slowly" { // of the others the line comes when they read on, or are given up
			until(t, "the log says why", func() bool { return r.log.has("displaced") })
		}
	}
}

// The place that somebody gives up is for the one he gives it up for, and not for whoever stood in the queue before.
func TestTheSlowGiveWayToWhoIsMeant(t *testing.T) {
	const large = "GET /large HTTP/1.1\r\nHost: a\r\n\r\n"
	r, p := slowpoke(t, 10*time.Second)
	for range 2 {
		r.raw(large)
	}
	until(t, "two are slow", func() bool { return p.Slow.n.Load() == 2 })
	for range 2 {
		r.raw(large)
	}
	until(t, "two more like them wait", func() bool { return p.Gate.Load().Queued == 2 })
	if a := r.ask("GET", "/", r.asMember()); a.status != 200 || a.took > 5*time.Second {
		t.Errorf("a member got %d %q after %v", a.status, a.outcome, a.took)
	}
}

// Somebody may be in the queue already when it shows that a place is held by a slow one.
func TestWhoTurnsOutToBeSlowGivesWayToTheQueue(t *testing.T) {
	r, p := slowpoke(t, 10*time.Second)
	for range 2 {
		r.raw("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	until(t, "two hold the places", func() bool { return p.Gate.Load().InFlight == 2 })
	if n := p.Slow.n.Load(); n != 0 {
		t.Fatalf("%d are slow already", n)
	}
	if a := r.ask("GET", "/", r.asMember()); a.status != 200 || a.took > 5*time.Second {
		t.Errorf("a member got %d %q after %v", a.status, a.outcome, a.took)
	}
}

// Nobody is slow for what the pool itself takes.
func TestWhoWaitsForThePoolIsNotSlow(t *testing.T) {
	hold := make(chan struct{})
	b := newBackend(t, func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body)
		<-hold
		fmt.Fprint(w, "in")
	})
	p := newPool(t, "app", shed.GateSettings{Limit: 1, Length: 4, Timeout: 300 * time.Millisecond}, b.URL)
	rules, routes := one(&Route{Pool: p, Need: shed.NeedNone})
	r := newRig(t, rules, routes)
	done := make(chan answer)
	go func() {
		_, in := r.raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nwhole")
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Error(err)
			done <- answer{}
			return
		}
		done <- answer{status: res.StatusCode}
	}()
	until(t, "it is there", func() bool { return b.asked.Load() == 1 })
	time.Sleep(slowAfter * 3 / 2) // longer than a visitor may take
	if a := r.ask("GET", "/", r.asMember()); a.outcome != "shed; reason=queue_timeout" {
		t.Errorf("a member took the place of one who waits for the pool: %d %q", a.status, a.outcome)
	}
	close(hold)
	if a := <-done; a.status != 200 {
		t.Errorf("who waited got %d", a.status)
	}
}

// A stream of events may last for hours, and costs the pool next to nothing: its place is free from its head on.
func TestAStreamOfEventsHoldsNoPlace(t *testing.T) {
	over := make(chan struct{})
	b := newBackend(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/events" {
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			fmt.Fprint(w, "data: one\n\n")
			w.(http.Flusher).Flush()
			<-over
		}
	})
	p := newPool(t, "app", shed.GateSettings{Limit: 1}, b.URL)
	rules, routes := one(&Route{Pool: p, Need: shed.NeedNone})
	r := newRig(t, rules, routes)
	defer close(over)
	_, in := r.raw("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "data: one\n" {
			break
		}
	}
	if a := r.ask("GET", "/"); a.status != 200 {
		t.Errorf("beside a stream of events in a pool of one: %d %q", a.status, a.outcome)
	}
}

// A look that had begun as the reading ended is the last.
func TestAReadingThatHasEndedIsLookedAtNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, looks := &reader{x: &exchange{}}, 0
		r.timer = time.AfterFunc(math.MaxInt64, func() {
			looks++
			r.look()
		})
		r.stop()
		r.look()
		time.Sleep(time.Hour)
		if looks > 0 {
			t.Errorf("%d looks in an hour", looks)
		}
	})
}

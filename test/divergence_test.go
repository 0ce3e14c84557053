package test

import (
	"fmt"
	"testing"
	"time"
)

// TestFaultsMembersDiverge stops what copies between two members. Nothing closes for it; but an app that lives on the one, and takes a
// visitor who signed in at the other for a stranger, is not believed: without heartbeats he is seen to be signed out.
func TestFaultsMembersDiverge(t *testing.T) {
	const lag, interval = time.Second, 200 * time.Millisecond
	p := startPairOfMembers(t)
	p.copyOnly(beats, sessions)
	eu, us := p.app(p.eu, p.us), p.app(p.us, p.eu)
	eu.others, us.others = nil, nil // each knows its own member alone
	with := startGatehouse(t, p.bound(eu, us, fmt.Sprintf("{interval: %v, lag: %v}", interval, lag)).text())
	without := startGatehouse(t, p.bound(eu, us, "off").text())
	unbound := startGatehouse(t, site{backend: eu.URL, place: p.place("any", fmt.Sprintf("{interval: %v, lag: %v}", interval, lag))}.text())
	roads := roads()
	t.Cleanup(roads.CloseIdleConnections)
	// come is somebody's visit to the app that lives on eu.
	come := func(g *gatehouse, id string) reply {
		v := arrive(g.url, roads, 1)
		v.jar["sid"] = id
		return v.get("/members")
	}
	served := func(g *gatehouse, id string) func() bool {
		return func() bool { return come(g, id).ok() }
	}
	seen := func() bool {
		for _, part := range with.parts(t) {
			if len(part.Lags) != 1 || part.Lags[0].Seen.IsZero() {
				return false
			}
		}
		return true
	}
	eventually(t, patience, "each member shows the other's heartbeat", seen)
	_, _, before := signInAway(t, with.url)
	eventually(t, patience, "what is written at us is seen at eu", served(with, before))
	// Who is told so while all is well has no session, in truth.
	if r := come(with, "stranger"); r.status != 303 || r.outcome != "" {
		t.Errorf("a stranger while all is well: %v", r)
	}
	home := mustSignIn(t, with.url)

	stopped := time.Now()
	p.copyOnly()
	var d partStatus
	eventually(t, patience, "/status says that the members have come apart", func() bool { d = with.part(t, wholeStore); return d.Diverged != nil })
	took := d.Diverged.Since.Sub(stopped)
	eventually(t, patience, "another Gatehouse says so, too", func() bool { return unbound.part(t, wholeStore).Diverged != nil })
	t.Logf("the members were seen to have come apart %v after nothing was copied any more; promised %v: %s is %.1f s behind %s",
		took.Round(time.Millisecond), lag+2*interval, d.Diverged.At, d.Diverged.Lag, d.Diverged.Of)
	if took > busy*(lag+2*interval) {
		t.Errorf("the members were seen to have come apart after %v", took)
	}
	for _, s := range with.stores(t) {
		if s.State != "writable" {
			t.Errorf("%s is %s (%s); nothing closes for it", s.Name, s.State, s.Cause)
		}
	}
	series := fmt.Sprintf(`gatehouse_store_lag_seconds{of=%q,store=%q}`, d.Diverged.Of, d.Diverged.At)
	if m := with.metric(t, series); m < lag.Seconds() {
		t.Errorf("%s is %v; want more than %v", series, m, lag.Seconds())
	}
	if status, outcome, id := signIn(t, unbound.url); id == "" {
		t.Errorf("a sign-in to a pool of which the file does not say which member it uses: %d %s; it works", status, outcome)
	}
	status, outcome, kept := signInAway(t, with.url)
	if kept == "" {
		t.Fatalf("a sign-in at us, which works: %d %s", status, outcome)
	}
	_, _, lost := signInAway(t, without.url)
	guarded, exposed := come(with, kept), come(without, lost)
	t.Logf("who signed in at us and comes to the app of eu: %v, sid set to %v; without heartbeats: %v, sid set to %v",
		guarded, guarded.set, exposed, exposed.set)
	if _, touched := guarded.set["sid"]; touched || guarded.status != 503 {
		t.Errorf("who signed in at the other member: %v, it sets %v; want the page, and his cookie left alone", guarded, guarded.set)
	}
	if now, touched := exposed.set["sid"]; !touched || now != "" {
		t.Errorf("without heartbeats he was not signed out (%v): this proves nothing", exposed)
	}
	if r := come(with, home); !r.ok() {
		t.Errorf("who signed in at eu itself: %v", r)
	}

	resumed := time.Now()
	p.copyOnly(beats, sessions)
	eventually(t, patience, "the members are together again", func() bool { return with.part(t, wholeStore).Diverged == nil })
	t.Logf("together again %v after what is written was copied again", time.Since(resumed).Round(time.Millisecond))
	eventually(t, patience, "he is served after all", served(with, kept))
	if r := come(with, "stranger"); r.status != 303 || r.outcome != "" {
		t.Errorf("a stranger once all is well: %v", r)
	}
}

package test

import (
	"testing"
	"time"
)

const tax = `gatehouse_isolation_tax_total{pool="login"}`

// TestSignInsOverflow: beyond what their own pool can do sign-ins borrow at the app's, none is refused while there is room, a
// reserve is never lent, and members notice nothing. Without the overflow the same sign-ins are refused beside an idle app: that is
// the isolation tax, and it is counted.
func TestSignInsOverflow(t *testing.T) {
	t.Parallel()
	const (
		long  = 3 * time.Second
		each  = 100 * time.Millisecond
		limit = 20 // of the app's pool
		lent  = 14 // by a reserve of 0.30
	)
	type site2 struct {
		g        *gatehouse
		app, own *hands
		members  []*visitor
	}
	roads := roads()
	t.Cleanup(roads.CloseIdleConnections)
	start := func(apart bool) *site2 {
		s := &site2{app: startHands(t, limit, each), own: startHands(t, 2, each)}
		s.g = startGatehouse(t, site{
			backend: s.app.URL, own: s.own.URL, top: crowd, apart: apart, routes: `- {name: members, match: {path: /members}, pool: app, members: true}`,
			login: "max_in_flight: 2, queue: {length: 2, timeout: 500ms}", pool: "max_in_flight: 20, reserve: 0.30, queue: {length: 20, timeout: 1s}",
		}.text())
		for i := range 5 {
			m := arrive(s.g.url, roads, i)
			if r := m.signIn(); !r.ok() {
				t.Fatalf("a member signs in before the rush: %v", r)
			}
			s.app.know(m.jar["sid"])
			s.members = append(s.members, m)
		}
		s.app.asked()
		return s
	}
	play := func(s *site2, signIns int) map[string][]reply {
		return rush(long, map[string]stream{
			"members":  {20, func(n int) reply { m := s.members[n%len(s.members)]; return m.twin(m.from).get("/members") }},
			"sign-ins": {signIns, func(n int) reply { return arrive(s.g.url, roads, 1000+n).post("/login", named) }},
		})
	}

	s := start(false)
	var got map[string][]reply
	var borrowed, atOnce int
	steadily(func() bool {
		got = play(s, 60)
		borrowed, _ = s.app.asked()
		printRush(t, "overflow, sign-ins at three times their pool", long, got)
		return served(got["sign-ins"]) >= most && served(got["members"]) >= most
	})
	if part := served(got["sign-ins"]); part < most || borrowed == 0 {
		t.Errorf("%.1f %% of sign-ins were served, %d by the app's pool; want %.0f %%, and some", 100*part, borrowed, 100*most)
	}
	if part := served(got["members"]); part < most {
		t.Errorf("%.1f %% of members were served; want %.0f %%", 100*part, 100*most)
	}
	if n := s.g.metric(t, tax); n != 0 {
		t.Errorf("%.0f sign-ins were refused although there was room; want none", n)
	}

	steadily(func() bool {
		got = play(s, 200)
		borrowed, atOnce = s.app.asked()
		printRush(t, "overflow, sign-ins at more than both", long, got)
		return served(got["members"]) >= most
	})
	t.Logf("at most %d sign-ins were at the app at once, %d may; %d were in all; isolation tax %.0f", atOnce, lent, borrowed, s.g.metric(t, tax))
	if atOnce > lent || atOnce < lent/2 {
		t.Errorf("%d sign-ins were at the app at once; want %d at most, and not few", atOnce, lent)
	}
	if part := served(got["members"]); part < most {
		t.Errorf("%.1f %% of members were served while their pool was borrowed from; want %.0f %%", 100*part, 100*most)
	}
	if part := served(got["sign-ins"]); part > most {
		t.Errorf("%.1f %% of sign-ins were served: it was no rush, and this proves nothing", 100*part)
	}

	s = start(true)
	got = play(s, 60)
	printRush(t, "no overflow, sign-ins at three times their pool", long, got)
	paid := s.g.metric(t, tax)
	t.Logf("isolation tax without overflow: %.0f", paid)
	if part := served(got["sign-ins"]); paid == 0 || part > 0.7 {
		t.Errorf("without overflow %.1f %% of sign-ins were served, and the tax is %.0f: this proves nothing", 100*part, paid)
	}
}

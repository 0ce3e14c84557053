package test

import (
	"fmt"
	"testing"
	"time"
)

const (
	floodLasts = 4 * time.Second
	impatience = 3 * time.Second // of who comes during a flood
	most       = 0.99            // of members and sign-ins that must be served
)

// flood signs members in at a site, and then has them, sign-ins, and several times as many strangers as the app has hands for come
// at once. Half of the strangers claim a session that they made up.
func flood(t *testing.T, base string) map[string][]reply {
	t.Helper()
	roads := roads()
	t.Cleanup(roads.CloseIdleConnections)
	members := make([]*visitor, 10)
	for i := range members {
		members[i] = arrive(base, roads, i)
		members[i].wait = impatience
		if r := members[i].signIn(); !r.ok() {
			t.Fatalf("a member signs in before the flood: %v", r)
		}
	}
	somebody := func(n int) *visitor {
		v := arrive(base, roads, 1000+n)
		v.wait = impatience
		return v
	}
	return rush(floodLasts, map[string]stream{
		"members":  {20, func(n int) reply { m := members[n%len(members)]; return m.twin(m.from).get("/members") }},
		"sign-ins": {10, func(n int) reply { return somebody(n).post("/login", named) }},
		"made-up sessions": {120, func(n int) reply {
			v := somebody(1000 + n)
			v.jar["sid"] = fmt.Sprint("made-up-", n)
			return v.get("/members")
		}},
		"anonymous": {120, func(n int) reply { return somebody(2000 + n).get("/") }},
	})
}

// TestSignInIsNeverStarved: of a flood of strangers at three times what the app can do, members and sign-ins notice nothing. The same
// program without limits, before an app that is as large and one for all, has the flood queue in the app, and everybody with it.
func TestSignInIsNeverStarved(t *testing.T) {
	t.Parallel()
	const each = 100 * time.Millisecond
	before := func(app, own *hands, login, pool string) map[string][]reply {
		return flood(t, startGatehouse(t, site{
			backend: app.URL, own: own.URL, top: crowd, login: login, pool: pool,
		}.text()).url)
	}
	// Each of the strangers' classes is sure of a tenth of what the pool can do, and nobody else needs all of the rest.
	const sure = 0.10 * 8 / 0.1 // a second
	had := func(replies []reply) float64 { return served(replies) * float64(len(replies)) / floodLasts.Seconds() }
	var limited map[string][]reply
	steadily(func() bool {
		limited = before(startHands(t, 8, each), startHands(t, 4, each),
			"max_in_flight: 4, queue: {length: 16, timeout: 1s}", "max_in_flight: 8, queue: {length: 16, timeout: 1s}")
		printRush(t, "limits and classes", floodLasts, limited)
		return served(limited["members"]) >= most && served(limited["sign-ins"]) >= most && had(limited["anonymous"]) >= sure/2
	})
	for _, who := range []string{"members", "sign-ins"} {
		if part := served(limited[who]); part < most {
			t.Errorf("of %s %.1f %% were served during the flood; want %.0f %%", who, 100*part, 100*most)
		}
	}
	for _, who := range []string{"made-up sessions", "anonymous"} {
		part := served(limited[who])
		if part > 0.8 {
			t.Errorf("of %s %.1f %% were served: it was no flood, and this proves nothing", who, 100*part)
		}
		if got := had(limited[who]); got < sure/2 {
			t.Errorf("of %s %.1f were served a second; their share is %.0f, and at least half of it is wanted here", who, got, sure)
		}
	}

	all := startHands(t, 12, each)
	free := before(all, all, "max_in_flight: 0", "max_in_flight: 0")
	printRush(t, "no limits", floodLasts, free)
	for _, who := range []string{"members", "sign-ins"} {
		if part := served(free[who]); part > 0.9 {
			t.Errorf("without limits %.1f %% of %s were served: this proves nothing", 100*part, who)
		}
	}
}

package test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// home is a site whose app lives on eu, where members read; who signs in while eu takes no writes does it at the app that lives on us. over
// is what the routes of members say beside that.
func (p *pair) home(eu, us *app, over string) site {
	s := p.bound(eu, us, "{interval: 200ms, lag: 2s}")
	s.pool, s.ramp = "store: eu", "from: 50/s, to: 100/s, over: 2s"
	s.routes += "\n- {name: members, match: {path: /members}, pool: app, needs: read" + over + "}" +
		"\n- {name: notes-of-members, match: {path: /notes, cookie: {sid: \"*\"}}, pool: app, needs: read" + over + "}"
	return s
}

// sees has somebody who has a session come three times, and send something.
func sees(v *visitor) (all []reply) {
	for range 3 {
		all = append(all, v.get("/members"))
	}
	return append(all, v.post("/notes", named))
}

// saw is what he saw, for people.
func saw(all []reply) string {
	var words []string
	for _, r := range all {
		word := fmt.Sprint(r.status)
		switch {
		case r.outcome != "":
			word += " the page (" + r.reason + ")"
		case r.status == 200:
			word += " " + r.body
		default:
			word += " to " + r.header.Get("Location")
		}
		if now, touched := r.set["sid"]; touched && now == "" {
			word += ", signed out"
		}
		words = append(words, word)
	}
	return strings.Join(words, "; ")
}

// TestMembersSignedInElsewhere has somebody sign in at us while eu takes no writes: his session cannot come to eu, which could be read and so
// serves everybody else. He is served where his session is, by the Gatehouse that saw him sign in and by one that did not, until eu
// is itself again.
func TestMembersSignedInElsewhere(t *testing.T) {
	p := startPairOfMembers(t)
	p.copyOnly(beats, sessions)
	eu, us := p.app(p.eu, p.us), p.app(p.us, p.eu)
	eu.others, us.others = nil, nil // each knows its own member alone
	file := p.home(eu, us, ", overflow: away").text()
	with, another := startGatehouse(t, file), startGatehouse(t, file)
	stays := startGatehouse(t, p.home(eu, us, "").text())
	unguarded := p.bound(eu, us, "off")
	unguarded.place, unguarded.login, unguarded.pools = "", "max_in_flight: 64", strings.Replace(unguarded.pools, ", store: us", "", 1)
	bare := startGatehouse(t, unguarded.text())
	roads := roads()
	t.Cleanup(roads.CloseIdleConnections)
	visit := func(g *gatehouse, id string) *visitor {
		v := arrive(g.url, roads, 1)
		v.jar["sid"] = id
		return v
	}
	// served is how many a pool of a Gatehouse answered as they asked, on a route of members.
	served := func(g *gatehouse, pool string) float64 {
		return g.metric(t, fmt.Sprintf(`gatehouse_requests_total{code="200",outcome="proxied",pool=%q,route="members"}`, pool))
	}
	before := mustSignIn(t, with.url)

	p.eu.do("REPLICAOF", "127.0.0.1", "9")
	for _, g := range []*gatehouse{with, another, stays} {
		eventually(t, patience, "eu is known to take no writes", func() bool { return g.stateOf(t, "eu") == "read-only" })
	}
	status, outcome, id := signIn(t, with.url)
	if id == "" || p.eu.has("sess:"+id) || !p.us.has("sess:"+id) {
		t.Fatalf("a sign-in while eu takes no writes: %d %s; eu has it: %v, us: %v", status, outcome, p.eu.has("sess:"+id), p.us.has("sess:"+id))
	}
	_, _, lost := signInAway(t, bare.url)
	rows := []struct {
		what string
		all  []reply
		want string
	}{
		{"where he signed in", sees(visit(with, id)), "200 hello ada; 200 hello ada; 200 hello ada; 303 to /members"},
		{"at another Gatehouse", sees(visit(another, id)), "200 hello ada; 200 hello ada; 200 hello ada; 303 to /members"},
		{"where members may not go over", sees(visit(stays, id)),
			"503 the page (read_only); 503 the page (read_only); 503 the page (read_only); 503 the page (read_only)"},
		{"without the protection", sees(visit(bare, lost)), "303 to /login, signed out; 303 to /login; 303 to /login; 303 to /login"},
		{"who signed in at eu before", sees(visit(with, before))[:3], "200 hello ada; 200 hello ada; 200 hello ada"},
		{"whom nobody knows", []reply{visit(with, "nobody-nobody-nobody").get("/members")}, "503 the page (read_only)"},
	}
	for _, row := range rows {
		got := saw(row.all)
		t.Logf("%-30s %s", row.what+":", got)
		if got != row.want {
			t.Errorf("%s: %s; want %s", row.what, got, row.want)
		}
	}
	for _, c := range []struct {
		g                         *gatehouse
		home, there, opinions, of float64
	}{{with, 3, 3, 0, 1}, {another, 0, 3, 1, 1}} { // whom nobody knows was asked about, too
		opinions := c.g.metric(t, `gatehouse_session_guard_total{action="second_opinion"}`)
		asked := c.g.metric(t, `gatehouse_retries_total{pool="app",result="sent"}`)
		if home, there := served(c.g, "app"), served(c.g, "away"); home != c.home || there != c.there || opinions != c.opinions || asked != c.of {
			t.Errorf("eu served %v of his requests, us %v, with %v second opinions of %v; want %v, %v, %v of %v",
				home, there, opinions, asked, c.home, c.there, c.opinions, c.of)
		}
	}

	p.eu.do("REPLICAOF", "NO", "ONE")
	eventually(t, patience, "what is kept at us has come to eu", func() bool { return p.eu.has("sess:" + id) })
	v := visit(another, id)
	from := served(another, "app")
	eventually(t, patience, "he is at home again", func() bool {
		if r := v.get("/members"); r.status != http.StatusOK {
			t.Errorf("while eu comes back: %v", r)
		}
		return served(another, "app") > from
	})
}

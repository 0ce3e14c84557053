package test

import (
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// memberFaults are the ways in which one of two members says no, or is away, and both.
func memberFaults() []*scenario {
	kill := func(r *redisServer) {
		r.do("SAVE")
		r.kill()
	}
	return []*scenario{
		oneMember("members: eu read-only", "read_only", true,
			func(p *pair) { p.eu.do("REPLICAOF", "127.0.0.1", "9") },
			func(p *pair) { p.eu.do("REPLICAOF", "NO", "ONE") }),
		oneMember("members: eu full", "full", false,
			func(p *pair) { p.eu.do("CONFIG", "SET", "maxmemory", "1000") },
			func(p *pair) { p.eu.do("CONFIG", "SET", "maxmemory", "0") }),
		oneMember("members: eu killed", "refused", false, func(p *pair) { kill(p.eu) }, func(p *pair) { p.eu.start() }),
		oneMember("members: eu hung", "hung", false,
			func(p *pair) { p.eu.signal(syscall.SIGSTOP) },
			func(p *pair) { p.eu.signal(syscall.SIGCONT) }),
		{
			name: "members: both killed", causes: []string{"refused"}, state: "down",
			first: definite, member: definite, again: reconnected, off: []harm{bareErrors, signOuts},
			build:  setMembers,
			breaks: func(st *stage) { kill(st.pair.eu); kill(st.pair.us) },
			mend:   func(st *stage) { st.pair.eu.start(); st.pair.us.start(); st.mended = time.Now() },
		},
		{
			name: "members: eu read-only, all are required", causes: []string{"read_only"}, state: "read-only",
			first: definite, again: reopened, reads: true, off: []harm{bareErrors},
			build:  setEither("all"),
			breaks: func(st *stage) { st.pair.eu.do("REPLICAOF", "127.0.0.1", "9") },
			mend:   func(st *stage) { st.pair.eu.do("REPLICAOF", "NO", "ONE"); st.mended = time.Now() },
			check:  func(t *testing.T, st *stage, _ seen) { st.spared(t, "us") },
		},
		anyMember(),
	}
}

// oneMember breaks eu, on which the pool of sign-ins lives: they go to that of us at once, and come back by the ramp.
func oneMember(name, cause string, quick bool, breaks, mend func(*pair)) *scenario {
	return &scenario{
		name: name, quick: quick, state: "writable", first: -1, reads: true, off: []harm{bareErrors},
		after:  3500 * time.Millisecond, // a hung member opens within 1.8 s, and the ramp is to be seen
		build:  setMembers,
		breaks: func(st *stage) { breaks(st.pair) },
		mend: func(st *stage) {
			p := st.with.part(st.t, "eu")
			if p.State == "writable" || p.Cause != cause {
				st.t.Errorf("/status shows eu %s (%s); want %s", p.State, p.Cause, cause)
			}
			st.otherWay()
			if cause == "refused" || cause == "hung" {
				eventually(st.t, patience, "who cannot be asked is too far away", func() bool { return st.with.part(st.t, wholeStore).Diverged != nil })
				st.otherWay() // and nothing closes for it
			}
			st.reloaded(st.t, p)
			mend(st.pair)
			st.mended = time.Now()
		},
		check: func(t *testing.T, st *stage, _ seen) {
			st.spared(t, "us")
			st.wentOver(t)
			st.cameBack(t)
		},
	}
}

// reloaded has the file read again while eu is away: what is known of each member stays.
func (st *stage) reloaded(t *testing.T, eu partStatus) {
	t.Helper()
	if code, stdout, stderr := command(t, "reload", "--admin", strings.TrimPrefix(st.with.admin, "http://")); code != 0 {
		t.Errorf("gatehouse reload: exit code %d: %s%s", code, stdout, stderr)
	}
	if now := st.with.part(t, "eu"); now.State != eu.State || now.Cause != eu.Cause {
		t.Errorf("after a reload eu is %s (%s); it was %s (%s)", now.State, now.Cause, eu.State, eu.Cause)
	}
	st.otherWay()
}

// anyMember breaks one of two of which any will do, by the file's word, for an app that saves where it can.
func anyMember() *scenario {
	return &scenario{
		name: "members: eu read-only, any will do", state: "writable", first: -1, reads: true,
		honest: "nothing: the app saves where it can. It can fail by sign-ins that are turned away for the member which is not needed",
		build:  setEither("any"),
		breaks: func(st *stage) { st.pair.eu.do("REPLICAOF", "127.0.0.1", "9") },
		mend:   func(st *stage) { st.pair.eu.do("REPLICAOF", "NO", "ONE"); st.mended = time.Now() },
		check: func(t *testing.T, st *stage, _ seen) {
			st.spared(t, "us")
			all := st.guarded.between(st.broken, st.mended, signIns)
			in := count(all, hit.admitted)
			t.Logf("%d of %d sign-ins during the fault worked: %v", in, len(all), outcomes(all))
			if in < len(all) {
				t.Errorf("%d of %d sign-ins worked; want all", in, len(all))
			}
		},
	}
}

// spared fails the test where a member that works was ever taken for one that does not.
func (st *stage) spared(t *testing.T, member string) {
	t.Helper()
	if all := st.with.changesOf(member); slices.ContainsFunc(all, change.closes) {
		t.Errorf("%s was taken for impaired: %v", member, all)
	}
}

// otherWay has people sign in where the pool of us comes first, while eu is away: nothing has changed for them.
func (st *stage) otherWay() {
	st.t.Helper()
	for range 5 {
		if status, outcome, id := signInAway(st.t, st.with.url); id == "" {
			st.t.Errorf("a sign-in whose own pool lives on us: %d %s", status, outcome)
		}
	}
}

// signInAway is signIn where the pool of us comes first.
func signInAway(t *testing.T, base string) (status int, outcome, id string) {
	t.Helper()
	r, err := http.NewRequest("POST", base+"/login", strings.NewReader(named.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = awayHost
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	readAll(t, res)
	for _, c := range res.Cookies() {
		if c.Name == "sid" {
			id = c.Value
		}
	}
	return res.StatusCode, res.Header.Get("Gatehouse-Outcome"), id
}

// wentOver fails the test where sign-ins did not go to the pool that lives on us as soon as eu was known not to take them.
func (st *stage) wentOver(t *testing.T) {
	t.Helper()
	var known time.Time
	for _, c := range st.with.changesOf("eu") {
		if known.IsZero() && c.closes() {
			known = c.at
		}
	}
	all := st.guarded.between(st.broken, st.mended, signIns)
	in, after := count(all, hit.admitted), st.guarded.between(known, st.mended, signIns)
	over := slices.DeleteFunc(st.pair.away.signIns(), func(at time.Time) bool { return at.Before(st.broken) })
	if len(over) == 0 || known.IsZero() {
		t.Fatalf("nobody went over; eu closed at %v", known)
	}
	t.Logf("%d of %d sign-ins during the fault worked, the first at us %v after it, eu known %v after it: %v", in, len(all),
		over[0].Sub(st.broken).Round(time.Millisecond), known.Sub(st.broken).Round(time.Millisecond), outcomes(all))
	// us itself may be late now and then, on a machine that is busy.
	if n := len(after) - count(after, hit.admitted); n > 1+len(after)/20 {
		t.Errorf("%d of %d sign-ins were turned away after eu was known not to take them: %v%s", n, len(after), outcomes(after),
			some(st, st.guarded, func(h hit) bool { return h.kind == signIns && !h.admitted() }))
	}
	late := slices.DeleteFunc(st.app.signIns(), func(at time.Time) bool {
		return !at.After(known.Add(50*time.Millisecond)) || at.After(st.mended)
	})
	if len(late) > 0 {
		t.Errorf("%d sign-ins were sent to the pool that lives on eu after it was known: the first %v after", len(late), late[0].Sub(known))
	}
}

// cameBack fails the test where sign-ins did not come back to eu, or faster than the ramp lets them, or were turned away meanwhile.
func (st *stage) cameBack(t *testing.T) {
	t.Helper()
	back := slices.DeleteFunc(st.app.signIns(), func(at time.Time) bool { return at.Before(st.mended) })
	if len(back) == 0 {
		t.Fatal("nobody came back to eu")
	}
	stay := slices.DeleteFunc(st.pair.away.signIns(), func(at time.Time) bool { return at.Before(back[0]) })
	all := st.guarded.between(st.mended, time.Now(), signIns)
	t.Logf("the first back at eu %v after it was mended; since then %d there and %d at us; of all %d then: %v",
		back[0].Sub(st.mended).Round(time.Millisecond), len(back), len(stay), len(all), outcomes(all))
	if len(stay) == 0 {
		t.Error("everybody came back at once: no ramp")
	}
	if n := len(all) - count(all, hit.admitted); n > 1+len(all)/20 {
		t.Errorf("%d sign-ins were turned away during the ramp, while us took them: %v", n, outcomes(all))
	}
	st.rampedBy(t, st.with.changesOf("eu"), 4, 20, 5*time.Second)
}

package test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"
)

// asks are GETs and forms that are sent at these rates, each told from all others.
func asks(g *gatehouse, gets, posts int) map[string]stream {
	roads := roads()
	g.t.Cleanup(roads.CloseIdleConnections)
	streams := map[string]stream{}
	if gets > 0 {
		streams["GET"] = stream{gets, func(n int) reply { return arrive(g.url, roads, n).get(fmt.Sprint("/?", n)) }}
	}
	if posts > 0 {
		streams["POST"] = stream{posts, func(n int) reply {
			return arrive(g.url, roads, n).post(fmt.Sprint("/notes/?", n), url.Values{"note": {"x"}})
		}}
	}
	return streams
}

// TestASickBackendHurtsNobody: one of three breaks connections, or answers 502. What may be asked twice is asked elsewhere, a form
// that may have been received never, and the backend is left alone. Without retries and ejection one request in three fails.
func TestASickBackendHurtsNobody(t *testing.T) {
	t.Parallel()
	for what, how := range map[string]health{"it breaks connections": breaks, "it answers 502": fails} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			const long = 3 * time.Second
			run := func(pool string) (*gatehouse, []*backend, map[string][]reply) {
				all := startBackends(t, 3)
				g := startGatehouse(t, before(all, pool, ""))
				all[1].is(how)
				got := rush(long, asks(g, 60, 20))
				g.knowsBackends(t, all)
				for n := range 20 * int(long/time.Second) {
					times, key := 0, fmt.Sprint("POST ", n)
					for _, b := range all {
						b.mu.Lock()
						times += b.asked[key]
						b.mu.Unlock()
					}
					if times > 1 {
						t.Errorf("form %d was sent to %d backends", n, times)
					}
				}
				return g, all, got
			}
			g, all, got := run("retries: {budget: 0.20}, eject: {failures: 5, for: 2s, most: 0.50}, slow_start: 2s")
			printRush(t, what+", retries and ejection", long, got)
			t.Logf("retries %.0f, without budget %.0f", g.metric(t, `gatehouse_retries_total{pool="app",result="sent"}`), g.metric(t, `gatehouse_retries_total{pool="app",result="no_budget"}`))
			if part := served(got["GET"]); part < most {
				t.Errorf("%.1f %% of GETs were served; want %.0f %%", 100*part, 100*most)
			}
			if part := served(got["POST"]); part < 0.8 {
				t.Errorf("%.1f %% of forms were served; want nearly all, since the backend is left alone", 100*part)
			}
			eventually(t, patience, "the backend is ejected, and no other", func() bool {
				rush(100*time.Millisecond, asks(g, 100, 0))
				return slices.Equal(g.ejected(t, all), []int{1})
			})

			_, _, got = run("retries: {budget: 0}, eject: off")
			printRush(t, what+", neither", long, got)
			if part := served(got["GET"]); part > 0.85 {
				t.Errorf("without the protection %.1f %% of GETs were served: this proves nothing", 100*part)
			}
		})
	}
}

// TestRetriesAreBounded: where all backends fail, to ask again only makes it worse, so that is a fifth more requests and not three
// times as many; and nobody is ejected for what all do.
func TestRetriesAreBounded(t *testing.T) {
	t.Parallel()
	const long, rate, floor = 3 * time.Second, 80, 12 // a second's retry is allowed without any request, for ten seconds
	amplified := func(budget string) (float64, *gatehouse, []*backend) {
		all := startBackends(t, 3)
		g := startGatehouse(t, before(all, "retries: {budget: "+budget+"}, eject: {failures: 5, for: 1s}", ""))
		for _, b := range all {
			b.is(fails)
		}
		got := rush(long, asks(g, rate, 0))
		came := 0
		for _, b := range all {
			came += b.requests()
		}
		return float64(came) / float64(len(got["GET"])), g, all
	}
	bounded, g, all := amplified("0.20")
	wide, _, _ := amplified("1")
	asked := rate * long.Seconds()
	t.Logf("all backends answer 502: for each request %.2f come with a budget of 0.20 (at most %.2f), %.2f with one of 1",
		bounded, 1.2+floor/asked, wide)
	if bounded > 1.2+floor/asked || bounded < 1.05 {
		t.Errorf("for each request came %.2f; want more than one, and %.2f at most", bounded, 1.2+floor/asked)
	}
	if wide < bounded+0.3 {
		t.Errorf("with a budget of 1 %.2f came: the bound proves nothing", wide)
	}
	if out := g.ejected(t, all); len(out) > 1 {
		t.Errorf("backends %v are ejected, and all failed alike", out)
	}
}

// TestABackendComesBackSlowly: once it is well again an ejected backend is asked, little at first, and its full part in the end.
func TestABackendComesBackSlowly(t *testing.T) {
	t.Parallel()
	all := startBackends(t, 3)
	g := startGatehouse(t, before(all, "eject: {failures: 5, for: 1s, most: 0.50}, slow_start: 8s", ""))
	all[1].is(fails)
	eventually(t, patience, "the backend is ejected", func() bool {
		rush(100*time.Millisecond, asks(g, 100, 0))
		return len(g.ejected(t, all)) == 1
	})
	all[1].is(well)
	eventually(t, patience, "it is used again", func() bool { return len(g.ejected(t, all)) == 0 })
	part := func(long time.Duration) float64 {
		for _, b := range all {
			b.requests()
		}
		got := rush(long, asks(g, 100, 0))
		if p := served(got["GET"]); p < most {
			t.Errorf("%.1f %% of GETs were served", 100*p)
		}
		return float64(all[1].requests()) / float64(len(got["GET"]))
	}
	first := part(2 * time.Second)
	eventually(t, patience, "it has its full part", func() bool { return part(time.Second) > 0.25 })
	t.Logf("of all requests it had %.0f %% in its first two seconds (about 10 %% by slow_start), and a third in the end", 100*first)
	if first > 0.22 {
		t.Errorf("a backend that just came back had %.0f %% of the requests", 100*first)
	}
}

// TestTheStoresFailureEjectsNobody: what a backend answers while the store is gone is not its own doing, even if it is the only one
// that needed it. A Gatehouse that knows nothing of the store is seen to eject it.
func TestTheStoresFailureEjectsNobody(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	run := func(address string) (*gatehouse, []*backend) {
		all := startBackends(t, 2)
		return startGatehouse(t, before(all, "retries: {budget: 0}, eject: {failures: 3, for: 1m}", address)), all
	}
	knows, mine := run(store.address())
	blind, theirs := run("")
	store.kill()
	eventually(t, patience, "the store is known to be gone", func() bool { return knows.storeState(t) == "down" })
	mine[0].is(errs)
	theirs[0].is(errs)
	for range 10 {
		rush(100*time.Millisecond, asks(knows, 100, 0))
		rush(100*time.Millisecond, asks(blind, 100, 0))
	}
	knows.knowsBackends(t, mine)
	if out := knows.ejected(t, mine); len(out) > 0 || mine[0].requests() == 0 {
		t.Errorf("backends %v were ejected for the store's failure, or none was asked", out)
	}
	if out := blind.ejected(t, theirs); len(out) != 1 {
		t.Errorf("a Gatehouse that knows nothing of the store ejected %v: this proves nothing", out)
	}
	mine[0].is(well)
	store.empty()
	eventually(t, patience, "the store is back", func() bool { return knows.storeState(t) == "writable" })
	rush(200*time.Millisecond, asks(knows, 100, 0))
	if out := knows.ejected(t, mine); len(out) > 0 {
		t.Errorf("backends %v are ejected after the store came back", out)
	}
}

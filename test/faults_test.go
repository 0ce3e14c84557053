package test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

// scenario is one way in which the store fails, and what Gatehouse promises then.
type scenario struct {
	name   string
	breaks func(*redisServer)
	mend   func(*redisServer)
	cause  string        // that the state's change must name; several where timing decides
	state  string        // that must be reached
	first  time.Duration // promised from the fault to the first page; CI allows generously more
	reads  bool          // signed-in reads must all be served: the store can still be read
}

// slack is how much more than a promise a loaded test machine may take.
const slack = 20

var scenarios = []scenario{
	{
		name: "demoted", cause: "read_only", state: "read-only", first: 100 * time.Millisecond, reads: true,
		breaks: (*redisServer).demote,
		mend:   func(r *redisServer) { r.do("REPLICAOF", "NO", "ONE") },
	},
	{
		name: "full", cause: "full", state: "read-only", first: 100 * time.Millisecond, reads: true,
		breaks: func(r *redisServer) { r.do("CONFIG", "SET", "maxmemory", "1000") },
		mend:   func(r *redisServer) { r.do("CONFIG", "SET", "maxmemory", "0") },
	},
	{
		name: "too few replicas", cause: "no_replicas", state: "read-only", first: 100 * time.Millisecond, reads: true,
		breaks: func(r *redisServer) { r.do("CONFIG", "SET", "min-replicas-to-write", "2") },
		mend:   func(r *redisServer) { r.do("CONFIG", "SET", "min-replicas-to-write", "0") },
	},
	{
		name: "killed", cause: "refused", state: "down", first: 100 * time.Millisecond,
		breaks: func(r *redisServer) { r.do("SAVE"); r.kill() },
		mend:   func(r *redisServer) { r.start() },
	},
	{
		name: "frozen", cause: "hung", state: "down", first: 800 * time.Millisecond,
		breaks: func(r *redisServer) { r.signal(syscall.SIGSTOP) },
		mend:   func(r *redisServer) { r.signal(syscall.SIGCONT) },
	},
}

// lasts is how long a fault lasts: long enough for an app's own timeouts to run out.
const lasts = 3 * time.Second

// seen is what one side of a scenario showed.
type seen struct {
	bare, signedOut, served, asked int
	first                          time.Duration // fault to first page; -1: none
	admitted                       time.Duration // mended to first sign-in; -1: none
}

func look(l *load, broken, mended time.Time) seen {
	all := l.between(broken, time.Now())
	members := l.between(broken, mended, reads)
	return seen{
		bare: count(all, hit.bare), signedOut: count(all, func(h hit) bool { return h.signedOut }),
		served: count(members, hit.ok), asked: len(members),
		first:    l.first(broken, func(h hit) bool { return h.outcome != "" }),
		admitted: l.first(mended, func(h hit) bool { return h.kind == signIns && h.cookie != "" }),
	}
}

// TestFaults breaks a real store under an app and under load, and looks at what visitors see: through Gatehouse, and at the
// same time through the same program with the protection off, which must be seen to fail.
func TestFaults(t *testing.T) {
	var table strings.Builder
	out := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "scenario\tprotection\tcause seen\tfault → first page\t(promise)\tbare 5xx\tsigned out\tsigned-in reads served\tmended → first sign-in")
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) { runScenario(t, s, out) })
	}
	_ = out.Flush()
	fmt.Fprintf(os.Stdout, "\n%s\n", table.String())
}

func runScenario(t *testing.T, s scenario, out *tabwriter.Writer) {
	store := startPair(t)
	a := startApp(t, store)
	with := startGatehouse(t, configFor(a, store, true))
	without := startGatehouse(t, configFor(a, store, false))
	guarded, exposed := startLoad(t, with.url, 20), startLoad(t, without.url, 20)

	time.Sleep(700 * time.Millisecond) // a calm stretch before the fault
	calm := append(guarded.between(time.Time{}, time.Now()), exposed.between(time.Time{}, time.Now())...)
	for _, h := range calm {
		if !h.ok() {
			t.Fatalf("before anything is broken: %+v", h)
		}
	}

	broken := time.Now()
	s.breaks(store)
	time.Sleep(lasts)
	state := with.storeState(t)
	mended := time.Now()
	s.mend(store)
	eventually(t, 15*time.Second, "sign-ins come back", func() bool {
		return guarded.first(mended, func(h hit) bool { return h.kind == signIns && h.cookie != "" }) >= 0
	})
	time.Sleep(500 * time.Millisecond)
	guarded.stop()
	exposed.stop()

	w, wo := look(guarded, broken, mended), look(exposed, broken, mended)
	cause := closingCause(with)
	row(out, s, "on", cause, w)
	row(out, s, "off", "-", wo)

	if state != s.state {
		t.Errorf("the store was %q; want %q", state, s.state)
	}
	if cause != s.cause {
		t.Errorf("the cause was %q; want %q", cause, s.cause)
	}
	if w.bare != 0 {
		t.Errorf("%d bare errors; want none: %+v", w.bare, firstOf(guarded, hit.bare))
	}
	if w.signedOut != 0 {
		t.Errorf("%d members were signed out; want none", w.signedOut)
	}
	if s.reads && w.served != w.asked {
		t.Errorf("%d of %d signed-in reads were served although the store could be read: %+v", w.served, w.asked,
			firstOf(guarded, func(h hit) bool { return h.kind == reads && !h.ok() }))
	}
	if w.first < 0 || w.first > s.first*slack {
		t.Errorf("the first page came after %v; promised %v, allowed here %v", w.first, s.first, s.first*slack)
	}
	if wo.bare == 0 {
		t.Error("with the protection off nothing went wrong either: this scenario proves nothing")
	}
	if wo.first >= 0 {
		t.Error("with the protection off somebody saw the page: it was not off")
	}
}

func firstOf(l *load, is func(hit) bool) hit {
	for _, h := range l.between(time.Time{}, time.Now()) {
		if is(h) {
			return h
		}
	}
	return hit{}
}

func row(out *tabwriter.Writer, s scenario, protection, cause string, v seen) {
	ms := func(d time.Duration) string {
		if d < 0 {
			return "never"
		}
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	fmt.Fprintf(out, "%s\t%s\t%s\t%s\t(%s)\t%d\t%d\t%d of %d\t%s\n", s.name, protection, cause, ms(v.first), ms(s.first), v.bare,
		v.signedOut, v.served, v.asked, ms(v.admitted))
}

// closingCause returns the cause of the first change to an impaired state.
func closingCause(g *gatehouse) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.events {
		if to := e["to"]; e["msg"] == "store state changed" && (to == "read-only" || to == "down") {
			return fmt.Sprint(e["cause"])
		}
	}
	return "none"
}

// storeState asks the metrics which state is acted on.
func (g *gatehouse) storeState(t *testing.T) string {
	t.Helper()
	for _, line := range strings.Split(get(t, g.admin+"/metrics"), "\n") {
		if strings.HasPrefix(line, "gatehouse_store_state{") && strings.HasSuffix(line, " 1") {
			_, after, _ := strings.Cut(line, `state="`)
			state, _, _ := strings.Cut(after, `"`)
			return state
		}
	}
	return "none"
}

func get(t *testing.T, address string) string {
	t.Helper()
	res, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return readAll(t, res)
}

// configFor is the file of a site before that app; without the protection it has no session store, and so converts nothing.
func configFor(a *app, store *redisServer, protection bool) string {
	session := ""
	if protection {
		session = fmt.Sprintf(`
  store:
    redis: {address: %q}
    recovery: {rise: 3, after: 500ms, ramp: {from: 10/s, to: 100/s, over: 2s}}`, store.address())
	}
	return fmt.Sprintf(`
listen: [{address: "127.0.0.1:0"}]
admin: {address: "127.0.0.1:0"}
session:
  cookies: [sid]%s
pools:
  login: {backends: [%q], max_in_flight: 64}
  app: {backends: [%q]}
routes:
  - {name: sign-in, match: {path: [/login]}, pool: login, overflow: app, needs: write, restart: /login}
  - {name: assets, match: {path: "/assets/*"}, pool: app, needs: none}
  - {name: notes, match: {path: /notes, method: POST}, pool: app, needs: write, sign_in: false}
  - {name: app, pool: app, needs: read}
degrade: {rate: {per_client: 1000/s, burst: 1000, per_address: 5000/s}}
`, session, a.URL, a.URL)
}

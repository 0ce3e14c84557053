package test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// stage is where a scenario plays: a store, and before it the same app twice, once behind Gatehouse with its protection and
// once behind the same program without, with the same visitors before both.
type stage struct {
	t             *testing.T
	store         *redisServer // of stores that are one server
	cluster       *cluster     // and of those that are not
	pair          *pair
	keeps         func(key string) bool // whether the store has a key
	own           *relay                // before the store, for Gatehouse alone; nil: none
	theirs        *relay                // and for the apps
	with, without *gatehouse
	file          string   // of with
	environment   []string // of with, beyond the usual
	app, bare     *app     // behind with, and behind without
	guarded       *load
	exposed       *load

	broken time.Time // when the fault began: when its command was given, or when the store first showed it
	since  time.Time // from when on no write can have worked any more
	mended time.Time // when the store could be written again
}

// members is how many have signed in on each side before anything is broken.
const members = 20

// set builds the stage for a scenario and lets a calm while pass.
func (s *scenario) set(t *testing.T) *stage {
	t.Helper()
	st := &stage{t: t}
	if s.build != nil {
		s.build(st)
	} else {
		s.setOne(st)
	}
	st.guarded = startLoad(t, st.with.url, s.framework(), members)
	st.exposed = startLoad(t, st.without.url, s.framework(), members)

	st.calm()
	return st
}

// setOne builds the stage for a store that is one server.
func (s *scenario) setOne(st *stage) {
	t := st.t
	t.Helper()
	if s.replica {
		st.store = startPair(t, s.options...)
	} else {
		st.store = startRedis(t, s.options...)
	}
	st.keeps = st.store.has
	ours, theirs := st.store.address(), st.store.address()
	if s.relay {
		st.own, st.theirs = startRelay(t, ours), startRelay(t, ours)
		ours, theirs = st.own.address, st.theirs.address
	}
	st.app = startApp(t, theirs, s.framework())
	st.bare = startApp(t, theirs, s.framework())
	st.app.padding, st.bare.padding = s.padding, s.padding
	if s.prepare != nil {
		s.prepare(st)
	}
	protected, exposed := site{backend: st.app.URL, store: ours}, site{backend: st.bare.URL}
	if s.site != nil {
		s.site(&protected)
	}
	st.file = protected.text()
	st.with, st.without = startGatehouseIn(t, st.environment, st.file), startGatehouse(t, exposed.text())
}

// calm waits for a while in which every visitor was served. On a machine that is busy the first one may not be.
func (st *stage) calm() {
	st.t.Helper()
	var all []hit
	for range 10 {
		from := time.Now()
		time.Sleep(700 * time.Millisecond)
		all = append(st.guarded.between(from, time.Now()), st.exposed.between(from, time.Now())...)
		if count(all, hit.ok) == len(all) && len(all) > 0 {
			return
		}
	}
	for _, h := range all {
		if !h.ok() {
			st.t.Fatalf("before anything is broken: %+v", h)
		}
	}
	st.t.Fatal("nobody comes")
}

// play breaks the store, waits, mends it, and waits for sign-ins to come back. It returns the state that was acted on when
// the fault had lasted, and lets the fault last until that is the one that is wanted, within reason.
func (s *scenario) play(st *stage) (state string) {
	st.broken, st.since = time.Now(), time.Time{}
	s.breaks(st)
	if st.since.IsZero() {
		st.since = time.Now()
	}
	time.Sleep(cmp.Or(s.lasts, lasts))
	for until := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if state = st.with.storeState(st.t); state == s.state || time.Now().After(until) {
			break
		}
	}
	st.mended = time.Now()
	s.mend(st)
	eventually(st.t, 20*time.Second, "sign-ins come back", func() bool {
		return st.guarded.first(st.mended, hit.admitted) >= 0
	})
	time.Sleep(cmp.Or(s.after, 500*time.Millisecond))
	st.guarded.stop()
	st.exposed.stop()
	return state
}

// seen is what one side of a scenario showed.
type seen struct {
	bare        int // errors that nobody dressed
	signedOut   int // members whose session was taken, or who were sent to sign in, before the store was mended
	kept        int // sign-ins during the fault, and
	lost        int // those of which the store kept nothing
	served      int // members' requests during the fault that were, of
	asked       int
	gone        int           // members who are signed out when all is over
	first       time.Duration // fault to the first page for somebody who signs in; -1: none
	firstMember time.Duration // and for a member
	admitted    time.Duration // mended to first sign-in; -1: none
}

func (s *scenario) look(st *stage, l *load) seen {
	all := l.between(st.broken, time.Now())
	during := l.between(st.broken, st.mended, reads)
	v := seen{
		bare:      count(all, func(h hit) bool { return h.bare() && !h.at.Before(st.broken.Add(s.blind)) }),
		signedOut: count(l.between(st.broken, st.mended), func(h hit) bool { return h.signedOut }),
		served:    count(during, hit.ok), asked: len(during),
		first:       l.first(st.broken, func(h hit) bool { return h.outcome != "" && (h.kind == signIns || h.kind == forms) }),
		firstMember: l.first(st.broken, func(h hit) bool { return h.outcome != "" && h.kind == reads }),
		admitted:    l.first(st.mended, hit.admitted),
	}
	if s.emptied || s.forgets {
		return v
	}
	for _, h := range l.between(st.since, st.mended, signIns) {
		if h.admitted() {
			v.kept++
			if !st.keeps("sess:" + h.cookie) {
				v.lost++
			}
		}
	}
	st.app.work.Wait() // what the apps had left to do, they have done by now
	st.bare.work.Wait()
	for _, id := range l.members {
		if h := l.read(id); h.status != 200 {
			v.gone++
		}
	}
	for i := range l.recalls {
		if h := l.recall(i); h.status != 200 && !st.interrupted(l, i) {
			v.gone++
		}
	}
	return v
}

// interrupted reports whether the fault came while the app was about to renew that visitor's remember-me cookie. A store that
// hung then carries the renewal out when it comes back, when the app has long given up: nobody in front of it can help that.
func (st *stage) interrupted(l *load, visitor int) bool {
	return slices.ContainsFunc(l.between(time.Time{}, st.since, recalls), func(h hit) bool {
		return h.visitor == visitor && h.took > time.Second
	})
}

// wholeStore is the name of the session store where it has parts, which have names of their own.
const wholeStore = "store"

// changes are the changes of the store's state and of its cause that the program told of, in their order.
func (g *gatehouse) changes() []change { return g.changesOf(wholeStore) }

// changesOf are those of one of its parts.
func (g *gatehouse) changesOf(store string) (all []change) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.events {
		if e["msg"] == "store state changed" && e["store"] == store {
			at, _ := time.Parse(time.RFC3339Nano, fmt.Sprint(e["time"]))
			all = append(all, change{fmt.Sprint(e["from"]), fmt.Sprint(e["to"]), fmt.Sprint(e["cause"]), at})
		}
	}
	return all
}

type change struct {
	from, to, cause string
	at              time.Time
}

func (c change) closes() bool { return c.to == "read-only" || c.to == "down" }

// causes are what the program gave as causes, each once, in the order in which they were seen, save that all is well; "none"
// where there was none.
func (g *gatehouse) causes() string {
	var all []string
	for _, c := range g.changes() {
		if c.cause != "ok" && !slices.Contains(all, c.cause) {
			all = append(all, c.cause)
		}
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// storeState asks the metrics which state is acted on.
func (g *gatehouse) storeState(t *testing.T) string {
	t.Helper()
	return g.stateOf(t, wholeStore)
}

// stateOf is that of one of its parts.
func (g *gatehouse) stateOf(t *testing.T, store string) string {
	t.Helper()
	for _, line := range strings.Split(get(t, g.admin+"/metrics"), "\n") {
		of := strings.HasPrefix(line, "gatehouse_store_state{") && strings.Contains(line, fmt.Sprintf("store=%q", store))
		if of && strings.HasSuffix(line, " 1") {
			_, after, _ := strings.Cut(line, `state="`)
			state, _, _ := strings.Cut(after, `"`)
			return state
		}
	}
	return "none"
}

// metric returns the value of one series, named as the text has it; 0 where there is none.
func (g *gatehouse) metric(t *testing.T, series string) float64 {
	t.Helper()
	for _, line := range strings.Split(get(t, g.admin+"/metrics"), "\n") {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			var v float64
			_, _ = fmt.Sscan(rest, &v)
			return v
		}
	}
	return 0
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

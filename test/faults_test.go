package test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// scenario is one way in which the store fails, an app that meets it, and what is promised then.
type scenario struct {
	name    string
	app     framework // ordinary where empty
	quick   bool      // part of make test
	options []string  // further words of redis-server's command line
	replica bool      // the store has one
	relay   bool      // everybody reaches the store through relays
	padding int       // bytes that each session holds
	prepare func(*stage)
	site    func(*site)
	build   func(*stage) // what the stage is, where the store is not one server

	breaks func(*stage)
	lasts  time.Duration // how long the fault lasts; lasts where zero
	mend   func(*stage)
	after  time.Duration // how long visitors go on coming after the first sign-in; half a second where zero

	causes  []string      // one of them must be seen first; none: the store must not be taken for impaired
	state   string        // that must be acted on when the fault has lasted
	first   time.Duration // promised from the fault to the first page for who signs in; zero: no page; negative: nothing is promised
	member  time.Duration // and for a member; zero: members get no page
	again   time.Duration // promised from the mended store to the first sign-in
	reads   bool          // members must all be served, once member has passed: the store can still be read
	blind   time.Duration // from the fault on, in which nobody in front of the app can know of it
	emptied bool          // the store comes back empty, so that members are signed out in truth
	forgets bool          // the store loses sessions while it lasts, so that members are signed out in truth all the time
	// off is what must be seen to go wrong without the protection. Where nothing does, honest says why that is right, and what
	// else makes the scenario able to fail.
	off    []harm
	honest string
	check  func(*testing.T, *stage, seen)
}

// harm is what an outage does to visitors.
type harm string

const (
	bareErrors   harm = "bare errors"
	signOuts     harm = "sign-outs"
	falseSignIns harm = "sign-ins of which nothing is kept"
	goneForGood  harm = "members signed out for good"
)

func (v seen) suffered(h harm) int {
	switch h {
	case bareErrors:
		return v.bare
	case signOuts:
		return v.signedOut
	case falseSignIns:
		return v.lost
	default:
		return v.gone
	}
}

func (s *scenario) framework() framework { return cmp.Or(s.app, ordinary) }

const (
	// slack is how much more than a promise a loaded test machine may take.
	slack = 20
	// lasts is how long a fault lasts: long enough for an app's own timeouts to run out.
	lasts = 3 * time.Second
)

// What is promised: a definite refusal is seen at once, a store that says nothing when the probes have run out.
const (
	definite     = 100 * time.Millisecond
	silentSignIn = 450 * time.Millisecond
	silentMember = 800 * time.Millisecond
	reopened     = 1 * time.Second // rise and after, by the file of these tests
	reconnected  = 2 * time.Second // and up to a second until a store that could not be reached is asked again
)

// table collects the rows of all scenarios.
type table struct {
	mu   sync.Mutex
	rows map[int][]string // by the scenario's number
}

// TestFaults breaks a real store under an app and under load, and looks at what visitors see: through Gatehouse, and at the
// same time through the same program with the protection off, which must be seen to fail. Two scenarios play at a time.
func TestFaults(t *testing.T) {
	tab := &table{rows: map[int][]string{}}
	t.Cleanup(tab.print)
	all := slices.Concat(storeFaults(), pathFaults(), frameworkFaults(), clusterFaults(), memberFaults(), reportFaults())
	for i, s := range all {
		if s.quick || everyFault {
			t.Run(s.name+"/"+string(s.framework()), func(t *testing.T) {
				t.Parallel()
				s.run(t, tab, i)
			})
		}
	}
}

func (s *scenario) run(t *testing.T, tab *table, number int) {
	st := s.set(t)
	state := s.play(st)
	with, without := s.look(st, st.guarded), s.look(st, st.exposed)
	tab.add(number, s.row("on", st.with.causes(), with, ""), s.row("off", "-", without, s.shows(without)))

	if state != s.state {
		t.Errorf("the store was %q; want %q", state, s.state)
	}
	s.judgeCauses(t, st)
	s.judgeVisitors(t, st, with)
	for _, h := range s.off {
		if without.suffered(h) == 0 {
			t.Errorf("with the protection off there were no %s: this scenario proves nothing", h)
		}
	}
	if len(s.off) == 0 && s.honest == "" {
		t.Error("nothing says what goes wrong without the protection")
	}
	if without.first >= 0 || without.firstMember >= 0 {
		t.Error("with the protection off somebody saw the page: it was not off")
	}
	if s.check != nil {
		s.check(t, st, with)
	}
}

func (s *scenario) judgeCauses(t *testing.T, st *stage) {
	var closed []change
	for _, c := range st.with.changes() {
		if c.closes() {
			closed = append(closed, c)
		}
	}
	switch {
	case len(s.causes) == 0 && len(closed) > 0:
		t.Errorf("the store was taken for impaired, and was not: %v", closed)
	case len(s.causes) > 0 && (len(closed) == 0 || !slices.Contains(s.causes, closed[0].cause)):
		t.Errorf("the first cause must be one of %v: %v", s.causes, closed)
	}
}

func (s *scenario) judgeVisitors(t *testing.T, st *stage, v seen) {
	if v.bare != 0 {
		t.Errorf("%d bare errors; want none: %v", v.bare, some(st, st.guarded, hit.bare))
	}
	if v.signedOut != 0 && !s.forgets {
		t.Errorf("%d members were signed out; want none: %v", v.signedOut, some(st, st.guarded, func(h hit) bool { return h.signedOut }))
	}
	if v.gone != 0 {
		t.Errorf("%d members are signed out now that all is well", v.gone)
	}
	if v.lost != 0 {
		t.Errorf("%d of %d sign-ins during the fault kept nothing", v.lost, v.kept)
	}
	// Until a silent store is known for what it is, nobody can say that it can be read.
	unserved := func(h hit) bool { return h.kind == reads && !h.ok() && h.at.After(st.broken.Add(s.member)) }
	if n := count(st.guarded.between(st.broken, st.mended), unserved); s.reads && n > 0 {
		t.Errorf("%d of %d members' requests were not served although the store could be read: %v", n, v.asked,
			some(st, st.guarded, unserved))
	}
	within := func(what string, took, promise time.Duration) {
		switch {
		case promise < 0:
		case promise == 0 && took >= 0:
			t.Errorf("%s after %v; none was to come", what, took)
		case promise > 0 && (took < 0 || took > promise*slack):
			t.Errorf("%s after %v; promised %v, allowed here %v", what, took, promise, promise*slack)
		}
	}
	if !s.forgets { // sign-ins after a loss are let in by the ramp
		within("the first page for a sign-in", v.first, s.first)
	}
	if s.member == 0 && s.reads || s.member > 0 && !s.reads {
		within("the first page for a member", v.firstMember, s.member)
	}
	if s.again > 0 {
		within("the first sign-in", v.admitted, s.again)
	}
}

// some are the first few hits of that sort since the fault, for a person.
func some(st *stage, l *load, is func(hit) bool) string {
	var b strings.Builder
	n := 0
	for _, h := range l.between(st.broken, time.Now()) {
		if is(h) && n < 5 {
			n++
			fmt.Fprintf(&b, "\n\t%s asked %v after the fault (mended after %v), answered after %v: %d %s", h.kind,
				h.at.Sub(st.broken).Round(time.Millisecond), st.mended.Sub(st.broken).Round(time.Millisecond), h.took.Round(time.Millisecond),
				h.status, h.outcome)
		}
	}
	return b.String()
}

// shows says what went wrong without the protection, of what was to.
func (s *scenario) shows(v seen) string {
	if len(s.off) == 0 {
		return s.honest
	}
	var all []string
	for _, h := range s.off {
		all = append(all, fmt.Sprintf("%d %s", v.suffered(h), h))
	}
	return strings.Join(all, ", ")
}

func (s *scenario) row(protection, cause string, v seen, note string) string {
	ms := func(d, promise time.Duration) string {
		text := "never"
		if d >= 0 {
			text = fmt.Sprint(d.Milliseconds())
		}
		if promise > 0 && protection == "on" {
			text += fmt.Sprintf(" (%d)", promise.Milliseconds())
		}
		return text
	}
	served := fmt.Sprintf("%d of %d", v.served, v.asked)
	if s.reads && protection == "on" {
		served += " (all)"
	}
	gone := fmt.Sprint(v.gone)
	if s.emptied || s.forgets {
		gone = "-"
	}
	return strings.Join([]string{
		s.name, string(s.framework()), protection, cause, ms(v.first, s.first), ms(v.firstMember, s.member), fmt.Sprint(v.bare),
		served, fmt.Sprint(v.signedOut), gone, fmt.Sprint(v.lost), ms(v.admitted, s.again), note,
	}, "\t")
}

func (tab *table) add(number int, rows ...string) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.rows[number] = rows
}

// print writes the table for a person. In brackets stands what is promised; times are milliseconds.
func (tab *table) print() {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "\nscenario\tapp\tprotection\tcause seen\tfault to page: sign-in\tmember\tbare 5xx\tsigned-in served\tsign-outs\tgone for good\tfalse sign-ins\twritable to sign-in\twithout the protection")
	var numbers []int
	for n := range tab.rows {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		for _, row := range tab.rows[n] {
			fmt.Fprintln(out, row)
		}
	}
	_ = out.Flush()
}

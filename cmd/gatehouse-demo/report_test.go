package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// tally makes observations in virtual time.
type tally struct {
	begun time.Time
	seen  []Seen
}

func (y *tally) add(side Side, k Kind, at time.Duration, class Class, reason string) *Seen {
	y.seen = append(y.seen, Seen{Side: side, Came: k, Kind: k, Begun: y.begun.Add(at), Ended: y.begun.Add(at + 10*time.Millisecond), Class: class, Reason: reason})
	return &y.seen[len(y.seen)-1]
}

// kept returns a run of ten seconds in which every promise was kept: the store was read-only from 1 s to 2 s, hung from 4 s
// to 5 s.
func kept() (*tally, []Event) {
	y := &tally{begun: time.Unix(1e9, 0)}
	event := func(f Fault, from, to time.Duration) Event { return Event{f, y.begun.Add(from), y.begun.Add(to)} }
	const s, ms = time.Second, time.Millisecond
	for k := range kinds {
		y.add(With, k, 0, OK, "")
		y.add(Without, k, 0, OK, "")
	}
	y.add(With, Members, s+100*ms, OK, "")
	y.add(With, SignIns, s+50*ms, Page, "read_only")
	y.add(Without, Notes, s+20*ms, Bare, "").SignedOut = true
	y.add(With, Members, 4*s+400*ms, Page, "slow")
	y.add(With, SignIns, 4*s+300*ms, Page, "flapping")
	y.add(With, Members, 9*s, Other, "").Lost = true
	return y, []Event{event(Well, 0, s), event(ReadOnly, s, 2*s), event(Well, 2*s, 4*s), event(Hung, 4*s, 5*s), event(Empty, 9*s, 10*s)}
}

func TestReportOfAKeptPromise(t *testing.T) {
	y, events := kept()
	r := NewReport(y.seen, events)
	if b := r.Broken(); len(b) > 0 {
		t.Fatalf("broken: %q", b)
	}
	if len(r.Faults) != 2 {
		t.Fatalf("%d faults; want 2", len(r.Faults))
	}
	readOnly, hung := r.Faults[0], r.Faults[1]
	if readOnly.FirstPage != 60*time.Millisecond || readOnly.FirstBare != 30*time.Millisecond {
		t.Errorf("read-only: first page %v, first bare %v", readOnly.FirstPage, readOnly.FirstBare)
	}
	if hung.FirstPage != 410*time.Millisecond || hung.FirstBare >= 0 {
		t.Errorf("hung: first page %v (a page for an earlier fault is not this one's), first bare %v", hung.FirstPage, hung.FirstBare)
	}
	if r.SignOuts != [sides]int{Without: 1} || r.Lost != [sides]int{With: 1} {
		t.Errorf("sign-outs %v, lost %v", r.SignOuts, r.Lost)
	}
	if got := r.Rows[With][Members]; got.Requests != 4 || got.OK != 2 || got.Page != 1 || got.Other != 1 || got.Slowest != 10*time.Millisecond {
		t.Errorf("members: %+v", got)
	}
	var out strings.Builder
	r.Print(&out)
	for _, want := range []string{"bare error", "60 ms", "1 of 1", "Every promise was kept"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

func TestReportOfABrokenPromise(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	for name, tt := range map[string]struct {
		change func(*tally)
		want   string
	}{
		"a bare error":                    {func(y *tally) { y.add(With, Assets, 0, Bare, "") }, "1 bare errors for assets"},
		"a sign-out":                      {func(y *tally) { y.add(With, Members, 0, OK, "").SignedOut = true }, "1 members signed out"},
		"a member refused":                {func(y *tally) { y.add(With, Members, s+ms, Page, "read_only") }, "1 of 2 members"},
		"a member who must sign in again": {func(y *tally) { y.add(With, Returns, s+ms, OK, "").Came = Members }, "1 of 2 members"},
		"no members": {func(y *tally) {
			for i := range y.seen {
				if y.seen[i].Kind == Members && y.seen[i].Side == With && y.seen[i].Begun.Equal(y.begun.Add(s+100*ms)) {
					y.seen[i].Side = Without
				}
			}
		}, "0 of 0 members"},
		"a late page": {func(y *tally) {
			for i := range y.seen {
				if y.seen[i].Reason == "read_only" {
					y.seen[i].Ended = y.begun.Add(s + 1001*ms)
				}
			}
		}, "the first page came after 1001 ms"},
		"no page": {func(y *tally) {
			for i := range y.seen {
				if y.seen[i].Reason == "slow" {
					y.seen[i].Reason = "full"
				}
			}
		}, "hung: nobody was given the page"},
		"a kind that never worked": {func(y *tally) {
			for i := range y.seen {
				if y.seen[i].Kind == Assets {
					y.seen[i].Class = Other
				}
			}
		}, "assets never worked"},
		"no harm without": {func(y *tally) {
			for i := range y.seen {
				if y.seen[i].Class == Bare {
					y.seen[i].Class, y.seen[i].SignedOut = OK, false
				}
			}
		}, "proves nothing"},
	} {
		y, events := kept()
		tt.change(y)
		r := NewReport(y.seen, events)
		broken := r.Broken()
		if len(broken) != 1 || !strings.Contains(broken[0], tt.want) {
			t.Errorf("%s: %q; want one with %q", name, broken, tt.want)
		}
		var out strings.Builder
		r.Print(&out)
		if !strings.Contains(out.String(), "BROKEN: ") || strings.Contains(out.String(), "Every promise") {
			t.Errorf("%s: printed as\n%s", name, &out)
		}
	}
}

func TestClassify(t *testing.T) {
	page := http.Header{"Gatehouse-Outcome": {"degraded; reason=full"}, "Retry-After": {"7"}}
	for name, tt := range map[string]struct {
		kind     Kind
		status   int
		header   http.Header
		signedIn bool
		want     Class
	}{
		"a member's page":         {Members, 200, nil, false, OK},
		"a member sent to login":  {Members, 303, http.Header{"Location": {"/login"}}, false, Other},
		"signed in":               {SignIns, 303, nil, true, OK},
		"signed in, no session":   {SignIns, 303, nil, false, Other},
		"a note":                  {Notes, 303, http.Header{"Location": {"/notes"}}, false, OK},
		"a note sent to login":    {Notes, 303, http.Header{"Location": {"/login"}}, false, Other},
		"the page":                {SignIns, 503, page, false, Page},
		"a bare 503":              {SignIns, 503, nil, false, Bare},
		"a 503 that says when":    {Members, 503, http.Header{"Retry-After": {"7"}}, false, Bare},
		"a 502 with outcome only": {Members, 502, http.Header{"Gatehouse-Outcome": {"error"}}, false, Bare},
		"too many pages":          {Members, 429, page, false, Other},
	} {
		if got := classify(tt.kind, tt.status, tt.header, tt.signedIn); got != tt.want {
			t.Errorf("%s: %d; want %d", name, got, tt.want)
		}
	}
	for outcome, want := range map[string]string{"degraded; reason=read_only": "read_only", "degraded": "", "": "", "a;b; reason=hung": "hung"} {
		if got := reasonIn(outcome); got != want {
			t.Errorf("reason in %q: %q; want %q", outcome, got, want)
		}
	}
}

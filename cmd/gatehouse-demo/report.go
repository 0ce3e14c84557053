package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// The bounds on how long a fault may go on before a visitor is given the page. They leave room for a busy machine; what was
// measured is printed.
const (
	definiteBound = time.Second
	stallBound    = 3 * time.Second
)

// Row counts what visitors of one kind saw on one side.
type Row struct {
	Requests, OK, Page, Bare, Other int
	Slowest                         time.Duration // 99 of 100 were answered sooner
}

// FaultReport is what one fault did.
type FaultReport struct {
	Text      FaultText
	FirstPage time.Duration // from the fault, with Gatehouse; -1 where there was none
	FirstBare time.Duration // from the fault, without; -1 where there was none
	// Reads counts the members who came to read while it lasted; Served those of them who could; Median is within which time
	// half of them had an answer.
	Reads, Served [sides]int
	Median        [sides]time.Duration
}

// Report is what was seen in a run. It is only read once made.
type Report struct {
	Rows     [sides][kinds]Row
	SignOuts [sides]int
	Lost     [sides]int // sessions that went with the store's data
	Faults   []FaultReport
}

// NewReport counts. It is pure.
func NewReport(seen []Seen, events []Event) *Report {
	r := &Report{}
	var took [sides][kinds][]time.Duration
	for _, s := range seen {
		row := &r.Rows[s.Side][s.Kind]
		row.Requests++
		switch s.Class {
		case OK:
			row.OK++
		case Page:
			row.Page++
		case Bare:
			row.Bare++
		default:
			row.Other++
		}
		if s.SignedOut {
			r.SignOuts[s.Side]++
		}
		if s.Lost {
			r.Lost[s.Side]++
		}
		took[s.Side][s.Kind] = append(took[s.Side][s.Kind], s.Ended.Sub(s.Begun))
	}
	for side := range took {
		for kind, all := range took[side] {
			r.Rows[side][kind].Slowest = within(all, 99)
		}
	}
	for _, e := range events {
		if e.Fault != Well && e.Fault != Empty {
			r.Faults = append(r.Faults, reportFault(seen, e))
		}
	}
	return r
}

// within returns the time within which so many of a hundred ended; 0 of none. It sorts all.
func within(all []time.Duration, percent int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[(len(all)*percent-1)/100]
}

func reportFault(seen []Seen, e Event) FaultReport {
	text, _ := textOf(e.Fault)
	f := FaultReport{Text: text, FirstPage: -1, FirstBare: -1}
	var took [sides][]time.Duration
	first := func(d *time.Duration, s Seen) {
		if after := s.Ended.Sub(e.At); after >= 0 && (*d < 0 || after < *d) {
			*d = after
		}
	}
	for _, s := range seen {
		if !s.Begun.Before(e.Until) || s.Ended.Before(e.At) {
			continue
		}
		if s.Side == With && s.Class == Page && slices.Contains(text.Reasons, s.Reason) {
			first(&f.FirstPage, s)
		}
		if s.Side == Without && s.Class == Bare {
			first(&f.FirstBare, s)
		}
		if s.Came == Members && !s.Begun.Before(e.At) {
			f.Reads[s.Side]++
			took[s.Side] = append(took[s.Side], s.Ended.Sub(s.Begun))
			if s.Class == OK && s.Kind == Members {
				f.Served[s.Side]++
			}
		}
	}
	for side := range took {
		f.Median[side] = within(took[side], 50)
	}
	return f
}

// Broken lists the promises that did not hold, and what keeps the run from proving anything. An empty list is success.
func (r *Report) Broken() []string {
	var broken []string
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	harm := r.SignOuts[Without]
	for k := range kinds {
		row := r.Rows[With][k]
		if row.Bare > 0 {
			say("%d bare errors for %s with Gatehouse; promised: none", row.Bare, k)
		}
		if k != Returns && (row.OK == 0 || r.Rows[Without][k].OK == 0) {
			say("%s never worked, so the run says nothing about them", k)
		}
		harm += r.Rows[Without][k].Bare
	}
	if n := r.SignOuts[With]; n > 0 {
		say("%d members signed out with Gatehouse; promised: none", n)
	}
	for _, f := range r.Faults {
		bound := stallBound
		if f.Text.Definite {
			bound = definiteBound
		}
		switch {
		case f.FirstPage < 0:
			say("%s: nobody was given the page", f.Text.Fault)
		case f.FirstPage > bound:
			say("%s: the first page came after %d ms; promised: %d ms", f.Text.Fault, f.FirstPage.Milliseconds(), bound.Milliseconds())
		}
		if f.Text.Readable && (f.Served[With] < f.Reads[With] || f.Reads[With] == 0) {
			say("%s: %d of %d members who came to read could, with Gatehouse; promised: all", f.Text.Fault, f.Served[With], f.Reads[With])
		}
	}
	if harm == 0 {
		say("without Gatehouse nobody was harmed, so the run proves nothing")
	}
	return broken
}

// Print writes the report for a person.
func (r *Report) Print(out io.Writer) {
	fmt.Fprintf(out, "\n%-17s%-8s%8s%7s%7s%12s%7s%13s\n", "visitors", "", "requests", "ok", "page", "bare error", "other", "99 % within")
	for k := range kinds {
		name := k.String()
		for _, side := range [...]Side{Without, With} {
			row := r.Rows[side][k]
			fmt.Fprintf(out, "%-17s%-8s%8d%7d%7d%12d%7d%10d ms\n", name, side, row.Requests, row.OK, row.Page, row.Bare, row.Other,
				row.Slowest.Milliseconds())
			name = ""
		}
	}
	fmt.Fprintf(out, "\n%-48s%12s%12s\n", "members", Without, With)
	fmt.Fprintf(out, "%-48s%12d%12d\n", "signed out although their session was there", r.SignOuts[Without], r.SignOuts[With])
	fmt.Fprintf(out, "%-48s%12d%12d\n", "signed out because the store lost the session", r.Lost[Without], r.Lost[With])
	fmt.Fprintf(out, "\n%-10s%12s%14s   %s\n", "fault to", "first page", "bare error", "members who could read, and the median answer")
	fmt.Fprintf(out, "%-10s%12s%14s%20s%23s\n", "", With, Without, Without, With)
	for _, f := range r.Faults {
		fmt.Fprintf(out, "%-10s%12s%14s%12s%8s%15s%8s\n", f.Text.Fault, after(f.FirstPage), after(f.FirstBare),
			share(f.Served[Without], f.Reads[Without]), after(f.Median[Without]), share(f.Served[With], f.Reads[With]), after(f.Median[With]))
	}
	fmt.Fprintln(out)
	broken := r.Broken()
	for _, b := range broken {
		fmt.Fprintln(out, "BROKEN:", b)
	}
	if len(broken) == 0 {
		fmt.Fprintln(out, "Every promise was kept: with Gatehouse no bare error, nobody signed out, and all\nmembers served for as long as reads were answered in time.")
	}
}

func after(d time.Duration) string {
	if d < 0 {
		return "none"
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

func share(part, whole int) string { return fmt.Sprintf("%d of %d", part, whole) }

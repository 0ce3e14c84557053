package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"gatehouse/proxy/admin"
)

// certLead is how long before its end a store's certificate is worth a line.
const certLead = 30 * 24 * time.Hour

// printStore says how a store stands: one line, and one for each thing about it that a person has to know. Cells are ended by
// tabs, for a tabwriter.
func printStore(w io.Writer, st admin.Store, now time.Time) {
	name := st.Name
	if st.PartOf != "" {
		name = "  " + name
	}
	fmt.Fprintf(w, "%s\t%s (%s) for %v", name, st.State, st.Cause, time.Duration(st.ForSeconds*float64(time.Second)).Round(time.Second))
	if st.Recovering {
		fmt.Fprintf(w, ", sign-ins come back by the ramp until %s", st.RampEnds.Format(time.TimeOnly))
	}
	fmt.Fprintln(w)
	if l := st.Line; l != nil {
		printLine(w, *l, now)
	}
	if o := st.Override; o != nil {
		fmt.Fprintf(w, "\toverride: %s, at %s\n", inForce(*o, now), clock(o.SetAt, now))
	}
	if st.Observed != st.State || st.Override != nil {
		fmt.Fprintf(w, "\tthe checks themselves say %s", st.Observed)
		if st.ObservedCause != "" {
			fmt.Fprintf(w, " (%s)", st.ObservedCause)
		}
		fmt.Fprintln(w)
	}
	if !st.HeldUntil.IsZero() {
		fmt.Fprintf(w, "\theld until %s: sign-ins are let in again then\n", clock(st.HeldUntil, now))
	}
	if st.Trial {
		fmt.Fprint(w, "\treads succeed that the checks say must fail: they are not believed, and nobody is kept out for them\n")
	}
	for _, r := range st.Reports {
		fmt.Fprintf(w, "\tbackend %s says that it cannot be written, until %s\n", r.Backend, clock(r.Until, now))
	}
	if d := st.Diverged; d != nil {
		fmt.Fprintf(w, "\t%s, since %s: the guard looks at every answer\n", behind(*d), clock(d.Since, now))
	}
	for _, l := range st.Lags {
		if l.Seen.IsZero() {
			fmt.Fprintf(w, "\tnothing that was written at %s has ever been seen here: does it copy that?\n", l.Of)
		}
	}
	if st.BeatError != "" {
		fmt.Fprintf(w, "\tits heartbeat fails: %s\n", st.BeatError)
	}
	for _, h := range st.Headroom {
		if h.Strains {
			fmt.Fprintf(w, "\tstrained by %s: %.0f %% left\n", h.Resource, math.Floor(min(max(h.Ratio, 0), 1)*100+1e-9))
		}
	}
	switch end := st.CertNotAfter; {
	case end.IsZero() || end.Sub(now) >= certLead:
	case end.After(now):
		fmt.Fprintf(w, "\tits certificate ends in %s, at %s\n", days(end.Sub(now)), end.UTC().Format(time.RFC3339))
	default:
		fmt.Fprintf(w, "\tits certificate ended at %s\n", end.UTC().Format(time.RFC3339))
	}
}

// printLine says how the waiting line stands.
func printLine(w io.Writer, l admin.Line, now time.Time) {
	fmt.Fprintf(w, "\tabout %s in the line, %.1f/s let in now", count(l.Waiting, "sign-in"), l.Rate)
	if l.Halved > 0 {
		fmt.Fprintf(w, "; the ramp was halved %s, since sign-ins went badly", count(l.Halved, "time"))
	}
	if l.Rate > 0 && !l.Ends.IsZero() && !l.Ends.After(now) {
		fmt.Fprint(w, "; the ramp's time is over, and the line holds people until it has drained")
	}
	fmt.Fprintln(w)
}

// days is a duration as a person counts it: in days, or in hours where there is less than a day.
func days(d time.Duration) string {
	if d < 24*time.Hour {
		return count(int(d/time.Hour), "hour")
	}
	return count(int(d/(24*time.Hour)), "day")
}

// behind says which member has come too far apart from which.
func behind(d admin.Diverged) string {
	lag := time.Duration(d.LagSeconds * float64(time.Second)).Round(100 * time.Millisecond)
	if d.Of == "" {
		return fmt.Sprintf("%s could not be asked what it holds for %v", d.At, lag)
	}
	return fmt.Sprintf("%s is %v behind %s", d.At, lag, d.Of)
}

// printCert says what a person has to know of a certificate that visitors are shown: nothing, where all is well.
func printCert(w io.Writer, c admin.Cert, now time.Time) {
	name := strings.Join(c.Names, ", ")
	switch end := c.NotAfter; {
	case c.Missing:
		fmt.Fprintf(w, "certificate\t%s: there is none yet\n", name)
	case !end.After(now):
		fmt.Fprintf(w, "certificate\t%s: ended at %s\n", name, end.UTC().Format(time.RFC3339))
	case c.Error != "":
		fmt.Fprintf(w, "certificate\t%s: ends in %s\n", name, days(end.Sub(now)))
	default:
		return
	}
	switch {
	case c.Error == "":
	case c.ErrorAt.IsZero():
		fmt.Fprintf(w, "\t%s\n", c.Error)
	default:
		fmt.Fprintf(w, "\t%s: %s\n", clock(c.ErrorAt, now), c.Error)
	}
}

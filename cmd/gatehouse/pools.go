package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"gatehouse/proxy/admin"
)

// backends says how many of a pool's backends are up, or in use where some are ejected, or that nobody looks.
func backends(p admin.Pool) string {
	used, up, checked := inUse(p), 0, false
	for _, b := range p.Backends {
		checked = checked || b.Checked
		if b.Up {
			up++
		}
	}
	switch {
	case used < up:
		return fmt.Sprintf("%d of %s in use", used, count(len(p.Backends), "backend"))
	case !checked:
		return count(len(p.Backends), "backend") + ", not checked"
	default:
		return fmt.Sprintf("%d of %s up", up, count(len(p.Backends), "backend"))
	}
}

// inUse is how many backends of a pool are up and not ejected.
func inUse(p admin.Pool) (n int) {
	for _, b := range p.Backends {
		if b.Up && !b.Ejected {
			n++
		}
	}
	return n
}

// printPool says how a pool stands: one line, and one for each thing about it that a person has to know. Cells are ended by tabs,
// for a tabwriter.
func printPool(w io.Writer, p admin.Pool, now time.Time) {
	limit := "no limit"
	switch {
	case p.Adaptive:
		limit = fmt.Sprintf("of %d, which adapts", p.Limit)
	case p.Limit > 0:
		limit = fmt.Sprintf("of %d", p.Limit)
	}
	fmt.Fprintf(w, "pool %s\t%d in flight (%s), %d in the queue, %s, %.1f/s, %d of %d failed, p50 %s, p99 %s\n",
		p.Name, p.InFlight, limit, p.Queue, backends(p), p.PerSecond, p.Failed, p.Asked, millis(p.Latency.P50), millis(p.Latency.P99))
	if refused := refusals(p); p.Overloaded || refused != "" {
		word := "had no room"
		if p.Overloaded {
			word = "is overloaded"
		}
		if refused != "" {
			word += "; turned away in the last minute: " + refused
		}
		fmt.Fprintf(w, "\tit %s\n", word)
	}
	if p.Tax > 0 {
		fmt.Fprintf(w, "\tit refused %s in the last minute while another pool had room: an overflow is wanted\n", count(int(p.Tax), "sign-in"))
	}
	for _, b := range p.Backends {
		switch {
		case !b.Up:
			fmt.Fprintf(w, "\t%s is down%s\n", b.URL, because(b.Error))
		case b.Ejected:
			fmt.Fprintf(w, "\t%s is ejected until %s%s\n", b.URL, clock(b.EjectedUntil, now), because(b.Error))
		}
	}
	if len(p.Backends) > 0 && inUse(p) == 0 {
		fmt.Fprint(w, "\tno backend is in use, so requests still go to all of them\n")
	}
}

// because is a reason at the end of a line; nothing where there is none.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// millis is a latency; a dash where nothing was measured.
func millis(ms float64) string {
	if ms <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f ms", ms)
}

// refusals says how many of which class were turned away.
func refusals(p admin.Pool) string {
	var all []string
	for _, c := range p.Classes {
		if c.Shed > 0 {
			all = append(all, fmt.Sprintf("%d %s", c.Shed, c.Name))
		}
	}
	return strings.Join(all, ", ")
}

// printQuotaStore says how the store stands in which several Gatehouses count together.
func printQuotaStore(w io.Writer, q admin.QuotaStore, now time.Time) {
	if q.Up {
		fmt.Fprintf(w, "quotas\tshared, since %s\n", clock(q.Since, now))
		return
	}
	fmt.Fprintf(w, "quotas\tthis Gatehouse counts by itself since %s: %s\n", clock(q.Since, now), q.Error)
}

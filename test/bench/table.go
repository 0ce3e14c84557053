//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// figures are the best of a cell's rounds. A figure that was not taken is 0.
type figures struct {
	cpu, cpuOpen time.Duration // for each request
	rate         float64
	p50, p99     time.Duration
	peak         int64
	failed, of   int
}

func (c *cell) figures() figures {
	var f figures
	for _, r := range c.closed {
		f.cpu = least(f.cpu, r.each())
		f.rate = max(f.rate, r.rate())
		f.add(r)
	}
	for _, r := range c.open {
		f.cpuOpen = least(f.cpuOpen, r.each())
		f.p50, f.p99 = least(f.p50, r.p50), least(f.p99, r.p99)
		f.add(r)
	}
	return f
}

func (f *figures) add(r run) {
	f.peak = max(f.peak, r.peak)
	f.failed += r.failed
	f.of += r.done
}

func least(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// against writes a figure and its ratio to another.
func against(format string, value, base float64) string {
	if value == 0 {
		return "-"
	}
	text := fmt.Sprintf(format, value)
	if base > 0 {
		text += fmt.Sprintf(" %5.2f×", value/base)
	}
	return text
}

// table lays out columns, figures to the right, without blanks at the ends of lines.
func table(w io.Writer, fill func(io.Writer)) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fill(t)
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// printTable prints a line for each proxy under each measure.
func printTable(w io.Writer, all []*measure) error {
	return table(w, func(w io.Writer) { fillTable(w, all) })
}

func fillTable(t io.Writer, all []*measure) {
	fmt.Fprintln(t, "measure   \tproxy                \tCPU µs\treq/s\tat req/s\tCPU µs\tp50 ms\tp99 ms\tpeak MB\tfailed\t")
	for _, m := range all {
		var base figures
		if c := m.cell(m.base); c != nil {
			base = c.figures()
		}
		fmt.Fprintln(t, strings.Repeat("\t", 10))
		for _, c := range m.cells {
			if c.err != nil {
				fmt.Fprintf(t, "%-10s\t%-21s\tleft out\t\t\t\t\t\t\t\t\n", m.name, c.at.name)
				continue
			}
			f := c.figures()
			fmt.Fprintf(t, "%-10s\t%-21s\t%s\t%s\t%.0f\t%s\t%s\t%s\t%s\t%d\t\n", m.name, c.at.name,
				against("%.1f", micros(f.cpu), micros(base.cpu)), against("%.0f", f.rate, base.rate), m.rate,
				against("%.1f", micros(f.cpuOpen), micros(base.cpuOpen)),
				against("%.2f", millis(f.p50), millis(base.p50)), against("%.2f", millis(f.p99), millis(base.p99)),
				against("%.1f", float64(f.peak)/1e6, float64(base.peak)/1e6), f.failed)
		}
	}
}

// resting is what an idle connection costs a proxy, in bytes.
type resting struct {
	name string
	each float64
	err  error
}

func printIdle(w io.Writer, all []resting) error {
	base := 0.0
	for _, r := range all {
		if r.name == "nginx" {
			base = r.each
		}
	}
	return table(w, func(t io.Writer) {
		fmt.Fprintf(t, "%d idle connections\tkB each\t\n", idlers)
		for _, r := range all {
			seen := "left out"
			if r.err == nil {
				seen = against("%.1f", r.each/1024, base/1024)
			}
			fmt.Fprintf(t, "%-21s\t%s\t\n", r.name, seen)
		}
	})
}

// goal is a ratio, or a figure, that is to be reached.
type goal struct {
	what string
	most float64
	unit string
	seen float64 // 0: it could not be measured
}

// goals are those of the table.
func goals(all []*measure, rest []resting) []goal {
	of := func(measure, name string) figures {
		for _, m := range all {
			if c := m.cell(name); m.name == measure && c != nil {
				return c.figures()
			}
		}
		return figures{}
	}
	ratio := func(a, b time.Duration) float64 {
		if b == 0 {
			return 0
		}
		return float64(a) / float64(b)
	}
	small, page := of("1 kB", ours), of("503 page", pageName)
	idle := 0.0
	if i := slices.IndexFunc(rest, func(r resting) bool { return r.name == ours }); i >= 0 {
		idle = rest[i].each / 1024
	}
	return []goal{
		{"CPU of a proxied 1 kB, of nginx's", 1.4, "×", ratio(small.cpu, of("1 kB", "nginx").cpu)},
		{"CPU of a proxied 1 kB, of Caddy's", 0.25, "×", ratio(small.cpu, of("1 kB", "caddy").cpu)},
		{"CPU of the page, of nginx's own 503", 1, "×", ratio(page.cpu, of("503 page", "nginx").cpu)},
		{"CPU of a sign-in at age 0, of one without a store", 1.15, "×", ratio(of("sign-in", ours).cpuOpen, of("sign-in", withoutName).cpuOpen)},
		{"p99 of 1 kB at half load, of HAProxy's", 1.5, "×", ratio(small.p99, of("1 kB", "haproxy").p99)},
		{"an idle connection", 16, "kB", idle},
	}
}

func printGoals(w io.Writer, all []goal) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "to reach\tat most\tseen\t")
	for _, g := range all {
		seen, word := fmt.Sprintf("%.2f %s", g.seen, g.unit), "reached"
		switch {
		case g.seen == 0:
			seen, word = "-", "not measured"
		case g.seen > g.most:
			word = "not reached"
		}
		fmt.Fprintf(t, "%s\t%.2f %s\t%s\t%s\n", g.what, g.most, g.unit, seen, word)
	}
	return t.Flush()
}

// noise returns by how much the rounds of one cell differ at most in CPU for each request, and in p99, as ratios.
func noise(all []*measure) (cpu, p99 float64) {
	cpu, p99 = 1, 1
	spread := func(runs []run, of func(run) time.Duration) float64 {
		if len(runs) < 2 {
			return 1
		}
		by := func(a, b run) int { return int(of(a) - of(b)) }
		low := of(slices.MinFunc(runs, by))
		if low == 0 {
			return 1
		}
		return float64(of(slices.MaxFunc(runs, by))) / float64(low)
	}
	for _, m := range all {
		for _, c := range m.cells {
			cpu = max(cpu, spread(c.closed, run.each), spread(c.open, run.each))
			p99 = max(p99, spread(c.open, func(r run) time.Duration { return r.p99 }))
		}
	}
	return cpu, p99
}

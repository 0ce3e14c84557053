//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"
)

const ours = "gatehouse"

// measure is one thing that is asked of every proxy.
type measure struct {
	name     string
	base     string  // whom the ratios are against
	rate     float64 // of the open load; 0: half of what the slowest of three manages
	openOnly bool    // there is no closed load
	cells    []*cell
}

// cell is one proxy under one measure, with what was seen of it.
type cell struct {
	of     *measure
	at     *process
	ask    wish
	closed []run // one each round; none where the measure has no closed load
	open   []run
	err    error // it is left out
}

func (m *measure) add(p *process, ask wish) {
	if p != nil {
		m.cells = append(m.cells, &cell{of: m, at: p, ask: ask})
	}
}

func (m *measure) cell(name string) *cell {
	for _, c := range m.cells {
		if c.at.name == name && c.err == nil {
			return c
		}
	}
	return nil
}

// common returns the measures that all take part in: full is Gatehouse with everything, away one whose store is gone.
func common(full, away *process, others map[string]*process) []*measure {
	form := bytes.Repeat([]byte("field=value&"), 1000)[:10_000]
	kinds := []struct {
		name string
		ask  *question
	}{
		{"1 kB", small()},
		{"100 kB", newQuestion("GET", "/100k", true, nil, 200, 100_000)},
		{"POST 10 kB", newQuestion("POST", "/post", true, form, 200, 100)},
		{"503 page", newQuestion("GET", "/page", true, nil, 503, -1)},
	}
	var all []*measure
	for _, k := range kinds {
		m := &measure{name: k.name, base: "nginx"}
		if k.ask.status == 503 {
			m.add(away, k.ask)
		} else {
			m.add(full, k.ask)
		}
		for _, p := range peers {
			m.add(others[p.name], k.ask)
		}
		all = append(all, m)
	}
	return all
}

// streams returns the measures of what else a visitor's connection may speak. All who take part must know how.
func streams(full *process, others map[string]*process, c *credentials) []*measure {
	var all []*measure
	for _, k := range []struct {
		name string
		ask  wish
	}{
		{"TLS 1 kB", secret{small(), c.speaking("http/1.1")}},
		{"h2 1 kB", newFrames(c.speaking("h2"), "/1k", 1000)},
		{"WebSocket", sockets{}},
		{"gRPC", newCall(c.speaking("h2"))},
	} {
		m := &measure{name: k.name, base: "nginx"}
		m.add(full, k.ask)
		for _, p := range peers {
			if p.streams {
				m.add(others[p.name], k.ask)
			}
		}
		all = append(all, m)
	}
	return all
}

// signIns returns the measure of sign-ins, each of which needs a check of the store that began after it came, against the same
// route of a Gatehouse without a store.
func signIns(full, without *process) *measure {
	m := &measure{name: "sign-in", base: without.name, rate: 2000, openOnly: true}
	ask := newQuestion("POST", "/login", false, []byte("name=ada&password=correct+horse+battery"), 303, 0)
	m.add(full, ask)
	m.add(without, ask)
	return m
}

// take puts one load on a proxy.
func (c *cell) take(load func() (run, error)) (run, error) {
	if err := forgetPeak(c.at.pid()); err != nil {
		return run{}, err
	}
	r, err := load()
	if err == nil {
		err = c.at.emptyLog()
	}
	return r, err
}

// takeAll takes every measure of one round, first all closed loads and then all open ones, each in random order.
func takeAll(ctx context.Context, all []*measure, round int, length time.Duration) {
	var cells []*cell
	for _, m := range all {
		cells = append(cells, m.cells...)
	}
	shuffle := func() {
		rand.Shuffle(len(cells), func(i, j int) { cells[i], cells[j] = cells[j], cells[i] })
	}
	shuffle()
	for _, c := range cells {
		if c.err != nil || c.of.openOnly || ctx.Err() != nil {
			continue
		}
		r, err := c.take(func() (run, error) { return closed(c.at, c.ask, length) })
		c.note("closed", &c.closed, r, err)
	}
	for _, m := range all {
		m.setRate()
	}
	shuffle()
	for _, c := range cells {
		if c.err != nil || ctx.Err() != nil {
			continue
		}
		seed := uint64(round)<<8 | uint64(slices.Index(all, c.of))
		r, err := c.take(func() (run, error) { return open(c.at, c.ask, length, c.of.rate, seed) })
		c.note("open", &c.open, r, err)
	}
}

func (c *cell) note(kind string, to *[]run, r run, err error) {
	if err != nil {
		c.err = err
		fmt.Fprintf(os.Stderr, "%s, %s: left out: %v\n", c.of.name, c.at.name, err)
		return
	}
	*to = append(*to, r)
	line := fmt.Sprintf("%-10s  %-18s  %-6s  %7.0f/s  %6.1f µs", c.of.name, c.at.name, kind, r.rate(), micros(r.each()))
	if r.p99 > 0 {
		line += fmt.Sprintf("  p50 %.2f ms  p99 %.2f ms", millis(r.p50), millis(r.p99))
	}
	if r.failed > 0 {
		line += fmt.Sprintf("  %d failed: %v", r.failed, r.why)
	}
	fmt.Fprintln(os.Stderr, line)
}

// setRate determines the open load's rate, once.
func (m *measure) setRate() {
	if m.rate > 0 {
		return
	}
	for _, name := range []string{ours, pageName, "nginx", "haproxy"} {
		if c := m.cell(name); c != nil && len(c.closed) > 0 {
			if half := c.closed[0].rate() / 2; m.rate == 0 || half < m.rate {
				m.rate = half
			}
		}
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

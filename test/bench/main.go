//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	pageName    = "gatehouse, store away"
	withoutName = "gatehouse, no store"
)

func main() {
	rounds := flag.Int("rounds", 2, "how often each measure is taken")
	budget := flag.Duration("budget", 4*time.Minute+30*time.Second, "how long all of it may take; runs are shortened to fit, to a second at least")
	only := flag.String("only", "", "take only the measures whose name holds this")
	keep := flag.String("profile", "", "keep the CPU profile of Gatehouse in this file")
	flag.Parse()
	// Children that end with the thread that started them need it to stay.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	debug.SetGCPercent(400)
	if err := bench(ctx, *rounds, *budget, *only, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// lengths says how long one run may be, where so many are to fit into that time.
func lengths(left time.Duration, runs int) time.Duration {
	const around = warmUp + 150*time.Millisecond // connecting, reading /proc
	return max(time.Second, min(4*time.Second, left/time.Duration(max(1, runs))-around))
}

func bench(ctx context.Context, rounds int, budget time.Duration, only, keep string) error {
	begun := time.Now()
	fmt.Fprintln(os.Stderr, "building Gatehouse")
	s, err := newStage(ctx)
	defer s.clear()
	if err != nil {
		return err
	}
	full, admin, err := s.gatehouse(ours, s.store, stateOf(s.store))
	if err != nil {
		return fmt.Errorf("gatehouse: %w", err)
	}
	away, _, err := s.gatehouse(pageName, "127.0.0.1:"+freePort(), "down")
	if err != nil {
		return fmt.Errorf("gatehouse whose store is away: %w", err)
	}
	others := s.others()
	all := append(common(full, away, others), streams(full, others, s.secrets)...)
	if s.store != "" {
		without, _, err := s.gatehouse(withoutName, "", "")
		if err != nil {
			return fmt.Errorf("gatehouse without a store: %w", err)
		}
		m := signIns(full, without)
		all = append(all, m)
	}
	all = slices.DeleteFunc(all, func(m *measure) bool { return !strings.Contains(m.name, only) })
	runs := 0
	for _, m := range all {
		if runs += len(m.cells); !m.openOnly {
			runs += len(m.cells)
		}
	}
	const rest = 25 * time.Second // idle connections and the profile
	length := lengths(budget-rest-time.Since(begun), runs*rounds)
	fmt.Fprintf(os.Stderr, "%d runs of %v\n", runs*rounds, length.Round(100*time.Millisecond))
	for round := range rounds {
		takeAll(ctx, all, round, length)
	}
	file, profileErr := profile(ctx, full, admin, s.dir, small())
	lines, err := lost(ctx, admin)
	if err != nil {
		return err
	}
	resting := s.idleAll()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := report(s, all, resting, length); err != nil {
		return err
	}
	fmt.Printf("lines of Gatehouse's access log that were lost: %s\n", lines)
	if profileErr != nil {
		return profileErr
	}
	if keep != "" {
		body, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(keep, body, 0o600); err != nil {
			return err
		}
	}
	err = printProfile(os.Stdout, s.program, file)
	fmt.Fprintf(os.Stderr, "%v in all\n", time.Since(begun).Round(time.Second))
	return err
}

// stateOf is what a store is waited for to be in.
func stateOf(store string) string {
	if store == "" {
		return ""
	}
	return "writable"
}

// idleAll measures what idle connections cost, in new processes.
func (s *stage) idleAll() []resting {
	var all []resting
	add := func(name string, p *process, err error) {
		r := resting{name: name, err: err}
		if err == nil {
			r.each, r.err = idle(p)
			p.stop()
		}
		all = append(all, r)
	}
	p, _, err := s.gatehouse(ours, s.store, stateOf(s.store))
	add(ours, p, err)
	for _, other := range peers {
		if program := other.found(); program != "" {
			p, err := s.peer(other, program)
			add(other.name, p, err)
		}
	}
	return all
}

func report(s *stage, all []*measure, rest []resting, length time.Duration) error {
	w := os.Stdout
	fmt.Fprintln(w)
	for _, line := range s.found {
		fmt.Fprintln(w, line)
	}
	for _, line := range s.out {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintf(w, "%d cores, %s; %d connections, %v a run, the better of the rounds; ratios against nginx, of sign-ins against no store\n\n",
		runtime.NumCPU(), runtime.Version(), connections, length.Round(100*time.Millisecond))
	if err := printTable(w, all); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if err := printIdle(w, rest); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if err := printGoals(w, goals(all, rest)); err != nil {
		return err
	}
	cpu, p99 := noise(all)
	_, err := fmt.Fprintf(w, "\nnoise: between rounds of the same, CPU differed by up to %.2f×, p99 by up to %.2f×\n", cpu, p99)
	return err
}

// printProfile shows where the time of a proxied 1 kB goes: by function, and by our functions with what they call of others'.
func printProfile(w *os.File, program, file string) error {
	flat, err := top(program, file)
	if err != nil {
		return err
	}
	lines, err := top(program, file, "-lines", "-show=^gatehouse/")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nwhat stands between this and 1.0 (the 1 kB load)\n\n%s\nour own lines, with all that they call of others'\n\n%s", flat, lines)
	return err
}

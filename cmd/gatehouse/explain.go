package main

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gatehouse/config"
	"gatehouse/proxy/build"
	"gatehouse/proxy/h1"
	"gatehouse/proxy/intake"
	"gatehouse/routing"
	"gatehouse/shed"
	"gatehouse/shed/session"
)

func explainCommand() *cobra.Command {
	var path, method string
	var fields []string
	c := &cobra.Command{
		Use:   "explain -c FILE [-X METHOD] [-H 'K: V'] URL",
		Short: "Say which route takes a request, why, and what happens to it in each state of the store",
		Long: "Say which route takes a request, why the earlier ones do not, what other readings of its path would take, and what\n" +
			"happens to it in each of the five states of the session store. URL may be a whole URL or a path.",
		Args: exactly(1, "explain wants one URL"),
		RunE: func(c *cobra.Command, args []string) error {
			if path == "" {
				return usage("explain wants -c FILE")
			}
			cfg, err := config.Load(path)
			if err != nil {
				return err
			}
			q, err := readQuestion(method, args[0], fields)
			if err != nil {
				return err
			}
			return explain(c.OutOrStdout(), cfg, q)
		},
	}
	c.Flags().StringVarP(&path, "config", "c", "", "the operator's file")
	c.Flags().StringVarP(&method, "method", "X", "GET", "the request's method")
	c.Flags().StringArrayVarP(&fields, "header", "H", nil, "a field of the request, as 'Name: value'; may be repeated")
	return c
}

// question is the request that is asked about.
type question struct {
	method, host, target string
	head                 h1.Head
}

func readQuestion(method, address string, fields []string) (question, error) {
	q := question{method: method, target: address, host: "localhost"}
	if scheme, rest, ok := strings.Cut(address, "://"); ok {
		if scheme != "http" && scheme != "https" {
			return q, usage(fmt.Sprintf("%q is neither http nor https", scheme))
		}
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		if q.host, q.target = rest[:end], rest[end:]; !strings.HasPrefix(q.target, "/") {
			q.target = "/" + q.target
		}
	}
	q.target, _, _ = strings.Cut(q.target, "#") // a browser keeps it to itself
	if !h1.ValidName(method) {
		return q, usage(fmt.Sprintf("-X %q is no method", method))
	}
	for _, f := range fields {
		name, value, ok := strings.Cut(f, ":")
		if name = strings.TrimSpace(name); !ok || !h1.ValidName(name) || !h1.ValidValue(strings.TrimSpace(value)) {
			return q, usage(fmt.Sprintf("-H %q is no field; wanted 'Name: value'", f))
		}
		if value = strings.TrimSpace(value); strings.EqualFold(name, "Host") {
			q.host = value
			continue
		}
		q.head.Add(name, value)
	}
	return q, nil
}

func explain(w io.Writer, cfg *config.Config, q question) error {
	table, err := build.Table(cfg)
	if err != nil {
		return err
	}
	target, err := intake.ReadTarget(q.method, q.target, q.host)
	if err != nil {
		return fmt.Errorf("%s %s at %s is refused before any route is looked at: %w", q.method, quote(q.target), quote(q.host), err)
	}
	marks := session.Marks{Cookies: cfg.Session.Cookies, Headers: cfg.Session.Headers}
	_, carries := marks.Carried(q.head)
	if _, err := intake.Clean(&q.head, false, nil); err != nil {
		return fmt.Errorf("the request is refused before any route is looked at: %w", err)
	}
	canonical, err := routing.Canonical(target.RawPath)
	if err != nil {
		return fmt.Errorf("the path %s is refused: %w", quote(target.RawPath), err)
	}
	r := routing.Request{
		Method: q.method, Host: target.Host, RawPath: target.RawPath, Path: canonical, Query: target.Query, Fields: q.head,
	}
	fmt.Fprintf(w, "%s %s at %s, %s\n\n", q.method, quote(target.Origin()), target.Host, carrying(carries))

	steps := table.Explain(&r)
	fmt.Fprintln(w, "Routes, in order:")
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range steps {
		if s.Reading != nil {
			continue
		}
		mark := "no "
		if s.Matched {
			mark = "YES"
		}
		fmt.Fprintf(out, "  %s\t%s\t%s\n", mark, s.Name, s.Why)
	}
	_ = out.Flush()
	fmt.Fprintln(w)
	explainReadings(w, steps)

	m := table.Match(&r)
	switch {
	case !m.Found:
		fmt.Fprintln(w, "Outcome: rejected, no_route: 404 in every state.")
		return nil
	case m.Ambiguous && m.Policy == routing.Refuse:
		fmt.Fprintf(w, "Outcome: rejected, ambiguous_path: 400 in every state, since the path can be read as another route's (%v).\n", m.Reading)
		return nil
	}
	explainRoute(w, cfg, m.Value, carries)
	explainStates(w, cfg, m.Value, q, carries)
	return nil
}

func explainReadings(w io.Writer, steps []routing.Step) {
	first := true
	for _, s := range steps {
		if s.Reading == nil {
			continue
		}
		if first {
			fmt.Fprintln(w, "Other readings of the path:")
			first = false
		}
		fmt.Fprintf(w, "  %s\n", s.Why)
	}
	if !first {
		fmt.Fprintln(w)
	}
}

func explainRoute(w io.Writer, cfg *config.Config, r config.Route, carries bool) {
	fmt.Fprintf(w, "Route %s (line %d): pool %s", r.Name, r.Line, r.Pool)
	if r.Overflow != "" {
		fmt.Fprintf(w, ", borrowing from %s", r.Overflow)
	}
	fmt.Fprintf(w, "; needs %s", r.Needs)
	if r.SignIn {
		fmt.Fprint(w, "; a sign-in")
	}
	if r.SignOut {
		fmt.Fprint(w, "; a sign-out")
	}
	if r.Members {
		fmt.Fprint(w, "; members alone, so an answer proves the session")
	}
	for _, q := range r.Quotas {
		fmt.Fprintf(w, "; quota %s", q)
	}
	fmt.Fprint(w, "\n")
	explainClass(w, cfg, r, carries)
	fmt.Fprintln(w)
}

// explainClass says how much the request matters where its pool cannot take everybody.
func explainClass(w io.Writer, cfg *config.Config, r config.Route, carries bool) {
	i := slices.IndexFunc(cfg.Pools, func(p config.Pool) bool { return p.Name == r.Pool })
	if i < 0 || cfg.Pools[i].MaxInFlight == 0 && cfg.Pools[i].Adaptive == nil {
		return
	}
	class := shed.Anonymous
	switch {
	case r.Background:
		class = shed.Background
	case r.SignIn:
		class = shed.SignIn
	case carries:
		class = shed.Unproved
	}
	fmt.Fprintf(w, "When pool %s is full it counts as %s", r.Pool, class)
	if carries && class != shed.Background {
		fmt.Fprintf(w, ", and as %s where it proves the session", shed.Member)
	}
	fmt.Fprint(w, ".\n")
}

func carrying(carries bool) string {
	if carries {
		return "carrying a session"
	}
	return "carrying no session"
}

// quote shows what was asked without letting it play with the terminal.
func quote(s string) string {
	if u, err := url.PathUnescape(s); err == nil && u == s && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return s
	}
	return fmt.Sprintf("%+q", s)
}
